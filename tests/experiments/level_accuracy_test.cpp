/// Networks on cells of several levels, behind converters that images in a row share.
#include "experiments/inference/level_accuracy.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/experiment.h"
#include "experiments/frozen_accuracy.h"
#include "tests/experiments/level_fixtures.h"
#include "tests/experiments/small_network.h"

namespace cimstat::experiments {
namespace {

using fixtures::images_for;
using fixtures::LevelCase;
using fixtures::LevelReference;

constexpr double current = 8e-6;

Network network_of_two_layers() {
  std::mt19937 random(21);
  Network network;
  network.name = "two layers";
  network.input_shape = {2, 5, 5};
  network.input_bits = 3;
  network.classes = 6;
  network.layers = {
      fixtures::random_convolution("convolution", "input", 7, 2, 3, 1, 1, 5, 4, random),
      fixtures::random_fully_connected("classes", "convolution", 6, 175, 4, 0, random)};
  return network;
}

/// Random images with random labels: only classes count.
ImageSet random_images(const Network& network, std::size_t count) {
  std::mt19937 random(22);
  ImageSet set;
  set.channels = network.input_shape[0];
  set.rows = network.input_shape[1];
  set.columns = network.input_shape[2];
  set.classes = network.classes;
  for (std::size_t i = 0; i < count * set.image_size(); ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(random() % 256));
  }
  for (std::size_t i = 0; i < count; ++i) {
    set.labels.push_back(static_cast<std::uint8_t>(random() % network.classes));
  }
  return set;
}

circuits::ColumnDesign column_of(double relative_sd, std::uint32_t codes) {
  circuits::ColumnDesign design;
  design.rows = 32;
  design.lrs = relative_sd > 0.0 ? core::Law::normal(current, relative_sd * current)
                                 : core::Law::point(current);
  design.hrs = relative_sd > 0.0 ? core::Law::normal(0.1 * current, 0.1 * relative_sd * current)
                                 : core::Law::point(0.1 * current);
  design.ladder.codes = codes;
  for (std::uint32_t j = 1; j < codes; ++j) design.ladder.references.push_back(j * current);
  return design;
}

LevelOptions observed(std::uint32_t cell_bits, std::uint32_t batch) {
  return {.cell_bits = cell_bits,
          .range = ConverterRange::observed,
          .batch = batch,
          .subtraction = DummySubtraction::digital};
}

AccuracyOptions options_of(std::uint32_t chips = 1) {
  AccuracyOptions options;
  options.array = {.rows = 32, .rows_per_read = 10, .weights = WeightMapping::offset};
  options.array.tiling = Tiling::kernel_positions;
  options.key = {31};
  options.chips = chips;
  return options;
}

/// Cells with a spread, on a chip.
struct Spread {
  double relative_sd = 0.0;
  std::uint32_t chip = 0;
  std::uint32_t batch = 0;
};

/// The classes of some images as one batch, layer by layer in plain loops.
std::vector<std::uint8_t> reference_classes(const Network& network, const ImageSet& images,
                                            std::size_t first, std::size_t count,
                                            const LevelOptions& levels, std::uint32_t codes,
                                            const Spread& spread = {}) {
  std::vector<std::vector<std::uint8_t>> maps(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::uint8_t pixel : images.image(first + i)) {
      maps[i].push_back(static_cast<std::uint8_t>((pixel * 7 + 127) / 255));
    }
  }
  LevelCase c;
  c.arrays = options_of().array;
  c.levels = levels;
  c.lrs = current;
  c.hrs = 0.1 * current;
  c.codes = codes;
  c.key = options_of().key;
  c.chip = spread.chip;
  c.batch = spread.batch;
  if (spread.relative_sd > 0.0) {
    const circuits::ColumnDesign column = column_of(spread.relative_sd, codes);
    c.lrs_table.emplace(column.lrs, current);
    c.hrs_table.emplace(column.hrs, current);
  }
  c.layer = network.layers[0];
  c.input = {2, 5, 5};
  c.input_bits = 3;
  const auto value = [](const Layer& layer, std::size_t output, double sum) {
    return sum * layer.scale[output] + layer.bias[output];
  };
  const auto sums = LevelReference(c).estimates(maps);
  for (std::size_t i = 0; i < count; ++i) {
    maps[i].clear();
    for (std::size_t at = 0; at < 175; ++at) {
      const double rounded = std::floor(value(c.layer, at / 25, sums[i][at]) + 0.5);
      maps[i].push_back(static_cast<std::uint8_t>(std::clamp(rounded, 0.0, 15.0)));
    }
  }
  c.index = 2;
  c.layer = network.layers[1];
  c.input = {175, 1, 1};
  c.input_bits = 4;
  std::vector<std::uint8_t> classes;
  for (std::vector<double> logits : LevelReference(c).estimates(maps)) {
    for (std::size_t o = 0; o < logits.size(); ++o) logits[o] = value(c.layer, o, logits[o]);
    const auto largest = std::max_element(logits.begin(), logits.end());
    classes.push_back(static_cast<std::uint8_t>(largest - logits.begin()));
  }
  return classes;
}

std::vector<std::uint8_t> joined(std::vector<std::uint8_t> a, const std::vector<std::uint8_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(LevelAccuracy, RunsBatchesThroughTheNetworkLayerByLayer) {
  const Network network = network_of_two_layers();
  const ImageSet images = random_images(network, 25);
  int other_batch_differs = 0;
  for (const std::uint32_t cell_bits : {1U, 2U, 3U}) {
    for (const std::uint32_t codes : {6U, 16U}) {
      const LevelOptions levels = observed(cell_bits, 10);
      const LevelDesign design(column_of(0.0, codes), levels);
      std::vector<std::uint8_t> expected;
      for (const auto& [first, count] :
           {std::pair(0U, 10U), std::pair(10U, 10U), std::pair(20U, 5U)}) {
        expected =
            joined(expected, reference_classes(network, images, first, count, levels, codes));
      }
      const AccuracyResult result =
          accuracy_on_level_chips(network, images, design, options_of(), {1});
      EXPECT_EQ(result.answers.sampled, expected) << cell_bits << " bits, " << codes << " codes";
      EXPECT_NE(result.answers.sampled, result.answers.exact) << "codes are meant to be coarse";
      other_batch_differs += reference_classes(network, images, 0, 25, levels, codes) != expected;

      // A run that begins in the middle of the set keeps the set's batches, as far as it has them.
      AccuracyOptions part = options_of();
      part.first_image = 10;
      part.images = 15;
      EXPECT_EQ(accuracy_on_level_chips(network, images, design, part, {1}).answers.sampled,
                std::vector<std::uint8_t>(expected.begin() + 10, expected.end()));
    }
  }
  EXPECT_GE(other_batch_differs, 2) << "an image's answer is meant to depend on its batch";
}

TEST(LevelAccuracy, RedrawsCellsForEachBatchAndBitWhereAsked) {
  const Network network = network_of_two_layers();
  const ImageSet images = random_images(network, 25);
  LevelOptions levels = observed(2, 10);
  std::vector<std::uint8_t> frozen;
  for (const CellSpread spread : {CellSpread::frozen, CellSpread::redrawn}) {
    levels.spread = spread;
    std::vector<std::uint8_t> expected;
    for (const std::uint32_t chip : {0U, 1U}) {
      for (const std::uint32_t batch : {0U, 1U, 2U}) {
        expected =
            joined(expected, reference_classes(network, images, 10 * batch, batch == 2 ? 5 : 10,
                                               levels, 64, {0.3, chip, batch}));
      }
    }
    const LevelDesign design(column_of(0.3, 64), levels);
    const AccuracyResult result =
        accuracy_on_level_chips(network, images, design, options_of(2), {2});
    EXPECT_EQ(result.answers.sampled, expected);
    if (spread == CellSpread::frozen) frozen = expected;
    EXPECT_EQ(spread == CellSpread::frozen, expected == frozen) << "both are meant to differ";
  }
}

TEST(LevelAccuracy, RefusesMoreBatchesThanCellsAreRedrawnFor) {
  const Network network = network_of_two_layers();
  const ImageSet images = random_images(network, 4);
  LevelOptions levels = observed(2, 1);
  levels.spread = CellSpread::redrawn;
  AccuracyOptions options = options_of();
  ImageSet many = images;
  many.labels.assign(40000, 0);
  many.pixels.assign(40000 * many.image_size(), 0);
  EXPECT_THROW(check_accuracy_on_level_chips(network, many, LevelDesign(column_of(0.1, 16), levels),
                                             options),
               core::UsageError);
  levels.batch = 2;
  check_accuracy_on_level_chips(network, many, LevelDesign(column_of(0.1, 16), levels), options);
}

TEST(LevelAccuracy, IsTheSameForAnyThreads) {
  const Network network = network_of_two_layers();
  const ImageSet images = random_images(network, 30);
  for (const LevelOptions& levels :
       {observed(2, 11), LevelOptions{.cell_bits = 2, .subtraction = DummySubtraction::digital}}) {
    const LevelDesign design(column_of(0.1, 24), levels);
    const AccuracyResult one = accuracy_on_level_chips(network, images, design, options_of(3), {1});
    for (const unsigned threads : {2U, 5U}) {
      EXPECT_EQ(accuracy_on_level_chips(network, images, design, options_of(3), {threads})
                    .answers.sampled,
                one.answers.sampled);
    }
    EXPECT_EQ(one.chips, 3U);
    const auto second = one.answers.sampled.begin() + 30;
    EXPECT_FALSE(std::equal(second, second + 30, one.answers.sampled.begin()))
        << "chips are meant to differ";
  }
}

/// The same with levels that span each image's own map behind the first layer.
Network with_map_range(Network network) {
  Layer& first = network.layers[0];
  Layer levels;
  levels.name = "levels";
  levels.kind = LayerKind::quantise;
  levels.inputs = {first.name};
  levels.output_bits = first.output_bits;
  levels.range = LevelRange::map;
  first.output_bits = 0;
  network.layers[1].inputs = {"levels"};
  network.layers.insert(network.layers.begin() + 1, levels);
  return network;
}

// 2-bit digits, 4-bit inputs, each sum on a code of its own: exact integers.
TEST(LevelAccuracy, LosesNothingWithACodeForEachSum) {
  const Network network = network_of_two_layers();
  const ImageSet images = random_images(network, 20);
  circuits::ColumnDesign column = column_of(0.0, 1);
  column.hrs = core::Law::point(0.0);
  // Half a step each: dummy cells lie half way between two levels.
  column.ladder.codes = 6 * 32 + 1;
  column.ladder.code_step = 1.0 / 6.0;
  column.ladder.references.clear();
  for (std::uint32_t j = 1; j < column.ladder.codes; ++j) {
    column.ladder.references.push_back((j - 0.5) / 6.0 * current);
  }
  const LevelDesign design(column, {.cell_bits = 2, .subtraction = DummySubtraction::digital});
  for (const Network& each : {network, with_map_range(network)}) {
    const AccuracyResult result = accuracy_on_level_chips(each, images, design, options_of(), {2});
    EXPECT_EQ(result.answers.sampled, result.answers.exact);
  }
}

std::string refusal(const auto& run) {
  try {
    run();
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(LevelAccuracy, RefusesWhatSuchChipsDontHave) {
  const auto of = [](const auto& change) {
    circuits::ColumnDesign column = column_of(0.0, 16);
    change(column);
    return refusal([&] { LevelDesign(column, observed(2, 10)); });
  };
  using testing::StartsWith;
  EXPECT_THAT(of([](auto& c) { c.sense.noise_sd = 1e-7; }),
              StartsWith("accuracy.cell_bits: knows no noise of sense amplifiers"));
  EXPECT_THAT(of([](auto& c) { c.sense.offset_sd = 1e-7; }),
              StartsWith("accuracy.cell_bits: knows no offsets of sense amplifiers"));
  EXPECT_THAT(of([](auto& c) { c.common_factor_sd = 0.1; }),
              StartsWith("accuracy.cell_bits: knows no gains and common factors"));
  EXPECT_THAT(of([](auto& c) { c.leakage = core::Law::point(1e-9); }),
              StartsWith("accuracy.cell_bits: knows no leakage of unselected rows"));
  EXPECT_THAT(of([](auto& c) { c.hrs = c.lrs; }),
              StartsWith("accuracy.cell_bits: finds no levels between HRS and LRS"));
  EXPECT_THAT(of([](auto& c) { c.comparator.mismatch.offset_sd = 1e-7; }),
              StartsWith("accuracy.cell_bits: knows no mismatch of converters"));

  const Network network = network_of_two_layers();
  const ImageSet images = random_images(network, 4);
  const auto run = [&](const auto& change) {
    AccuracyOptions options = options_of();
    change(options);
    return refusal([&] {
      check_accuracy_on_level_chips(network, images,
                                    LevelDesign(column_of(0.0, 16), observed(2, 10)), options);
    });
  };
  EXPECT_THAT(run([](auto& o) { o.reads = 2; }), StartsWith("accuracy.reads: is 2 (nothing is"));
  EXPECT_THAT(run([](auto& o) { o.layers = true; }), StartsWith("accuracy.layers: counts codes"));
  EXPECT_THAT(run([](auto& o) { o.sensitivity = true; }), StartsWith("accuracy.sensitivity: runs"));
  EXPECT_THAT(run([](auto& o) { o.array.diagonals.count = 1; }),
              StartsWith("accuracy.protected_diagonals: protects pairs"));
  EXPECT_THAT(run([](auto& o) { o.array.weights = WeightMapping::differential; }),
              StartsWith("accuracy.weights: is not \"offset\""));
}

constexpr std::string_view macro = R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "point"
value = "100 uS"
[cell.hrs]
distribution = "point"
value = "10 uS"
[column]
rows = 128
read_voltage = "0.5 V"
dummy_column = DUMMY
[converter]
references = "uniform"
codes = 8
[accuracy]
)";

Experiment experiment_of(const std::string& accuracy, bool dummy_column = false) {
  std::string text(macro);
  text.replace(text.find("DUMMY"), 5, dummy_column ? "true" : "false");
  return read_experiment(core::Config::from_text(text + accuracy, "a.toml"));
}

TEST(LevelAccuracy, IsAskedForByKeys) {
  const Experiment experiment = experiment_of(
      "weights = \"offset\"\nnoise = \"frozen\"\ncell_bits = 2\nconverter_range = \"observed\"\n"
      "converter_batch = 200\nconverter_values = \"middle\"\ncell_spread = \"redrawn\"\n"
      "subtraction = \"digital\"\n");
  const LevelOptions& levels = experiment.accuracy.levels;
  EXPECT_EQ(levels.cell_bits, 2U);
  EXPECT_EQ(levels.range, ConverterRange::observed);
  EXPECT_EQ(levels.batch, 200U);
  EXPECT_EQ(levels.value, CodeValue::middle);
  EXPECT_EQ(levels.spread, CellSpread::redrawn);
  EXPECT_EQ(levels.subtraction, DummySubtraction::digital);
  const LevelDesign design(experiment.macro.design, levels);
  EXPECT_EQ(design.slope, 0.9);
  EXPECT_EQ(design.base, 0.3);
  EXPECT_EQ(design.codes, 8U);
}

TEST(LevelAccuracy, RefusesKeysThatDontGoTogether) {
  const auto of = [](const std::string& accuracy, bool dummy_column = false) {
    return refusal([&] { experiment_of(accuracy, dummy_column); });
  };
  const std::string frozen = "noise = \"frozen\"\nweights = \"offset\"\n";
  using testing::HasSubstr;
  EXPECT_THAT(
      of("weights = \"offset\"\ncell_bits = 2\n", true),
      HasSubstr("cell_bits: is for frozen chips (an error table knows binary cells and "
                "converters with references alone); write noise = \"frozen\", or leave it out"));
  EXPECT_THAT(of("noise = \"frozen\"\ncell_bits = 2\n"),
              HasSubstr("cell_bits: is for offset weights"));
  EXPECT_THAT(of(frozen + "converter_range = \"observed\"\n", true),
              HasSubstr("converter_range: is \"observed\" of no batch"));
  EXPECT_THAT(of(frozen + "converter_batch = 5\n", true),
              HasSubstr("converter_batch: decides nothing"));
  EXPECT_THAT(of(frozen + "cell_spread = \"redrawn\"\n", true),
              HasSubstr("cell_spread: decides nothing"));
  EXPECT_THAT(of(frozen + "subtraction = \"digital\"\n", true),
              HasSubstr("subtraction: is \"digital\" beside column.dummy_column"));
  EXPECT_THAT(of(frozen + "cell_bits = 2\n"),
              HasSubstr("weights: is \"offset\" without a dummy column"));
  EXPECT_THAT(of(frozen + "cell_bits = 9\n", true), HasSubstr("cell_bits"));

  const Network network = network_of_two_layers();
  const ImageSet images = random_images(network, 4);
  const Experiment stopped = experiment_of(frozen +
                                           "converter_range = \"observed\"\nconverter_batch = 5\n"
                                           "half_width = 0.1\nsubtraction = \"digital\"\n");
  AccuracyOptions options = options_of();
  options.array = stopped.accuracy.array;
  EXPECT_THAT(refusal([&] { check_frozen_accuracy(stopped, network, images, options); }),
              HasSubstr("accuracy.half_width: has no place beside an observed converter_range"));
  const Experiment nominal =
      experiment_of(frozen +
                    "converter_range = \"observed\"\nconverter_batch = 5\n"
                    "subtraction = \"digital\"\n[conditions]\nreferences = \"nominal\"\n");
  EXPECT_THAT(refusal([&] { check_frozen_accuracy(nominal, network, images, options); }),
              HasSubstr("conditions.references: has no place beside an observed converter_range"));
}

}  // namespace
}  // namespace cimstat::experiments
