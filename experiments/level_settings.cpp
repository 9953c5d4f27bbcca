#include "experiments/level_settings.h"

#include <string_view>
#include <utility>

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

/// Without a default, so that results of binary cells keep the bytes of their configuration.
struct Unset {
  std::string_view example;
  std::string_view absent;  ///< what holds where it isn't written
  std::string_view source = {};
};

Parameter parameter(std::string_view key, core::Rule rule, std::string_view meaning, Unset unset) {
  Parameter result{.key = key, .rule = std::move(rule), .meaning = meaning};
  result.example = unset.example;
  result.absent = unset.absent;
  result.source = unset.source;
  return result;
}

}  // namespace

std::vector<Parameter> level_parameters() {
  return {
      parameter("cell_bits", CountRule{1, most_cell_bits, std::nullopt, {}},
                "bits of a weight in each cell, levels evenly spaced from HRS to LRS: of offset "
                "weights on frozen chips, elsewhere of the magnitudes of differential ones",
                {"2", "1", "cellBit of NeuroSim V1.4; differential: PIM-QAT"}),
      parameter("converter_range", core::option_rule(ranges, {}),
                "where a converter's codes lie; frozen chips only",
                {"\"observed\"", "\"column\"", "observed: linear quantisation of NeuroSim V1.4"}),
      parameter("converter_batch", CountRule{1, most_images, std::nullopt, {}},
                "images in a row that share a converter_range of \"observed\": an image's answer "
                "depends on its batch",
                {"200", "has to be given with converter_range = \"observed\""}),
      parameter("converter_values", core::option_rule(values, {}),
                "what a code of an observed range stands for",
                {"\"middle\"", "\"lower\"", "lower: NeuroSim V1.4"}),
      parameter("cell_spread", core::option_rule(spreads, {}),
                "when cells are drawn, where the range is observed",
                {"\"redrawn\"", "\"frozen\"", "redrawn: NeuroSim V1.4"}),
      parameter("subtraction", core::option_rule(subtractions, {}),
                "how the dummy column of offset weights is taken off",
                {"\"digital\"", "\"analog\"", "digital: NeuroSim V1.4"})};
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
