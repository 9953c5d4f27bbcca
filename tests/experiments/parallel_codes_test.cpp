/// Laws of codes of weighted counts, and draws from them, against closed forms.
#include "experiments/inference/parallel_codes.h"

#include <cmath>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

#include "experiments/inference/column_layer.h"
#include "tests/experiments/drawn_laws.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

using fixtures::asim_law;
using fixtures::difference_law;

constexpr std::uint32_t rows = 20;

circuits::ColumnDesign asim_design(double random, double mismatch, std::uint32_t codes) {
  circuits::ColumnDesign design;
  design.rows = rows;
  design.bit_line = circuits::AsimNoise{.full_scale = 0.9, .random = random, .mismatch = mismatch};
  design.ladder = circuits::uniform_ladder(design, rows, codes);
  return design;
}

TEST(ParallelCodes, HaveAsimsLawOfEachCount) {
  const std::vector<std::uint32_t> spans{1, 3, 15};
  for (const std::uint32_t count : {16U, 256U, 700U}) {
    const ParallelCodes codes(asim_design(0.01, 0.03, count), spans, rows, {});
    for (const std::uint32_t span : spans) {
      const double full = span;
      for (std::uint32_t m = 0; m <= rows * full; ++m) {
        const auto expected = asim_law(m / (full * rows), m / full, 0.01, 0.03, count);
        const auto found = codes.implied(span, m, static_cast<std::uint32_t>(rows * full));
        for (std::uint32_t c = 0; c < count; ++c) {
          ASSERT_NEAR(static_cast<double>(found[c]), expected[c], 2e-14) << span << " " << m;
        }
      }
    }
  }
}

// Cycles of one bit are the columns that the exact engine knows, whatever carries the count.
TEST(ParallelCodes, OfOneBitAreThoseOfTheExactEngine) {
  circuits::ColumnDesign ohmic;
  ohmic.rows = rows;
  ohmic.lrs = core::Law::point(1e-6);
  ohmic.hrs = core::Law::point(0.1e-6);
  ohmic.sense = {.offset_sd = 0.4e-6, .noise_sd = 0.3e-6, .noise_knee = 8e-6};
  ohmic.ladder = circuits::uniform_ladder(ohmic, rows, 16);
  circuits::ColumnDesign dummy = ohmic;
  dummy.sense.noise_knee = std::numeric_limits<double>::infinity();
  dummy.dummy = core::Law::point(0.55e-6);
  dummy.ladder = circuits::uniform_ladder(dummy, rows, 16);
  circuits::ColumnDesign logistic = ohmic;
  logistic.sense = {.noise_sd = 0.3e-6, .noise_shape = circuits::NoiseShape::logistic};
  circuits::ColumnDesign bent = ohmic;
  bent.sense = {.noise_sd = 0.3e-6};
  bent.bit_line = circuits::Compression{.knee = 30e-6};
  bent.ladder = circuits::uniform_ladder(bent, rows, 16);
  circuits::ColumnDesign shared = ohmic;
  shared.sense = {};
  shared.lrs = shared.hrs = core::Law::point(1e-15);
  shared.leakage = shared.lrs;
  shared.bit_line = circuits::ChargeSharing{.supply = 0.8,
                                            .parasitic = 4e-15,
                                            .temperature = 300.0,
                                            .injected_charge = 1e-16,
                                            .injected_fraction = 0.01};
  shared.ladder = circuits::uniform_ladder(shared, rows, 512);
  const std::uint32_t one = 1;
  for (const circuits::ColumnDesign& design :
       {ohmic, dummy, logistic, bent, shared, asim_design(0.02, 0.05, 16)}) {
    const ParallelCodes codes(design, {&one, 1}, rows, {});
    std::vector<circuits::ColumnClass> classes;
    for (const std::uint32_t n : {1U, 7U, rows}) {
      for (std::uint32_t k = 0; k <= n; ++k) classes.push_back({k, n});
    }
    const auto exact = circuits::exact_probabilities(design, classes, {}, core::Threads{1});
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const auto found = codes.implied(1, classes[i].lrs_count, classes[i].active_rows);
      for (std::uint32_t c = 0; c < design.ladder.codes; ++c) {
        ASSERT_NEAR(static_cast<double>(found[c]), exact.probability[i * design.ladder.codes + c],
                    1e-12)
            << classes[i].lrs_count << " of " << classes[i].active_rows << ", code " << c;
      }
    }
  }
}

/// Differences of codes of two columns: m levels, and none, of one read of four bits.
std::map<int, std::uint64_t> drawn_differences(core::Stream stream, std::uint32_t reads) {
  // Weights 1 of 2 bits, differential: one plane; the column of negative weights is empty.
  std::mt19937 random(1);
  Layer layer = fixtures::random_fully_connected("layer", "input", 64, rows, 2, 0, random);
  std::fill(layer.weight.begin(), layer.weight.end(), std::int8_t{1});
  const circuits::ColumnDesign design = asim_design(0.01, 0.03, 301);
  const ColumnLayer columns(
      layer, {rows, 1, 1}, 4,
      {.rows = rows, .input_bits_per_cycle = 4, .weights = WeightMapping::differential}, 0, 0);
  const std::uint32_t span = 15;
  const ParallelCodes codes(design, {&span, 1}, rows, {});
  std::vector<std::uint8_t> map(rows, 0);
  map[3] = 15;
  map[4] = 11;
  map[11] = 7;  // 33 levels: 2.2 rows
  ColumnLayer::Workspace workspace = columns.workspace();
  std::vector<double> estimates(64);
  std::map<int, std::uint64_t> counts;
  for (std::uint32_t read = 0; read < reads; ++read) {
    columns.estimate(map, DrawnParallelCodes{&codes, stream}, {{.seed = 8}, read}, workspace,
                     estimates);
    for (const double estimate : estimates) {
      ++counts[static_cast<int>(std::lround(estimate / (15.0 * rows / 300.0)))];
    }
  }
  return counts;
}

double goodness_of_fit(const std::map<int, std::uint64_t>& counts, double rows_on) {
  return fixtures::goodness_of_fit(
      counts, difference_law(asim_law(33.0 / (15.0 * rows), rows_on, 0.01, 0.03, 301),
                             asim_law(0.0, 0.0, 0.01, 0.03, 301)));
}

TEST(ParallelCodes, AreDrawnByTheirLaw) {
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    const auto counts = drawn_differences(stream, 20'000);  // 1.28 million draws
    EXPECT_GT(goodness_of_fit(counts, 33.0 / 15.0), 1e-3);
    // The twin: noise that falls with the levels instead of the rows that they drive.
    EXPECT_LT(goodness_of_fit(counts, 33.0), 1e-6);
    // And one nearer to the truth: a tenth of a row more.
    EXPECT_LT(goodness_of_fit(counts, 2.3), 1e-6);
  }
}

}  // namespace
}  // namespace cimstat::experiments
