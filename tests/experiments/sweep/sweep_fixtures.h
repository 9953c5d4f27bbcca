#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "experiments/sweep/sweep_file.h"
#include "experiments/sweep/sweep_plan.h"
#include "experiments/sweep/sweep_work.h"

/// Small sweeps, for tests.
namespace cimstat::tests {

inline const std::string sweep_macro = R"(name = "sample"
seed = 7
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = 4e-5
sigma = 0.08
[cell.hrs]
distribution = "lognormal"
median = 2e-6
sigma = 0.3
[column]
rows = 4
read_voltage = 0.2
[sense_amplifier]
noise_sd = 2e-6
[table]
method = "monte_carlo"
active_rows = [3, 4]
trials = 16384
)";

/// Two listed axes (one of cases) and a sampled one: 2 x 3 x 4 points in chunks of 4,096 trials.
inline const std::string sweep_section_of_three_axes = R"([sweep]
outputs = ["misread", "table"]
samples = 4
chunk_trials = 4096
[sweep.axis.corner]
cases = ["slow", "very fast"]
[sweep.axis.corner.vary]
"column.read_voltage" = [0.18, 0.22]
"sense_amplifier.noise_sd" = [2e-6, 3e-6]
[sweep.axis.sigma]
key = "cell.lrs.sigma"
values = [0.05, 0.1, 0.2]
[sweep.axis.spread]
key = "cell.hrs.sigma"
from = 0.1
to = 0.4
)";

inline experiments::SweepPlan sample_plan(const std::string& section = sweep_section_of_three_axes,
                                          const std::vector<std::string>& overrides = {}) {
  return experiments::read_sweep_plan(
      core::Config::from_text(sweep_macro + section, "sample.toml", overrides));
}

inline experiments::SweepWork sample_work(const std::string& section = sweep_section_of_three_axes,
                                          const std::vector<std::string>& overrides = {}) {
  return experiments::SweepWork(sample_plan(section, overrides),
                                [](const std::string& name) { return name; }, {1});
}

/// Fields of every shape, and values of them that are functions of the point alone.
inline experiments::SweepFields sample_fields(std::size_t codes = 6) {
  using experiments::FieldShape;
  experiments::SweepFields fields;
  fields.classes = 9;
  fields.codes = codes;
  fields.integers = {{"worst", "1", "number of the worst class", FieldShape::point},
                     {"trials", "1", "trials of the class", FieldShape::row},
                     {"counts", "1", "how often the code came", FieldShape::table}};
  fields.numbers = {{"margin", "A", "smallest margin", FieldShape::point},
                    {"rate", "1", "misread rate", FieldShape::point},
                    {"rate_lower", "1", "lower end", FieldShape::point},
                    {"rate_upper", "1", "upper end", FieldShape::point},
                    {"misread", "1", "misread rate of the class", FieldShape::row}};
  return fields;
}

inline std::vector<circuits::ColumnClass> sample_classes() {
  return {{0, 3}, {1, 3}, {2, 3}, {3, 3}, {0, 4}, {1, 4}, {2, 4}, {3, 4}, {4, 4}};
}

inline experiments::PointValues sample_values(std::uint64_t point, std::size_t codes = 6) {
  const double rate = 0.5 / (1.0 + static_cast<double>(point));
  experiments::PointValues values;
  values.integers = {{point % 9}, std::vector<std::uint64_t>(9, 1000 + point), {}};
  for (std::uint64_t i = 0; i < 9 * codes; ++i) {
    values.integers[2].push_back((point * 2654435761U + i * 40503U) % 1000);
  }
  const double margin =
      point % 5 == 4 ? std::numeric_limits<double>::quiet_NaN() : 1e-6 * (1.0 + rate);
  values.numbers = {{margin}, {rate}, {0.9 * rate}, {1.1 * rate}, std::vector<double>(9, rate)};
  return values;
}

inline void write_sample_sweep(const experiments::SweepPlan& plan,
                               const std::filesystem::path& file, std::size_t codes = 6) {
  experiments::write_sweep_file(plan, {"monte_carlo", std::string(64, 'a')}, sample_fields(codes),
                                sample_classes(), file,
                                [&](std::uint64_t first, std::uint64_t count) {
                                  std::vector<experiments::PointValues> points;
                                  for (std::uint64_t i = 0; i < count; ++i) {
                                    points.push_back(sample_values(first + i, codes));
                                  }
                                  return points;
                                });
}

}  // namespace cimstat::tests
