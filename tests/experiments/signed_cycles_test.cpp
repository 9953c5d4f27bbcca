/// Activations with a sign driven in two's complement, sign bits in a cycle of their own, against
/// plain loops.
#include "tests/experiments/signed_cycles.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/references/references.h"

#include "experiments/inference/chip_reader.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/parallel_codes.h"
#include "tests/experiments/level_fixtures.h"
#include "tests/experiments/network_reference.h"
#include "tests/experiments/random_network.h"
#include "tests/experiments/token_network.h"

namespace cimstat::experiments {
namespace {

using binary::Case;
using ::testing::HasSubstr;

using signed_cycles::any_case;
using signed_cycles::any_map;
using signed_cycles::output_of;
using signed_cycles::planes_of_inputs;
using signed_cycles::signed_sum;
using signed_cycles::sums_of;
using signed_cycles::whole_sums;

TEST(SignedCycles, AreWhatTheirColumnsSay) {
  Choice choice(61);
  int with_a_bit_more = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    const Case c = any_case(choice, 4);
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    const std::vector<double> expected = sums_of(
        c, map, output_of(c), [&](const std::vector<Input>& read, const std::int8_t* weights) {
          return signed_sum(c, read, weights);
        });
    const ProtectedDiagonals& diagonals = c.options.diagonals;
    using Means = CodeSampler::Means;
    const CodeSampler sampler(c.table, trial % 2 == 0 ? Means::steps : Means::slots);
    const CodeSampler spared(diagonals.kind == Protection::converter
                                 ? faultless_table(c.table)
                                 : voted_table(c.table, diagonals.votes, diagonals.rule),
                             trial % 3 == 0 ? Means::steps : Means::slots);
    ColumnLayer::Workspace workspace = layer.workspace();
    std::vector<double> estimates(expected.size());
    for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
      layer.estimate(
          map,
          SampledCodes{&sampler, stream, diagonals.kind == Protection::digital ? nullptr : &spared},
          {}, workspace, estimates);
      ASSERT_EQ(estimates, expected)
          << "trial " << trial << ", mapping " << static_cast<int>(c.options.weights) << ", zero "
          << c.layer.zero_level << ": " << c.text();
    }
    EXPECT_EQ(layer.input_bits(), planes_of_inputs(c));
    with_a_bit_more += layer.input_bits() > c.input_bits ? 1 : 0;
  }
  EXPECT_GT(with_a_bit_more, 300);
}

// Of counts, with several magnitude bits at once too.
TEST(SignedCycles, HaveTheExactSumsWhereColumnsCountRight) {
  Choice choice(62);
  for (int trial = 0; trial < 2500; ++trial) {
    Case c = any_case(choice, 7);
    if (c.options.diagonals.count > 0) c.options.diagonals.kind = Protection::digital;
    const std::uint32_t magnitude = std::max(planes_of_inputs(c) - 1, 1U);
    c.options.input_bits_per_cycle = choice(1, magnitude);
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    EXPECT_EQ(layer.cycles().count(), planes_of_inputs(c) == 1
                                          ? 1
                                          : 1 + (magnitude + c.options.input_bits_per_cycle - 1) /
                                                    c.options.input_bits_per_cycle);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    const std::vector<double> expected = whole_sums(c, map, output_of(c));
    IdealCodes ideal;
    ColumnLayer::Workspace workspace = layer.workspace();
    std::vector<double> sums(expected.size());
    layer.estimate(map, SourcedCodes{.source = &ideal, .are_counts = true}, {}, workspace, sums);
    ASSERT_EQ(sums, expected) << c.text();
  }
}

// Converters whose codes are the counts, of one and two bits in a cycle, and of native weights.
TEST(SignedCycles, HaveTheExactSumsOfComputedCodes) {
  Choice choice(63);
  int native = 0;
  for (int trial = 0; trial < 800; ++trial) {
    Case c = any_case(choice, 5);
    if (c.has_dummy()) continue;
    c.options.diagonals.count = 0;
    c.options.ties = circuits::Ties::even;
    c.options.input_bits_per_cycle = planes_of_inputs(c) > 2 ? choice(1, 2) : 1;
    const std::uint32_t full = (1U << c.options.input_bits_per_cycle) - 1;
    circuits::ColumnDesign design;
    design.rows = c.options.rows;
    design.lrs = core::Law::point(1e-6);
    design.hrs = core::Law::point(0.0);
    const int lowest = *std::min_element(c.layer.weight.begin(), c.layer.weight.end());
    if (choice(0, 1) == 0 && c.layer.weight_bits < 4 &&
        (c.layer.weight_bits == 1 || lowest > -(1 << (c.layer.weight_bits - 1)))) {
      const std::uint32_t largest =
          c.layer.weight_bits == 1 ? 1 : (1U << (c.layer.weight_bits - 1)) - 1;
      c.options.weights = WeightMapping::native;
      c.options.zero_value = 0.5 * c.options.rows;
      design.bit_line = circuits::AsimNoise{.full_scale = 0.9};
      design.ladder =
          circuits::uniform_ladder(design, c.options.rows, 2 * c.options.rows * full * largest + 1);
      ++native;
    } else {
      design.ladder = circuits::uniform_ladder(design, c.options.rows, c.options.rows * full + 1);
    }
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    std::vector<std::uint32_t> spans;
    for (std::uint32_t cycle = 0; cycle < layer.cycles().count(); ++cycle) {
      const std::uint32_t span = highest_level(layer.cycles().bits(cycle)) * layer.slices().span(0);
      if (std::find(spans.begin(), spans.end(), span) == spans.end()) spans.push_back(span);
    }
    const ParallelCodes codes(design, spans, layer.most_active_rows(), c.options);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    const std::vector<double> expected = whole_sums(c, map, output_of(c));
    ColumnLayer::Workspace workspace = layer.workspace();
    std::vector<double> estimates(expected.size());
    layer.estimate(map, DrawnParallelCodes{.codes = &codes}, {}, workspace, estimates);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(estimates[i], expected[i], 1e-8) << c.text();
    }
  }
  EXPECT_GT(native, 10);
}

TEST(SignedCycles, HaveTheExactSumsOnFrozenChips) {
  Choice choice(64);
  for (int trial = 0; trial < 600; ++trial) {
    Case c = any_case(choice, 4);
    if (c.has_dummy()) continue;
    if (c.options.diagonals.kind == Protection::converter) c.options.diagonals.count = 0;
    circuits::ColumnDesign column;
    column.rows = c.options.rows;
    column.lrs = core::Law::point(1e-6);
    column.hrs = core::Law::point(0.0);
    column.ladder = circuits::uniform_ladder(column, column.rows, column.rows + 1);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    const std::vector<double> expected = whole_sums(c, map, output_of(c));
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 1, 0);
    const ChipDesign design(column);
    ChipNetwork network;
    network.places[1] = {draw_chip_layer(design, layer, {}, 0, {1}), 0};
    ChipReader reader(design, core::Stream::philox);
    reader.use(network);
    std::vector<double> estimates(expected.size());
    reader.estimate(layer, map, {{}, chip_read_instance(0, 0)}, estimates);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(estimates[i], expected[i], 1e-8) << c.text();
    }
  }
}

TEST(SignedCycles, HaveTheSumsOfCellsOfSeveralBits) {
  Choice choice(65);
  for (int trial = 0; trial < 200; ++trial) {
    Case c = any_case(choice, 4);
    c.options.weights = WeightMapping::offset;
    c.options.diagonals.count = 0;
    fixtures::LevelCase level;
    level.layer = c.layer;
    level.input = c.input;
    level.input_bits = c.input_bits;
    level.arrays = c.options;
    level.levels = {
        .cell_bits = choice(1, 3),
        .range = ConverterRange::observed,
        .batch = 1,
        .subtraction = choice(0, 1) == 0 ? DummySubtraction::digital : DummySubtraction::analog,
        .value = CodeValue::middle};
    level.hrs = 0.1;
    level.codes = 1U << 16;
    for (std::uint32_t j = 1; j < level.codes; ++j) level.references.push_back(j);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    const std::vector<double> expected = whole_sums(c, map, output_of(c));
    const auto estimates = fixtures::level_estimates(level, fixtures::level_column(level), {map});
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(estimates[0][i], expected[i], 0.3) << c.text();
    }
  }
}

/// Whether a layer of the pass has a sign cycle.
int layers_with_a_sign(const ForwardPass& pass) {
  int result = 0;
  for (std::size_t node = 0; node < pass.nodes(); ++node) {
    for (const ColumnLayer& layer : pass.analog(node)) result += layer.cycles().has_sign ? 1 : 0;
  }
  return result;
}

std::vector<double> logits_of(const ForwardPass& pass, const std::vector<std::uint8_t>& image) {
  ForwardPass::Workspace workspace = pass.workspace();
  IdealCodes ideal;
  pass.classify(image, ColumnReading(SourcedCodes{.source = &ideal, .are_counts = true}), {},
                workspace);
  return workspace.values;
}

// quantise layers say which level is 0, also through pools and flatten; others drive as ever.
TEST(SignedCycles, FollowTheZeroOfWholeNetworks) {
  RandomNetwork random(66);
  int with_a_sign = 0;
  for (int trial = 0; trial < 800; ++trial) {
    Network network = random.make();
    for (Layer& layer : network.layers) {
      if (layer.kind == LayerKind::quantise) layer.output_bits = std::min(layer.output_bits, 6U);
      for (std::uint8_t& level : layer.padding_level) level = level & 1;
    }
    const std::vector<std::uint8_t> image = random.image();
    const std::vector<double> expected = reference::run(network, image).values;
    const ForwardPass pass(network, {.rows = 19, .input_signs = InputSigns::cycle});
    EXPECT_EQ(logits_of(pass, image), expected) << "trial " << trial;
    with_a_sign += layers_with_a_sign(pass);
    EXPECT_EQ(layers_with_a_sign(ForwardPass(network, {.rows = 19})), 0);
  }
  EXPECT_GT(with_a_sign, 60);
}

// Queries have a level of 0 of their own; keys and values are written for each image.
TEST(SignedCycles, DriveTheQueriesOfAttention) {
  int with_a_sign = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    Network network = fixtures::token_network(seed);
    Choice choice(seed);
    for (Layer& layer : network.layers) {
      if (is_product(layer.kind)) layer.zero_level = choice(0, 15);
      const bool is_wide = layer.kind == LayerKind::quantise && layer.output_bits == 8;
      if (is_wide) layer.bias = {128.0};  // another zero would take 9 bits
    }
    std::vector<std::uint8_t> image(std::size_t{network.input_shape[0]} * network.input_shape[1] *
                                    network.input_shape[2]);
    for (std::uint8_t& pixel : image) pixel = static_cast<std::uint8_t>(choice(0, 255));
    const ForwardPass exact(network, {.rows = 19});
    ForwardPass::Workspace workspace = exact.workspace();
    exact.classify(image, ExactIntegers{}, {}, workspace);
    const ForwardPass pass(
        network, {.rows = 19, .input_signs = InputSigns::cycle, .attention = LayerPlace::analog});
    EXPECT_EQ(logits_of(pass, image), workspace.values) << "seed " << seed;
    with_a_sign += layers_with_a_sign(pass);
  }
  EXPECT_GT(with_a_sign, 200);
}

std::string refusal(std::uint32_t zero, std::uint32_t bits, std::uint32_t bits_per_cycle) {
  std::mt19937 random(68);
  Layer layer = fixtures::random_fully_connected("some", "input", 3, 10, 4, 0, random);
  layer.zero_level = zero;
  try {
    ColumnLayer(
        layer, {10, 1, 1}, bits,
        {.rows = 32, .input_bits_per_cycle = bits_per_cycle, .input_signs = InputSigns::cycle}, 1,
        0);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return {};
}

TEST(SignedCycles, RefuseWhatTheyCantDrive) {
  EXPECT_EQ(refusal(128, 8, 7), "");
  EXPECT_EQ(refusal(100, 7, 1), "");
  EXPECT_THAT(
      refusal(100, 8, 1),
      HasSubstr("accuracy.input_signs: layer 'some' takes 9 bits with a sign (8 at most, and "
                "one fewer where the level of 0 is not the middle one)"));
  EXPECT_THAT(refusal(8, 4, 4),
              HasSubstr("accuracy.input_bits_per_cycle: 4 bits can't drive a row at once (layer "
                        "'some' has inputs of 3 bits beside their sign); write 1 to 3"));
}

}  // namespace
}  // namespace cimstat::experiments
