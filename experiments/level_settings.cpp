#include "experiments/level_settings.h"

#include <string_view>

#include "core/config/option.h"

namespace cimstat::experiments {

namespace {

using core::CountRule;
using core::Option;
using core::Parameter;

constexpr std::uint64_t most_cell_bits = 8;  // as many as a weight has
constexpr std::uint64_t most_images = 4096;  // whose maps are all kept

constexpr Option<ConverterRange> ranges[] = {
    {ConverterRange::column, {"column", "that of the macro's references"}},
    {ConverterRange::observed,
     {"observed",
      "from the least to the largest partial sum of converter_batch images, anew for each part of "
      "an array, input bit and slice; codes stand for their lower edge"}}};

constexpr Option<DummySubtraction> subtractions[] = {
    {DummySubtraction::analog, {"analog", "its current, before the converter"}},
    {DummySubtraction::digital, {"digital", "its code: the dummy column is converted by itself"}}};

constexpr Option<CodeValue> values[] = {
    {CodeValue::lower, {"lower", "the least sum that it is given for (NeuroSim)"}},
    {CodeValue::middle,
     {"middle", "the middle of the sums that it is given for; idle reads are skipped"}}};

constexpr Option<CellSpread> spreads[] = {
    {CellSpread::frozen, {"frozen", "once for each chip"}},
    {CellSpread::redrawn,
     {"redrawn",
      "for each batch of images and bit of their inputs; dummy columns have none (NeuroSim)"}}};

constexpr std::string_view keys[] = {"cell_bits",        "converter_range", "converter_batch",
                                     "converter_values", "cell_spread",     "subtraction"};

}  // namespace

std::vector<Parameter> level_parameters() {
  // Without defaults, so that results of binary cells keep the bytes of their configuration.
  Parameter cell_bits{.key = "cell_bits",
                      .rule = CountRule{1, most_cell_bits, std::nullopt, {}},
                      .meaning =
                          "bits of an offset weight in each cell, levels evenly spaced from "
                          "HRS to LRS; frozen chips only"};
  cell_bits.example = "2";
  cell_bits.absent = "1";
  cell_bits.source = "cellBit of NeuroSim V1.4";
  Parameter range{.key = "converter_range",
                  .rule = core::option_rule(ranges, {}),
                  .meaning = "where a converter's codes lie; frozen chips only"};
  range.example = "\"observed\"";
  range.absent = "\"column\"";
  range.source = "observed: linear quantisation of NeuroSim V1.4";
  Parameter batch{.key = "converter_batch",
                  .rule = CountRule{1, most_images, std::nullopt, {}},
                  .meaning =
                      "images in a row that share a converter_range of \"observed\": an "
                      "image's answer depends on its batch"};
  batch.example = "200";
  batch.absent = "has to be given with converter_range = \"observed\"";
  Parameter subtraction{.key = "subtraction",
                        .rule = core::option_rule(subtractions, {}),
                        .meaning = "how the dummy column of offset weights is taken off"};
  subtraction.example = "\"digital\"";
  subtraction.absent = "\"analog\"";
  subtraction.source = "digital: NeuroSim V1.4";
  Parameter value{.key = "converter_values",
                  .rule = core::option_rule(values, {}),
                  .meaning = "what a code of an observed range stands for"};
  value.example = "\"middle\"";
  value.absent = "\"lower\"";
  value.source = "lower: NeuroSim V1.4";
  Parameter spread{.key = "cell_spread",
                   .rule = core::option_rule(spreads, {}),
                   .meaning = "when cells are drawn, where the range is observed"};
  spread.example = "\"redrawn\"";
  spread.absent = "\"frozen\"";
  spread.source = "redrawn: NeuroSim V1.4";
  return {cell_bits, range, batch, value, spread, subtraction};
}

std::string_view level_key(const core::SectionReader& section) {
  for (const std::string_view key : keys) {
    if (section.has(key)) return key;
  }
  return {};
}

LevelOptions read_level_options(const core::SectionReader& section) {
  LevelOptions options;
  if (section.has("cell_bits")) {
    options.cell_bits = static_cast<std::uint32_t>(section.count("cell_bits"));
  }
  if (section.has("converter_range")) {
    options.range = core::read_option(section, "converter_range", ranges);
  }
  if (section.has("converter_batch")) {
    options.batch = static_cast<std::uint32_t>(section.count("converter_batch"));
  }
  if (section.has("subtraction")) {
    options.subtraction = core::read_option(section, "subtraction", subtractions);
  }
  if (section.has("converter_values")) {
    options.value = core::read_option(section, "converter_values", values);
  }
  if (section.has("cell_spread")) {
    options.spread = core::read_option(section, "cell_spread", spreads);
  }
  const bool observed = options.range == ConverterRange::observed;
  if (observed && options.batch == 0) {
    section.fail("converter_range", "is \"observed\" of no batch",
                 "the images that share it decide their answers",
                 "write converter_batch = 200, or another number of images");
  }
  for (const std::string_view key : {"converter_batch", "converter_values", "cell_spread"}) {
    if (observed || !section.has(key)) continue;
    section.fail(key, "decides nothing", "the converter's range is the column's",
                 "write converter_range = \"observed\", or leave it out");
  }
  return options;
}

}  // namespace cimstat::experiments
