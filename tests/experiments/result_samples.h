#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/accuracy_file.h"
#include "experiments/columns/columns_file.h"
#include "experiments/inference/network.h"
#include "experiments/table/table_file.h"

/// Small results of every kind, for tests of their files.
namespace cimstat::tests {

/// A macro of `rows` rows.
inline experiments::Experiment sample_experiment(const std::vector<std::string>& overrides = {}) {
  return experiments::read_experiment(core::Config::from_text(R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = 4e-5
sigma = 0.08
[cell.hrs]
distribution = "lognormal"
median = 2e-6
sigma = 0.3
[column]
rows = 6
read_voltage = 0.2
[sense_amplifier]
noise_sd = 1e-6
[table]
trials = 5000
)",
                                                              "sample.toml", overrides));
}

inline experiments::ChosenTable sample_table(const experiments::Experiment& experiment) {
  return experiments::make_table(experiment, circuits::classes_for(experiment.table.active_rows),
                                 {1});
}

inline experiments::AccuracyRecord sample_accuracy(std::size_t images, std::uint32_t reads) {
  experiments::AccuracyRecord record{.name = "sample",
                                     .network = "net",
                                     .data_set = "data",
                                     .table_sha256 = std::string(64, 'a'),
                                     .config_toml = {},
                                     .confidence = 0.95,
                                     .result = {}};
  record.result.reads = reads;
  record.result.partial_sums = 1234;
  for (std::size_t i = 0; i < images; ++i) {
    record.result.exact_correct.push_back(i * 2654435761U % 10 != 3);
  }
  for (std::size_t i = 0; i < images * reads; ++i) {
    record.result.sampled_correct.push_back(i * 2246822519U % 10 > 2);
  }
  return record;
}

/// Two dies of forty columns.
inline experiments::ColumnsResult sample_columns(const experiments::Experiment& experiment) {
  return experiments::run_columns(experiment, {1});
}
inline experiments::Experiment sample_columns_experiment() {
  return sample_experiment({"columns.columns=40", "columns.dies=2", "columns.patterns=2"});
}

/// A convolution of several chunks and logits.
inline experiments::Network sample_network() {
  using experiments::Layer;
  using experiments::LayerKind;
  experiments::Network network;
  network.name = "sample";
  network.input_shape = {4, 4, 4};
  network.classes = 3;
  const auto weighted = [](LayerKind kind, const char* name, const char* input,
                           std::array<std::uint32_t, 4> shape) {
    Layer layer;
    layer.kind = kind;
    layer.name = name;
    layer.inputs = {input};
    layer.kernel = shape[2];
    layer.weight_bits = 4;
    layer.weight_shape = shape;
    for (std::size_t i = 0; i < std::size_t{shape[0]} * shape[1] * shape[2] * shape[3]; ++i) {
      layer.weight.push_back(static_cast<std::int8_t>(static_cast<int>(i * 2654435761U % 16) - 8));
    }
    layer.scale.assign(shape[0], 0.01);
    layer.bias.assign(shape[0], 0.25);
    return layer;
  };
  network.layers = {weighted(LayerKind::convolution, "conv", "input", {64, 4, 3, 3}),
                    weighted(LayerKind::fully_connected, "logits", "conv", {3, 256, 1, 1})};
  network.layers[0].output_bits = 4;
  return network;
}

}  // namespace cimstat::tests
