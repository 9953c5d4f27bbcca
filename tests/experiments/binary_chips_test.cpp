/// Binary weights and inputs that are signs on frozen chips.
#include <gtest/gtest.h>

#include "circuits/references/references.h"

#include "experiments/inference/chip_reader.h"
#include "tests/experiments/binary_layers.h"
#include "tests/experiments/level_fixtures.h"

namespace cimstat::experiments {
namespace {

using binary::any_case;
using binary::Case;
using binary::direct_sums;

std::vector<double> on_a_chip(const Case& c, const circuits::ColumnDesign& column,
                              const std::vector<std::uint8_t>& map) {
  const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 1, 0);
  const ChipDesign design(column);
  check_chip_layer(design, layer);
  ChipNetwork network;
  network.places[1] = {draw_chip_layer(design, layer, {}, 0, {1}), 0};
  ChipReader reader(design, core::Stream::philox);
  reader.use(network);
  std::vector<double> estimates(std::size_t{layer.weights().outputs} * layer.geometry().pixels());
  reader.estimate(layer, map, {{}, chip_read_instance(0, 0)}, estimates);
  return estimates;
}

std::vector<std::uint8_t> any_map(const Case& c, Choice& choice) {
  std::vector<std::uint8_t> map(c.input.size());
  for (std::uint8_t& level : map) {
    level = static_cast<std::uint8_t>(choice(0, (1U << c.input_bits) - 1));
  }
  return map;
}

MapShape output_of(const Case& c) {
  const PatchGeometry geometry = patch_geometry(c.layer, c.input);
  return {c.layer.weight_shape[0], geometry.output_rows(), geometry.output_columns()};
}

// Cells without spread and a converter with a code for each count lose nothing; beside a dummy
// column one for each half.
TEST(BinaryChips, HaveTheExactSumsWithoutSpread) {
  Choice choice(41);
  int of_pairs = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    Case c = any_case(choice);
    if (c.options.diagonals.kind == Protection::converter) c.options.diagonals.count = 0;
    circuits::ColumnDesign column;
    column.rows = c.options.rows;
    column.lrs = core::Law::point(1e-6);
    column.hrs = core::Law::point(0.0);
    column.ladder = circuits::uniform_ladder(column, column.rows, column.rows + 1);
    if (c.has_dummy()) {
      column.dummy = core::Law::point(0.5e-6);
      // From -rows / 2 to rows / 2 in halves: code_origin is that of zero_value.
      c.options.zero_value = 0.5 * column.rows;
      column.ladder.codes = 2 * column.rows + 1;
      column.ladder.code_step = 0.5;
      column.ladder.references.clear();
      for (std::uint32_t j = 1; j < column.ladder.codes; ++j) {
        column.ladder.references.push_back((0.5 * j - 0.25 - c.options.zero_value) * 1e-6);
      }
    }
    const std::vector<std::uint8_t> map = any_map(c, choice);
    const std::vector<double> expected = direct_sums(c, map, output_of(c));
    const std::vector<double> estimates = on_a_chip(c, column, map);
    ASSERT_EQ(estimates.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(estimates[i], expected[i], 1e-9)
          << "mapping " << static_cast<int>(c.options.weights) << ", " << c.text();
    }
    of_pairs += c.is(WeightMapping::xnor) ? 1 : 0;
  }
  EXPECT_GT(of_pairs, 50);
}

// Cells of any bits beside a dummy column, whose converter has 2^16 codes.
TEST(BinaryChips, HaveTheSumsOfCellsOfSeveralBits) {
  Choice choice(42);
  for (int trial = 0; trial < 300; ++trial) {
    Case c = any_case(choice);
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
    level.lrs = 1.0;
    level.hrs = choice(0, 1) == 0 ? 0.0 : 0.1;
    level.codes = 1U << 16;
    for (std::uint32_t j = 1; j < level.codes; ++j) level.references.push_back(j);
    const std::vector<std::uint8_t> map = any_map(c, choice);
    const std::vector<double> expected = direct_sums(c, map, output_of(c));
    const auto estimates = fixtures::level_estimates(level, fixtures::level_column(level), {map});
    ASSERT_EQ(estimates[0].size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(estimates[0][i], expected[i], 0.05) << c.text();
    }
  }
}

}  // namespace
}  // namespace cimstat::experiments
