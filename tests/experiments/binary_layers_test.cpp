/// Binary and ternary weights, and inputs that are signs, on columns of every kind against plain
/// loops over their definition.
#include "tests/experiments/binary_layers.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/references/references.h"

#include "experiments/inference/chip_reader.h"
#include "experiments/inference/column_layer.h"
#include "experiments/inference/integer_layer.h"
#include "experiments/inference/parallel_codes.h"
#include "experiments/inference/vote.h"

namespace cimstat::experiments {
namespace {

using binary::any_case;
using binary::by_definition;
using binary::Case;
using binary::direct_sums;
using ::testing::HasSubstr;

MapShape output_of(const Case& c, const ColumnLayer& layer) {
  return {c.layer.weight_shape[0], layer.geometry().output_rows(),
          layer.geometry().output_columns()};
}

std::vector<std::uint8_t> any_map(const Case& c, Choice& choice) {
  std::vector<std::uint8_t> map(c.input.size());
  for (std::uint8_t& level : map) {
    level = static_cast<std::uint8_t>(choice(0, (1U << c.input_bits) - 1));
  }
  return map;
}

std::vector<double> sampled(const ColumnLayer& layer, const circuits::ErrorTable& table,
                            const std::vector<std::uint8_t>& map, core::Stream stream) {
  const ProtectedDiagonals& diagonals = layer.diagonals();
  // By steps and by slots; what is spared the other way round.
  using Means = CodeSampler::Means;
  const bool by_steps = stream == core::Stream::philox;
  const CodeSampler sampler(table, by_steps ? Means::steps : Means::slots);
  const CodeSampler spared(diagonals.kind == Protection::converter
                               ? faultless_table(table)
                               : voted_table(table, diagonals.votes, diagonals.rule),
                           by_steps ? Means::slots : Means::steps);
  ColumnLayer::Workspace workspace = layer.workspace();
  std::vector<double> estimates(std::size_t{layer.weights().outputs} * layer.geometry().pixels());
  layer.estimate(
      map,
      SampledCodes{&sampler, stream, diagonals.kind == Protection::digital ? nullptr : &spared}, {},
      workspace, estimates);
  return estimates;
}

TEST(BinaryLayers, AreWhatTheirColumnsSay) {
  Choice choice(31);
  std::size_t of_mapping[6] = {};
  for (int trial = 0; trial < 2500; ++trial) {
    const Case c = any_case(choice);
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    const std::vector<double> expected = by_definition(c, map, output_of(c, layer));
    for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
      ASSERT_EQ(sampled(layer, c.table, map, stream), expected)
          << "trial " << trial << ", mapping " << static_cast<int>(c.options.weights) << ": "
          << c.text();
    }
    ++of_mapping[static_cast<int>(c.options.weights)];
  }
  EXPECT_GT(of_mapping[static_cast<int>(WeightMapping::xnor)], 100u);
  EXPECT_GT(of_mapping[static_cast<int>(WeightMapping::biased)], 400u);
}

TEST(BinaryLayers, HaveTheExactSumsWhereColumnsCountRight) {
  Choice choice(32);
  for (int trial = 0; trial < 3000; ++trial) {
    const Case c = any_case(choice);
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    const std::vector<double> expected = direct_sums(c, map, output_of(c, layer));
    std::vector<double> sums(expected.size());
    IntegerLayer::Workspace integers;
    IntegerLayer(c.layer, c.input).sums(map, integers, sums);
    ASSERT_EQ(sums, expected) << c.text();
    IdealCodes ideal;
    ColumnLayer::Workspace workspace = layer.workspace();
    std::fill(sums.begin(), sums.end(), 0.5);
    layer.estimate(map, SourcedCodes{.source = &ideal, .are_counts = true}, {}, workspace, sums);
    ASSERT_EQ(sums, expected) << c.text();
  }
}

// A converter without errors behind a dummy column: code = 2 (k - n / 2) + zero.
TEST(BinaryLayers, HaveTheExactSumsBehindADummyColumn) {
  Choice choice(33);
  int pairs = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    Case c = any_case(choice);
    if (!c.has_dummy()) continue;
    c.options.zero_value = 0.5 * c.options.rows;
    c.table = fixtures::empty_table(c.options.rows, 2 * c.options.rows + 1);
    c.table.code_step = 0.5;
    for (std::size_t i = 0; i < c.table.size(); ++i) {
      const circuits::ColumnClass& one = c.table.classes[i];
      const std::uint32_t code = 2 * one.lrs_count + c.options.rows - one.active_rows;
      c.table.probability[i * c.table.codes + code] = 1.0;
    }
    c.options.diagonals.count = 0;
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    ASSERT_EQ(sampled(layer, c.table, map, core::Stream::philox),
              direct_sums(c, map, output_of(c, layer)))
        << c.text();
    pairs += c.is(WeightMapping::xnor) ? 1 : 0;
  }
  EXPECT_GT(pairs, 40);
}

circuits::ColumnDesign ideal_column(std::uint32_t rows) {
  circuits::ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::point(1e-6);
  design.hrs = core::Law::point(0.0);
  design.ladder = circuits::uniform_ladder(design, rows, rows + 1);
  return design;
}

// Codes of weighted counts (ties = "even"), of native columns too.
TEST(BinaryLayers, HaveTheExactSumsOfComputedCodes) {
  Choice choice(34);
  for (int trial = 0; trial < 400; ++trial) {
    Case c = any_case(choice);
    c.options.diagonals.count = 0;
    c.options.ties = circuits::Ties::even;
    if (c.has_dummy()) continue;
    circuits::ColumnDesign design = ideal_column(c.options.rows);
    const int lowest = *std::min_element(c.layer.weight.begin(), c.layer.weight.end());
    if (lowest >= -1 && choice(0, 1) == 0 && !c.is(WeightMapping::xnor)) {
      c.options.weights = WeightMapping::native;
      c.options.zero_value = 0.5 * c.options.rows;
      design.bit_line = circuits::AsimNoise{.full_scale = 0.9};
      design.ladder = circuits::uniform_ladder(design, c.options.rows, 2 * c.options.rows + 1);
    }
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const WeightSlices& slices = layer.slices();
    const std::uint32_t spans[] = {slices.span(0)};
    const ParallelCodes codes(design, spans, layer.most_active_rows(), c.options);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    const std::vector<double> expected = direct_sums(c, map, output_of(c, layer));
    ColumnLayer::Workspace workspace = layer.workspace();
    std::vector<double> estimates(expected.size());
    layer.estimate(map, DrawnParallelCodes{.codes = &codes}, {}, workspace, estimates);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(estimates[i], expected[i], 1e-9) << c.text();
    }
  }
}

// The twin: who forgets that padded inputs drive neither line counts them as disagreements.
TEST(BinaryLayers, TellTwinsThatDrivePaddedRowsApart) {
  Choice choice(35);
  int differing = 0;
  int padded = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const Case c = any_case(choice);
    if (!c.signs() || c.layer.padding == Padding(0)) continue;
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    std::vector<double> exact = direct_sums(c, map, output_of(c, layer));
    Case twin = c;  // a border of level 0, which stands for -1
    twin.layer.padding = Padding(0);
    twin.input.rows += c.layer.padding.top + c.layer.padding.bottom;
    twin.input.columns += c.layer.padding.left + c.layer.padding.right;
    std::vector<std::uint8_t> larger(twin.input.size(), 0);
    for (std::size_t i = 0; i < map.size(); ++i) {
      const std::size_t row = i / c.input.columns % c.input.rows + c.layer.padding.top;
      const std::size_t channel = i / c.input.columns / c.input.rows;
      larger[(channel * twin.input.rows + row) * twin.input.columns + i % c.input.columns +
             c.layer.padding.left] = map[i];
    }
    ++padded;
    differing += direct_sums(twin, larger, output_of(c, layer)) != exact ? 1 : 0;
  }
  EXPECT_GT(padded, 200);
  EXPECT_GT(differing, padded / 2);
}

TEST(BinaryLayers, CountTheirReads) {
  std::mt19937 random(36);
  Layer layer = fixtures::random_convolution("layer", "input", 5, 10, 3, 1, 1, 2, 4, random);
  layer.weight_bits = 1;
  for (std::int8_t& weight : layer.weight) weight = weight < 0 ? -1 : 1;
  layer.input_values = InputValues::signs;
  const auto of = [&](const ArrayOptions& options) {
    return ColumnLayer(layer, {10, 4, 4}, 1, options, 1, 0);
  };
  // 90 inputs: 3 tiles of 32 rows; on pairs of rows 6 tiles of up to 16 inputs.
  EXPECT_EQ(of({.rows = 32}).partial_sums(), 16u * 3 * 2 * 5);
  EXPECT_EQ(of({.rows = 32, .weights = WeightMapping::biased}).partial_sums(), 16u * 3 * 5);
  EXPECT_EQ(of({.rows = 32, .weights = WeightMapping::differential}).partial_sums(),
            16u * 3 * 2 * 5);
  const ColumnLayer pairs = of({.rows = 33, .weights = WeightMapping::xnor});
  EXPECT_EQ(pairs.partial_sums(), 16u * 6 * 5);
  EXPECT_EQ(pairs.layout().height(0), 32u);
  EXPECT_EQ(pairs.most_active_rows(), 16u);
  EXPECT_EQ(of({.rows = 32, .rows_per_read = 8, .weights = WeightMapping::xnor}).most_active_rows(),
            4u);
}

std::string refusal(const Layer& layer, const ArrayOptions& options) {
  try {
    ColumnLayer(layer, {10, 4, 4}, 1, options, 1, 0);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return {};
}

TEST(BinaryLayers, RefuseWhatPairsOfRowsCantHold) {
  std::mt19937 random(37);
  Layer layer = fixtures::random_convolution("some", "input", 5, 10, 3, 1, 1, 2, 4, random);
  for (std::int8_t& weight : layer.weight) weight = weight < 0 ? -1 : 1;
  const ArrayOptions pairs{.rows = 32, .weights = WeightMapping::xnor};
  EXPECT_THAT(refusal(layer, pairs),
              HasSubstr("accuracy.weights: \"xnor\" can't hold layer 'some', "
                        "whose weights have 2 bits"));
  layer.weight_bits = 1;
  EXPECT_THAT(refusal(layer, pairs), HasSubstr("whose inputs are no signs"));
  layer.input_values = InputValues::signs;
  EXPECT_EQ(refusal(layer, pairs), "");
  EXPECT_THAT(refusal(layer, {.rows = 32, .rows_per_read = 5, .weights = WeightMapping::xnor}),
              HasSubstr("accuracy.rows_per_read: 5 word lines (\"xnor\" has two of each input"));
  EXPECT_THAT(refusal(layer, {.rows = 1, .weights = WeightMapping::xnor}),
              HasSubstr("column.rows: 1 word lines"));
  EXPECT_THAT(
      refusal(layer,
              {.rows = 16, .tiling = Tiling::whole_channels, .weights = WeightMapping::xnor}),
      HasSubstr("accuracy.tiling: a channel's window takes 18 rows"));
  EXPECT_THAT(refusal(layer, {.rows = 32,
                              .weights = WeightMapping::xnor,
                              .zero_value = 8.0,
                              .diagonals = {.count = 1, .kind = Protection::converter}}),
              HasSubstr("accuracy.protection: \"converter\" knows no dummy column"));
}

}  // namespace
}  // namespace cimstat::experiments
