#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/law/quantile_table.h"

#include "circuits/column.h"

#include "experiments/inference/aligned_vector.h"
#include "experiments/inference/column_layer.h"

/// Columns read without a table: each cell, the offset and the noise are drawn afresh at each read.
namespace cimstat::experiments {

/// A column design made ready for sampling. Immutable; shared by all workers.
///
/// Random words, per image-read (instance) and batch b of four vectors (column_kernel.h): row r of
/// the columns takes block 16 (2048 b + r) + lane of Domain::programming, cells of active rows
/// first, then the unselected rows; row r of the dummy columns block 16 (2048 b + 1024 + r) + lane.
/// Offset and noise take block 16 b + lane of Domain::sense_offset and Domain::sense_noise. Vector
/// v of the batch takes word v mod 4. The fast stream begins anew with each read, at address
/// 2^33 + the read's first batch, and gives each batch's words in this order: cells, unselected
/// rows, dummy cells, offset, noise (where there are any), 64 for each row. Currents are added up
/// in row order, in float, in units of the mean LRS current.
class CellSimulation {
 public:
  /// Throws UsageError for comparators with noise of their own and for common factors.
  explicit CellSimulation(const circuits::ColumnDesign& design);
  ~CellSimulation();
  CellSimulation(const CellSimulation&) = delete;
  CellSimulation& operator=(const CellSimulation&) = delete;

  /// Throws UsageError when an image needs more batches than the contract numbers (2^23).
  void check_batches(std::uint64_t batches) const;
  /// For one worker; must not outlive this object.
  std::unique_ptr<CodeSource> source(core::Stream stream) const;

  /// What the vector code reads.
  struct Tables;

 private:
  std::unique_ptr<Tables> tables_;
};

}  // namespace cimstat::experiments
