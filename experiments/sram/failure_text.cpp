#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/file/json.h"

#include "experiments/sram/failure_run.h"

namespace cimstat::experiments {

namespace {

using core::Json;
using core::Quantity;

constexpr std::size_t shown_points = 4;
constexpr double negligible_z = 0.05;

std::string_view words_of(std::string_view failure) {
  if (failure == "read_access") return "too slow when read";
  if (failure == "read_upset") return "flipped when read, with either stored value";
  return "without a static noise margin";
}

std::string volts(double value) { return core::format_quantity(value, Quantity::voltage); }

std::string estimate_text(const FailureLine& line, double confidence) {
  const auto p = line.estimate.probability();
  if (!p) return "refused";
  const auto interval = line.estimate.interval(confidence);
  return fmt::format("{:.3g} [{:.3g}, {:.3g}]", *p, interval->lower, interval->upper);
}

std::string point_text(const circuits::DesignPoint& point,
                       const std::vector<CellVariable>& variables) {
  std::string text = fmt::format("{:.2f} sd away:", point.distance);
  bool first = true;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    if (std::abs(point.z[i]) < negligible_z) continue;
    const CellVariable& variable = variables[i];
    text += fmt::format("{} {} {}{} ({:+.2f} sd)", first ? "" : ",", variable.name,
                        variable.nominal == 0.0 && point.z[i] > 0.0 ? "+" : "",
                        volts(variable.nominal + point.z[i] * variable.sd), point.z[i]);
    first = false;
  }
  return text;
}

Json number_or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

std::string sram_failure_as_text(const FailureResult& result) {
  const FailureOptions& options = result.options;
  std::string text = fmt::format("{}: cells that are {}, seed {}\n\n", result.settings.name,
                                 words_of(result.settings.failure), result.settings.seed);
  text += fmt::format("{:>10} {:>34} {:>12} {:>10} {:>12}\n", "supply", "importance sampling",
                      "integral", "apart", "yield");
  for (const FailureLine& line : result.lines) {
    const auto agreement = line.agreement();
    text +=
        fmt::format("{:>10} {:>34} {:>12} {:>10} {:>12}\n", line.supply ? volts(*line.supply) : "-",
                    estimate_text(line, options.confidence), fmt::format("{:.4g}", line.integral),
                    agreement ? fmt::format("{:+.2f} se", *agreement) : "-",
                    fmt::format("{:.4g}", line.yield(options.cells)));
    if (!line.estimate.trustworthy()) {
      text += fmt::format("{:>10} no number: {}\n", "", line.estimate.refusal);
    } else if (!line.estimate.shortfall.empty()) {
      text += fmt::format("{:>10} samples spent: {}\n", "", line.estimate.shortfall);
    }
  }
  text += fmt::format(
      "\nIntervals: {:g} %. Apart: estimate less integral, in standard errors. Yield: memories of "
      "{} cells without a\nfailing one, from the integral.\n",
      100.0 * options.confidence, options.cells);
  for (std::size_t i = 0; i < result.lines.size(); ++i) {
    const FailureLine& line = result.lines[i];
    if (i > 0 && i + 1 < result.lines.size()) continue;
    text += fmt::format("\nMost likely failures{}\n",
                        line.supply ? fmt::format(" at {}", volts(*line.supply)) : "");
    const auto variables = variables_of(result.settings.cells[i]);
    for (std::size_t k = 0; k < std::min(line.points.size(), shown_points); ++k) {
      text += "  " + point_text(line.points[k], variables) + '\n';
    }
    if (line.points.size() > shown_points) {
      text += fmt::format("  and {} more\n", line.points.size() - shown_points);
    }
  }
  return text;
}

std::string sram_failure_as_json(const FailureResult& result) {
  Json lines = Json::array();
  for (std::size_t i = 0; i < result.lines.size(); ++i) {
    const FailureLine& line = result.lines[i];
    const core::WeightedSums sums = line.estimate.sums();
    Json points = Json::array();
    const auto variables = variables_of(result.settings.cells[i]);
    for (const circuits::DesignPoint& point : line.points) {
      Json thresholds = Json::object();
      for (std::size_t k = 0; k < variables.size(); ++k) {
        thresholds[variables[k].name] = {
            {"z", point.z[k]}, {"V", variables[k].nominal + point.z[k] * variables[k].sd}};
      }
      points.push_back({{"distance", point.distance}, {"thresholds", thresholds}});
    }
    Json estimate = {{"probability", number_or_null(line.estimate.probability())},
                     {"samples", sums.n}};
    if (const auto interval = line.estimate.interval(result.options.confidence)) {
      estimate["lower"] = interval->lower;
      estimate["upper"] = interval->upper;
      estimate["standard_error"] = sums.standard_error();
    }
    if (!line.estimate.trustworthy()) estimate["refusal"] = line.estimate.refusal;
    if (result.options.relative_error) estimate["shortfall"] = line.estimate.shortfall;
    lines.push_back({{"supply_V", number_or_null(line.supply)},
                     {"importance_sampling", estimate},
                     {"integral", line.integral},
                     {"apart_standard_errors", number_or_null(line.agreement())},
                     {"yield", line.yield(result.options.cells)},
                     {"most_likely_failures", points}});
  }
  return core::json_text({{"name", result.settings.name},
                          {"failure", result.settings.failure},
                          {"seed", result.settings.seed},
                          {"confidence", result.options.confidence},
                          {"cells", result.options.cells},
                          {"lines", lines}});
}

}  // namespace cimstat::experiments
