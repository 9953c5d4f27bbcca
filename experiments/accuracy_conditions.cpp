#include "experiments/accuracy_conditions.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/inference/chip_accuracy.h"
#include "experiments/macro/setting_text.h"
#include "experiments/seeing/chips_comparison.h"
#include "experiments/seeing/config_difference.h"

namespace cimstat::experiments {

namespace {

AccuracyFigure figure_of(const Estimate& estimate) {
  return {estimate.value, estimate.interval.lower, estimate.interval.upper};
}

NetworkAnswers answers_of(const AccuracyRecord& record) {
  NetworkAnswers answers{.classes = record.result.answers.classes,
                         .exact = record.result.answers.exact_confusion().counts,
                         .sampled = record.result.answers.sampled_confusion().counts,
                         .layers = {},
                         .costs = {}};
  for (const LayerFigures& layer : record.layers.layers) {
    const ClippedShares clipped = clipped_shares(layer, record.layers.scale);
    LayerLine line{.name = layer.name,
                   .partial_sums = layer.partial_sums,
                   .snr = figure_of(layer.own.decibels),
                   .network_snr = figure_of(layer.network.decibels),
                   .first_code = clipped.first_code,
                   .last_code = clipped.last_code,
                   .beyond = clipped.beyond,
                   .codes = {}};
    const auto reads = static_cast<double>(std::max<std::uint64_t>(layer.reads(), 1));
    for (const std::uint64_t count : layer.codes) {
      line.codes.push_back(static_cast<double>(count) / reads);
    }
    answers.layers.push_back(std::move(line));
  }
  const auto costs = layer_sensitivities(record.result, record.confidence);
  for (const std::size_t place : ranking(costs)) {
    answers.costs.push_back(
        {costs[place].name, figure_of(costs[place].alone), figure_of(costs[place].spared)});
  }
  return answers;
}

/// Of this table, or of chips, which need none.
bool is_of(const AccuracyRecord& record, std::string_view table_sha256) {
  return record.result.chips > 0 || record.table_sha256 == table_sha256;
}

bool of_same_images(const AccuracyRecord& one, const AccuracyRecord& other) {
  return one.network == other.network && one.data_set == other.data_set &&
         one.result.exact_correct == other.result.exact_correct;
}

/// Differences are paired by image: both must be of the same images through the same network.
bool pairable(const AccuracyRecord& one, const AccuracyRecord& other) {
  return one.result.chips == other.result.chips && of_same_images(one, other);
}

/// Those that can change an accuracy.
std::vector<KeyDifference> deciding_differences(const AccuracyRecord& first,
                                                const AccuracyRecord& other) {
  std::vector<KeyDifference> differences = differing_keys(first.config_toml, other.config_toml);
  std::erase_if(differences, [](const KeyDifference& difference) {
    return difference.key == "name" || difference.key.starts_with("margin.");
  });
  return differences;
}

/// With codes of the table of the chips' macro, on their images; nullptr where there is none.
const NamedAccuracy* beside(const AccuracyRecord& chips,
                            const std::vector<NamedAccuracy>& results) {
  for (const NamedAccuracy& one : results) {
    if (one.record.result.chips > 0 || !of_same_images(one.record, chips)) continue;
    const auto differences = deciding_differences(one.record, chips);
    if (std::all_of(differences.begin(), differences.end(), [](const KeyDifference& difference) {
          return difference.key.starts_with("accuracy.") || difference.key.starts_with("table.");
        })) {
      return &one;
    }
  }
  return nullptr;
}

std::string percent(const Estimate& estimate) {
  return fmt::format("{:.2f} % [{:.2f}, {:.2f}]", 100.0 * estimate.value,
                     100.0 * estimate.interval.lower, 100.0 * estimate.interval.upper);
}

/// What its intervals over images leave out, and what a table does.
std::string chips_detail(const AccuracyRecord& record, const std::vector<NamedAccuracy>& results) {
  if (record.result.chips == 0) return {};
  const Estimate mean = chip_statistics(record.result, record.confidence).over_chips;
  std::string detail = fmt::format(
      "; {}: cells frozen, intervals over images of these chips; over chips, on these images, {}",
      counted(record.result.chips, "chip"), percent(mean));
  const NamedAccuracy* table = beside(record, results);
  if (table == nullptr || record.result.chips < 2) return detail;
  const ChipsComparison comparison =
      compare_chips(table->record, record, {}, {.confidence = record.confidence});
  return detail + fmt::format(
                      "; left out by {}, which draws each read afresh: {} of the mean, over chips, "
                      "and all but {:.2f} % of the spread over chips, {}",
                      table->stem, percent(*comparison.over_chips), 100.0 * comparison.table_spread,
                      percent(*comparison.spread));
}

/// "offset_sd 2 uA, references midpoint"; "" where nothing differs, or too much for a label.
std::string difference_label(const std::vector<KeyDifference>& differences) {
  constexpr std::size_t most_settings = 3;
  constexpr std::size_t longest_value = 32;
  if (differences.size() > most_settings) return {};
  std::string label;
  for (const KeyDifference& difference : differences) {
    const std::string value = typeset(setting_value(difference.key, difference.b));
    if (value.size() > longest_value) return {};
    label += fmt::format("{}{} {}", label.empty() ? "" : ", ", short_key(difference.key), value);
  }
  return label;
}

std::string difference_detail(const std::vector<KeyDifference>& differences) {
  std::string detail;
  for (const KeyDifference& difference : differences) {
    detail += fmt::format("{}{} = {} instead of {}", detail.empty() ? "" : "; ", difference.key,
                          typeset(setting_value(difference.key, difference.b)),
                          typeset(setting_value(difference.key, difference.a)));
  }
  return detail.empty() ? "configured as the first condition" : detail;
}

/// So that no two read alike: with its file's stem, and with its place where that doesn't help.
void tell_apart(std::vector<ConditionName>& names, const std::vector<NamedAccuracy>& results) {
  const auto repeated = [&names](std::size_t index) {
    return std::count_if(names.begin(), names.end(), [&](const ConditionName& other) {
             return other.label == names[index].label;
           }) > 1;
  };
  const auto extend = [&](const auto& addition) {
    std::vector<std::size_t> alike;
    for (std::size_t index = 0; index < names.size(); ++index) {
      if (results[index].label.empty() && repeated(index)) alike.push_back(index);
    }
    for (const std::size_t index : alike) {
      const std::string more = addition(index);
      if (more != names[index].label) names[index].label += fmt::format(" ({})", more);
    }
  };
  extend([&](std::size_t index) { return results[index].stem; });
  extend([](std::size_t index) { return fmt::format("result {}", index + 1); });
}

}  // namespace

std::string result_stem(const std::filesystem::path& file) {
  std::string stem = file.stem().string();
  constexpr std::string_view ending = ".accuracy";
  if (stem.size() > ending.size() && stem.ends_with(ending)) {
    stem.resize(stem.size() - ending.size());
  }
  return stem;
}

std::vector<ConditionName> condition_names(const std::vector<NamedAccuracy>& results,
                                           std::string_view table_sha256) {
  std::vector<ConditionName> names;
  for (std::size_t index = 0; index < results.size(); ++index) {
    const auto& [record, stem, given] = results[index];
    const bool of_this_table = is_of(record, table_sha256);
    ConditionName name{given, fmt::format("{}: {}", stem, record.name)};
    if (index > 0) {
      const auto differences = deciding_differences(results.front().record, record);
      if (name.label.empty()) name.label = difference_label(differences);
      name.detail += fmt::format("; {}", difference_detail(differences));
    } else if (name.label.empty()) {
      name.label = results.size() == 1 ? record.name : of_this_table ? "as configured" : stem;
    }
    if (name.label.empty()) name.label = stem;
    name.detail += chips_detail(record, results);
    if (!of_this_table) name.detail += "; made with another error table than the one of this page";
    names.push_back(std::move(name));
  }
  tell_apart(names, results);
  return names;
}

std::vector<AccuracyCondition> accuracy_conditions(const std::vector<NamedAccuracy>& results,
                                                   std::string_view table_sha256) {
  std::vector<ConditionName> names = condition_names(results, table_sha256);
  std::vector<AccuracyCondition> conditions;
  for (std::size_t index = 0; index < results.size(); ++index) {
    const AccuracyRecord& record = results[index].record;
    const AccuracyRecord& first = results.front().record;
    const AccuracyStatistics statistics = accuracy_statistics(record.result, record.confidence);
    AccuracyCondition condition{.label = std::move(names[index].label),
                                .detail = std::move(names[index].detail),
                                .network = record.network,
                                .data_set = record.data_set,
                                .images = record.result.images(),
                                .reads = record.result.reads,
                                .exact = figure_of(statistics.exact),
                                .sampled = figure_of(statistics.sampled),
                                .difference = figure_of(statistics.difference),
                                .these_images = {},
                                .against_first = {},
                                .same_table = is_of(record, table_sha256)};
    if (statistics.sampled_on_these_images) {
      condition.these_images = figure_of(*statistics.sampled_on_these_images);
    }
    condition.answers = answers_of(record);
    if (index > 0 && pairable(record, first)) {
      condition.against_first =
          figure_of(paired_difference(record.result, first.result, record.confidence));
    }
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

}  // namespace cimstat::experiments
