#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "circuits/column.h"
#include "circuits/columns/frozen_pool.h"
#include "circuits/converters/converter_circuit.h"

/// The converters of a pool of columns, frozen as their cells are.
namespace cimstat::circuits {

/// Number of the converter of a column: neighbours on one die share one, columns_per_converter at a
/// time; dies share none.
std::uint64_t converter_of(std::uint64_t column, std::uint64_t columns_of_a_die,
                           std::uint32_t columns_per_converter);

/// From the first current on and below the second.
struct CurrentStretch {
  double from = 0.0;
  double to = 0.0;
};

/// Where a converter gives codes below and above the ideal one of a class, relative to the class's
/// mean current [A], ascending. One stretch each for converters without steps back.
struct WrongStretches {
  std::vector<CurrentStretch> below;
  std::vector<CurrentStretch> above;
};

class ColumnConverters {
 public:
  /// For comparators without noise. Refers to none of its arguments.
  ColumnConverters(const ColumnDesign& design, std::span<const ColumnClass> classes,
                   const PoolOptions& options);
  /// [class], of the converter of this column.
  std::vector<WrongStretches> of(std::uint64_t column) const;

 private:
  struct Run {  ///< classes of one number of active rows
    std::uint32_t active_rows = 0;
    ConverterCircuit circuit;
    double first_reference = 0.0;  ///< [A]
  };
  struct Class {
    std::size_t run = 0;
    std::uint32_t ideal_code = 0;
    double mean = 0.0;  ///< [A]
  };
  std::vector<Run> runs_;
  std::vector<Class> classes_;
  PoolOptions options_;
  std::uint32_t columns_per_converter_ = 1;
};

}  // namespace cimstat::circuits
