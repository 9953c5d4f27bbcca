#include "experiments/answers/layers_file.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

constexpr std::uint64_t most_codes = 1U << 16;
constexpr std::uint64_t most_met = std::uint64_t{1} << 24;
constexpr std::uint64_t most_partial_sums = std::uint64_t{1} << 34;  // times 2^28 answers

/// A dataset of one type, and what stands in its page.
template <class Value>
struct Column {
  std::string_view name;
  std::string_view units;
  std::string_view long_name;
  Value (*of)(const LayerFigures& layer, const CodeScale& scale);
};

constexpr std::string_view decibels = "dB";

const Column<double> layer_numbers[] = {
    {"layer_snr", decibels, "signal-to-noise ratio of the layer by itself",
     [](const LayerFigures& l, const CodeScale&) { return l.own.decibels.value; }},
    {"layer_snr_lower", decibels, "lower end of its interval over images",
     [](const LayerFigures& l, const CodeScale&) { return lower(l.own.decibels); }},
    {"layer_snr_upper", decibels, "upper end of its interval over images",
     [](const LayerFigures& l, const CodeScale&) { return upper(l.own.decibels); }},
    {"layer_signal", "1", "mean square of exact sums, of the input that the layer had",
     [](const LayerFigures& l, const CodeScale&) { return l.own.signal; }},
    {"layer_noise", "1", "mean square of the difference of the columns' sums to them",
     [](const LayerFigures& l, const CodeScale&) { return l.own.noise; }},
    {"layer_bias", "1", "mean of that difference",
     [](const LayerFigures& l, const CodeScale&) { return l.bias; }},
    {"network_snr", decibels, "signal-to-noise ratio against the network in exact integers",
     [](const LayerFigures& l, const CodeScale&) { return l.network.decibels.value; }},
    {"network_snr_lower", decibels, "lower end of its interval over images",
     [](const LayerFigures& l, const CodeScale&) { return lower(l.network.decibels); }},
    {"network_snr_upper", decibels, "upper end of its interval over images",
     [](const LayerFigures& l, const CodeScale&) { return upper(l.network.decibels); }},
    {"network_signal", "1", "mean square of sums of the network in exact integers",
     [](const LayerFigures& l, const CodeScale&) { return l.network.signal; }},
    {"network_noise", "1", "mean square of the difference of the columns' sums to them",
     [](const LayerFigures& l, const CodeScale&) { return l.network.noise; }},
    {"first_code_share", "1", "share of partial sums read as the first code",
     [](const LayerFigures& l, const CodeScale& s) { return clipped_shares(l, s).first_code; }},
    {"last_code_share", "1", "share of partial sums read as the last code",
     [](const LayerFigures& l, const CodeScale& s) { return clipped_shares(l, s).last_code; }},
    {"beyond_share", "1", "share of partial sums half a step or more outside of all codes",
     [](const LayerFigures& l, const CodeScale& s) { return clipped_shares(l, s).beyond; }}};

const Column<std::uint64_t> layer_counts[] = {
    {"layer_outputs", "1", "outputs of the layer for an image",
     [](const LayerFigures& l, const CodeScale&) { return l.outputs; }},
    {"layer_partial_sums", "1", "columns read for an image, those without an active row counted",
     [](const LayerFigures& l, const CodeScale&) { return l.partial_sums; }}};

struct MetColumn {
  std::string_view name;
  std::string_view long_name;
};
constexpr MetColumn met_columns[] = {
    {"met_layer", "index of the layer"},
    {"met_lrs_count", "LRS cells among the active rows: the MAC value"},
    {"met_active_rows", "active rows"}};

void check_ratio(const AnswerReader& reader, std::string_view name, const SignalToNoise& ratio) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto is_mean_square = [](double value) { return value >= 0.0 && value < infinity; };
  if (!is_mean_square(ratio.signal) || !is_mean_square(ratio.noise)) {
    reader.fail(name, "is of no mean squares",
                fmt::format("signal {}, noise {}", ratio.signal, ratio.noise));
  }
  reader.require_equal(name, ratio.decibels.value,
                       ratio.noise == 0.0    ? infinity
                       : ratio.signal == 0.0 ? -infinity
                                             : 10.0 * std::log10(ratio.signal / ratio.noise));
  const auto& [value, interval] = ratio.decibels;
  if (interval.lower <= value && value <= interval.upper) return;
  reader.fail(name, "lies outside of its interval",
              fmt::format("{} in {} to {}", value, interval.lower, interval.upper));
}

void read_met(const AnswerReader& reader, LayerReport& report) {
  const std::uint64_t met = reader.axis("met", most_met);
  std::vector<std::uint64_t> parts[3];
  for (std::size_t i = 0; i < std::size(met_columns); ++i) {
    parts[i] = reader.counts(met_columns[i].name, "uint32", {met});
  }
  const std::vector<std::uint64_t> reads = reader.counts("met_reads", "uint64", {met});
  std::vector<std::uint64_t> sums(report.layers.size());
  for (std::uint64_t i = 0; i < met; ++i) {
    const std::uint64_t layer = parts[0][i];
    const bool follows = i == 0 || std::tuple(parts[0][i - 1], parts[2][i - 1], parts[1][i - 1]) <
                                       std::tuple(layer, parts[2][i], parts[1][i]);
    if (layer >= sums.size() || parts[1][i] > parts[2][i] || !follows || reads[i] == 0 ||
        reads[i] > std::uint64_t{1} << 62) {
      reader.fail("met", fmt::format("element {} is no class, or out of order", i),
                  "they ascend by layer, active rows and LRS count; each was read");
    }
    sums[layer] += reads[i];
    report.layers[layer].classes.push_back({static_cast<std::uint32_t>(parts[1][i]),
                                            static_cast<std::uint32_t>(parts[2][i]), reads[i]});
  }
  for (std::size_t layer = 0; layer < sums.size(); ++layer) {
    if (sums[layer] == report.layers[layer].reads()) continue;
    reader.fail("met_reads", "contradicts /layer_codes",
                fmt::format("{} instead of {} of layer {}", sums[layer],
                            report.layers[layer].reads(), layer));
  }
}

}  // namespace

std::vector<std::string> layer_members() {
  std::vector<std::string> names = {"code", "layer_codes", "met", "met_reads"};
  for (const auto& column : layer_numbers) names.emplace_back(column.name);
  for (const auto& column : layer_counts) names.emplace_back(column.name);
  for (const auto& column : met_columns) names.emplace_back(column.name);
  return names;
}

void write_layers(AnswerWriter& writer, const LayerReport& report) {
  const std::uint64_t layers = report.layers.size();
  writer.file().attribute("/", "code_step", report.scale.step);
  writer.file().attribute("/", "code_origin", report.scale.origin);
  for (const Column<double>& column : layer_numbers) {
    std::vector<double> values;
    for (const LayerFigures& layer : report.layers) {
      values.push_back(column.of(layer, report.scale));
    }
    writer.dataset(column.name, values, {{"layer", layers}}, column.units, column.long_name);
  }
  for (const Column<std::uint64_t>& column : layer_counts) {
    std::vector<std::uint64_t> values;
    for (const LayerFigures& layer : report.layers) {
      values.push_back(column.of(layer, report.scale));
    }
    writer.dataset(column.name, values, {{"layer", layers}}, column.units, column.long_name);
  }
  writer.axis("code", report.scale.codes, "code");
  std::vector<std::uint64_t> codes;
  std::vector<std::uint32_t> met[3];
  std::vector<std::uint64_t> reads;
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    const LayerFigures& figures = report.layers[layer];
    codes.insert(codes.end(), figures.codes.begin(), figures.codes.end());
    for (const ClassReads& one : figures.classes) {
      met[0].push_back(layer);
      met[1].push_back(one.lrs_count);
      met[2].push_back(one.active_rows);
      reads.push_back(one.reads);
    }
  }
  writer.dataset("layer_codes", codes, {{"layer", layers}, {"code", report.scale.codes}}, "1",
                 "partial sums of a layer read as a code");
  writer.axis("met", reads.size(), "classes that a layer's partial sums are of, in turn");
  for (std::size_t i = 0; i < std::size(met_columns); ++i) {
    writer.dataset(met_columns[i].name, met[i], {{"met", reads.size()}}, "1",
                   met_columns[i].long_name);
  }
  writer.dataset("met_reads", reads, {{"met", reads.size()}}, "1",
                 "partial sums of the layer that are of the class");
}

void read_layers(const AnswerReader& reader, const std::vector<std::string>& names,
                 AccuracyRecord& record) {
  LayerReport& report = record.layers;
  const std::uint64_t layers = names.size();
  report.scale.step = reader.file().number_attribute("/", "code_step");
  report.scale.origin = reader.file().number_attribute("/", "code_origin");
  report.scale.codes = static_cast<std::uint32_t>(reader.axis("code", most_codes));
  const std::uint64_t codes = report.scale.codes;
  if (codes == 0) reader.fail("code", "is no axis", "there are no codes");
  const auto outputs = reader.counts("layer_outputs", "uint64", {layers});
  const auto partial_sums = reader.counts("layer_partial_sums", "uint64", {layers});
  const auto of_code = reader.counts("layer_codes", "uint64", {layers, codes});
  std::vector<std::vector<double>> columns;
  for (const Column<double>& column : layer_numbers) {
    columns.push_back(reader.numbers(column.name, column.units, {layers}));
  }
  for (std::size_t i = 0; i < layers; ++i) {
    LayerFigures layer;
    layer.name = names[i];
    layer.outputs = outputs[i];
    layer.partial_sums = partial_sums[i];
    const auto first = of_code.begin() + static_cast<std::ptrdiff_t>(i * codes);
    layer.codes.assign(first, first + static_cast<std::ptrdiff_t>(codes));
    const auto at = [&](std::size_t column) { return columns[column][i]; };
    layer.own = {at(3), at(4), {at(0), {at(1), at(2)}}};
    layer.bias = at(5);
    layer.network = {at(9), at(10), {at(6), {at(7), at(8)}}};
    report.layers.push_back(std::move(layer));
  }
  read_met(reader, report);
  for (std::size_t i = 0; i < layers; ++i) {
    const LayerFigures& layer = report.layers[i];
    const std::uint64_t passes = record.result.sampled_correct.size();
    if (layer.partial_sums > most_partial_sums || layer.reads() > layer.partial_sums * passes) {
      reader.fail("layer_codes", "contradicts /layer_partial_sums",
                  fmt::format("layer {} has fewer", i));
    }
    check_ratio(reader, "layer_snr", layer.own);
    check_ratio(reader, "network_snr", layer.network);
    if (!std::isfinite(layer.bias)) reader.fail("layer_bias", "is no number", {});
    const ClippedShares shares = clipped_shares(layer, report.scale);
    reader.require_equal("first_code_share", columns[11][i], shares.first_code);
    reader.require_equal("last_code_share", columns[12][i], shares.last_code);
    reader.require_equal("beyond_share", columns[13][i], shares.beyond);
  }
}

}  // namespace cimstat::experiments
