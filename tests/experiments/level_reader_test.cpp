/// Cells of several levels and converters with an observed range, against plain loops, and against
/// what NeuroSim V1.4 computes.
#include "experiments/inference/level_reader.h"

#include <array>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "tests/experiments/level_fixtures.h"

namespace cimstat::experiments {
namespace {

using fixtures::LevelCase;
using fixtures::LevelReference;
using fixtures::LevelTwin;

TEST(LevelReader, AgreesWithPlainLoopsOnRandomLayersCellsAndConverters) {
  fixtures::RandomLevels random(11);
  for (int i = 0; i < 2000; ++i) {
    const LevelCase c = random.make();
    const auto maps = random.maps(c);
    EXPECT_LT(fixtures::largest_difference(LevelReference(c).estimates(maps),
                                           level_estimates(c, level_column(c), maps)),
              1e-11)
        << "case " << i << ": " << c.levels.cell_bits << "-bit cells, " << c.codes << " codes";
  }
}

// What the comparison above can see: each mistake changes the estimates of many cases.
TEST(LevelReader, DiffersFromTwinsThatMakeMistakes) {
  for (const auto& [twin, least] : std::map<LevelTwin, int>{
           {LevelTwin::rounds, 60},
           {LevelTwin::shares_dummy_range, 20},
           {LevelTwin::forgets_idle_reads, 10},
           {LevelTwin::takes_one_range, 30},
           {LevelTwin::ignores_ratio, 40},
           {LevelTwin::ranges_of_each_image, 20},
           {LevelTwin::drops_half_the_inputs, 90},
       }) {
    fixtures::RandomLevels random(12);
    int differ = 0;
    for (int i = 0; i < 100; ++i) {
      const LevelCase c = random.make();
      const auto maps = random.maps(c);
      differ += !(fixtures::largest_difference(LevelReference(c, twin).estimates(maps),
                                               level_estimates(c, level_column(c), maps)) < 1e-12);
    }
    EXPECT_GE(differ, least) << "twin " << static_cast<int>(twin);
  }
}

// FC 4 -> 2 of NeuroSim V1.4, two images: 8-bit weights and inputs, batch of 2.
struct Golden {
  std::uint32_t cell_bits;
  double ratio;
  std::uint32_t converter_bits;
  std::array<double, 4> outputs;  // y[0][0], y[0][1], y[1][0], y[1][1]
};

LevelCase golden_case(const Golden& golden) {
  LevelCase c;
  c.layer.name = "golden";
  c.layer.kind = LayerKind::fully_connected;
  c.layer.inputs = {"input"};
  c.layer.weight_bits = 8;
  c.layer.weight_shape = {2, 4, 1, 1};
  for (const int held : {191, 96, 223, 1, 112, 175, 48, 254}) {
    c.layer.weight.push_back(static_cast<std::int8_t>(held - 128));
  }
  c.layer.scale.assign(2, 1.0);
  c.layer.bias.assign(2, 0.0);
  c.input = {4, 1, 1};
  c.input_bits = 8;
  c.arrays.rows = 128;
  c.arrays.weights = WeightMapping::offset;
  c.levels = {.cell_bits = golden.cell_bits,
              .range = ConverterRange::observed,
              .batch = 2,
              .subtraction = DummySubtraction::digital};
  c.lrs = golden.ratio;
  c.hrs = 1.0;
  c.codes = 1U << golden.converter_bits;
  for (std::uint32_t j = 1; j < c.codes; ++j) c.references.push_back(j);
  return c;
}

const std::vector<std::vector<std::uint8_t>> golden_inputs = {{229, 26, 128, 77},
                                                              {51, 204, 153, 255}};

/// y = 2 sum (W - 255 / 2) X / 2^16, where this layer's sum is that of W - 128.
std::vector<double> neurosim_outputs(const std::vector<std::vector<double>>& estimates) {
  std::vector<double> outputs;
  for (std::size_t image = 0; image < 2; ++image) {
    double inputs = 0.0;
    for (const std::uint8_t x : golden_inputs[image]) inputs += x;
    for (const double sum : estimates[image]) {
      outputs.push_back(2.0 * (sum + 0.5 * inputs) / 65536.0);
    }
  }
  return outputs;
}

TEST(LevelReader, GivesNeuroSimsGoldenNumbers) {
  for (const Golden& golden : {Golden{2, 10.0, 3, {.395935, -.139066, -.585042, .664330}},
                               Golden{1, 17.0, 4, {.453996, -.135782, -.657384, .750486}},
                               Golden{4, 10.0, 8, {.491812, -.086474, -.637173, .878417}}}) {
    const LevelCase c = golden_case(golden);
    const auto outputs = neurosim_outputs(level_estimates(c, level_column(c), golden_inputs));
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(outputs[i], golden.outputs[i], 1e-6) << i;
  }
}

// NeuroSim's ideal x w, once its gain of (255 / 256)^2 is taken out and weights and inputs are the
// rounded ones. With so many codes the converter loses nothing that counts.
TEST(LevelReader, ComesToTheIdealProductsWithAFineConverter) {
  LevelCase c = golden_case({2, 10.0, 20, {}});
  const auto outputs = neurosim_outputs(level_estimates(c, level_column(c), golden_inputs));
  const std::array ideal = {.502344, -.089844, -.642187, .892187};
  constexpr double gain = 65536.0 / (255.0 * 255.0);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(gain * outputs[i], ideal[i], 4 * 0.5 / 127.5) << i;
    double exact = 0.0;
    double inputs = 0.0;
    for (std::size_t k = 0; k < 4; ++k) {
      exact += c.layer.weight[i % 2 * 4 + k] * golden_inputs[i / 2][k];
      inputs += golden_inputs[i / 2][k];
    }
    EXPECT_NEAR(outputs[i], 2.0 * (exact + 0.5 * inputs) / 65536.0, 1e-4) << i;
  }
}

circuits::ColumnDesign with_spread(const LevelCase& c) {
  circuits::ColumnDesign design = level_column(c);
  design.lrs = core::Law::normal(c.lrs, 0.05 * c.lrs);
  design.hrs = core::Law::normal(c.hrs, 0.05 * c.hrs);
  return design;
}

TEST(LevelReader, GivesCellsTheSpreadOfTheDocumentedWords) {
  fixtures::RandomLevels random(13);
  for (int i = 0; i < 100; ++i) {
    LevelCase c = random.make();
    if (c.hrs == 0.0) c.hrs = 0.1 * c.lrs;
    c.levels.subtraction = DummySubtraction::digital;
    if (c.levels.range == ConverterRange::observed && i % 2 == 0) {
      c.levels.spread = CellSpread::redrawn;
      c.batch = static_cast<std::uint32_t>(100 * i);
    }
    c.chip = static_cast<std::uint32_t>(i);
    c.key = {77};
    const circuits::ColumnDesign design = with_spread(c);
    c.lrs_table.emplace(design.lrs, c.lrs);
    c.hrs_table.emplace(design.hrs, c.lrs);
    const auto maps = random.maps(c);
    EXPECT_LT(fixtures::largest_difference(LevelReference(c).estimates(maps),
                                           level_estimates(c, design, maps)),
              1e-12)
        << "case " << i;
  }
}

// With one relative spread of LRS and HRS each level has it: NeuroSim's G (1 + N(0, vari)).
TEST(LevelReader, GivesEachLevelTheRelativeSpreadOfTheCells) {
  LevelCase c = golden_case({2, 10.0, 3, {}});
  c.input = {1024, 1, 1};
  c.arrays.rows = 1024;
  c.layer.weight_bits = 2;
  c.layer.weight_shape = {16, 1024, 1, 1};
  c.layer.weight.clear();
  for (int i = 0; i < 16 * 1024; ++i) c.layer.weight.push_back(static_cast<std::int8_t>(i % 4 - 2));
  const ColumnLayer layer(c.layer, c.input, c.input_bits, c.arrays, 1, 0);
  const LevelDesign design(with_spread(c), c.levels);
  const LevelLayer cells = draw_level_layer(design, layer, {5}, {}, {1});
  for (std::uint32_t digit = 0; digit < 4; ++digit) {
    core::Moments moments;
    for (std::uint32_t output = 0; output < 16; ++output) {
      for (std::uint32_t row = digit; row < 1024; row += 4) {
        moments.add(cells.cells[0][row * cells.columns() + output]);
      }
    }
    const double mean = 0.9 * digit + 0.3;
    const auto count = static_cast<double>(moments.count());
    EXPECT_NEAR(moments.mean(), mean, 4.0 * 0.05 * mean / std::sqrt(count)) << digit;
    const double sd = std::sqrt(moments.variance()) / mean;
    const double error = 0.05 / std::sqrt(2.0 * count);
    EXPECT_NEAR(sd, 0.05, 4.0 * error) << digit;
    EXPECT_GT(std::abs(sd - 0.055), 4.0 * error) << "a spread of 0.055 would pass at " << digit;
  }
}

// Cells of one bit are those of binary chips: same words, same currents.
TEST(LevelReader, HasTheCellsOfBinaryChipsWhereTheyHoldOneBit) {
  fixtures::RandomLevels random(14);
  for (int i = 0; i < 20; ++i) {
    LevelCase c = random.make();
    if (c.hrs == 0.0) c.hrs = 0.1 * c.lrs;
    c.levels.cell_bits = 1;
    c.levels.subtraction = DummySubtraction::analog;
    circuits::ColumnDesign design = with_spread(c);
    design.dummy = core::Law::normal(0.5 * (c.lrs + c.hrs), 0.02 * c.lrs);
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.arrays, 3, 0);
    const ChipDesign binary(design);
    const ChipLayer expected = draw_chip_layer(binary, layer, {8}, 2, {1});
    const LevelLayer cells =
        draw_level_layer(LevelDesign(design, c.levels), layer, {8}, {.chip = 2}, {1});
    for (std::uint32_t tile = 0; tile < layer.layout().tiles(); ++tile) {
      const std::uint32_t height = layer.layout().height(tile);
      for (std::uint32_t output = 0; output < layer.weights().outputs; ++output) {
        for (std::uint32_t plane = 0; plane < layer.weights().planes; ++plane) {
          const std::uint32_t vector = output / 16 * layer.weights().planes + plane;
          for (std::uint32_t row = 0; row < height; ++row) {
            const std::size_t at = expected.first_row[tile] + vector * ((height + 3) / 4 * 4) + row;
            ASSERT_NEAR(cells.cells[0][(cells.first_row[tile] + row) * cells.columns() +
                                       plane * cells.width + output],
                        double{expected.cells[at * 16 + output % 16]}, 1e-6);
          }
        }
      }
    }
  }
}

// The bytes, with each instruction set forced.
TEST(LevelReader, GivesTheSameEstimatesWithEachInstructionSet) {
  fixtures::RandomLevels random(15);
  double sum = 0.0;
  for (int i = 0; i < 50; ++i) {
    const LevelCase c = random.make();
    double weight = 1.0;
    for (const auto& image : level_estimates(c, level_column(c), random.maps(c))) {
      for (const double value : image) sum += (weight += 0.37) * value;
    }
  }
  EXPECT_EQ(sum, -0x1.7f3da8eaac1dcp+27);
}

}  // namespace
}  // namespace cimstat::experiments
