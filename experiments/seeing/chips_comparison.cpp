#include "experiments/seeing/chips_comparison.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/config/config.h"
#include "core/error.h"

#include "experiments/counted.h"
#include "experiments/experiment.h"
#include "experiments/frozen_accuracy.h"
#include "experiments/inference/chip_accuracy.h"

namespace cimstat::experiments {

namespace {

/// Variance of one pass over the images that fresh draws alone make, from the reads of a table.
double variance_of_a_pass(const AccuracyResult& table) {
  const auto images = static_cast<double>(table.images());
  double within = 0.0;
  double mean = 0.0;
  for (std::size_t image = 0; image < table.images(); ++image) {
    std::uint32_t right = 0;
    for (std::uint32_t read = 0; read < table.reads; ++read) {
      right += table.sampled_correct[read * table.images() + image];
    }
    const double share = static_cast<double>(right) / table.reads;
    mean += share / images;
    if (table.reads > 1) within += share * (1.0 - share) * table.reads / (table.reads - 1);
  }
  // sum p_i (1 - p_i) is largest where all images have the same p.
  return table.reads > 1 ? within / (images * images) : mean * (1.0 - mean) / images;
}

Estimate interval(double mean, double half, core::Interval range) {
  return {mean, {std::max(mean - half, range.lower), std::min(mean + half, range.upper)}};
}

/// Two independent means, of which the second's variance is known.
Estimate difference_of(double mean, double variance, double degrees, double known,
                       double confidence) {
  const double sum = variance + known;
  if (sum == 0.0) return {mean, {-1.0, 1.0}};
  const double welch = variance > 0.0 ? degrees * (sum / variance) * (sum / variance) : 1e9;
  return interval(mean, core::student_t(confidence, std::min(welch, 1e9)) * std::sqrt(sum),
                  {-1.0, 1.0});
}

bool holds_zero(const Estimate& estimate) {
  return estimate.interval.lower <= 0.0 && estimate.interval.upper >= 0.0;
}

std::string percent(const Estimate& estimate) {
  return fmt::format("{:7.2f} %  [{:.2f}, {:.2f}]", 100.0 * estimate.value,
                     100.0 * estimate.interval.lower, 100.0 * estimate.interval.upper);
}

core::Json json_of(const Estimate& estimate) {
  return core::Json::array({estimate.value, estimate.interval.lower, estimate.interval.upper});
}

std::string p_text(double p_value) {
  return p_value >= 0.001 ? fmt::format("{:.3f}", p_value) : fmt::format("{:.1e}", p_value);
}

}  // namespace

ChipsComparison compare_chips(const AccuracyRecord& table, const AccuracyRecord& chips,
                              const ComparisonSettings& settings) {
  return compare_chips(table, chips,
                       frozen_parts(read_experiment(core::Config::from_text(
                           chips.config_toml, "the configuration of the chips"))),
                       settings);
}

ChipsComparison compare_chips(const AccuracyRecord& table, const AccuracyRecord& chips,
                              std::vector<std::string> frozen, const ComparisonSettings& settings) {
  if (table.network != chips.network || table.data_set != chips.data_set ||
      table.result.exact_correct != chips.result.exact_correct) {
    throw core::UsageError(core::error_line(
        chips.name, "is of another network or of other images than " + table.name,
        "chips and table are compared on the same images", "run both on the same ones"));
  }
  ChipsComparison result;
  result.frozen = std::move(frozen);
  result.images = chips.result.images();
  result.chips = chips.result.chips;
  const double pass = variance_of_a_pass(table.result);
  const AccuracyStatistics of_table = accuracy_statistics(table.result, settings.confidence);
  const double known = pass / table.result.reads;
  result.of_table = interval(of_table.sampled.value,
                             core::normal_z(settings.confidence) * std::sqrt(known), {0.0, 1.0});
  if (of_table.sampled_on_these_images) result.of_table = *of_table.sampled_on_these_images;
  const ChipStatistics of_chips = chip_statistics(chips.result, settings.confidence);
  result.of_chips = of_chips.over_chips;
  result.over_images = paired_difference(chips.result, table.result, settings.confidence);
  result.spread = of_chips.spread;
  result.table_spread = std::sqrt(pass / chips.result.reads);
  result.is_limit = table.result.reads == 1;

  const double strict = 1.0 - 0.5 * settings.level;
  Estimate decides = paired_difference(chips.result, table.result, strict);
  if (result.spread) {
    const double degrees = result.chips - 1.0;
    const double variance = result.spread->value * result.spread->value;
    const auto difference = [&](double confidence) {
      return difference_of(result.of_chips.value - result.of_table.value, variance / result.chips,
                           degrees, known, confidence);
    };
    result.over_chips = difference(settings.confidence);
    if (!result.frozen.empty()) decides = difference(strict);
    const double expected = result.table_spread * result.table_spread;
    if (variance > 0.0) {
      result.spread_p_value =
          expected > 0.0 ? core::chi_square_tail(degrees * variance / expected, degrees) : 0.0;
    }
  }
  result.means_differ = !holds_zero(decides);
  return result;
}

std::string format_comparison(const ChipsComparison& comparison,
                              const ComparisonSettings& settings) {
  std::string text = fmt::format(
      "frozen chips against the error table: the same network on the same {} [{:g} % interval]\n",
      counted(comparison.images, "image"), 100.0 * settings.confidence);
  text += fmt::format("  table                    {}  over its reads, on these images\n",
                      percent(comparison.of_table));
  text += fmt::format("  {:<24} {}  over chips, on these images\n",
                      "mean of " + counted(comparison.chips, "chip"), percent(comparison.of_chips));
  if (comparison.over_chips) {
    text += fmt::format("  chips - table            {}  over chips, on these images\n",
                        percent(*comparison.over_chips));
  }
  text += fmt::format("  chips - table, paired    {}  over images, {}\n",
                      percent(comparison.over_images),
                      comparison.frozen.empty() ? "nothing being frozen" : "of these chips");
  if (comparison.spread) {
    text += fmt::format("  spread over chips (sd)   {}\n", percent(*comparison.spread));
  }
  text += fmt::format("  ... {:<20} {:7.2f} %  {}by fresh draws alone\n", "of the table",
                      100.0 * comparison.table_spread, comparison.is_limit ? "at most, " : "");
  if (comparison.frozen.empty()) {
    text += "nothing is frozen on these chips: table and chips are the same law\n";
  } else {
    text += fmt::format("frozen on each chip, drawn afresh by the table: {}\n",
                        fmt::join(comparison.frozen, ", "));
    text += fmt::format("left out by the table: {:+.2f} points of the mean",
                        100.0 * (comparison.of_chips.value - comparison.of_table.value));
    if (comparison.spread) {
      const double variance = comparison.spread->value * comparison.spread->value;
      const double fresh = comparison.table_spread * comparison.table_spread;
      text += fmt::format(", {:.2f} points of spread over chips (p {})",
                          100.0 * std::sqrt(std::max(variance - fresh, 0.0)),
                          p_text(comparison.spread_p_value));
    } else {
      text += "; one chip says nothing about others: take 20";
    }
    text += "\n";
  }
  return text + (comparison.differ(settings.level)
                     ? fmt::format("chips and table differ, level {:g}\n", settings.level)
                     : fmt::format("no significant difference, level {:g}\n", settings.level));
}

core::Json comparison_as_json(const ChipsComparison& comparison,
                              const ComparisonSettings& settings) {
  core::Json object{{"differ", comparison.differ(settings.level)},
                    {"images", comparison.images},
                    {"chips", comparison.chips},
                    {"frozen", comparison.frozen},
                    {"table", json_of(comparison.of_table)},
                    {"over_chips", json_of(comparison.of_chips)},
                    {"difference_over_images", json_of(comparison.over_images)},
                    {"table_spread", comparison.table_spread},
                    {"level", settings.level},
                    {"confidence", settings.confidence}};
  if (comparison.over_chips) {
    object["difference_over_chips"] = json_of(*comparison.over_chips);
    object["chip_spread"] = json_of(*comparison.spread);
    object["spread_p_value"] = comparison.spread_p_value;
  }
  return object;
}

}  // namespace cimstat::experiments
