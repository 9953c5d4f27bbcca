/// Several bits of a weight in a column: PIM-QAT's native and differential decompositions.
#include "tests/experiments/weight_slices.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "experiments/experiment.h"
#include "experiments/inference/parallel_accuracy.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments::slices {
namespace {

// Sums of codes are integers below 2^53, and estimates their multiples: nothing but the last bits
// of a product may differ.
void expect_same(const std::vector<double>& found, const std::vector<double>& expected,
                 const std::string& text) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], 1e-12 * std::max(1e4, std::abs(expected[i]))) << text;
  }
}

TEST(WeightSlices, AreConvertedAsTheirDefinitionSays) {
  Choice choice(40);
  std::map<Carrier, int> carriers;
  int natives = 0;
  int several_slices = 0;
  int halves = 0;
  std::size_t values = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const Case c = any_case(choice);
    const ColumnLayer layer = layer_of(c);
    const std::vector<std::uint8_t> map =
        fixtures::random_map(c.input.size(), c.input_bits, choice.random());
    if (!layer.holds(c.codes)) continue;
    const core::Stream stream = trial % 2 == 0 ? core::Stream::philox : core::Stream::fast;
    const std::vector<double> expected = by_definition(c, map, output_of(c, layer));
    ASSERT_NO_FATAL_FAILURE(expect_same(by_columns(c, map, stream), expected,
                                        "trial " + std::to_string(trial) + ": " + c.text()));
    values += expected.size();
    ++carriers[c.carrier];
    natives += c.native();
    several_slices += layer.slices().count() > 1 ? 1 : 0;
    // The twin: halves that go down must not pass.
    halves += c.carrier != Carrier::leaky_current &&
              expected != by_definition(c, map, output_of(c, layer), false);
  }
  EXPECT_GT(values, 100'000u);
  EXPECT_EQ(carriers.size(), 4u);
  for (const auto& [carrier, count] : carriers) EXPECT_GT(count, 100);
  EXPECT_GT(natives, 1000);
  EXPECT_GT(several_slices, 400);
  EXPECT_GT(halves, 300);
}

// A converter with a code for each sum: exact integers, whatever the tiling and the cycles.
TEST(WeightSlices, LoseNothingWithACodeForEachSum) {
  Choice choice(41);
  int tried = 0;
  for (int trial = 0; trial < 6000; ++trial) {
    Case c = any_case(choice);
    c.range = c.options.rows;
    c.options.zero_value = 0.5 * c.range;
    if (c.carrier == Carrier::leaky_current) c.carrier = Carrier::current;
    if (c.native()) {
      // Of all cycles one unit: 2^b - 1 divides the range of each.
      if (c.input_bits % c.options.input_bits_per_cycle != 0) continue;
    } else {
      c.options.cell_bits = c.layer.weight_bits;
      if (c.input_bits % c.options.input_bits_per_cycle != 0) continue;
    }
    const ColumnLayer layer = layer_of(c);
    const std::uint32_t full = c.range * spans_of(layer).at(0);
    c.codes = full + 1;
    if (spans_of(layer).size() > 1 || !layer.holds(c.codes)) continue;
    const std::vector<std::uint8_t> map =
        fixtures::random_map(c.input.size(), c.input_bits, choice.random());
    ASSERT_NO_FATAL_FAILURE(expect_same(by_columns(c, map, core::Stream::philox),
                                        in_integers(c, map, output_of(c, layer)), c.text()));
    ++tried;
  }
  EXPECT_GT(tried, 2000);
}

constexpr const char* golden_macro = R"(
[cell]
model = "unit_capacitor"
[column]
rows = 9
read_voltage = "0.9 V"
[bit_line]
kind = "asim"
[converter]
references = "uniform"
)";

/// One output, and another that has no weights.
Network golden_network() {
  std::mt19937 random(1);
  Network network;
  network.name = "golden";
  network.input_shape = {1, 3, 3};
  network.input_bits = 4;
  network.classes = 2;
  network.layers = {fixtures::random_fully_connected("layer", "input", 2, 9, 4, 0, random)};
  network.layers[0].weight = {7, -3, 0, -7, 2, 5, -1, 4, -2, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  network.layers[0].scale = {1.0, 1.0};
  network.layers[0].bias = {0.0, 0.0};
  return network;
}

/// The output that a configuration makes of the golden inputs.
double golden_output(const std::vector<std::string>& overrides) {
  const Experiment experiment =
      read_experiment(core::Config::from_text(golden_macro, "golden.toml", overrides));
  const ArrayOptions& array = experiment.accuracy.array;
  const Network network = golden_network();
  const ParallelTables tables = parallel_tables(network, experiment.macro.design, array);
  std::vector<std::uint8_t> pixels;
  for (const int level : {15, 2, 9, 4, 0, 11, 6, 1, 13}) {
    pixels.push_back(static_cast<std::uint8_t>(17 * level));
  }
  const ForwardPass pass(network, array);
  ForwardPass::Workspace workspace = pass.workspace();
  pass.classify(pixels, Arithmetic(ColumnReading(DrawnParallelCodes{&tables.drawn})), {},
                workspace);
  return workspace.values.at(0);
}

// PIM-QAT's three decompositions (reference implementation in floating point; N = 9, 4-bit weights
// and inputs, ideal sum 98, no ties): m bits of a DAC, b bits of the converter.
TEST(WeightSlices, GiveTheGoldenVectorsOfPimQatFromConfigurations) {
  struct Golden {
    std::uint32_t m;
    std::uint32_t b;
    double native;
    double differential;
    double bit_serial;
  };
  for (const Golden& golden : {Golden{4, 4, 135.0, 126.0, 72.0},
                               {4, 6, 91.451613, 105.0, 90.0},
                               {4, 8, 96.732283, 96.352941, 99.529412},
                               {2, 4, 135.0, 75.6, 86.4},
                               {2, 6, 103.645161, 90.0, 90.428571},
                               {2, 8, 95.244094, 98.576471, 98.682353},
                               {1, 4, 108.0, 134.4, 83.4},
                               {1, 6, 103.645161, 98.0, 98.0},
                               {1, 8, 97.228346, 99.564706, 98.858824}}) {
    const std::string m = "accuracy.input_bits_per_cycle=" + std::to_string(golden.m);
    const auto codes = [&](std::uint32_t count) {
      return "converter.codes=" + std::to_string(count);
    };
    const std::uint32_t all = 1U << golden.b;
    EXPECT_NEAR(golden_output({m, codes(all - 1), "accuracy.weights=native"}), golden.native, 5e-7);
    EXPECT_NEAR(
        golden_output({m, codes(all), "accuracy.weights=differential", "accuracy.cell_bits=3"}),
        golden.differential, 5e-7);
    if (golden.m > 1) {  // bit after bit there is a table instead
      EXPECT_NEAR(golden_output({m, codes(all)}), golden.bit_serial, 5e-7);
    }
  }
}

}  // namespace
}  // namespace cimstat::experiments::slices
