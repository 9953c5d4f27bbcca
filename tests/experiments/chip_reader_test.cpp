/// Frozen chips against a reference of plain loops, which shares none of their code but the
/// generator, quantile tables and converter circuits.
#include "experiments/inference/chip_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "circuits/references/references.h"

#include "tests/experiments/chip_reference.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

using fixtures::Case;
using fixtures::ChipPlace;
using fixtures::Reference;

constexpr double lrs_current = 8e-6;
constexpr std::uint32_t array_rows = Reference::array_rows;
constexpr core::StreamKey key = Reference::key;

core::Law noisy(core::Shape base, double relative_noise) {
  core::Component component;
  component.base = std::move(base);
  component.relative_noise = relative_noise;
  return core::Law({component});
}

/// A column with everything a chip can freeze, and fresh noise of both kinds.
circuits::ColumnDesign full_design() {
  circuits::ColumnDesign design;
  design.rows = array_rows;
  design.lrs = noisy(core::LogNormal{lrs_current, 0.1}, 0.05);
  design.hrs = noisy(core::LogNormal{0.1 * lrs_current, 0.4}, 0.08);
  design.leakage = core::Law::lognormal(0.002 * lrs_current, 0.8);
  design.dummy = noisy(core::Normal{0.1 * lrs_current, 0.01 * lrs_current}, 0.03);
  design.sense = {.offset_sd = 0.2 * lrs_current,
                  .noise_sd = 0.3 * lrs_current,
                  .noise_knee = 5.0 * lrs_current};
  design.ladder = circuits::midpoint_ladder(design, array_rows);
  return design;
}

struct Design {
  std::string name;
  circuits::ColumnDesign design;
};

std::vector<Design> designs() {
  std::vector<Design> all;
  all.push_back({"all parts", full_design()});
  {
    circuits::ColumnDesign design = full_design();
    design.leakage.reset();
    design.dummy.reset();
    design.lrs = core::Law::lognormal(lrs_current, 0.1);
    design.hrs = core::Law::point(0.0);
    design.sense.noise_knee = std::numeric_limits<double>::infinity();
    design.ladder = circuits::midpoint_ladder(design, array_rows);
    all.push_back({"sense noise only", design});
    design.sense.noise_sd = 0.0;
    all.push_back({"no fresh noise", design});
    design.sense.noise_sd = 0.3 * lrs_current;
    design.sense.noise_shape = circuits::NoiseShape::logistic;
    all.push_back({"logistic noise only", design});
  }
  {
    circuits::ColumnDesign design = full_design();
    design.sense.noise_shape = circuits::NoiseShape::logistic;
    design.ladder = circuits::replica_ladder(design, array_rows);
    all.push_back({"replica references, logistic noise", design});
    design.common_factor_sd = 0.1;
    all.push_back({"a common factor", design});
    design.sense.gain_sd = 0.1;
    all.push_back({"gains", design});
  }
  {
    circuits::ColumnDesign design = full_design();
    design.ladder.references[3] += 0.2 * lrs_current;
    all.push_back({"uneven references", design});
  }
  {
    circuits::ColumnDesign design = full_design();
    design.comparator.mismatch.offset_sd = 0.5 * lrs_current;
    design.comparator.mismatch.columns_per_converter = 3;
    all.push_back({"converters shared by three", design});
    design.comparator.kind = circuits::ConverterKind::sar;
    design.comparator.mismatch.element_sd = 0.1;
    design.comparator.mismatch.columns_per_converter = 1;
    all.push_back({"capacitor arrays", design});
  }
  return all;
}

std::vector<Case> cases() {
  std::mt19937 random(5);
  return {
      {fixtures::random_convolution("two tiles", "input", 5, 3, 3, 1, 1, 4, 4, random),
       {3, 3, 5},
       4},
      {fixtures::random_convolution("two runs, groups", "input", 18, 2, 1, 1, 0, 3, 4, random),
       {2, 9, 8},
       3},
      {fixtures::random_fully_connected("one pixel", "input", 3, 37, 5, 0, random), {37, 1, 1}, 1},
  };
}

std::vector<double> estimates(const ChipDesign& design, const Case& c, const ArrayOptions& options,
                              std::uint32_t chip, std::uint64_t image_read,
                              const std::vector<std::uint8_t>& map,
                              core::Stream stream = core::Stream::philox) {
  const ChipPlace place;
  const ColumnLayer layer(c.layer, c.input, c.input_bits, options, place.index, 5);
  ChipNetwork network;
  network.places[place.index] = {draw_chip_layer(design, layer, key, chip, {1}), place.first_batch};
  ChipReader reader(design, stream);
  reader.use(network);
  std::vector<double> result(std::size_t{c.layer.weight_shape[0]} * layer.geometry().pixels());
  reader.estimate(layer, map, {key, chip_read_instance(chip, image_read)}, result);
  return result;
}

TEST(ChipReader, GivesTheCodesOfTheDocumentedNumbersWordByWord) {
  std::mt19937 random(6);
  for (const Design& one : designs()) {
    const ChipDesign chips(one.design);
    fixtures::ReferenceTables tables;
    for (const Case& c : cases()) {
      const std::vector<std::uint8_t> map =
          fixtures::random_map(c.input.size(), c.input_bits, random);
      for (const WeightMapping mapping :
           {WeightMapping::twos_complement, WeightMapping::differential}) {
        const ArrayOptions options{.rows = array_rows, .weights = mapping};
        Reference reference(one.design, c, options, tables);
        EXPECT_EQ(estimates(chips, c, options, ChipPlace().chip, ChipPlace().image_read, map),
                  reference.estimates(map))
            << one.name << ", " << c.layer.name;
      }
    }
  }
}

/// Parts of a tile, and every way to protect diagonals.
std::vector<ArrayOptions> reading_options() {
  const auto protect = [](std::uint32_t count, Protection kind, std::uint32_t votes, VoteRule rule,
                          std::uint32_t rows_per_read) {
    return ArrayOptions{.rows = array_rows,
                        .rows_per_read = rows_per_read,
                        .diagonals = {count, kind, votes, rule}};
  };
  std::vector<ArrayOptions> options = {
      protect(0, Protection::digital, 0, VoteRule::median, 5),
      protect(0, Protection::digital, 0, VoteRule::median, 1),
      protect(1, Protection::digital, 0, VoteRule::median, 0),
      protect(3, Protection::digital, 0, VoteRule::median, 7),
      protect(20, Protection::digital, 0, VoteRule::median, 0),
      protect(3, Protection::vote, 3, VoteRule::mode, 0),
      protect(2, Protection::vote, 4, VoteRule::median, 6),
      protect(4, Protection::vote, 2, VoteRule::mean, 0),
      protect(20, Protection::vote, 3, VoteRule::median, 0),
  };
  ArrayOptions differential = options[3];
  differential.weights = WeightMapping::differential;
  options.push_back(differential);
  for (const std::size_t i : {0U, 2U, 6U}) {
    ArrayOptions offset = options[i];
    offset.weights = WeightMapping::offset;
    offset.zero_value = 0.5 * array_rows;
    options.push_back(offset);
  }
  return options;
}

TEST(ChipReader, ReadsPartsOfATileAndSparesDiagonalsAsDocumented) {
  std::mt19937 random(10);
  for (const Design& one : designs()) {
    const ChipDesign chips(one.design);
    fixtures::ReferenceTables tables;
    for (const Case& c : cases()) {
      const std::vector<std::uint8_t> map =
          fixtures::random_map(c.input.size(), c.input_bits, random);
      for (const ArrayOptions& options : reading_options()) {
        Reference reference(one.design, c, options, tables);
        const ChipPlace place;
        EXPECT_EQ(estimates(chips, c, options, place.chip, place.image_read, map),
                  reference.estimates(map))
            << one.name << ", " << c.layer.name << ", " << options.rows_per_read << " rows a read, "
            << options.diagonals.count << " diagonals of kind "
            << static_cast<int>(options.diagonals.kind);
      }
    }
  }
}

// Groups of a layer are layers of their own, with numbers from 1024 on but the first.
TEST(ChipReader, GivesTheLogitsOfTheDocumentedNumbersWithADepthwiseLayer) {
  std::mt19937 random(9);
  const MapShape input{5, 4, 3};
  Network network;
  network.name = "depthwise";
  network.input_shape = {input.channels, input.rows, input.columns};
  network.input_bits = 3;
  network.classes = 4;
  network.layers = {fixtures::random_convolution("depthwise", "input", 5, 1, 3, 1, 1, 4, 2, random),
                    fixtures::random_fully_connected("classes", "depthwise", 4, 60, 3, 0, random)};
  network.layers[0].groups = 5;
  std::vector<std::uint8_t> pixels(input.size());
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random() % 256);
  const ForwardPass pass(network, {.rows = array_rows});
  const circuits::ColumnDesign column = full_design();
  const ChipDesign design(column);
  ChipPlace place;
  const ChipNetwork chip = draw_chip(design, pass, key, place.chip, {1});
  ChipReader reader(design, core::Stream::philox);
  reader.use(chip);
  ForwardPass::Workspace workspace = pass.workspace();
  pass.classify(pixels, &reader, {key, chip_read_instance(place.chip, place.image_read)},
                workspace);

  fixtures::ReferenceTables tables;
  place.first_batch = 0;
  std::vector<std::uint8_t> levels;
  const auto value = [](const Layer& layer, std::size_t output, double sum) {
    return sum * layer.scale[output] + layer.bias[output];
  };
  for (std::uint32_t k = 0; k < 5; ++k) {
    Case c{network.layers[0], {1, input.rows, input.columns}, 3};
    c.layer.weight_shape[0] = 1;
    c.layer.weight.assign(network.layers[0].weight.begin() + 9 * k,
                          network.layers[0].weight.begin() + 9 * (k + 1));
    std::vector<std::uint8_t> map;
    for (std::size_t i = 12 * k; i < 12 * (k + 1); ++i) {
      map.push_back(static_cast<std::uint8_t>((pixels[i] * 7 + 127) / 255));
    }
    place.index = k == 0 ? 1 : 1023 + k;
    Reference reference(column, c, {.rows = array_rows}, tables, place);
    for (const double sum : reference.estimates(map)) {
      const double rounded = std::floor(value(network.layers[0], k, sum) + 0.5);
      levels.push_back(static_cast<std::uint8_t>(std::clamp(rounded, 0.0, 3.0)));
    }
    place.first_batch += reference.batches();
  }
  place.index = 2;
  const Case c{network.layers[1], {60, 1, 1}, 2};
  Reference reference(column, c, {.rows = array_rows}, tables, place);
  std::vector<double> logits = reference.estimates(levels);
  for (std::size_t i = 0; i < logits.size(); ++i)
    logits[i] = value(network.layers[1], i, logits[i]);
  EXPECT_EQ(workspace.values, logits);
  EXPECT_GT(std::set(levels.begin(), levels.end()).size(), 2U) << "levels are meant to differ";
}

// The fast stream has no random access, so only its bytes can be pinned: they are those of all
// targets, since this test runs with each forced.
TEST(ChipReader, GivesTheSameCodesWithEachInstructionSetFromBothStreams) {
  std::mt19937 random(7);
  const Case c = cases()[1];
  const std::vector<std::uint8_t> map = fixtures::random_map(c.input.size(), c.input_bits, random);
  std::vector<double> sums;
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    double sum = 0.0;
    double weight = 1.0;
    for (const double value : estimates(
             ChipDesign(full_design()), c,
             {.rows = array_rows, .weights = WeightMapping::differential}, 1, 4, map, stream)) {
      sum += weight * value;
      weight = weight < 1000.0 ? weight + 1.0 : 1.0;
    }
    sums.push_back(sum);
  }
  EXPECT_EQ(sums, (std::vector<double>{-469026.0, -928107.0}));
}

TEST(ChipReader, ReadsTheSameCellsInAllReadsAndOthersOnAnotherChip) {
  circuits::ColumnDesign design = full_design();
  design.sense.noise_sd = 0.0;
  design.lrs = core::Law::lognormal(lrs_current, 0.3);
  design.hrs = core::Law::lognormal(0.1 * lrs_current, 0.4);
  design.dummy.reset();
  design.ladder = circuits::midpoint_ladder(design, array_rows);
  const ChipDesign chips(design);
  std::mt19937 random(8);
  const Case c = cases()[0];
  const std::vector<std::uint8_t> map = fixtures::random_map(c.input.size(), c.input_bits, random);
  const auto of = [&](std::uint32_t chip, std::uint64_t read) {
    return estimates(chips, c, {.rows = array_rows}, chip, read, map);
  };
  EXPECT_EQ(of(3, 0), of(3, 1000));
  EXPECT_NE(of(3, 0), of(4, 0));
}

}  // namespace
}  // namespace cimstat::experiments
