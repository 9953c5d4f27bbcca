#include "core/law/quantile_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <boost/math/special_functions/erf.hpp>
#include <gtest/gtest.h>

#include "core/law/law.h"
#include "core/random/random.h"
#include "core/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/core/quantile_table_test.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"
#include "core/random/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::core::HWY_NAMESPACE {

/// Values of one row of 64 words.
void row_values(const QuantileTable& table, const std::uint32_t* words, float* values) {
  alignas(64) std::uint32_t aligned_words[tile_trials];
  alignas(64) std::uint32_t index[tile_trials];
  alignas(64) float sums[tile_trials] = {};
  for (std::size_t i = 0; i < tile_trials; ++i) aligned_words[i] = words[i];
  store_segment_indices(aligned_words, tile_trials, index);
  add_quantiles(table, aligned_words, index, 1, sums);
  for (std::size_t i = 0; i < tile_trials; ++i) values[i] = sums[i];
}

/// How many of the values from `tiles` tiles of 128 rows lie beyond each threshold, both sides
/// together.
void count_tails(const QuantileTable& table, std::uint64_t tiles, const float* thresholds,
                 std::size_t threshold_count, std::uint64_t* counts) {
  constexpr std::size_t rows = 128;
  const QuantileLanes df;
  const QuantileWords du;
  const BlockSchedule schedule({20260101, 0}, Domain::test, 0, rows / 4);
  alignas(64) static std::uint32_t words[rows * tile_trials];
  alignas(64) static std::uint32_t index[rows * tile_trials];
  PhiloxTile tile;
  for (std::uint64_t i = 0; i < tiles; ++i) {
    begin_tile(schedule, i * tile_trials, tile);
    fill_words(schedule, tile, 0, rows / 4, words);
    store_segment_indices(words, rows * tile_trials, index);
    for (std::size_t w = 0; w < rows * tile_trials; w += hn::Lanes(df)) {
      const auto t = signed_tails(hn::Load(du, words + w));
      const auto z = hn::Abs(line_values(table.segments().data(), index + w, t));
      for (std::size_t k = 0; k < threshold_count; ++k) {
        const std::size_t beyond = hn::CountTrue(df, hn::Gt(z, hn::Set(df, thresholds[k])));
        if (beyond == 0) break;  // thresholds ascend
        counts[k] += beyond;
      }
    }
  }
}

}  // namespace cimstat::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::core {
namespace {

HWY_EXPORT(row_values);
HWY_EXPORT(count_tails);

double normal_quantile(Tail side, double probability) {
  const double z = boost::math::erfc_inv(2.0 * probability) * std::sqrt(2.0);
  return side == Tail::lower ? -z : z;
}

/// The word's own tail probability: each word stands for the middle of its share of 2^-32.
double exact_value(const QuantileTable::QuantileFunction& quantile, std::uint32_t word) {
  const bool upper = (word & 0x80000000U) != 0;
  const double rank = upper ? 0x1p32 - double(word) : double(word) + 1.0;
  return quantile(upper ? Tail::upper : Tail::lower, std::min(0.5, (rank - 0.5) * 0x1p-32));
}

/// All words near the ends and the middle, and a stride through the rest that visits each segment
/// of each octave many times.
std::vector<std::uint32_t> telling_words() {
  std::vector<std::uint32_t> words;
  for (std::uint32_t i = 0; i < 4096; ++i) {
    words.insert(words.end(), {i, ~i, 0x7fffffffU - i, 0x80000000U + i});
  }
  for (double x = 4096.0; x < 0x1p31; x *= 1.0005) {
    const auto word = static_cast<std::uint32_t>(x);
    words.insert(words.end(), {word, ~word});
  }
  words.resize(words.size() / tile_trials * tile_trials);
  return words;
}

struct Errors {
  double largest = 0.0;
  double largest_value = 0.0;
};

Errors errors_of(const QuantileTable& table, const QuantileTable::QuantileFunction& quantile) {
  Errors errors;
  for (const std::uint32_t word : telling_words()) {
    const double value = double(table(word));
    errors.largest = std::max(errors.largest, std::abs(value - exact_value(quantile, word)));
    errors.largest_value = std::max(errors.largest_value, std::abs(value));
  }
  return errors;
}

TEST(QuantileTable, StandardNormalIsWithin3Point4e5AndReaches6Point338) {
  const Errors errors = errors_of(QuantileTable(normal_quantile, 1.0), normal_quantile);
  EXPECT_LT(errors.largest, 3.4e-5);
  EXPECT_NEAR(errors.largest_value, 6.338, 0.001);
}

TEST(QuantileTable, LogNormalIsWithin9e5TimesSigma) {
  for (const double sigma : {0.1, 0.5, 1.0}) {
    const Law law = Law::lognormal(1.0, sigma);
    const QuantileTable table(law, 1.0);
    for (const std::uint32_t word : telling_words()) {
      const double exact =
          exact_value([&law](Tail side, double p) { return law.quantile(side, p); }, word);
      ASSERT_NEAR(double(table(word)) / exact, 1.0, 9e-5 * sigma) << "word " << word;
    }
  }
}

TEST(QuantileTable, FitsTheFewWordsOfTheFirstOctavesThemselves) {
  const QuantileTable table(normal_quantile, 1.0);
  for (std::uint32_t word = 0; word < 64; ++word) {
    EXPECT_NEAR(table(word), exact_value(normal_quantile, word), 2e-6);
    EXPECT_NEAR(table(~word), exact_value(normal_quantile, ~word), 2e-6);
  }
}

/// High-resistance cells of which 1 % are stuck at low resistance, and a fair mixture.
std::vector<Law> leaping_laws() {
  return {Law({{.weight = 0.99, .base = LogNormal{0.05, 0.5}},
               {.weight = 0.01, .base = LogNormal{1.0, 0.1}}}),
          Law({{.weight = 0.5, .base = Normal{0.0, 0.1}}, {.weight = 0.5, .base = Point{3.0}}})};
}

TEST(QuantileTable, PutsTheLeapsOfMixturesWhereTheyAre) {
  for (const Law& law : leaping_laws()) {
    const QuantileTable table(law, 1.0);
    const auto quantile = [&law](Tail side, double p) { return law.quantile(side, p); };
    // Between the modes there is next to nothing; a line across a segment would put 1e-4 there.
    std::uint64_t between = 0;
    constexpr std::uint64_t count = std::uint64_t{1} << 24;
    for (std::uint64_t i = 0; i < count; ++i) {
      const float value = table(static_cast<std::uint32_t>(i * 256 + 128));
      if (value > 0.45f && value < 0.6f) ++between;
    }
    const double expected =
        law.tail_probability(Tail::lower, 0.6) - law.tail_probability(Tail::lower, 0.45);
    EXPECT_NEAR(double(between) / count, expected, 2e-7);
    EXPECT_LT(expected, 1e-5);
    // t is a float: a word may fall on the other side of a leap that is as near as its rounding.
    const std::vector<std::uint32_t> words = telling_words();
    for (std::size_t i = 0; i < words.size(); i += 7) {
      const std::uint32_t word = words[i];
      const auto nearby = [&](double factor) {
        return exact_value([&](Tail side, double p) { return quantile(side, p * factor); }, word);
      };
      const auto [low, high] = std::minmax({nearby(1.0 - 0x1p-23), nearby(1.0 + 0x1p-23)});
      // A bend of up to 5e-3 of a segment's rise is left as it is.
      const double tolerance = 1e-3 * std::max(0.5, std::abs(low));
      ASSERT_GT(double{table(word)}, low - tolerance) << word;
      ASSERT_LT(double{table(word)}, high + tolerance) << word;
    }
  }
}

TEST(QuantileTable, DividesByTheUnitAboutTheOrigin) {
  const QuantileTable plain(normal_quantile, 1.0);
  const QuantileTable moved([](Tail s, double p) { return 3.0 + 0.25 * normal_quantile(s, p); },
                            0.25, 3.0);
  for (const std::uint32_t word : telling_words()) ASSERT_NEAR(moved(word), plain(word), 2e-6);
}

/// Mean and variance over the 2^32 words, from the lines' closed sums over equally likely words
/// of a regular sample of each segment.
TEST(QuantileTable, KeepsMeanAndVarianceOfTheStandardNormal) {
  const QuantileTable table(normal_quantile, 1.0);
  double mean = 0.0;
  double square = 0.0;
  constexpr std::uint64_t count = std::uint64_t{1} << 24;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double value = table(static_cast<std::uint32_t>(i * 256 + 128));
    mean += value;
    square += value * value;
  }
  EXPECT_NEAR(mean / count, 0.0, 1e-7);
  EXPECT_NEAR(square / count, 1.0, 3e-7);
}

TEST(QuantileTable, VectorCodeEqualsScalarCodeBitForBitOnEveryTarget) {
  const std::vector<std::uint32_t> words = telling_words();
  std::vector<QuantileTable> tables{QuantileTable(normal_quantile, 1.0),
                                    QuantileTable(Law::lognormal(0.1, 0.7), 0.125, 0.1)};
  for (const Law& law : leaping_laws()) tables.emplace_back(law, 1.0);
  for (const QuantileTable& table : tables) {
    for (const std::string& target : simd_targets()) {
      SCOPED_TRACE(target);
      use_simd_target(target);
      std::array<float, tile_trials> values;
      for (std::size_t i = 0; i < words.size(); i += tile_trials) {
        HWY_DYNAMIC_DISPATCH(row_values)(table, words.data() + i, values.data());
        for (std::size_t j = 0; j < tile_trials; ++j) {
          // The sum starts at 0: 0 + x == x in all bits but the sign of zero.
          ASSERT_EQ(values[j], table(words[i + j])) << "word " << words[i + j];
        }
      }
    }
  }
  use_simd_target("");
}

/// Counts beyond 3 .. 6.3 sigma in 2^31 values (tiles of 8,192).
constexpr std::uint64_t tail_tiles = 1U << 18;
constexpr std::array<float, 9> sigmas{3.0f, 3.5f, 4.0f, 4.5f, 5.0f, 5.5f, 6.0f, 6.2f, 6.3f};

/// The largest deviation from a standard normal's tail counts, in standard errors.
double worst_deviation(const QuantileTable& table) {
  std::array<std::uint64_t, sigmas.size()> counts{};
  HWY_DYNAMIC_DISPATCH(count_tails)
  (table, tail_tiles, sigmas.data(), sigmas.size(), counts.data());
  double worst = 0.0;
  for (std::size_t i = 0; i < sigmas.size(); ++i) {
    const double p = std::erfc(double(sigmas[i]) / std::sqrt(2.0));
    const double mean = p * 8192.0 * double(tail_tiles);
    worst = std::max(worst, std::abs(double(counts[i]) - mean) / std::sqrt(mean));
  }
  return worst;
}

TEST(QuantileTable, TailCountsTo6Point3SigmaAgreeWithTheNormalWithin5StandardErrors) {
  EXPECT_LT(worst_deviation(QuantileTable(normal_quantile, 1.0)), 5.0);
}

TEST(QuantileTable, TailCountsTellASigmaThatIs1PercentTooLarge) {
  EXPECT_GT(worst_deviation(QuantileTable(normal_quantile, 1.0 / 1.01)), 5.0);
}

}  // namespace
}  // namespace cimstat::core
#endif
