#include "circuits/references/range_ladders.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "circuits/bit_line/line_reading.h"
#include "circuits/exact/exact_column.h"

namespace cimstat::circuits {
namespace {

double current_of(const ColumnDesign& design, std::uint32_t mac, std::uint32_t rows) {
  return mean_reading(design, {.lrs_count = mac, .active_rows = rows});
}

/// A ladder whose code c stands for the current first + c step.
Ladder even_ladder(const ColumnDesign& design, std::uint32_t rows, double first, double step,
                   std::uint32_t codes) {
  const double zero = current_of(design, 0, rows);
  const double one = (current_of(design, rows, rows) - zero) / rows;
  return {.codes = codes,
          .references = {},
          .code_step = step / one,
          .code_origin = (first - zero) / one};
}

/// Doubles in their order, numbered without gaps; both zeros are number 0.
std::int64_t place_of(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x);
  return bits < 0 ? std::numeric_limits<std::int64_t>::min() - bits : bits;
}

double double_at(std::int64_t place) {
  return std::bit_cast<double>(place < 0 ? std::numeric_limits<std::int64_t>::min() - place
                                         : place);
}

}  // namespace

CurrentRange mac_range(const ColumnDesign& design, std::uint32_t reference_rows,
                       std::uint32_t lowest_mac, std::uint32_t highest_mac) {
  return {current_of(design, lowest_mac, reference_rows),
          current_of(design, highest_mac, reference_rows)};
}

std::vector<double> prior_weights(MacPrior prior, std::uint32_t rows, double density) {
  std::vector<double> weights(rows + std::size_t{1}, 1.0 / (rows + 1.0));
  if (prior == MacPrior::uniform) return weights;
  const double n = rows;
  for (std::uint32_t k = 0; k <= rows; ++k) {
    const double ways = std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
    // 0 log 0 = 0: the ends of the density are certain.
    const double on = k == 0 ? 0.0 : k * std::log(density);
    const double off = k == rows ? 0.0 : (n - k) * std::log1p(-density);
    weights[k] = std::exp(ways + on + off);
  }
  return weights;
}

CurrentRange percentile_range(const ColumnDesign& design, std::span<const double> weights,
                              double tail) {
  const auto rows = static_cast<std::uint32_t>(weights.size() - 1);
  std::vector<ColumnClass> classes;
  std::vector<double> shares;
  double all = 0.0;
  constexpr double negligible = 1e-15;
  for (std::uint32_t k = 0; k <= rows; ++k) {
    if (weights[k] <= negligible) continue;
    classes.push_back({.lrs_count = k, .active_rows = rows});
    shares.push_back(weights[k]);
    all += weights[k];
  }
  const auto currents = sensed_currents(design, classes, {}, core::Threads{1});
  double low = currents.front().mean();
  double high = low;
  constexpr double reach = 40.0;  // standard deviations
  for (const SensedCurrent& current : currents) {
    low = std::min(low, current.mean() - reach * current.sd());
    high = std::max(high, current.mean() + reach * current.sd());
  }
  const double precision = 1e-9 * (high - low);
  const auto share = [&](core::Tail side, double x) {
    double sum = 0.0;
    for (std::size_t i = 0; i < currents.size(); ++i) {
      sum += shares[i] * currents[i].tail_probability(side, x);
    }
    return sum / all;
  };
  // Halving: where cells have points, the share is not continuous.
  const auto found = [&](core::Tail side) {
    double inside = side == core::Tail::lower ? high : low;  // a share of tail or more lies beyond
    double outside = side == core::Tail::lower ? low : high;
    while (std::abs(inside - outside) > precision) {
      const double middle = 0.5 * (inside + outside);
      (share(side, middle) >= tail ? inside : outside) = middle;
    }
    return inside;
  };
  return {found(core::Tail::lower), found(core::Tail::upper)};
}

Ladder range_ladder(const ColumnDesign& design, std::uint32_t reference_rows, CurrentRange range,
                    std::uint32_t codes) {
  const double step = (range.high - range.low) / (codes - 1);
  Ladder ladder = even_ladder(design, reference_rows, range.low, step, codes);
  for (std::uint32_t j = 0; j + 1 < codes; ++j) {
    ladder.references.push_back(range.low + (j + 0.5) * step);
  }
  return ladder;
}

Ladder floor_ladder(const ColumnDesign& design, std::uint32_t reference_rows, CurrentRange range,
                    std::uint32_t codes) {
  const double step = (range.high - range.low) / codes;
  Ladder ladder = even_ladder(design, reference_rows, range.low, step, codes);
  ladder.rounding = Rounding::down;
  const auto reached = [&](double current, std::uint32_t code) {
    return std::floor((current - range.low) / step) >= code;
  };
  for (std::uint32_t j = 1; j < codes; ++j) {
    // Halving over all doubles in between: one after another would take for ever next to 0.
    std::int64_t below = place_of(range.low + (j - 1) * step);
    std::int64_t from = place_of(range.low + (j + 1) * step);
    while (from - below > 1) {
      const std::int64_t middle = below + (from - below) / 2;
      (reached(double_at(middle), j) ? from : below) = middle;
    }
    ladder.references.push_back(double_at(from));
  }
  return ladder;
}

}  // namespace cimstat::circuits
