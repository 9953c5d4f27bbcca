#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/random/random.h"

#include "circuits/error_table.h"

#include "experiments/inference/code_sampler.h"
#include "experiments/inference/forward_pass.h"

/// Error tables of single layers, beside that of all others.
namespace cimstat::experiments {

/// Layers whose codes are drawn from a table of their own, on columns of its macro.
struct LayerTable {
  std::string name;                 ///< of its place in the configuration, for messages
  std::vector<std::string> layers;  ///< names; each stands in one table
  circuits::ErrorTable table;
  std::uint32_t rows = 0;   ///< of its columns
  double zero_value = 0.0;  ///< ArrayOptions' own, of these
};

/// How a network lies on arrays where some layers have columns of their own.
ArrayOptions with_columns(ArrayOptions array, std::span<const LayerTable> tables);

/// Throws UsageError where a table names a layer that the network lacks, or that is on no array,
/// where it lacks a class that its layers can meet, and where a layer's sums of codes could
/// overflow: of the tables' codes or, elsewhere, of `codes`.
void check_layer_tables(const ForwardPass& pass, std::span<const LayerTable> tables,
                        std::uint32_t codes);

/// What partial sums of each layer are drawn from; immutable.
class TableReadings {
 public:
  /// A table and how messages call it.
  struct NamedTable {
    const circuits::ErrorTable& table;
    const std::string& name;
  };
  /// `rest` is the table of layers without their own. Throws UsageError, as check_layer_tables
  /// does, and where `rest` lacks a class that its layers can meet.
  TableReadings(const ForwardPass& pass, const NamedTable& rest, std::span<const LayerTable> tables,
                const ProtectedDiagonals& diagonals, core::Stream stream);
  TableReadings(const TableReadings&) = delete;
  TableReadings& operator=(const TableReadings&) = delete;

  /// One reading where no layer has a table of its own.
  Arithmetic arithmetic() const;
  /// Of the table of layers without their own.
  const CodeSampler& sampler() const { return *samplers_.front(); }

 private:
  /// Reads of the nodes, those of columns, by the table.
  ColumnReading reading_of(const ForwardPass& pass, const NamedTable& table,
                           std::span<const std::size_t> nodes, const ProtectedDiagonals& diagonals,
                           core::Stream stream);

  std::vector<std::unique_ptr<CodeSampler>> samplers_;
  NodeReadings readings_;  ///< [node]
  bool are_alike_ = true;
};

}  // namespace cimstat::experiments
