#include "experiments/answers/answers_text.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/utf8.h"

#include "experiments/counted.h"
#include "experiments/experiment.h"
#include "experiments/inference/stopped_accuracy.h"

namespace cimstat::experiments {

namespace {

constexpr std::size_t shown_confusions = 3;
constexpr std::size_t most_name = 16;

std::string percent(const Estimate& estimate) {
  return fmt::format("{:7.2f} %  [{:.2f}, {:.2f}]", 100.0 * estimate.value,
                     100.0 * estimate.interval.lower, 100.0 * estimate.interval.upper);
}

/// Off the diagonal.
struct Confusion {
  std::uint32_t label = 0;
  std::uint32_t answer = 0;
  double share = 0.0;  ///< of the label's answers
};

std::vector<Confusion> worst_confusions(const ConfusionCounts& counts) {
  std::vector<Confusion> found;
  for (std::uint32_t label = 0; label < counts.classes; ++label) {
    const auto all = static_cast<double>(counts.of_label(label));
    for (std::uint32_t answer = 0; answer < counts.classes; ++answer) {
      if (answer == label || counts.at(label, answer) == 0) continue;
      found.push_back({label, answer, static_cast<double>(counts.at(label, answer)) / all});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Confusion& a, const Confusion& b) { return a.share > b.share; });
  return found;
}

std::string confusion_text(const AccuracyResult& result) {
  const std::vector<Confusion> worst = worst_confusions(result.answers.sampled_confusion());
  if (worst.empty()) return {};
  const ConfusionCounts in_integers = result.answers.exact_confusion();
  std::string text;
  for (std::size_t i = 0; i < std::min(worst.size(), shown_confusions); ++i) {
    const auto& [label, answer, share] = worst[i];
    const double exact = static_cast<double>(in_integers.at(label, answer)) /
                         static_cast<double>(in_integers.of_label(label));
    text += fmt::format("  {:<24} {:7.2f} %  class {} for {} (exact {:.2f} %)\n",
                        i == 0 ? "most often mistaken" : "", 100.0 * share, label, answer,
                        100.0 * exact);
  }
  return text;
}

/// Of the configuration that a record carries.
std::optional<double> half_width_of(const AccuracyRecord& record) {
  if (record.config_toml.empty()) return std::nullopt;
  return read_experiment(core::Config::from_text(record.config_toml, "config_toml"))
      .accuracy.half_width;
}

std::string stopping_text(const AccuracyRecord& record) {
  const std::optional<double> wanted = half_width_of(record);
  if (!wanted) return {};
  const Estimate found = stopped_accuracy(record.result, record.confidence);
  const bool reached = half_width(found) <= *wanted;
  return fmt::format("  ... stopped by itself    {}  {} +- {:g} %, after {}\n", percent(found),
                     reached ? "within" : "not within", 100.0 * *wanted,
                     counted(record.result.images(), "image"));
}

std::string name_of(const std::string& name) {
  return core::one_line(core::excerpt(name, most_name));
}

std::string decibels(double value) {
  if (!std::isinf(value)) return fmt::format("{:.2f}", value);
  return value > 0.0 ? "no noise" : "no sums";
}

std::string layers_text(const LayerReport& report, double confidence) {
  if (report.layers.empty()) return {};
  std::string text = fmt::format("\n  {:<{}}  {:>12}  {:>8}  {:<18}  {:>8}  {:>8}  {:>8}  {:>8}\n",
                                 "layer", most_name, "partial sums", "SNR (dB)",
                                 fmt::format("[{:g} % interval]", 100.0 * confidence), "network",
                                 "code 0", "last", "beyond");
  for (const LayerFigures& layer : report.layers) {
    const Estimate& own = layer.own.decibels;
    const ClippedShares clipped = clipped_shares(layer, report.scale);
    const std::string interval =
        std::isinf(own.value)
            ? ""
            : fmt::format("[{:.2f}, {:.2f}]", own.interval.lower, own.interval.upper);
    text += fmt::format("  {:<{}}  {:>12}  {:>8}  {:<18}  {:>8}  {:>8}  {:>8}  {:>8}\n",
                        name_of(layer.name), most_name, layer.partial_sums, decibels(own.value),
                        interval, decibels(layer.network.decibels.value),
                        fmt::format("{:.2f} %", 100.0 * clipped.first_code),
                        fmt::format("{:.2f} %", 100.0 * clipped.last_code),
                        fmt::format("{:.2f} %", 100.0 * clipped.beyond));
  }
  return text +
         "  SNR: of the layer by itself; network: against exact integers in all layers. Shares of "
         "partial sums:\n  read as code 0, as the last code, and half a step or more beyond all "
         "codes.\n";
}

std::string sensitivity_text(const AccuracyRecord& record) {
  const auto layers = layer_sensitivities(record.result, record.confidence);
  if (layers.empty()) return {};
  std::string text = fmt::format("\n  {:<{}}  {:<32}{}\n", "layer", most_name,
                                 "alone on columns - exact", "all but it - all on columns");
  for (const std::size_t place : ranking(layers)) {
    const LayerSensitivity& layer = layers[place];
    text += fmt::format("  {:<{}}  {:<32}{}\n", name_of(layer.name), most_name,
                        percent(layer.alone), percent(layer.spared));
  }
  return text +
         "  Differences of accuracy, paired by image, on the same random numbers; the layer "
         "that costs most first.\n";
}

core::Json json_of(const Estimate& estimate) {
  return core::Json::array({estimate.value, estimate.interval.lower, estimate.interval.upper});
}

core::Json json_of(const SignalToNoise& ratio) {
  core::Json json{{"signal", ratio.signal}, {"noise", ratio.noise}};
  if (!std::isinf(ratio.decibels.value)) json["decibels"] = json_of(ratio.decibels);
  return json;
}

core::Json json_of(const ConfusionCounts& confusion) {
  core::Json rows = core::Json::array();
  for (std::uint32_t label = 0; label < confusion.classes; ++label) {
    core::Json row = core::Json::array();
    for (std::uint32_t answer = 0; answer < confusion.classes; ++answer) {
      row.push_back(confusion.at(label, answer));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::string answers_text(const AccuracyRecord& record) {
  return stopping_text(record) + confusion_text(record.result) +
         layers_text(record.layers, record.confidence) + sensitivity_text(record);
}

void add_answers(const AccuracyRecord& record, core::Json& summary) {
  const AccuracyResult& result = record.result;
  if (const std::optional<double> wanted = half_width_of(record)) {
    summary["half_width"] = *wanted;
    summary["stopped"] = json_of(stopped_accuracy(result, record.confidence));
  }
  if (result.answers.classes > 0) {
    summary["confusion"] = {{"exact", json_of(result.answers.exact_confusion())},
                            {"sampled", json_of(result.answers.sampled_confusion())}};
  }
  for (const LayerFigures& layer : record.layers.layers) {
    const ClippedShares clipped = clipped_shares(layer, record.layers.scale);
    summary["layers"].push_back({{"name", layer.name},
                                 {"outputs", layer.outputs},
                                 {"partial_sums", layer.partial_sums},
                                 {"own", json_of(layer.own)},
                                 {"bias", layer.bias},
                                 {"network", json_of(layer.network)},
                                 {"first_code_share", clipped.first_code},
                                 {"last_code_share", clipped.last_code},
                                 {"beyond_share", clipped.beyond},
                                 {"codes", layer.codes}});
  }
  const auto sensitivities = layer_sensitivities(result, record.confidence);
  for (const std::size_t place : ranking(sensitivities)) {
    const LayerSensitivity& layer = sensitivities[place];
    summary["sensitivity"].push_back(
        {{"name", layer.name}, {"alone", json_of(layer.alone)}, {"spared", json_of(layer.spared)}});
  }
}

}  // namespace cimstat::experiments
