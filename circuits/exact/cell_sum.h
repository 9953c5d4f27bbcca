#pragma once

#include <cstdint>
#include <memory>

#include "core/law/law.h"
#include "core/parallel.h"

namespace cimstat::circuits {

/// The distribution of the sum of `count` independent cells of one law, by inversion, for tables of
/// sums (performance.md 2.1 (ii)).
class CellSum {
 public:
  /// Whether the sum can be inverted to absolute error 1e-13: the law of one cell is always taken
  /// directly, sums of laws with corners (truncated, empirical, points) only when there are enough
  /// cells.
  static bool possible(const core::Law& law, std::uint32_t count);
  CellSum(const core::Law& law, std::uint32_t count, core::Threads threads = {1});
  ~CellSum();
  CellSum(CellSum&&) noexcept;
  /// The sum with the given tail probability, 2^-33 <= probability <= 1/2.
  double quantile(core::Tail side, double probability) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cimstat::circuits
