#include "circuits/weights/composition_range.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace cimstat::circuits {

namespace {

constexpr double none = -std::numeric_limits<double>::infinity();

/// Logarithm of P(MAC value) of n rows, [value].
std::vector<double> log_shares_of_values(const RowStates& rows, const ValueGrid& grid,
                                         std::uint32_t n) {
  const auto values = static_cast<std::int64_t>(grid.values);
  // Logarithms: the rarest values of many rows are beyond the range of a double.
  std::vector<double> logs(grid.values, none);
  logs[grid.index(0)] = 0.0;
  for (std::uint32_t row = 0; row < n; ++row) {
    std::vector<double> next(grid.values, none);
    for (std::int64_t to = 0; to < values; ++to) {
      double largest = none;
      for (const RowStates::State& state : rows.states) {
        const std::int64_t from = to - state.value;
        if (from < 0 || from >= values) continue;
        largest = std::max(largest, logs[static_cast<std::size_t>(from)]);
      }
      if (largest == none) continue;
      double sum = 0.0;
      for (const RowStates::State& state : rows.states) {
        const std::int64_t from = to - state.value;
        if (from < 0 || from >= values) continue;
        sum += state.share * std::exp(logs[static_cast<std::size_t>(from)] - largest);
      }
      next[static_cast<std::size_t>(to)] = largest + std::log(sum);
    }
    logs = std::move(next);
  }
  return logs;
}

}  // namespace

ValueGrid::ValueGrid(const RowStates& states, std::uint32_t rows)
    : origin(std::min<std::int64_t>(0, std::int64_t{states.lowest()} * rows)),
      values(static_cast<std::size_t>(
          std::max<std::int64_t>(0, std::int64_t{states.highest()} * rows) - origin + 1)) {}

ExtremeSums::ExtremeSums(const RowStates& rows, std::span<const double> added, std::uint32_t most,
                         double sign)
    : grid_(rows, most), sign_(sign), sums_{std::vector<double>(grid_.values, none)} {
  sums_[0][grid_.index(0)] = 0.0;
  for (std::uint32_t n = 1; n <= most; ++n) {
    std::vector<double> next(grid_.values, none);
    for (std::size_t state = 0; state < rows.states.size(); ++state) {
      const std::int64_t shift = rows.states[state].value;
      const auto values = static_cast<std::int64_t>(grid_.values);
      for (std::int64_t value = std::max<std::int64_t>(0, shift);
           value < std::min(values, values + shift); ++value) {
        const auto from = static_cast<std::size_t>(value - shift);
        const auto to = static_cast<std::size_t>(value);
        next[to] = std::max(next[to], sums_.back()[from] + sign * added[state]);
      }
    }
    sums_.push_back(std::move(next));
  }
}

double ExtremeSums::operator()(std::uint32_t n, std::int64_t value) const {
  return sign_ * sums_[n][grid_.index(value)];
}

bool ExtremeSums::holds(std::uint32_t n, std::int64_t value) const {
  return grid_.holds(value) && sums_[n][grid_.index(value)] != none;
}

StateMoments::StateMoments(const RowStates& rows) {
  for (const RowStates::State& state : rows.states) {
    mean.push_back(0.0);
    variance.push_back(0.0);
    for (const std::uint32_t cell : state.cells) {
      mean.back() += rows.laws[cell].mean();
      variance.back() += rows.laws[cell].variance();
    }
    for (const std::uint32_t cell : state.subtracted) {
      mean.back() -= rows.laws[cell].mean();
      variance.back() += rows.laws[cell].variance();
    }
  }
}

CompositionRange::CompositionRange(const RowStates& rows, std::uint32_t most)
    : moments_(rows),
      least_mean_(rows, moments_.mean, most, -1.0),
      most_mean_(rows, moments_.mean, most, 1.0),
      most_variance_(rows, moments_.variance, most, 1.0) {}

std::optional<MomentRange> CompositionRange::operator()(std::uint32_t n, std::int64_t value) const {
  if (!most_mean_.holds(n, value)) return std::nullopt;
  return MomentRange{.least_mean = least_mean_(n, value),
                     .most_mean = most_mean_(n, value),
                     .most_variance = most_variance_(n, value)};
}

std::vector<double> composition_weights(const ColumnDesign& design,
                                        std::span<const ColumnClass> classes) {
  std::vector<double> weights(classes.size(), 1.0);
  const RowStates& rows = design.row_states;
  if (rows.empty()) return weights;
  std::map<std::uint32_t, std::vector<double>> of_values;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::uint32_t n = classes[i].active_rows;
    const ValueGrid grid(rows, n);
    const auto [place, is_new] = of_values.try_emplace(n);
    if (is_new) place->second = log_shares_of_values(rows, grid, n);
    double log_share = std::lgamma(n + 1.0);
    for (std::size_t state = 0; state < rows.states.size(); ++state) {
      const double count = classes[i].states[state];
      log_share += count * std::log(rows.states[state].share) - std::lgamma(count + 1.0);
    }
    weights[i] = std::min(
        1.0, std::exp(log_share - place->second[grid.index(mac_value(design, classes[i]))]));
  }
  return weights;
}

}  // namespace cimstat::circuits
