#include "circuits/columns/input_pattern.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

/// Uniform on 0 .. bound - 1, without bias.
std::uint32_t below(core::TrialRandom& random, std::uint32_t bound) {
  const std::uint64_t words = std::uint64_t{1} << 32;
  const std::uint64_t usable = words - words % bound;
  for (;;) {
    const std::uint64_t word = random();
    if (word < usable) return static_cast<std::uint32_t>(word % bound);
  }
}

/// Activates `count` of the rows first .. end - 1.
void activate(core::TrialRandom& random, std::uint32_t first, std::uint32_t end,
              std::uint32_t count, RowBits& active) {
  std::vector<std::uint32_t> rows(end - first);
  std::iota(rows.begin(), rows.end(), first);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto left = static_cast<std::uint32_t>(rows.size()) - i;
    // Nothing to draw where all that is left is taken.
    if (left > count - i) std::swap(rows[i], rows[i + below(random, left)]);
    active.set(rows[i]);
  }
}

bool has_one_choice(std::uint32_t from, std::uint32_t count) { return count == 0 || count == from; }

}  // namespace

std::vector<std::size_t> PatternSet::sizes() const {
  std::vector<std::size_t> sizes(classes.size(), 0);
  for (const InputPattern& pattern : patterns) ++sizes[pattern.class_index];
  return sizes;
}

PatternSet random_patterns(std::uint32_t rows, std::span<const ColumnClass> classes,
                           const PatternOptions& options) {
  constexpr std::uint64_t blocks_of_a_pattern = 4096;
  PatternSet set{.rows = rows, .classes = {classes.begin(), classes.end()}, .patterns = {}};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto [k, n, states] = classes[i];
    if (k > n || n > rows) {
      throw core::UsageError(core::error_line(
          "column", fmt::format("a class of {} LRS cells among {} active rows does not fit", k, n),
          fmt::format("the column has {} rows", rows)));
    }
    const std::uint32_t lrs = std::clamp(options.lrs_cells, k, rows - n + k);
    const bool one = has_one_choice(lrs, k) && has_one_choice(rows - lrs, n - k);
    const std::uint32_t count = one ? 1 : std::max(1U, options.per_class);
    for (std::uint32_t p = 0; p < count; ++p) {
      core::TrialRandom random(options.key, core::Domain::column_pattern,
                               std::uint64_t{n} * 2048 + k, blocks_of_a_pattern * p);
      InputPattern pattern{RowBits(rows), RowBits(rows), i};
      for (std::uint32_t row = 0; row < lrs; ++row) pattern.lrs.set(row);
      activate(random, 0, lrs, k, pattern.active);
      activate(random, lrs, rows, n - k, pattern.active);
      set.patterns.push_back(std::move(pattern));
    }
  }
  return set;
}

}  // namespace cimstat::circuits
