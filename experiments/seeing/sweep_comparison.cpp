#include "experiments/seeing/sweep_comparison.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/law/shape.h"
#include "core/statistics/statistics_comparison.h"
#include "core/utf8.h"

#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

/// What two machines may make of one number.
constexpr double same = 1e-9;

bool is_same(double a, double b) {
  return a == b || std::abs(a - b) <= same * std::max(std::abs(a), std::abs(b));
}

std::string values_difference(const SweepAxis& a, const SweepAxis& b) {
  if (a.kind != b.kind) return fmt::format("{} is listed in one and sampled in the other", a.name);
  if (a.size() != b.size()) {
    return fmt::format("{} has {}, and {}", a.name, counted(a.size(), "value"), b.size());
  }
  for (std::size_t index = 0; index < a.size(); ++index) {
    const bool is_number = a.labels.empty() && b.labels.empty();
    const bool agree =
        is_number ? is_same(a.numbers[index], b.numbers[index]) : a.labels == b.labels;
    if (!agree) {
      return fmt::format("value {} of {} is {}, and {}", index + 1, a.name, value_text(a, index),
                         value_text(b, index));
    }
  }
  return {};
}

/// Half of the interval on the side of the other value, in standard errors of a normal estimate.
double error_towards(const SweepRecord& record, const SweepScalar& scalar, std::uint64_t point,
                     double other) {
  const double value = scalar.value[point];
  const double end = other > value ? scalar.upper[point] : scalar.lower[point];
  return std::abs(end - value) /
         core::normal_quantile(core::Tail::upper, 0.5 * (1.0 - record.confidence));
}

struct Side {
  const SweepRecord& record;
  const SweepScalar& scalar;
};

bool is_estimate(Knowledge knowledge) {
  return knowledge == Knowledge::interval || knowledge == Knowledge::none_seen;
}

/// P(as different | equal), before any adjustment.
double p_value(const Side& a, const Side& b, std::uint64_t point) {
  const double x = a.scalar.value[point];
  const double y = b.scalar.value[point];
  const auto end = [&](const Side& side, const std::vector<double>& ends) {
    return ends.empty() || std::isnan(ends[point]) ? side.scalar.value[point] : ends[point];
  };
  const auto reach = [&](const Side& side, double other) {
    return is_estimate(knowledge_of(side.record, side.scalar, point))
               ? error_towards(side.record, side.scalar, point, other)
               : 0.0;
  };
  const double error = std::hypot(reach(a, y), reach(b, x));
  if (error > 0.0) {
    return 2.0 * core::normal_tail(core::Tail::upper, std::abs(x - y) / error);
  }
  const double lowest = std::max(end(a, a.scalar.lower), end(b, b.scalar.lower));
  const double highest = std::min(end(a, a.scalar.upper), end(b, b.scalar.upper));
  return lowest <= highest || is_same(lowest, highest) ? 1.0 : 0.0;
}

std::string estimate_text(const SweepScalar& scalar, std::uint64_t point) {
  if (scalar.lower.empty()) return fmt::format("{:.6g}", scalar.value[point]);
  return fmt::format("{:.5g} ({:.3g} .. {:.3g})", scalar.value[point], scalar.lower[point],
                     scalar.upper[point]);
}

void adjust(std::vector<SweepDifference>& all) {
  std::vector<double> p_values;
  for (const SweepDifference& one : all) p_values.push_back(one.p_value);
  const std::vector<double> adjusted = core::holm(p_values);
  for (std::size_t index = 0; index < all.size(); ++index) all[index].p_value = adjusted[index];
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& one, const auto& other) { return one.p_value < other.p_value; });
}

}  // namespace

std::string axes_difference(const SweepRecord& a, const SweepRecord& b) {
  const auto names = [](const SweepRecord& record) {
    std::vector<std::string> list;
    for (const SweepAxis& axis : record.axes) list.push_back(axis.name);
    return list.empty() ? std::string("none") : fmt::format("{}", fmt::join(list, ", "));
  };
  if (names(a) != names(b)) return fmt::format("axes {}, and {}", names(a), names(b));
  for (std::size_t axis = 0; axis < a.axes.size(); ++axis) {
    const std::string difference = values_difference(a.axes[axis], b.axes[axis]);
    if (!difference.empty()) return difference;
  }
  return {};
}

SweepComparison compare_sweeps(const SweepRecord& a, const SweepRecord& b, double level) {
  SweepComparison comparison;
  std::vector<bool> is_matched(b.scalars.size(), false);
  for (std::size_t index = 0; index < a.scalars.size(); ++index) {
    const auto found = std::find_if(
        b.scalars.begin(), b.scalars.end(),
        [&](const SweepScalar& scalar) { return scalar.name == a.scalars[index].name; });
    if (found == b.scalars.end()) {
      comparison.unmatched.push_back(a.scalars[index].name);
      continue;
    }
    const auto other = static_cast<std::size_t>(found - b.scalars.begin());
    is_matched[other] = true;
    // Sums and places (which class is worst) follow the draws; rates and margins say it all.
    if (is_count(a.scalars[index]) && is_count(*found)) continue;
    for (std::uint64_t point = 0; point < a.scalars[index].value.size(); ++point) {
      const bool is_known = !std::isnan(a.scalars[index].value[point]);
      if (is_known != !std::isnan(found->value[point])) ++comparison.unknown;
      if (!is_known || std::isnan(found->value[point])) continue;
      ++comparison.compared;
      comparison.differing.push_back(
          {index, other, point, p_value({a, a.scalars[index]}, {b, *found}, point)});
    }
  }
  for (std::size_t index = 0; index < b.scalars.size(); ++index) {
    if (!is_matched[index]) comparison.unmatched.push_back(b.scalars[index].name);
  }
  adjust(comparison.differing);
  const auto end = std::find_if(comparison.differing.begin(), comparison.differing.end(),
                                [&](const auto& one) { return one.p_value > level; });
  comparison.differing.erase(end, comparison.differing.end());
  return comparison;
}

std::string format_comparison(const SweepRecord& a, const SweepRecord& b,
                              const SweepComparison& comparison, double level, std::size_t listed) {
  std::string text = fmt::format(
      "{} compared over {}: {} (level {:g}, adjusted after Holm)\n",
      counted(comparison.compared, "value"), counted(points_of(a), "point"),
      comparison.differing.empty()
          ? "none differs beyond its interval"
          : fmt::format("{} differ beyond their intervals", comparison.differing.size()),
      level);
  if (comparison.unknown > 0) {
    text += fmt::format("{} known in one of the two alone\n", counted(comparison.unknown, "value"));
  }
  for (const std::string& name : comparison.unmatched) {
    text += core::one_line(fmt::format("{}: in one of the two alone", name)) + "\n";
  }
  for (std::size_t index = 0; index < std::min(listed, comparison.differing.size()); ++index) {
    const SweepDifference& one = comparison.differing[index];
    text += core::one_line(fmt::format(
                "  {} at {}: a {}, b {}, p {:.2g}", a.scalars[one.quantity].name,
                point_text(a, one.point), estimate_text(a.scalars[one.quantity], one.point),
                estimate_text(b.scalars[one.other], one.point), one.p_value)) +
            "\n";
  }
  if (comparison.differing.size() > listed) {
    text += fmt::format("  ... and {} more\n", comparison.differing.size() - listed);
  }
  return text;
}

core::Json comparison_as_json(const SweepRecord& a, const SweepRecord& b,
                              const SweepComparison& comparison, double level) {
  core::Json differing = core::Json::array();
  for (const SweepDifference& one : comparison.differing) {
    differing.push_back({{"quantity", a.scalars[one.quantity].name},
                         {"point", one.point},
                         {"where", point_text(a, one.point)},
                         {"a", a.scalars[one.quantity].value[one.point]},
                         {"b", b.scalars[one.other].value[one.point]},
                         {"p_value", one.p_value}});
  }
  return {{"differ", comparison.differ()},
          {"identical", false},
          {"level", level},
          {"compared", comparison.compared},
          {"unknown", comparison.unknown},
          {"unmatched", comparison.unmatched},
          {"differing", differing}};
}

}  // namespace cimstat::experiments
