#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "circuits/column.h"

/// All the ways in which some number of rows adds up to one MAC value.
namespace cimstat::circuits {

/// MAC values of up to `rows` rows, as indices from 0.
struct ValueGrid {
  std::int64_t origin;
  std::size_t values;
  ValueGrid(const RowStates& states, std::uint32_t rows);
  std::size_t index(std::int64_t value) const { return static_cast<std::size_t>(value - origin); }
  std::int64_t value(std::size_t index) const { return origin + static_cast<std::int64_t>(index); }
  bool holds(std::int64_t value) const {
    return value >= origin && value < origin + static_cast<std::int64_t>(values);
  }
};

/// The least or the largest sum of something that each row adds by its state, of all rows of one
/// MAC value.
class ExtremeSums {
 public:
  /// `added`: [state]; for up to `most` rows; sign 1 for the largest sums, -1 for the least.
  ExtremeSums(const RowStates& rows, std::span<const double> added, std::uint32_t most,
              double sign);
  double operator()(std::uint32_t n, std::int64_t value) const;
  bool holds(std::uint32_t n, std::int64_t value) const;  ///< whether n rows can have the value

 private:
  ValueGrid grid_;
  double sign_;
  std::vector<std::vector<double>> sums_;
};

/// Mean and variance that a row in each state adds [A], [A^2], [state]; where codes are subtracted,
/// to the difference of the two currents.
struct StateMoments {
  std::vector<double> mean, variance;
  explicit StateMoments(const RowStates& rows);
};

/// Extremes over all compositions of (n, MAC value), each on its own. Unselected rows left out.
struct MomentRange {
  double least_mean = 0.0;     ///< [A]
  double most_mean = 0.0;      ///< [A]
  double most_variance = 0.0;  ///< [A^2]
};

class CompositionRange {
 public:
  CompositionRange(const RowStates& rows, std::uint32_t most);
  /// Nothing where n rows can't have the value.
  std::optional<MomentRange> operator()(std::uint32_t n, std::int64_t value) const;

 private:
  StateMoments moments_;
  ExtremeSums least_mean_, most_mean_, most_variance_;
};

/// How much of its MAC value each class stands for: the share of its composition among all of the
/// same number of rows and MAC value, where each row is in each state as often as RowStates::share
/// says. 1 in a binary column.
std::vector<double> composition_weights(const ColumnDesign& design,
                                        std::span<const ColumnClass> classes);

}  // namespace cimstat::circuits
