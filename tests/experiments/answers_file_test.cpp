#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/accuracy_file.h"
#include "experiments/accuracy_text.h"
#include "experiments/inference/stopped_accuracy.h"
#include "experiments/references/class_file.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/experiments/result_samples.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::HasSubstr;

constexpr std::size_t images = 12;
constexpr std::uint32_t rows = 6;

Network small_network() {
  std::mt19937 random(5);
  Network network;
  network.name = "net";
  network.input_shape = {1, 4, 4};
  network.input_bits = 3;
  network.classes = 4;
  network.layers = {fixtures::random_convolution("first", "input", 5, 1, 3, 1, 1, 3, 2, random),
                    fixtures::random_fully_connected("classes", "first", 4, 80, 4, 0, random)};
  return network;
}

ImageSet random_images() {
  ImageSet set;
  set.rows = set.columns = 4;
  set.classes = 4;
  std::mt19937 random(6);
  for (std::size_t i = 0; i < images * set.image_size(); ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(random() % 256));
  }
  for (std::size_t i = 0; i < images; ++i) {
    set.labels.push_back(static_cast<std::uint8_t>(random() % 4));
  }
  return set;
}

Experiment experiment_with(const std::vector<std::string>& more) {
  std::vector<std::string> overrides = {fmt::format("accuracy.images={}", images),
                                        "accuracy.reads=2"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return tests::sample_experiment(overrides);
}

AccuracyRecord record_of(const Experiment& experiment, unsigned threads) {
  const AccuracySettings& settings = experiment.accuracy;
  AccuracyRecord record{.name = experiment.name,
                        .network = "net",
                        .data_set = "data",
                        .table_sha256 = std::string(64, 'a'),
                        .config_toml = experiment.accuracy_toml,
                        .confidence = 0.95,
                        .result = {}};
  record.result = accuracy_with_table(small_network(), random_images(),
                                      fixtures::normal_table(rows, 0.2, 0.05, 0.6),
                                      {.array = settings.array,
                                       .key = {1},
                                       .reads = settings.reads,
                                       .layers = settings.layers,
                                       .sensitivity = settings.sensitivity},
                                      {threads});
  record.layers = layer_report(record.result, record.confidence);
  return record;
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void expect_same(const Estimate& a, const Estimate& b) {
  EXPECT_EQ(a.value, b.value);
  EXPECT_EQ(a.interval.lower, b.interval.lower);
  EXPECT_EQ(a.interval.upper, b.interval.upper);
}

TEST(AnswersFile, IsReadAsItWasWritten) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.h5";
  for (const std::vector<std::string>& asked :
       {std::vector<std::string>{},
        {"accuracy.layers=true"},
        {"accuracy.sensitivity=true"},
        {"accuracy.half_width=0.3"},
        {"accuracy.layers=true", "accuracy.sensitivity=true", "accuracy.half_width=0.01"}}) {
    const Experiment experiment = experiment_with(asked);
    const AccuracyRecord record = record_of(experiment, 1);
    write_accuracy(experiment, record, file);
    const AccuracyRecord found = read_accuracy(file);
    EXPECT_EQ(found.result.answers, record.result.answers);
    EXPECT_EQ(found.result.sensitivity, record.result.sensitivity);
    EXPECT_EQ(found.layers.scale.codes, record.layers.scale.codes);
    ASSERT_EQ(found.layers.layers.size(), experiment.accuracy.layers ? 2U : 0U);
    for (std::size_t i = 0; i < found.layers.layers.size(); ++i) {
      const LayerFigures& a = found.layers.layers[i];
      const LayerFigures& b = record.layers.layers[i];
      EXPECT_EQ(a.name, b.name);
      EXPECT_EQ(a.outputs, b.outputs);
      EXPECT_EQ(a.partial_sums, b.partial_sums);
      EXPECT_EQ(a.codes, b.codes);
      EXPECT_EQ(a.classes, b.classes);
      EXPECT_EQ(a.bias, b.bias);
      EXPECT_EQ(a.own.noise, b.own.noise);
      EXPECT_EQ(a.network.signal, b.network.signal);
      expect_same(a.own.decibels, b.own.decibels);
      expect_same(a.network.decibels, b.network.decibels);
    }
    EXPECT_EQ(format_accuracy(found), format_accuracy(record));
    // The same bytes from two threads.
    const std::string bytes = bytes_of(file);
    write_accuracy(experiment, record_of(experiment, 2), file);
    EXPECT_EQ(bytes_of(file), bytes);
  }
}

TEST(AnswersFile, HoldsLayersWithoutNoise) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.h5";
  const Experiment experiment = experiment_with({"accuracy.layers=true"});
  AccuracyRecord record = record_of(experiment, 1);
  record.result = accuracy_with_table(
      small_network(), random_images(), fixtures::identity_table(rows),
      {.array = experiment.accuracy.array, .key = {1}, .reads = 2, .layers = true}, {1});
  record.layers = layer_report(record.result, 0.95);
  write_accuracy(experiment, record, file);
  const AccuracyRecord found = read_accuracy(file);
  EXPECT_TRUE(std::isinf(found.layers.layers[0].own.decibels.value));
  EXPECT_THAT(format_accuracy(found), HasSubstr("no noise"));
}

TEST(AnswersFile, GivesReferencesTheClassesOfAllLayers) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.h5";
  const Experiment experiment = experiment_with({"accuracy.layers=true"});
  const AccuracyRecord record = record_of(experiment, 1);
  write_accuracy(experiment, record, file);
  EXPECT_TRUE(is_result_file(file));
  double met = 0.0;
  for (const circuits::WeightedClass& one : read_class_result(file, rows)) {
    double reads = 0.0;
    for (const LayerFigures& layer : record.layers.layers) {
      for (const ClassReads& of_layer : layer.classes) {
        if (circuits::ColumnClass{of_layer.lrs_count, of_layer.active_rows} == one.column_class) {
          reads += static_cast<double>(of_layer.reads);
        }
      }
    }
    EXPECT_EQ(one.weight, reads > 0.0 ? reads : 0.5);
    met += reads;
  }
  EXPECT_EQ(met,
            static_cast<double>(record.layers.layers[0].reads() + record.layers.layers[1].reads()));
  const auto refusal = [&](std::uint32_t most) -> std::string {
    try {
      read_class_result(file, most);
    } catch (const core::UsageError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal(5), file.string() +
                            ": has 6 active rows (the column has 5 rows); take a column of as many "
                            "rows as the result's");
  const Experiment plain = experiment_with({});
  write_accuracy(plain, record_of(plain, 1), file);
  EXPECT_EQ(refusal(rows), file.string() +
                               ": holds no classes of layers (it was made without them); make it "
                               "with cimstat accuracy --layers");
}

TEST(AnswersText, SaysWhatWasAskedFor) {
  const Experiment experiment = experiment_with(
      {"accuracy.layers=true", "accuracy.sensitivity=true", "accuracy.half_width=0.4"});
  const AccuracyRecord record = record_of(experiment, 1);
  const std::string text = format_accuracy(record);
  EXPECT_THAT(text, HasSubstr("most often mistaken"));
  EXPECT_THAT(text, HasSubstr("stopped by itself"));
  EXPECT_THAT(text, HasSubstr("within +- 40 %, after 12 images"));
  EXPECT_THAT(text, HasSubstr("SNR (dB)"));
  EXPECT_THAT(text, HasSubstr("alone on columns - exact"));
  const core::Json json = accuracy_as_json(record);
  EXPECT_EQ(json["layers"].size(), 2U);
  EXPECT_EQ(json["layers"][0]["name"], "first");
  EXPECT_EQ(json["sensitivity"].size(), 2U);
  EXPECT_EQ(json["confusion"]["exact"].size(), 4U);
  EXPECT_EQ(json["half_width"], 0.4);
}

}  // namespace
}  // namespace cimstat::experiments
