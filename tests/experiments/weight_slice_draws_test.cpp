/// Draws of codes of columns with several bits of a weight, and where there are none.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/parallel_accuracy.h"
#include "tests/experiments/drawn_laws.h"
#include "tests/experiments/small_network.h"
#include "tests/experiments/weight_slices.h"

namespace cimstat::experiments::slices {
namespace {

constexpr std::uint32_t rows = 20;

/// Codes of a read in steps, of 64 equal outputs whose sums are those of weights 5, -3, 2 and
/// inputs 15, 11, 7: 56 with the sign, 89 and 33 without.
std::map<int, std::uint64_t> drawn_codes(WeightMapping weights, core::Stream stream,
                                         std::uint32_t reads) {
  Case c;
  std::mt19937 random(1);
  c.layer = fixtures::random_fully_connected("layer", "input", 64, rows, 4, 0, random);
  for (std::size_t i = 0; i < c.layer.weight.size(); ++i) {
    c.layer.weight[i] = std::array<std::int8_t, 4>{5, -3, 2, 0}[std::min<std::size_t>(i % rows, 3)];
  }
  c.input = {rows, 1, 1};
  c.input_bits = 4;
  c.options = {.rows = rows,
               .input_bits_per_cycle = 4,
               .weights = weights,
               .cell_bits = weights == WeightMapping::native ? 1U : 3U,
               .zero_value = 0.5 * rows};
  c.codes = 301;
  c.range = rows;
  circuits::ColumnDesign design = design_of(c);
  design.bit_line =
      circuits::AsimNoise{.full_scale = 0.9, .random = 0.01, .mismatch = c.native() ? 0.0 : 0.03};
  const ColumnLayer layer = layer_of(c);
  const ParallelCodes codes(design, spans_of(layer), layer.most_active_rows(), c.options);
  std::vector<std::uint8_t> map(rows, 0);
  map[0] = 15;
  map[1] = 11;
  map[2] = 7;
  ColumnLayer::Workspace workspace = layer.workspace();
  std::vector<double> estimates(64);
  std::map<int, std::uint64_t> counts;
  const double step = (c.native() ? 2.0 : 1.0) * 105.0 * rows / 300.0;
  for (std::uint32_t read = 0; read < reads; ++read) {
    layer.estimate(map, DrawnParallelCodes{&codes, stream}, {{.seed = 8}, read}, workspace,
                   estimates);
    for (const double estimate : estimates)
      ++counts[static_cast<int>(std::lround(estimate / step))];
  }
  return counts;
}

double native_fit(const std::map<int, std::uint64_t>& counts, double sum, double random) {
  const auto law = fixtures::asim_law(0.5 + 0.5 * sum / (105.0 * rows), 0.0, random, 0.0, 301);
  std::map<int, double> of_code;
  for (std::size_t c = 0; c < law.size(); ++c) of_code[static_cast<int>(c) - 150] = law[c];
  return fixtures::goodness_of_fit(counts, of_code);
}

double differential_fit(const std::map<int, std::uint64_t>& counts, double span) {
  const auto law = [&](double sum) {
    return fixtures::asim_law(sum / (105.0 * rows), sum / span, 0.01, 0.03, 301);
  };
  return fixtures::goodness_of_fit(counts, fixtures::difference_law(law(89.0), law(33.0)));
}

TEST(WeightSlices, DrawCodesByTheirLaw) {
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    const auto native = drawn_codes(WeightMapping::native, stream, 20'000);  // 1.28 million draws
    EXPECT_GT(native_fit(native, 56.0, 0.01), 1e-3);
    // Twins: a sum of one more; noise of half the range instead of all of it.
    EXPECT_LT(native_fit(native, 57.0, 0.01), 1e-6);
    EXPECT_LT(native_fit(native, 56.0, 0.005), 1e-6);
    const auto differential = drawn_codes(WeightMapping::differential, stream, 20'000);
    EXPECT_GT(differential_fit(differential, 105.0), 1e-3);
    // The twin: noise that falls with full cells at any drive.
    EXPECT_LT(differential_fit(differential, 7.0), 1e-6);
  }
}

// Whatever the instruction set.
TEST(WeightSlices, DrawTheseCodes) {
  const auto digest = [](WeightMapping weights, core::Stream stream) {
    std::uint64_t hash = 14695981039346656037U;
    for (const auto& [code, count] : drawn_codes(weights, stream, 200)) {
      hash = (hash ^ static_cast<std::uint64_t>(code + 1000)) * 1099511628211U;
      hash = (hash ^ count) * 1099511628211U;
    }
    return hash;
  };
  EXPECT_EQ(digest(WeightMapping::native, core::Stream::philox), 17180159984068151623U);
  EXPECT_EQ(digest(WeightMapping::native, core::Stream::fast), 2644390069398601666U);
  EXPECT_EQ(digest(WeightMapping::differential, core::Stream::philox), 1075187591400310776U);
  EXPECT_EQ(digest(WeightMapping::differential, core::Stream::fast), 2847482665607222614U);
}

Network network_without_lowest_weights() {
  Network network = fixtures::small_network();
  for (Layer& layer : network.layers) forbid_lowest(layer);
  return network;
}

circuits::ColumnDesign noisy_design(std::uint32_t codes) {
  circuits::ColumnDesign design;
  design.rows = 16;
  design.bit_line = circuits::AsimNoise{.full_scale = 0.9, .random = 0.02};
  design.ladder = circuits::uniform_ladder(design, 16, codes);
  return design;
}

AccuracyResult accuracy_of(const Network& network, const ImageSet& images,
                           const ArrayOptions& array, core::Stream stream, core::Threads threads) {
  const AccuracyOptions options{.array = array, .key = {.seed = 5}, .stream = stream, .reads = 3};
  return accuracy_in_parallel(network, images, parallel_tables(network, noisy_design(33), array),
                              options, threads);
}

TEST(WeightSlices, AnswerTheSameWithOneThreadAndWithTwo) {
  const Network network = network_without_lowest_weights();
  const ImageSet images = fixtures::images_for(network, 60);
  const ArrayOptions native{.rows = 16, .weights = WeightMapping::native, .zero_value = 8.0};
  const ArrayOptions differential{.rows = 16,
                                  .input_bits_per_cycle = 2,
                                  .weights = WeightMapping::differential,
                                  .cell_bits = 2};
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    for (const ArrayOptions& array : {native, differential}) {
      const AccuracyResult one = accuracy_of(network, images, array, stream, core::Threads{1});
      const AccuracyResult two = accuracy_of(network, images, array, stream, core::Threads{2});
      EXPECT_EQ(one.sampled_correct, two.sampled_correct);
      EXPECT_EQ(one.answers, two.answers);
      const auto right = std::count(one.sampled_correct.begin(), one.sampled_correct.end(), 1);
      EXPECT_GT(right, 45);
      EXPECT_LT(right, 180);
      // A column for each output and cycle, or one for each sign.
      const std::uint64_t columns = array.weights == WeightMapping::native ? 2 : 2;
      EXPECT_EQ(one.partial_sums, (8u + 4u) * columns);
    }
  }
}

TEST(WeightSlices, AreRefusedWhereTheyHaveNoPlace) {
  const Network network = fixtures::small_network();
  const ImageSet images = fixtures::images_for(network, 4);
  const auto problem = [&](const ArrayOptions& array) {
    try {
      accuracy_of(network, images, array, core::Stream::philox, core::Threads{1});
    } catch (const core::UsageError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_EQ(problem({.rows = 16, .weights = WeightMapping::native, .zero_value = 8.0}),
            "accuracy.weights: \"native\" has no room for all weights (layer 'hidden' has one of "
            "-4, and cells hold -3 to 3); quantise them symmetrically, or use \"differential\"");
  EXPECT_EQ(problem({.rows = 16, .cell_bits = 2}),
            "accuracy.cell_bits: is 2 (such cells hold digits of magnitudes, which differential "
            "weights have); write weights = \"differential\", or 1 bit");
  EXPECT_EQ(problem({.rows = 16,
                     .weights = WeightMapping::differential,
                     .cell_bits = 2,
                     .diagonals = {.count = 1}}),
            "accuracy.protected_diagonals: has no place beside cells of 2 bits (pairs of bits are "
            "protected, and a conversion holds several of a weight); leave it out");
  const ArrayOptions native{.rows = 16, .weights = WeightMapping::native, .zero_value = 8.0};
  EXPECT_THROW(accuracy_with_table(network, images, fixtures::identity_table(16),
                                   {.array = native, .key = {}}, core::Threads{1}),
               core::UsageError);
  EXPECT_THROW(accuracy_by_simulation(network, images, noisy_design(17),
                                      {.array = native, .key = {}}, core::Threads{1}),
               core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments::slices
