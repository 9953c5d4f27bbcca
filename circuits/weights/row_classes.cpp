#include "circuits/weights/row_classes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/weights/composition_range.h"

namespace cimstat::circuits {

namespace {

constexpr double none = -std::numeric_limits<double>::infinity();

std::vector<std::uint32_t> sorted_once(std::span<const std::uint32_t> active_rows) {
  std::vector<std::uint32_t> sorted(active_rows.begin(), active_rows.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

void require_few(std::size_t classes) {
  if (classes <= class_limit) return;
  throw core::UsageError(core::error_line(
      "table.active_rows", "too many classes: numbers of rows in each state",
      fmt::format("more than {}", class_limit),
      "list smaller numbers of active rows, or write classes = \"typical\" in [table]"));
}

/// How many ways n rows fall into so many states: the binomial of n + states - 1 over n, or
/// anything above class_limit.
std::size_t ways(std::uint32_t n, std::size_t states) {
  double count = 1.0;
  for (std::size_t i = 1; i < states; ++i) count *= double(n + i) / double(i);
  return static_cast<std::size_t>(std::min(std::round(count), 2.0 * class_limit));
}

void add_compositions(std::vector<ColumnClass>& classes, ColumnClass& one, std::size_t state,
                      std::size_t states, std::uint32_t left) {
  if (state + 1 == states) {
    one.states[state] = static_cast<std::uint16_t>(left);
    classes.push_back(one);
    return;
  }
  for (std::uint32_t count = 0; count <= left; ++count) {
    one.states[state] = static_cast<std::uint16_t>(count);
    add_compositions(classes, one, state + 1, states, left - count);
  }
}

/// The most probable numbers of rows in each state, for all (n, MAC value) up to some n: the
/// largest sum of c ln p - ln c! over the states, one state after the other.
class TypicalCompositions {
 public:
  TypicalCompositions(const RowStates& rows, std::uint32_t most)
      : rows_(rows), most_(most), grid_(rows, most) {
    const std::size_t cells = (most + 1) * grid_.values;
    std::vector<double> best(cells, none);
    best[grid_.index(0)] = 0.0;
    for (const RowStates::State& state : rows.states) {
      std::vector<double> next(cells, none);
      std::vector<std::uint16_t>& taken = taken_.emplace_back(cells, std::uint16_t{0});
      for (std::uint32_t count = 0; count <= most; ++count) {
        const double weight = count * std::log(state.share) - std::lgamma(count + 1.0);
        extend(best, next, taken, count, std::int64_t{state.value} * count, weight);
      }
      best = std::move(next);
    }
    best_ = std::move(best);
  }

  std::vector<ColumnClass> classes(std::uint32_t n) const {
    std::vector<ColumnClass> classes;
    for (std::size_t value = 0; value < grid_.values; ++value) {
      if (best_[n * grid_.values + value] == none) continue;
      ColumnClass& one = classes.emplace_back();
      one.active_rows = n;
      std::size_t left = n;
      std::size_t place = value;
      for (std::size_t state = rows_.states.size(); state-- > 0;) {
        const std::uint16_t count = taken_[state][left * grid_.values + place];
        one.states[state] = count;
        left -= count;
        place = grid_.index(grid_.origin + static_cast<std::int64_t>(place) -
                            std::int64_t{rows_.states[state].value} * count);
      }
    }
    return classes;
  }

 private:
  void extend(const std::vector<double>& best, std::vector<double>& next,
              std::vector<std::uint16_t>& taken, std::uint32_t count, std::int64_t shift,
              double weight) const {
    const auto values = static_cast<std::int64_t>(grid_.values);
    for (std::uint32_t n = count; n <= most_; ++n) {
      const double* from = best.data() + (n - count) * grid_.values;
      double* to = next.data() + n * grid_.values;
      std::uint16_t* how = taken.data() + n * grid_.values;
      const std::int64_t first = std::max<std::int64_t>(0, shift);
      const std::int64_t end = std::min(values, values + shift);
      for (std::int64_t value = first; value < end; ++value) {
        const double candidate = from[value - shift] + weight;
        if (candidate > to[value]) {
          to[value] = candidate;
          how[value] = static_cast<std::uint16_t>(count);
        }
      }
    }
  }

  const RowStates& rows_;
  std::uint32_t most_;
  ValueGrid grid_;
  std::vector<std::vector<std::uint16_t>> taken_;  ///< [state][n, value]
  std::vector<double> best_;
};

void require_rows(std::uint32_t rows) {
  if (rows <= typical_row_limit) return;
  throw core::UsageError(core::error_line(
      "table.active_rows", fmt::format("typical classes of {} rows", rows),
      fmt::format("they are found for up to {}", typical_row_limit), "list smaller numbers"));
}

}  // namespace

std::vector<ColumnClass> classes_of(const ColumnDesign& design,
                                    std::span<const std::uint32_t> active_rows,
                                    Compositions compositions) {
  const RowStates& rows = design.row_states;
  if (rows.empty()) return classes_for(active_rows);
  const std::vector<std::uint32_t> numbers = sorted_once(active_rows);
  std::vector<ColumnClass> classes;
  if (numbers.empty()) return classes;
  if (compositions == Compositions::typical) {
    require_rows(numbers.back());
    const TypicalCompositions typical(rows, numbers.back());
    for (const std::uint32_t n : numbers) {
      const std::vector<ColumnClass> found = typical.classes(n);
      classes.insert(classes.end(), found.begin(), found.end());
    }
    return classes;
  }
  std::size_t count = 0;
  for (const std::uint32_t n : numbers) require_few(count += ways(n, rows.states.size()));
  for (const std::uint32_t n : numbers) {
    ColumnClass one;
    one.active_rows = n;
    const auto first = static_cast<std::ptrdiff_t>(classes.size());
    add_compositions(classes, one, 0, rows.states.size(), n);
    std::stable_sort(classes.begin() + first, classes.end(),
                     [&](const ColumnClass& a, const ColumnClass& b) {
                       return std::pair(mac_value(design, a), a.states) <
                              std::pair(mac_value(design, b), b.states);
                     });
  }
  return classes;
}

CompositionSpread composition_spread(const ColumnDesign& design,
                                     std::span<const ColumnClass> classes) {
  CompositionSpread spread;
  const RowStates& rows = design.row_states;
  std::uint32_t most = 0;
  for (const ColumnClass& one : classes) most = std::max(most, one.active_rows);
  if (rows.empty() || most == 0) return spread;
  require_rows(most);
  const auto [mean, variance] = StateMoments(rows);
  const ExtremeSums least_mean(rows, mean, most, -1.0);
  const ExtremeSums largest_mean(rows, mean, most, 1.0);
  const ExtremeSums least_variance(rows, variance, most, -1.0);
  const ExtremeSums largest_variance(rows, variance, most, 1.0);
  for (const ColumnClass& one : classes) {
    const std::int64_t value = mac_value(design, one);
    double own_mean = 0.0;
    double own_variance = 0.0;
    for (std::size_t state = 0; state < rows.states.size(); ++state) {
      own_mean += one.states[state] * mean[state];
      own_variance += one.states[state] * variance[state];
    }
    const std::uint32_t n = one.active_rows;
    spread.mean_below = std::max(spread.mean_below, own_mean - least_mean(n, value));
    spread.mean_above = std::max(spread.mean_above, largest_mean(n, value) - own_mean);
    if (own_variance == 0.0) continue;
    const auto relative = [&](double other) {
      return std::sqrt(std::max(0.0, other) / own_variance) - 1.0;
    };
    spread.sd_below = std::max(spread.sd_below, -relative(least_variance(n, value)));
    spread.sd_above = std::max(spread.sd_above, relative(largest_variance(n, value)));
  }
  return spread;
}

}  // namespace cimstat::circuits
