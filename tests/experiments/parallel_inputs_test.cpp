/// Rows that are driven by several activation bits at once against plain loops over integers.
#include <algorithm>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/references/references.h"

#include "experiments/inference/column_layer.h"
#include "experiments/inference/parallel_accuracy.h"
#include "experiments/inference/parallel_codes.h"
#include "tests/experiments/array_reads.h"
#include "tests/experiments/small_network.h"

namespace cimstat::experiments {
namespace {

/// What a column is made of. HRS cells conduct an eighth of LRS cells, dummy cells 9 sixteenths.
enum class Cells { charge, ohmic, beside_dummy };

circuits::ColumnDesign make_design(std::uint32_t rows, Cells cells, std::uint32_t codes) {
  circuits::ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::point(1e-6);
  design.hrs = core::Law::point(cells == Cells::charge ? 0.0 : 0.125e-6);
  if (cells == Cells::charge) design.bit_line = circuits::AsimNoise{.full_scale = 0.9};
  if (cells == Cells::beside_dummy) design.dummy = core::Law::point(0.5625e-6);
  design.ladder = circuits::uniform_ladder(design, rows, codes);
  return design;
}

struct Case : MappedLayer {
  Cells cells = Cells::charge;
  std::uint32_t codes = 2;

  std::string text() const {
    return MappedLayer::text() + ", " + std::to_string(input_bits) + " bits by " +
           std::to_string(options.input_bits_per_cycle) + ", " + std::to_string(codes) + " codes";
  }
  std::uint32_t cycles() const {
    const std::uint32_t e = options.input_bits_per_cycle;
    return input_bits / e + (input_bits % e > 0 ? 1 : 0);
  }
};

Case any_case(Choice& choice) {
  Case c{any_mapped_layer(choice, 8), Cells::charge, 2};
  c.options.input_bits_per_cycle = choice(1, c.input_bits);
  if (c.options.diagonals.kind == Protection::vote) c.options.diagonals.kind = Protection::digital;
  const std::uint32_t most = c.options.rows << c.options.input_bits_per_cycle;
  c.cells = most < 200 && choice(0, 1) == 0 ? Cells::ohmic : Cells::charge;
  if (c.options.weights == WeightMapping::offset) {
    c.cells = Cells::beside_dummy;
    c.options.zero_value = 0.5 * c.options.rows;
    if (most >= 200) c.options.weights = WeightMapping::twos_complement;
    if (most >= 200) c.cells = Cells::charge;
  }
  c.codes = choice(0, 1) == 0 ? 1U << choice(1, 12) : choice(2, 300);
  return c;
}

/// The code of m of A levels: how many references T_j = T(0) + (j + 1/2) range / L lie at or below.
std::int64_t code_of(const Case& c, std::uint32_t bits, std::int64_t m, std::int64_t all) {
  const std::int64_t full = (std::int64_t{1} << bits) - 1;
  const std::int64_t rows = c.options.rows;
  const std::int64_t last = c.codes - 1;
  std::int64_t code = 0;
  for (std::int64_t j = 0; j < last; ++j) {
    bool above = false;
    if (c.cells == Cells::charge) above = 2 * last * m >= full * (2 * j + 1) * rows;
    if (c.cells == Cells::ohmic) {
      above = 2 * last * (7 * m + all) >= full * (2 * last * rows + (2 * j + 1) * 7 * rows);
    }
    if (c.cells == Cells::beside_dummy) {
      above = last * (2 * m - all + rows * full) >= full * (2 * j + 1) * rows;
    }
    if (!above) break;
    ++code;
  }
  return code;
}

/// The code that stands for m: the lower one of two equally near.
std::int64_t faultless_code(const Case& c, std::uint32_t bits, std::int64_t m) {
  const std::int64_t unit = ((std::int64_t{1} << bits) - 1) * c.options.rows;
  const std::int64_t last = c.codes - 1;
  std::int64_t code = 0;
  while (code < last && 2 * m * last > (2 * code + 1) * unit) ++code;
  return code;
}

/// Sums of one output in integers: of codes, in steps of the converter; and what digital logic
/// counts, in halves.
struct Sums {
  std::int64_t codes = 0;
  std::int64_t faultless = 0;
  std::int64_t halves = 0;
  std::int64_t units = 0;  ///< of the codes, for what a code of no current stands for
};

Sums sums_of(const Case& c, const std::vector<std::vector<Input>>& reads, std::size_t channel) {
  const std::size_t inputs = c.layer.weight.size() / c.layer.weight_shape[0];
  const std::uint32_t w = c.layer.weight_bits;
  const bool differential = c.options.weights == WeightMapping::differential;
  const int shift = c.options.weights == WeightMapping::offset ? 1 << (w - 1) : 0;
  const int lowest = *std::min_element(c.layer.weight.begin(), c.layer.weight.end());
  const std::uint32_t planes = !differential || lowest == -(1 << (w - 1)) ? w : w - 1;
  const std::uint32_t e = c.options.input_bits_per_cycle;
  Sums sums;
  for (const std::vector<Input>& read : reads) {
    for (std::uint32_t cycle = 0; cycle < c.cycles(); ++cycle) {
      const std::uint32_t low = cycle * e;
      const std::uint32_t bits = std::min(e, c.input_bits - low);
      const std::int64_t full = (std::int64_t{1} << bits) - 1;
      std::int64_t all = 0;
      for (const Input& one : read) all += (one.level >> low) & full;
      if (shift > 0) sums.halves -= all << low;
      if (all == 0) continue;
      for (std::uint32_t plane = 0; plane < planes; ++plane) {
        const bool spared = planes - 1 - plane + c.cycles() - 1 - cycle < c.options.diagonals.count;
        for (const int sign : differential ? std::vector{1, -1} : std::vector{1}) {
          std::int64_t m = 0;
          for (const Input& one : read) {
            const int weight = c.layer.weight[channel * inputs + one.weight];
            const int held = differential ? std::max(0, sign * weight) : weight + shift;
            if ((held >> plane & 1) != 0) m += (one.level >> low) & full;
          }
          const bool top =
              c.options.weights == WeightMapping::twos_complement && plane + 1 == planes;
          const std::int64_t unit = (top ? -1 : sign) * (std::int64_t{1} << (plane + low));
          if (!spared) {
            sums.codes += unit * full * code_of(c, bits, m, all);
            sums.units += unit * full;
          } else if (c.options.diagonals.kind == Protection::digital) {
            sums.halves += unit * (shift > 0 ? 2 * m - all : 2 * m);
          } else {
            sums.faultless += unit * full * faultless_code(c, bits, m);
          }
        }
      }
    }
  }
  return sums;
}

std::vector<double> by_definition(const Case& c, const std::vector<std::uint8_t>& map,
                                  MapShape output) {
  const double step = static_cast<double>(c.options.rows) / (c.codes - 1);
  const double zero = c.options.weights == WeightMapping::offset ? c.options.zero_value : 0.0;
  std::vector<double> result(output.size());
  const std::size_t pixels = std::size_t{output.rows} * output.columns;
  for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
    const auto reads = reads_of_pixel(c, map, pixel / output.columns, pixel % output.columns);
    for (std::size_t channel = 0; channel < output.channels; ++channel) {
      const Sums sums = sums_of(c, reads, channel);
      result[channel * pixels + pixel] = step * static_cast<double>(sums.codes + sums.faultless) -
                                         zero * static_cast<double>(sums.units) +
                                         0.5 * static_cast<double>(sums.halves);
    }
  }
  return result;
}

std::vector<std::uint32_t> spans_of(const ColumnLayer& layer) {
  std::vector<std::uint32_t> spans{highest_level(layer.cycles().bits(0))};
  const std::uint32_t top = highest_level(layer.cycles().bits(layer.cycles().count() - 1));
  if (top != spans[0]) spans.push_back(top);
  return spans;
}

/// By the columns, with codes of the design.
std::vector<double> by_columns(const Case& c, const std::vector<std::uint8_t>& map,
                               core::Stream stream) {
  const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
  const circuits::ColumnDesign design = make_design(c.options.rows, c.cells, c.codes);
  const std::vector<std::uint32_t> spans = spans_of(layer);
  const std::uint32_t rows = layer.most_active_rows();
  const ParallelCodes codes(design, spans, rows, c.options);
  const ParallelCodes faultless(design, spans, rows, c.options, ParallelCodes::Errors::none);
  ColumnLayer::Workspace workspace = layer.workspace();
  std::vector<double> estimates(std::size_t{layer.weights().outputs} * layer.geometry().pixels());
  const bool faultless_spared =
      c.options.diagonals.count > 0 && c.options.diagonals.kind == Protection::converter;
  layer.estimate(map, DrawnParallelCodes{&codes, stream, faultless_spared ? &faultless : nullptr},
                 {}, workspace, estimates);
  return estimates;
}

// Sums of codes are integers below 2^53, and estimates their multiples: nothing but the last bits
// of a product may differ, and only where several are added.
void expect_same(const std::vector<double>& found, const std::vector<double>& expected,
                 const std::string& text) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], 1e-12 * std::max(1e3, std::abs(expected[i]))) << text;
  }
}

TEST(ParallelInputs, AreWhatTheirDefinitionSays) {
  Choice choice(30);
  std::size_t values = 0;
  std::size_t by_kind[3] = {};
  std::size_t short_tops = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const Case c = any_case(choice);
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const std::vector<std::uint8_t> map =
        fixtures::random_map(c.input.size(), c.input_bits, choice.random());
    if (!layer.holds(c.codes)) continue;
    const MapShape output{c.layer.weight_shape[0], layer.geometry().output_rows(),
                          layer.geometry().output_columns()};
    const core::Stream stream = trial % 2 == 0 ? core::Stream::philox : core::Stream::fast;
    const std::vector<double> expected = by_definition(c, map, output);
    ASSERT_NO_FATAL_FAILURE(expect_same(by_columns(c, map, stream), expected,
                                        "trial " + std::to_string(trial) + ": " + c.text()));
    values += expected.size();
    ++by_kind[static_cast<int>(c.cells)];
    short_tops += c.input_bits % c.options.input_bits_per_cycle > 0 ? 1 : 0;
  }
  EXPECT_GT(values, 100'000u);
  for (const std::size_t count : by_kind) EXPECT_GT(count, 100u);
  EXPECT_GT(short_tops, 500u);
}

// The twin: a short top cycle has a full scale of its own; cycles of another width must not pass.
TEST(ParallelInputs, TellsWidthsOfCyclesApart) {
  Choice choice(31);
  int differing = 0;
  for (int trial = 0; trial < 200; ++trial) {
    Case c = any_case(choice);
    if (c.input_bits < 3) continue;
    c.options.input_bits_per_cycle = 2;
    c.options.diagonals.count = 0;
    c.options.weights = WeightMapping::twos_complement;
    c.cells = Cells::charge;
    c.codes = 16;
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const MapShape output{c.layer.weight_shape[0], layer.geometry().output_rows(),
                          layer.geometry().output_columns()};
    const std::vector<std::uint8_t> map =
        fixtures::random_map(c.input.size(), c.input_bits, choice.random());
    const std::vector<double> found = by_columns(c, map, core::Stream::philox);
    c.options.input_bits_per_cycle = 3;
    differing += found != by_definition(c, map, output) ? 1 : 0;
  }
  EXPECT_GT(differing, 50);
}

/// A fully connected layer of one output.
Layer layer_of(const std::vector<std::int8_t>& weights, std::uint32_t bits) {
  std::mt19937 random(1);
  Layer layer = fixtures::random_fully_connected(
      "layer", "input", 1, static_cast<std::uint32_t>(weights.size()), bits, 0, random);
  layer.weight = weights;
  return layer;
}

// Golden vectors of PIM-QAT's bit-serial decomposition (reference implementation in floating point;
// N = 9, ideal sum 98): m bits of a DAC, b bits of the converter. No ties.
TEST(ParallelInputs, GiveTheGoldenVectorsOfPimQat) {
  const std::vector<std::uint8_t> inputs{15, 2, 9, 4, 0, 11, 6, 1, 13};
  Case c;
  c.layer = layer_of({7, -3, 0, -7, 2, 5, -1, 4, -2}, 4);
  c.input = {9, 1, 1};
  c.input_bits = 4;
  c.options.rows = 9;
  struct Golden {
    std::uint32_t m;
    std::uint32_t b;
    double value;
  };
  for (const Golden& golden : {Golden{4, 4, 72.0},
                               {4, 6, 90.0},
                               {4, 8, 99.529412},
                               {2, 4, 86.4},
                               {2, 6, 90.428571},
                               {2, 8, 98.682353},
                               {1, 4, 83.4},
                               {1, 6, 98.0},
                               {1, 8, 98.858824}}) {
    c.options.input_bits_per_cycle = golden.m;
    c.codes = 1U << golden.b;
    for (const Cells cells : {Cells::charge, Cells::ohmic}) {
      c.cells = cells;
      if (cells == Cells::charge) {
        EXPECT_NEAR(by_columns(c, inputs, core::Stream::philox).at(0), golden.value, 5e-7);
      }
      EXPECT_NEAR(by_columns(c, inputs, core::Stream::fast).at(0),
                  by_definition(c, inputs, {1, 1, 1}).at(0), 1e-9);
    }
  }
}

AccuracyResult accuracy_of(const Network& network, const ImageSet& images,
                           const circuits::ColumnDesign& design, const ArrayOptions& array,
                           core::Stream stream, core::Threads threads) {
  const AccuracyOptions options{.array = array, .key = {.seed = 5}, .stream = stream, .reads = 3};
  return accuracy_in_parallel(network, images, parallel_tables(network, design, array), options,
                              threads);
}

TEST(ParallelInputs, AnswerTheSameWithOneThreadAndWithTwo) {
  const Network network = fixtures::small_network();
  const ImageSet images = fixtures::images_for(network, 60);
  circuits::ColumnDesign design = make_design(16, Cells::charge, 32);
  design.bit_line = circuits::AsimNoise{.full_scale = 0.9, .random = 0.02, .mismatch = 0.02};
  const ArrayOptions array{.rows = 16, .input_bits_per_cycle = 2};
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    const AccuracyResult one =
        accuracy_of(network, images, design, array, stream, core::Threads{1});
    const AccuracyResult two =
        accuracy_of(network, images, design, array, stream, core::Threads{2});
    EXPECT_EQ(one.sampled_correct, two.sampled_correct);
    EXPECT_EQ(one.answers, two.answers);
    const auto right = std::count(one.sampled_correct.begin(), one.sampled_correct.end(), 1);
    EXPECT_GT(right, 45);
    EXPECT_LT(right, 180);
  }
}

// A converter with a code for each count loses nothing, however many bits drive a row at once.
TEST(ParallelInputs, LoseNothingWithACodeForEachCount) {
  const Network network = fixtures::small_network();
  const ImageSet images = fixtures::images_for(network, 60);
  for (const std::uint32_t bits : {1U, 2U}) {
    const circuits::ColumnDesign exact =
        make_design(16, Cells::charge, 16 * highest_level(bits) + 1);
    const AccuracyResult result =
        accuracy_of(network, images, exact, {.rows = 16, .input_bits_per_cycle = bits},
                    core::Stream::philox, core::Threads{1});
    EXPECT_EQ(std::count(result.sampled_correct.begin(), result.sampled_correct.end(), 1), 180);
    EXPECT_EQ(result.partial_sums, (8u * 3 + 4 * 3) * (2 / bits));
  }
}

TEST(ParallelInputs, AreRefusedWhereCountsAreNotEnough) {
  const Network network = fixtures::small_network();
  const ImageSet images = fixtures::images_for(network, 4);
  const auto problem = [&](const ArrayOptions& array, const circuits::ColumnDesign& design) {
    try {
      accuracy_of(network, images, design, array, core::Stream::philox, core::Threads{1});
    } catch (const core::UsageError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  const circuits::ColumnDesign good = make_design(16, Cells::charge, 16);
  EXPECT_EQ(problem({.rows = 16, .input_bits_per_cycle = 2}, good), "nothing");
  EXPECT_EQ(problem({.rows = 16, .input_bits_per_cycle = 3}, good),
            "accuracy.input_bits_per_cycle: 3 bits can't drive a row at once (layer 'hidden' has "
            "inputs of 2 bits); write 1 to 2");
  EXPECT_EQ(problem({.rows = 16,
                     .input_bits_per_cycle = 2,
                     .diagonals = {.count = 1, .kind = Protection::vote}},
                    good),
            "accuracy.input_bits_per_cycle: 2 bits can't drive a row at once (votes are of reads "
            "of one bit); protect by \"digital\" or \"converter\"");
  circuits::ColumnDesign varying = make_design(16, Cells::ohmic, 16);
  varying.lrs = core::Law::normal(1e-6, 1e-8);
  EXPECT_EQ(problem({.rows = 16, .input_bits_per_cycle = 2}, varying),
            "accuracy.input_bits_per_cycle: 2 bits at a time can't be had of this column (cells "
            "vary: how a count is made up of rows at each level decides its spread); use cells "
            "without spread, as charge-domain columns have them, or 1 bit");
  const ArrayOptions array{.rows = 16, .input_bits_per_cycle = 2};
  EXPECT_THROW(accuracy_with_table(network, images, fixtures::identity_table(16),
                                   {.array = array, .key = {}}, core::Threads{1}),
               core::UsageError);
  EXPECT_THROW(
      accuracy_by_simulation(network, images, good, {.array = array, .key = {}}, core::Threads{1}),
      core::UsageError);
  const std::uint32_t eight = 255;
  EXPECT_THROW(check_parallel_codes(make_design(255, Cells::ohmic, 16), {&eight, 1}, 255, array),
               core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments
