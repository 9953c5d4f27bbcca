#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random/random.h"

#include "circuits/column.h"

/// Which rows a read selects, and what their cells store.
namespace cimstat::circuits {

/// One bit a row: bit r % 64 of word r / 64.
class RowBits {
 public:
  explicit RowBits(std::uint32_t rows) : words_((rows + 63) / 64, 0) {}
  bool operator[](std::uint32_t row) const { return (words_[row / 64] >> row % 64 & 1) != 0; }
  void set(std::uint32_t row) { words_[row / 64] |= std::uint64_t{1} << row % 64; }

 private:
  std::vector<std::uint64_t> words_;
};

/// One input vector on one stored weight vector.
struct InputPattern {
  RowBits active;
  RowBits lrs;  ///< stored weight, of inactive rows too
  std::size_t class_index = 0;
};

/// Patterns, those of a class side by side, in the order of the classes; each class has one at
/// least.
struct PatternSet {
  std::uint32_t rows = 0;
  std::vector<ColumnClass> classes;
  std::vector<InputPattern> patterns;

  /// How many patterns each class has.
  std::vector<std::size_t> sizes() const;
};

struct PatternOptions {
  std::uint32_t per_class = 1;  ///< random patterns of each class
  std::uint32_t lrs_cells = 0;  ///< of the column, where the class allows it
  core::StreamKey key = {};
};

/// Random input vectors for columns of `rows` cells. Stored weights stay: for the class (k, n) the
/// first L rows store LRS, L = the number nearest to `lrs_cells` that has the class (k <= L <= rows
/// - n + k); so where n is at most lrs_cells and rows - lrs_cells, one weight vector serves all
/// classes. A pattern activates k of the L rows and n - k of the others, all choices equally
/// likely, with replacement between patterns; one pattern where there is one choice only.
///
/// The words of pattern i of (k, n) are those of (key, Domain::column_pattern, instance = 2048 n +
/// k) from block 4096 i on. Throws UsageError for classes that do not fit.
PatternSet random_patterns(std::uint32_t rows, std::span<const ColumnClass> classes,
                           const PatternOptions& options);

}  // namespace cimstat::circuits
