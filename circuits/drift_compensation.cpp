#include "circuits/drift_compensation.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

void require(bool holds, std::string_view problem, std::string_view why) {
  if (holds) return;
  throw core::UsageError(
      core::error_line("drift compensation", problem, why, "read the same pattern twice"));
}

void check_pair(std::span<const double> before, std::span<const double> now) {
  require(!before.empty() && before.size() == now.size(),
          fmt::format("{} outputs before, {} now", before.size(), now.size()),
          "they are compared one by one");
}

/// Of outputs `first`, `first` + `stride` ...
double readout_of(std::span<const double> outputs, std::size_t first, std::size_t stride,
                  double floor) {
  double sum = 0.0;
  std::size_t count = 0;
  for (std::size_t i = first; i < outputs.size(); i += stride, ++count) sum += std::abs(outputs[i]);
  return std::max(sum / static_cast<double>(count), floor);
}

}  // namespace

double readout(std::span<const double> outputs, double floor) {
  require(!outputs.empty(), "no outputs", "a mean of nothing");
  return readout_of(outputs, 0, 1, floor);
}

double drift_factor(std::span<const double> before, std::span<const double> now, double floor) {
  check_pair(before, now);
  return readout(before, floor) / readout(now, floor);
}

std::vector<double> drift_factors_of_columns(std::span<const double> before,
                                             std::span<const double> now, std::size_t columns,
                                             double floor) {
  check_pair(before, now);
  require(columns > 0 && before.size() % columns == 0,
          fmt::format("{} outputs of {} columns", before.size(), columns),
          "each pattern gives one output a column");
  std::vector<double> factors;
  for (std::size_t column = 0; column < columns; ++column) {
    factors.push_back(readout_of(before, column, columns, floor) /
                      readout_of(now, column, columns, floor));
  }
  return factors;
}

std::vector<double> pattern_outputs(std::span<const double> weights, std::size_t columns,
                                    std::span<const double> patterns) {
  require(columns > 0 && !weights.empty() && weights.size() % columns == 0,
          fmt::format("{} weights of {} columns", weights.size(), columns),
          "each row holds one weight a column");
  const std::size_t rows = weights.size() / columns;
  require(patterns.size() % rows == 0,
          fmt::format("patterns of {} inputs for {} rows", patterns.size(), rows),
          "a pattern holds one input a row");
  std::vector<double> outputs(patterns.size() / rows * columns, 0.0);
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const std::size_t row = i % rows;
    const std::size_t first = i / rows * columns;
    for (std::size_t column = 0; column < columns; ++column) {
      outputs[first + column] += patterns[i] * weights[row * columns + column];
    }
  }
  return outputs;
}

}  // namespace cimstat::circuits
