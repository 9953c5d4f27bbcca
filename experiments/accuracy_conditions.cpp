#include "experiments/accuracy_conditions.h"

#include <map>
#include <set>

#include <fmt/format.h>

#include "experiments/seeing/config_difference.h"

namespace cimstat::experiments {

namespace {

AccuracyFigure figure_of(const Estimate& estimate) {
  return {estimate.value, estimate.interval.lower, estimate.interval.upper};
}

/// Differences are paired by image: both must be of the same images through the same network.
bool pairable(const AccuracyRecord& one, const AccuracyRecord& other) {
  return one.network == other.network && one.data_set == other.data_set &&
         one.result.exact_correct == other.result.exact_correct;
}

}  // namespace

std::vector<std::string> distinguishing_labels(const std::vector<AccuracyRecord>& records) {
  constexpr std::size_t most_settings = 3;
  // The settings that some result has otherwise than the first one, and their values by result.
  std::map<std::string, std::vector<std::string>> settings;
  std::set<std::string> names;
  for (std::size_t index = 0; index < records.size(); ++index) {
    names.insert(records[index].name);
    for (const KeyDifference& difference :
         differing_keys(records.front().config_toml, records[index].config_toml)) {
      if (difference.key == "name") continue;
      std::vector<std::string>& values = settings[difference.key];
      if (values.empty()) values.assign(records.size(), difference.a);
      values[index] = difference.b;
    }
  }
  std::vector<std::string> labels;
  for (std::size_t index = 0; index < records.size(); ++index) {
    std::string label = names.size() > 1 || settings.empty() ? records[index].name : std::string();
    std::size_t shown = 0;
    for (const auto& [key, values] : settings) {
      if (shown == most_settings) {
        label += fmt::format(" and {} more", settings.size() - shown);
        break;
      }
      label += fmt::format("{}{} {}", label.empty() ? "" : ", ", key,
                           values[index].empty() ? "not set" : "= " + values[index]);
      ++shown;
    }
    if (settings.empty() && records.size() > 1) label += fmt::format(" (result {})", index + 1);
    labels.push_back(std::move(label));
  }
  return labels;
}

std::vector<AccuracyCondition> accuracy_conditions(const std::vector<AccuracyRecord>& records,
                                                   std::string_view table_sha256) {
  const std::vector<std::string> labels = distinguishing_labels(records);
  std::vector<AccuracyCondition> conditions;
  for (std::size_t index = 0; index < records.size(); ++index) {
    const AccuracyRecord& record = records[index];
    const AccuracyStatistics statistics = accuracy_statistics(record.result, record.confidence);
    AccuracyCondition condition{.label = labels[index],
                                .network = record.network,
                                .data_set = record.data_set,
                                .images = record.result.images(),
                                .reads = record.result.reads,
                                .exact = figure_of(statistics.exact),
                                .sampled = figure_of(statistics.sampled),
                                .difference = figure_of(statistics.difference),
                                .these_images = {},
                                .against_first = {},
                                .same_table = record.table_sha256 == table_sha256};
    if (statistics.sampled_on_these_images) {
      condition.these_images = figure_of(*statistics.sampled_on_these_images);
    }
    if (index > 0 && pairable(record, records.front())) {
      condition.against_first =
          figure_of(paired_difference(record.result, records.front().result, record.confidence));
    }
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

}  // namespace cimstat::experiments
