#include "experiments/accuracy_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include <fmt/format.h>

#include "core/utf8.h"

#include "experiments/answers/answers_text.h"
#include "experiments/counted.h"
#include "experiments/inference/chip_accuracy.h"

namespace cimstat::experiments {

namespace {

std::string percent(const Estimate& estimate) {
  return fmt::format("{:7.2f} %  [{:.2f}, {:.2f}]", 100.0 * estimate.value,
                     100.0 * estimate.interval.lower, 100.0 * estimate.interval.upper);
}

/// What reads of a chip have in common, by its configuration in canonical form.
std::string_view lasting_parts(std::string_view config_toml) {
  const auto says = [config_toml](std::string_view setting) {
    return config_toml.find(setting) != std::string_view::npos;
  };
  if (says("cell_spread = \"redrawn\"")) {
    return "  Cells are redrawn for each batch of images and bit of their inputs, and converters "
           "have "
           "its range: a chip is\n  a repetition here, and an answer depends on the images beside "
           "it.\n";
  }
  if (says("converter_range = \"observed\"")) {
    return "  Cells are each chip's own in all its reads; converters have the range of each batch "
           "of images, on which\n  an answer so depends.\n";
  }
  return "  Cells, offsets and converters are each chip's own in all its reads; noise = \"table\" "
         "draws them afresh\n  for each read, and leaves out what one chip repeats and how chips "
         "differ.\n";
}

/// What chips have, and what an error table can't tell of them.
std::string chips_text(const AccuracyRecord& record, const AccuracyStatistics& statistics) {
  const ChipStatistics chips = chip_statistics(record.result, record.confidence);
  std::string text =
      fmt::format("  mean of these chips      {}  over images\n", percent(statistics.sampled));
  text +=
      fmt::format("  difference, paired       {}  over images\n", percent(statistics.difference));
  text += fmt::format("  mean over chips          {}  over chips, on these images\n",
                      percent(chips.over_chips));
  text += fmt::format("  difference over chips    {}  over chips, on these images\n",
                      percent(chips.difference_over_chips));
  if (chips.spread) {
    text += fmt::format("  spread over chips (sd)   {}\n", percent(*chips.spread));
    if (chips.noise_spread) {
      text += fmt::format("  ... by fresh noise alone {:7.2f} %\n", 100.0 * *chips.noise_spread);
    }
    const auto [lowest, highest] = std::minmax_element(chips.of_chip.begin(), chips.of_chip.end());
    text += fmt::format("  chips                    {:.2f} % to {:.2f} %\n", 100.0 * *lowest,
                        100.0 * *highest);
  }
  return text + std::string(lasting_parts(record.config_toml));
}

/// Tables of layers, by the sections that name them.
std::string layer_tables_text(const AccuracyRecord& record) {
  std::string text;
  for (const auto& [name, sha256] : record.layer_tables) {
    text += fmt::format("  Codes of the layers of accuracy.layer_tables.{} are from table {}.\n",
                        name, sha256.substr(0, 16));
  }
  return text;
}

core::Json json_of(const Estimate& estimate) {
  return core::Json::array({estimate.value, estimate.interval.lower, estimate.interval.upper});
}

}  // namespace

std::string format_accuracy(const AccuracyRecord& record) {
  const AccuracyStatistics statistics = accuracy_statistics(record.result, record.confidence);
  const bool frozen = record.result.chips > 0;
  std::string text =
      fmt::format("{} on {}: {} x {}{}, {} an image\n", core::one_line(record.network),
                  core::one_line(record.data_set), counted(record.result.images(), "image"),
                  counted(record.result.reads, "read"),
                  frozen ? " x " + counted(record.result.chips, "chip") : std::string(),
                  counted(record.result.partial_sums, "partial sum"));
  text += fmt::format("                             accuracy   [{:g} % interval]\n",
                      100.0 * record.confidence);
  text += fmt::format("  exact integers           {}{}\n", percent(statistics.exact),
                      frozen ? "  over images" : "");
  const std::string recalibrated =
      record.recalibration_images == 0
          ? std::string()
          : fmt::format("  Channels have mean and deviation counted anew on {} other images{}.\n",
                        record.recalibration_images, frozen ? ", for each chip" : "");
  if (frozen) {
    return text + chips_text(record, statistics) + recalibrated + answers_text(record);
  }
  text += fmt::format("  on this macro            {}\n", percent(statistics.sampled));
  text += fmt::format("  difference, paired       {}\n", percent(statistics.difference));
  if (statistics.sampled_on_these_images) {
    text += fmt::format("  ... these images, reads  {}\n",
                        percent(*statistics.sampled_on_these_images));
  }
  return text + recalibrated + layer_tables_text(record) + answers_text(record);
}

core::Json accuracy_as_json(const AccuracyRecord& record) {
  const AccuracyStatistics statistics = accuracy_statistics(record.result, record.confidence);
  core::Json summary{{"images", record.result.images()},
                     {"reads", record.result.reads},
                     {"partial_sums", record.result.partial_sums},
                     {"confidence", record.confidence},
                     {"exact", json_of(statistics.exact)},
                     {"sampled", json_of(statistics.sampled)},
                     {"difference", json_of(statistics.difference)}};
  if (statistics.sampled_on_these_images) {
    summary["sampled_on_these_images"] = json_of(*statistics.sampled_on_these_images);
  }
  if (record.recalibration_images > 0) {
    summary["recalibration_images"] = record.recalibration_images;
  }
  for (const auto& [name, sha256] : record.layer_tables) summary["layer_tables"][name] = sha256;
  add_answers(record, summary);
  if (record.result.chips == 0) return summary;
  const ChipStatistics chips = chip_statistics(record.result, record.confidence);
  summary["chips"] = record.result.chips;
  summary["over_chips"] = json_of(chips.over_chips);
  summary["difference_over_chips"] = json_of(chips.difference_over_chips);
  if (chips.spread) summary["chip_spread"] = json_of(*chips.spread);
  if (chips.noise_spread) summary["noise_spread"] = *chips.noise_spread;
  summary["chip_accuracy"] = chips.of_chip;
  return summary;
}

}  // namespace cimstat::experiments
