#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/seeing/sweep_points.h"

/// Made-up results of sweeps.
namespace cimstat::experiments {

constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

inline SweepAxis number_axis(std::string name, std::vector<double> numbers,
                             std::string units = "1") {
  SweepAxis axis;
  axis.name = std::move(name);
  axis.keys = {"cell." + axis.name};
  axis.meaning = "made-up " + axis.name;
  axis.units = std::move(units);
  axis.numbers = std::move(numbers);
  return axis;
}

inline SweepAxis word_axis(std::string name, std::vector<std::string> labels) {
  SweepAxis axis = number_axis(std::move(name), {});
  axis.labels = std::move(labels);
  return axis;
}

inline SweepAxis sampled_axis(std::string name, std::vector<double> numbers,
                              std::string units = "1") {
  SweepAxis axis = number_axis(std::move(name), std::move(numbers), std::move(units));
  axis.kind = SweepAxis::Kind::sampled;
  return axis;
}

/// Numbers as far from each other in logarithm.
inline std::vector<double> log_spaced(double low, double high, std::size_t count) {
  std::vector<double> numbers;
  for (std::size_t index = 0; index < count; ++index) {
    const double part = static_cast<double>(index) / static_cast<double>(count - 1);
    numbers.push_back(low * std::pow(high / low, part));
  }
  return numbers;
}

/// A record without quantities. Listed axes first, as the plan has them.
inline SweepRecord record_over(std::vector<SweepAxis> axes) {
  SweepRecord record;
  record.name = "A made-up sweep";
  record.config_toml = "seed = 1\n[sweep]\nrandom_numbers = \"common\"\n";
  record.source = "cimstat 0.1.0 (0123456789ab)";
  record.seed = 1;
  record.content_sha256 = std::string(64, 'c');
  record.origin.method = "monte_carlo";
  for (const SweepAxis& axis : axes) {
    const bool is_sampled = axis.kind == SweepAxis::Kind::sampled;
    const std::string name = is_sampled ? "sample" : axis.name;
    if (record.dimensions.empty() || record.dimensions.back().name != name) {
      record.dimensions.push_back({name, axis.size()});
    }
  }
  record.axes = std::move(axes);
  return record;
}

/// The values of the axes at a point; an index for words.
using Coordinates = std::vector<double>;
/// value, lower, upper
using Estimated = std::array<double, 3>;

inline void add_scalar(SweepRecord& record, std::string name, std::string units,
                       const std::function<Estimated(const Coordinates&)>& quantity) {
  SweepScalar scalar;
  scalar.name = std::move(name);
  scalar.units = std::move(units);
  scalar.long_name = "made-up " + scalar.name;
  for (std::uint64_t point = 0; point < points_of(record); ++point) {
    const std::vector<std::size_t> indices = indices_of(record, point);
    Coordinates at;
    for (const SweepAxis& axis : record.axes) {
      const std::size_t index = indices[dimension_of(record, axis)];
      at.push_back(axis.numbers.empty() ? static_cast<double>(index) : axis.numbers[index]);
    }
    const auto [value, lower, upper] = quantity(at);
    scalar.value.push_back(value);
    scalar.lower.push_back(lower);
    scalar.upper.push_back(upper);
  }
  record.scalars.push_back(std::move(scalar));
}

/// As if counted in so many trials, with about two standard errors either way.
inline Estimated counted_rate(double rate, double trials) {
  const double count = std::floor(rate * trials);
  if (count == 0.0) return {0.0, 0.0, 3.7 / trials};
  const double error = 2.0 * std::sqrt(count);
  return {count / trials, std::max(0.3, count - error) / trials, (count + error + 3.0) / trials};
}

/// Misread rate, margin and accuracy over on/off ratio, spread of the cells and corner.
inline SweepRecord grid_record() {
  SweepRecord record =
      record_over({word_axis("corner", {"slow", "typical", "fast"}),
                   number_axis("ratio", log_spaced(2.0, 100.0, 12)),
                   number_axis("sigma", {0.02, 0.05, 0.08, 0.12, 0.16, 0.2, 0.3})});
  const auto spread = [](const Coordinates& at) {
    return at[2] * (1.3 - 0.2 * at[0]) * (1.0 + 4.0 / at[1]);
  };
  add_scalar(record, "misread_mean", "1", [&](const Coordinates& at) {
    return counted_rate(std::erfc(0.35 / spread(at)), 1e6);
  });
  add_scalar(record, "margin", "A", [&](const Coordinates& at) {
    const double margin = 8e-6 * (1.0 - 1.0 / at[1]) - 60e-6 * spread(at);
    return Estimated{margin, margin - 1e-7, margin + 1e-7};
  });
  add_scalar(record, "accuracy", "1", [&](const Coordinates& at) {
    const double share = 0.1 + 0.8 * std::exp(-2.0 * spread(at));
    return Estimated{share, share - 0.01, share + 0.01};
  });
  return record;
}

/// Samples that fill the cube evenly: multiples of irrational numbers, without their whole parts.
inline SweepRecord sampled_record(std::size_t samples, std::vector<SweepAxis> listed = {}) {
  const auto fill = [&](double step, double low, double high, bool is_log) {
    std::vector<double> numbers;
    for (std::size_t index = 0; index < samples; ++index) {
      const double place = std::fmod(step * static_cast<double>(index + 1), 1.0);
      numbers.push_back(is_log ? low * std::pow(high / low, place) : low + place * (high - low));
    }
    return numbers;
  };
  std::vector<SweepAxis> axes = std::move(listed);
  const std::size_t first = axes.size();
  axes.push_back(sampled_axis("median", fill(std::sqrt(2.0), 5e3, 5e5, true), "ohm"));
  axes.push_back(sampled_axis("sigma", fill(std::sqrt(3.0), 0.02, 0.3, false)));
  axes.push_back(sampled_axis("voltage", fill(std::sqrt(5.0), 0.15, 0.25, false), "V"));
  SweepRecord record = record_over(std::move(axes));
  add_scalar(record, "misread_worst", "1", [&](const Coordinates& at) {
    return counted_rate(std::erfc(0.35 / at[first + 1]) * at[first + 2] / 0.2, 1e6);
  });
  return record;
}

/// Six axes; some points without a number, some quantities without an interval or without any
/// number.
inline SweepRecord odd_record() {
  SweepRecord record = record_over(
      {word_axis("converter", {"flash", "a successive-approximation one with a long name"}),
       number_axis("down", {3.0, 2.0, 1.0}), number_axis("rows", {8, 16, 32, 64, 128}),
       number_axis("same", {0.5, 0.5}), number_axis("temperature", {233.0, 300.0, 398.0}, "K"),
       number_axis("zero_first", {0.0, 0.01, 0.1})});
  add_scalar(record, "unknown", "1", [](const Coordinates&) {
    return Estimated{kNotKnown, kNotKnown, kNotKnown};
  });
  add_scalar(record, "misread_worst", "1", [](const Coordinates& at) {
    if (at[2] == 32.0 && at[4] > 350.0) return Estimated{kNotKnown, kNotKnown, kNotKnown};
    return counted_rate(1e-7 * at[2] * at[1] * (1.0 + 1e4 * at[5]), 1e6);
  });
  add_scalar(record, "constant", "V", [](const Coordinates&) { return Estimated{0.2, 0.2, 0.2}; });
  add_scalar(record, "energy", "J", [](const Coordinates& at) {
    return Estimated{at[2] * 3e-13, 0.0, 0.0};
  });
  record.scalars.back().lower = record.scalars.back().upper = {};
  return record;
}

inline SweepRecord one_point_record() {
  SweepRecord record = record_over({});
  add_scalar(record, "misread_mean", "1", [](const Coordinates&) {
    return Estimated{1.2e-5, 1.0e-5, 1.4e-5};
  });
  return record;
}

/// Exact rates over one axis: some are hidden by the bound of the computation.
inline SweepRecord line_record() {
  SweepRecord record = record_over({number_axis("sigma", {0.02, 0.04, 0.06, 0.08, 0.1, 0.12})});
  record.origin.method = "exact";
  add_scalar(record, "misread_mean", "1", [](const Coordinates& at) {
    const double rate = std::erfc(0.35 / at[0]);
    return Estimated{rate, std::max(0.0, rate - 1e-13), rate + 1e-13};
  });
  return record;
}

/// 1e5 points.
inline SweepRecord large_record() {
  std::vector<double> ratios = log_spaced(2.0, 200.0, 250);
  std::vector<double> sigmas;
  for (int index = 0; index < 100; ++index) sigmas.push_back(0.02 + 0.004 * index);
  SweepRecord record = record_over({number_axis("active_rows", {8, 16, 32, 64}),
                                    number_axis("ratio", ratios), number_axis("sigma", sigmas)});
  add_scalar(record, "misread_mean", "1", [](const Coordinates& at) {
    return counted_rate(std::erfc(0.9 / (at[2] * std::sqrt(at[0]) * (1.0 + 4.0 / at[1]))), 1e6);
  });
  add_scalar(record, "accuracy", "1", [](const Coordinates& at) {
    const double share = 0.1 + 0.8 * std::exp(-2.0 * at[2]);
    return Estimated{share, share - 0.01, share + 0.01};
  });
  return record;
}

constexpr std::string_view kHostile = "</script></title><img src=x onerror=alert(1)>\"'&\x01\xff";

/// Everything that a text may be is an attack on the page.
inline SweepRecord hostile_record() {
  const std::string attack(kHostile);
  SweepAxis words = word_axis(attack, {attack, "=1+1", "", "a, \"b\"\nc"});
  words.meaning = attack;
  words.keys = {attack};
  words.units = attack;
  SweepRecord record = record_over({words, number_axis("x" + attack, {1.0, 2.0, 4.0}, attack)});
  record.name = record.config_toml = record.source = record.content_sha256 = record.origin.method =
      attack;
  add_scalar(record, attack, attack, [](const Coordinates& at) {
    return Estimated{at[0], at[0] - 0.5, at[0] + 0.5};
  });
  record.scalars.back().long_name = attack;
  return record;
}

}  // namespace cimstat::experiments
