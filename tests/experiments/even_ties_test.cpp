/// Ties to the even code and level, as ASiM rounds, against plain loops over integers.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/references/references.h"

#include "experiments/inference/column_layer.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/parallel_accuracy.h"
#include "experiments/inference/parallel_codes.h"
#include "tests/experiments/array_reads.h"
#include "tests/experiments/network_reference.h"
#include "tests/experiments/random_network.h"
#include "tests/experiments/small_network.h"

namespace cimstat::experiments {
namespace {

struct Case : MappedLayer {
  std::uint32_t codes = 2;

  bool native() const { return options.weights == WeightMapping::native; }
};

/// Even numbers of rows: odd ones have no ties.
Case any_case(Choice& choice) {
  Case c{any_mapped_layer(choice, 5), 2};
  c.options.rows = 2 * choice(5, 20);
  c.options.rows_per_read = choice(0, 1) == 0 ? 0 : choice(1, c.options.rows);
  const std::uint32_t mapping = choice(0, 2);
  c.options.weights = mapping == 0   ? WeightMapping::twos_complement
                      : mapping == 1 ? WeightMapping::differential
                                     : WeightMapping::native;
  c.options.input_bits_per_cycle = choice(1, std::min(c.input_bits, 3U));
  c.options.zero_value = 0.5 * c.options.rows;
  if (c.options.diagonals.kind == Protection::vote) {
    c.options.diagonals.kind = Protection::converter;
  }
  if (c.native()) {
    c.options.diagonals.count = 0;
    const int lowest = -(1 << (c.layer.weight_bits - 1));
    for (std::int8_t& weight : c.layer.weight) {
      if (weight == lowest) ++weight;
    }
  }
  c.codes = choice(2, 70);
  if (c.native()) c.codes |= 1U;
  return c;
}

/// What a tie does.
struct Rounding {
  bool to_even = true;
  std::size_t ties = 0;

  /// round(numerator / denominator).
  std::int64_t operator()(std::int64_t numerator, std::int64_t denominator) {
    if (numerator < 0 && to_even) return -(*this)(-numerator, denominator);
    std::int64_t quotient = numerator / denominator;
    std::int64_t rest = numerator % denominator;
    if (rest < 0) {
      rest += denominator;
      --quotient;
    }
    const bool tie = 2 * rest == denominator;
    ties += tie ? 1 : 0;
    if (2 * rest > denominator || (tie && (!to_even || quotient % 2 != 0))) ++quotient;
    return quotient;
  }
};

/// sum of +-2^(i + j) v, v = F c / L of the code c = round(m L / F): asim.md 1.4 and 1.5, and its
/// signed twin (1.9). Digital steps are exact, or "converter" ones rounded too.
double output_of(const Case& c, const std::vector<std::vector<Input>>& reads, std::size_t channel,
                 Rounding& round) {
  const std::size_t inputs = c.layer.weight.size() / c.layer.weight_shape[0];
  const std::uint32_t w = c.layer.weight_bits;
  const bool differential = c.options.weights == WeightMapping::differential;
  const int lowest = *std::min_element(c.layer.weight.begin(), c.layer.weight.end());
  const std::uint32_t planes = c.native()                                   ? 1
                               : !differential || lowest == -(1 << (w - 1)) ? w
                                                                            : w - 1;
  const std::uint32_t e = c.options.input_bits_per_cycle;
  const std::uint32_t cycles = (c.input_bits + e - 1) / e;
  const std::int64_t last = c.native() ? (c.codes - 1) / 2 : c.codes - 1;
  const std::int64_t cell = c.native() ? (1 << (w - 1)) - 1 : 1;
  std::int64_t codes = 0;  // in rows / last
  std::int64_t counts = 0;
  for (const std::vector<Input>& read : reads) {
    for (std::uint32_t cycle = 0; cycle < cycles; ++cycle) {
      const std::uint32_t low = cycle * e;
      const std::int64_t drive = (std::int64_t{1} << std::min(e, c.input_bits - low)) - 1;
      const std::int64_t full = c.options.rows * drive * cell;
      for (std::uint32_t plane = 0; plane < planes; ++plane) {
        const bool spared = planes - 1 - plane + cycles - 1 - cycle < c.options.diagonals.count;
        const bool top = c.options.weights == WeightMapping::twos_complement && plane + 1 == planes;
        for (const int sign : differential ? std::vector{1, -1} : std::vector{1}) {
          std::int64_t m = 0;
          for (const Input& one : read) {
            const int weight = c.layer.weight[channel * inputs + one.weight];
            const int held = differential ? std::max(0, sign * weight) : weight;
            m += (c.native() ? weight : held >> plane & 1) * ((one.level >> low) & drive);
          }
          const std::int64_t unit = (top ? -1 : sign) * (std::int64_t{1} << (plane + low));
          if (spared && c.options.diagonals.kind == Protection::digital) {
            counts += unit * m;
          } else {
            codes += unit * drive * cell * round(m * last, full);
          }
        }
      }
    }
  }
  return static_cast<double>(codes) * c.options.rows / static_cast<double>(last) +
         static_cast<double>(counts);
}

std::vector<double> by_definition(const Case& c, const std::vector<std::uint8_t>& map,
                                  MapShape output, Rounding& round) {
  std::vector<double> result(output.size());
  const std::size_t pixels = std::size_t{output.rows} * output.columns;
  for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
    const auto reads = reads_of_pixel(c, map, pixel / output.columns, pixel % output.columns);
    for (std::size_t channel = 0; channel < output.channels; ++channel) {
      result[channel * pixels + pixel] = output_of(c, reads, channel, round);
    }
  }
  return result;
}

std::vector<double> by_columns(Case c, const std::vector<std::uint8_t>& map, circuits::Ties ties,
                               core::Stream stream) {
  c.options.ties = ties;
  const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
  circuits::ColumnDesign design;
  design.rows = c.options.rows;
  design.bit_line = circuits::AsimNoise{.full_scale = 0.9};
  design.ladder = circuits::uniform_ladder(design, c.options.rows, c.codes);
  std::vector<std::uint32_t> spans;
  for (std::uint32_t cycle = 0; cycle < layer.cycles().count(); ++cycle) {
    const std::uint32_t span = highest_level(layer.cycles().bits(cycle)) * layer.slices().span(0);
    if (std::find(spans.begin(), spans.end(), span) == spans.end()) spans.push_back(span);
  }
  const std::uint32_t rows = layer.most_active_rows();
  const ParallelCodes codes(design, spans, rows, c.options);
  std::optional<ParallelCodes> spared;
  if (c.options.diagonals.count > 0 && c.options.diagonals.kind == Protection::converter) {
    spared.emplace(design, spans, rows, c.options, ParallelCodes::Errors::none);
  }
  ColumnLayer::Workspace workspace = layer.workspace();
  std::vector<double> estimates(std::size_t{layer.weights().outputs} * layer.geometry().pixels());
  layer.estimate(map, DrawnParallelCodes{&codes, stream, spared ? &*spared : nullptr}, {},
                 workspace, estimates);
  return estimates;
}

TEST(EvenTies, AreAsimsCodes) {
  Choice choice(50);
  Rounding even;
  int differing = 0;
  int tried = 0;
  std::size_t values = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    const Case c = any_case(choice);
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const std::vector<std::uint8_t> map =
        fixtures::random_map(c.input.size(), c.input_bits, choice.random());
    if (!layer.holds(c.codes)) continue;
    const MapShape output{c.layer.weight_shape[0], layer.geometry().output_rows(),
                          layer.geometry().output_columns()};
    const core::Stream stream = trial % 2 == 0 ? core::Stream::philox : core::Stream::fast;
    const auto expect_same = [&](circuits::Ties ties, const std::vector<double>& expected) {
      const std::vector<double> found = by_columns(c, map, ties, stream);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_NEAR(found[i], expected[i], 1e-12 * std::max(1e4, std::abs(expected[i])))
            << "trial " << trial << ": " << c.text() << ", " << c.codes << " codes, weights "
            << static_cast<int>(c.options.weights);
      }
    };
    const std::vector<double> expected = by_definition(c, map, output, even);
    ASSERT_NO_FATAL_FAILURE(expect_same(circuits::Ties::even, expected));
    // The twin: halves up are the default, and differ.
    if (c.options.diagonals.count == 0) {
      Rounding up{.to_even = false};
      const std::vector<double> others = by_definition(c, map, output, up);
      ASSERT_NO_FATAL_FAILURE(expect_same(circuits::Ties::up, others));
      differing += others != expected;
    }
    values += expected.size();
    ++tried;
  }
  EXPECT_GT(tried, 4000);
  EXPECT_GT(values, 100'000u);
  EXPECT_GT(even.ties, 10'000u);
  EXPECT_GT(differing, 300);
}

// Every level at which an activation ends, of all kinds of layers.
TEST(EvenTies, AreThoseOfLevelsToo) {
  int differing = 0;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    RandomNetwork random(seed);
    Network network = random.make();
    for (Layer& layer : network.layers) {  // of eighths, which make ties
      for (double& scale : layer.scale) scale = std::max(1.0, std::round(8.0 * scale)) / 8.0;
      for (double& bias : layer.bias) bias = std::round(8.0 * bias) / 8.0;
    }
    const std::vector<std::uint8_t> pixels = random.image();
    const auto logits = [&](circuits::Ties ties) {
      const ForwardPass pass(network, {.rows = 64, .ties = ties});
      ForwardPass::Workspace workspace = pass.workspace();
      pass.classify(pixels, ExactIntegers{}, {}, workspace);
      return workspace.values;
    };
    const auto even = reference::run(network, pixels, reference::Halves::to_even).values;
    const auto up = reference::run(network, pixels, reference::Halves::up).values;
    ASSERT_EQ(logits(circuits::Ties::even), even) << seed;
    ASSERT_EQ(logits(circuits::Ties::up), up) << seed;
    differing += even != up;
  }
  EXPECT_GT(differing, 200);
}

// Bit after bit, too, codes are then drawn from laws of counts: of noise they are those of a table.
TEST(EvenTies, AreRefusedBesideVotesAndTables) {
  const Network network = fixtures::small_network();
  const ImageSet images = fixtures::images_for(network, 4);
  const ArrayOptions array{.rows = 16, .ties = circuits::Ties::even};
  EXPECT_THROW(accuracy_with_table(network, images, fixtures::identity_table(16),
                                   {.array = array, .key = {}}, core::Threads{1}),
               core::UsageError);
  ArrayOptions voting = array;
  voting.diagonals = {.count = 1, .kind = Protection::vote};
  EXPECT_THROW(ForwardPass(network, voting), core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments
