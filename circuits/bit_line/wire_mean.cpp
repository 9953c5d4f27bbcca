#include "circuits/bit_line/wire_mean.h"

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/bit_line/line_reading.h"
#include "circuits/sampled/column_kernel.h"
#include "circuits/sampled/prepared_column.h"

namespace cimstat::circuits {

namespace {

/// As WireTrial.
struct Trial {
  double current = 0.0;
  double plain = 0.0;
  double leaning = 0.0;
};

/// Sums of squares and products about the means.
struct Products {
  double current = 0.0;
  double plain = 0.0;
  double leaning = 0.0;
  double count = 0.0;
  double plain_plain = 0.0;
  double leaning_leaning = 0.0;
  double plain_leaning = 0.0;
  double plain_current = 0.0;
  double leaning_current = 0.0;

  explicit Products(std::span<const Trial> trials) {
    for (const Trial& trial : trials) {
      current += trial.current;
      plain += trial.plain;
      leaning += trial.leaning;
    }
    count = static_cast<double>(trials.size());
    current /= count;
    plain /= count;
    leaning /= count;
    for (const Trial& trial : trials) {
      const double c = trial.current - current;
      const double p = trial.plain - plain;
      const double l = trial.leaning - leaning;
      plain_plain += p * p;
      leaning_leaning += l * l;
      plain_leaning += p * l;
      plain_current += p * c;
      leaning_current += l * c;
    }
  }
};

struct Coefficients {
  double plain = 0.0;
  double leaning = 0.0;

  /// Least squares; one control alone where the two are nearly the same.
  explicit Coefficients(const Products& products) {
    const double determinant = products.plain_plain * products.leaning_leaning -
                               products.plain_leaning * products.plain_leaning;
    if (determinant > 1e-6 * products.plain_plain * products.leaning_leaning) {
      plain = (products.plain_current * products.leaning_leaning -
               products.leaning_current * products.plain_leaning) /
              determinant;
      leaning = (products.leaning_current * products.plain_plain -
                 products.plain_current * products.plain_leaning) /
                determinant;
    } else if (products.leaning_leaning > 0.0) {
      leaning = products.leaning_current / products.leaning_leaning;
    }
  }
};

}  // namespace

WireMean mean_wire_current(const ColumnDesign& design, ColumnClass column_class,
                           const SamplingOptions& options) {
  constexpr std::uint64_t least_trials = 1024;
  if (!std::holds_alternative<WireResistance>(design.bit_line)) {
    throw core::UsageError(core::error_line("bit_line", "has no wire resistance",
                                            name_of(design.bit_line),
                                            "choose kind = \"wire_resistance\""));
  }
  if (options.trials < least_trials) {
    throw core::UsageError(core::error_line(
        "table.trials", fmt::format("{} are too few", options.trials),
        "an eighth of them fits the control variates", fmt::format("take {}", least_trials)));
  }
  ColumnDesign bare = design;
  bare.sense = {};
  bare.comparator = {};
  const std::array classes{column_class};
  check(bare, classes);
  check_trials(options.trials);
  const PreparedColumn column(bare, classes, options, core::Threads{1});
  std::vector<WireTrial> sampled(options.trials);
  sample_wires(column.program(column_class), {0, options.trials}, sampled);
  std::vector<Trial> trials;
  for (const WireTrial& trial : sampled) {
    trials.push_back({double{trial.current}, double{trial.plain}, double{trial.leaning}});
  }

  const std::size_t pilot = trials.size() / 8;
  const Coefficients weight{Products(std::span(trials).first(pilot))};
  const std::span<const Trial> rest = std::span(trials).subspan(pilot);
  const double known = mean_current(bare, column_class) / column.unit();
  const auto corrected = [&](const Trial& trial) {
    return trial.current - weight.plain * (trial.plain - known) -
           weight.leaning * (trial.leaning - known);
  };
  const auto count = static_cast<double>(rest.size());
  double mean = 0.0;
  double plain_mean = 0.0;
  for (const Trial& trial : rest) {
    mean += corrected(trial) / count;
    plain_mean += trial.current / count;
  }
  double square = 0.0;
  double plain_square = 0.0;
  for (const Trial& trial : rest) {
    square += std::pow(corrected(trial) - mean, 2);
    plain_square += std::pow(trial.current - plain_mean, 2);
  }
  return {.mean = mean_reading(bare, column_class) + column.unit() * mean,
          .standard_error = column.unit() * std::sqrt(square / (count * (count - 1.0))),
          .variance_reduction = square > 0.0 ? plain_square / square : 1.0};
}

}  // namespace cimstat::circuits
