#include "experiments/inference/code_sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/statistics/statistics.h"

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

#include "experiments/inference/column_kernel.h"
#include "experiments/inference/step_kernel.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

circuits::ErrorTable one_class(std::vector<double> probability, std::uint32_t lrs_count,
                               std::uint32_t active_rows) {
  circuits::ErrorTable table = fixtures::empty_table(active_rows, 0);
  table.codes = static_cast<std::uint32_t>(probability.size());
  table.probability.assign(table.size() * table.codes, 0.0);
  for (std::size_t i = 0; i < table.size(); ++i) {
    double* row = table.probability.data() + i * table.codes;
    if (table.classes[i] == circuits::ColumnClass{lrs_count, active_rows}) {
      std::copy(probability.begin(), probability.end(), row);
    } else {
      row[0] = 1.0;
    }
  }
  return table;
}

long double total_variation(const CodeSampler& sampler, const circuits::ErrorTable& table,
                            std::size_t i) {
  const std::vector<long double> implied = sampler.implied(table.classes[i]);
  long double sum = 0.0L;
  for (std::uint32_t code = 0; code < table.codes; ++code) {
    sum += std::abs(implied[code] - static_cast<long double>(table.row(i)[code]));
  }
  return 0.5L * sum;
}

long double worst_total_variation(const circuits::ErrorTable& table, CodeSampler::Means means) {
  const CodeSampler sampler(table, means);
  long double worst = 0.0L;
  for (std::size_t i = 0; i < table.size(); ++i) {
    worst = std::max(worst, total_variation(sampler, table, i));
  }
  return worst;
}

/// All 8,384 classes of a 128-row macro: lognormal cells, Gaussian sense amplifier.
circuits::ErrorTable macro_table(double sense_sd) {
  circuits::ColumnDesign design;
  design.rows = 128;
  design.lrs = core::Law::lognormal(8e-6, 0.06);
  design.hrs = core::Law::lognormal(0.2e-6, 0.5);
  design.sense = {sense_sd, sense_sd, circuits::NoiseShape::gaussian, 100e-6};
  design.ladder = circuits::midpoint_ladder(design, 128);
  circuits::ErrorTable table = fixtures::empty_table(128, design.ladder.codes);
  circuits::ExactProbabilities exact =
      circuits::exact_probabilities(design, table.classes, {}, {1});
  table.probability = std::move(exact.probability);
  table.error_bound = std::move(exact.error_bound);
  return table;
}

TEST(CodeSampler, FollowsEachClassOfA128RowTableToTwoToTheMinus40) {
  for (const CodeSampler::Means means : {CodeSampler::Means::steps, CodeSampler::Means::slots}) {
    for (const double sense_sd : {0.2e-6, 2e-6}) {  // few misreads, many
      EXPECT_LE(worst_total_variation(macro_table(sense_sd), means), std::ldexp(1.0L, -40));
    }
    for (const double noise : {0.1, 0.35, 0.8, 2.0}) {
      EXPECT_LE(worst_total_variation(fixtures::normal_table(128, 0.04, 0.005, noise), means),
                std::ldexp(1.0L, -40));
    }
  }
}

TEST(CodeSampler, IsTheFurtherFromATableTheMoreThatOneIsBent) {
  circuits::ErrorTable table = fixtures::normal_table(16, 0.04, 0.005, 0.35);
  const CodeSampler sampler(table);
  double* row = table.probability.data() + *table.find({5, 16}) * table.codes;
  row[5] -= 1e-11;
  row[6] += 1e-11;
  const long double distance = total_variation(sampler, table, *table.find({5, 16}));
  EXPECT_GT(distance, std::ldexp(1.0L, -40));
  EXPECT_NEAR(static_cast<double>(distance), 1e-11, 1e-15);
}

TEST(CodeSampler, KeepsTheProbabilityOfRareCodes) {
  const circuits::ErrorTable table = fixtures::normal_table(32, 0.04, 0.005, 0.05);
  const CodeSampler sampler(table);
  int rare = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::vector<long double> implied = sampler.implied(table.classes[i]);
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      const double p = table.row(i)[code];
      if (p < 1e-12 || p > 1e-6) continue;
      ++rare;
      EXPECT_NEAR(static_cast<double>(implied[code]) / p, 1.0, 1e-6);
    }
  }
  EXPECT_GT(rare, 100);
}

/// Shares of the codes of a class among all words; each escape with the words in the middle of 4096
/// parts.
std::vector<double> shares(const CodeSampler& sampler, circuits::ColumnClass column_class,
                           const std::vector<std::uint32_t>& words) {
  std::vector<double> share(sampler.codes(), 0.0);
  const double weight = 1.0 / static_cast<double>(words.size());
  for (const std::uint32_t word : words) {
    if (!sampler.escapes(column_class, word)) {
      share[sampler.code(column_class, word, 0)] += weight;
      continue;
    }
    for (std::uint64_t part = 0; part < 4096; ++part) {
      share[sampler.code(column_class, word, part << 52 | 1ULL << 51)] += weight / 4096;
    }
  }
  return share;
}

TEST(CodeSampler, DrawsEachCodeForTheShareOfWordsThatItImplies) {
  const circuits::ErrorTable table = fixtures::normal_table(20, 0.1, 0.02, 0.6);
  const circuits::ColumnClass column_class{9, 20};
  for (const CodeSampler::Means means : {CodeSampler::Means::steps, CodeSampler::Means::slots}) {
    const CodeSampler sampler(table, means);
    std::vector<std::uint32_t> words;
    for (std::uint32_t high = 0; high < 65536; ++high) {
      if (sampler.steps()) {
        words.push_back(high);
        continue;
      }
      // Every pair of slot and threshold once.
      for (std::uint32_t slot = 0; slot < 1U << sampler.slot_bits(); ++slot) {
        words.push_back(high << 16 | slot);
      }
    }
    EXPECT_EQ(words.size(), std::size_t{1} << sampler.word_bits());
    const std::vector<double> share = shares(sampler, column_class, words);
    const std::vector<long double> implied = sampler.implied(column_class);
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      EXPECT_NEAR(share[code], static_cast<double>(implied[code]),
                  sampler.escape_probability(column_class) / 2048);
    }
  }
}

TEST(CodeSampler, TakesStepsWhereSevenCodesHoldNearlyAllOfEachClass) {
  EXPECT_EQ(CodeSampler(fixtures::identity_table(255)).steps()->steps(), 3u);
  EXPECT_EQ(CodeSampler(fixtures::normal_table(128, 0.0, 0.0, 0.25)).steps()->steps(), 3u);
  EXPECT_EQ(CodeSampler(fixtures::normal_table(128, 0.0, 0.0, 0.5)).steps()->steps(), 5u);
  EXPECT_EQ(CodeSampler(fixtures::normal_table(128, 0.0, 0.0, 0.8)).steps()->steps(), 7u);
  EXPECT_FALSE(CodeSampler(fixtures::normal_table(128, 0.0, 0.0, 1.5)).steps());
  EXPECT_FALSE(CodeSampler(fixtures::identity_table(256)).steps());  // counts above a byte
  EXPECT_FALSE(CodeSampler(one_class(std::vector<double>(300, 1.0 / 300.0), 1, 2)).steps());
  // Codes beyond a byte.
  std::vector<double> high(256, 0.0);
  high[255] = 1.0;
  EXPECT_TRUE(CodeSampler(one_class(high, 1, 2)).steps());
  high.push_back(0.0);
  EXPECT_FALSE(CodeSampler(one_class(high, 1, 2)).steps());
  const CodeSampler word_by_word(fixtures::normal_table(8, 0.1, 0.02, 0.4),
                                 CodeSampler::Means::slots);
  EXPECT_FALSE(word_by_word.steps());
}

TEST(CodeSampler, SendsWideLawsAndHighCodesThroughTheEscape) {
  std::vector<double> wide(300, 1.0 / 300.0);
  const circuits::ErrorTable table = one_class(wide, 1, 2);
  const CodeSampler sampler(table);
  EXPECT_EQ(sampler.slot_bits(), 6u);
  EXPECT_NEAR(sampler.escape_probability({1, 2}), 237.0 / 300.0, 1e-4);
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_LE(total_variation(sampler, table, i), std::ldexp(1.0L, -40));
  }
}

TEST(CodeSampler, NeverEscapesWhereNothingIsLeftOver) {
  const circuits::ErrorTable table = one_class({0.25, 0.5, 0.125, 0.125}, 1, 3);
  for (const CodeSampler::Means means : {CodeSampler::Means::steps, CodeSampler::Means::slots}) {
    const CodeSampler sampler(table, means);
    EXPECT_EQ(sampler.escape_probability({1, 3}), 0.0);
    EXPECT_EQ(total_variation(sampler, table, *table.find({1, 3})), 0.0L);
  }
}

TEST(CodeSampler, NamesTheFirstClassThatTheTableLacks) {
  circuits::ErrorTable table = fixtures::identity_table(4);
  EXPECT_FALSE(CodeSampler(table).first_missing(4));
  EXPECT_EQ(CodeSampler(table).first_missing(6), (circuits::ColumnClass{0, 5}));
  const auto gone = static_cast<std::ptrdiff_t>(*table.find({2, 3}));
  table.classes.erase(table.classes.begin() + gone);
  table.ideal_code.erase(table.ideal_code.begin() + gone);
  table.probability.erase(table.probability.begin() + gone * table.codes,
                          table.probability.begin() + (gone + 1) * table.codes);
  EXPECT_EQ(CodeSampler(table).first_missing(4), (circuits::ColumnClass{2, 3}));
}

TEST(CodeSampler, RefusesRowsThatAreNoDistribution) {
  EXPECT_THROW(CodeSampler(one_class({0.5, 0.4}, 1, 1)), core::DataError);
  EXPECT_THROW(CodeSampler(one_class({1.5, -0.5}, 1, 1)), core::DataError);
  EXPECT_THROW(CodeSampler(one_class({std::nan(""), 1.0}, 1, 1)), core::DataError);
}

/// How often each code comes in 64 * reads draws of class (k, n = 32) by the vector code.
std::vector<std::uint64_t> drawn_counts(const circuits::ErrorTable& table, std::uint32_t lrs_count,
                                        std::uint64_t reads, std::uint64_t seed,
                                        CodeSampler::Means means) {
  const CodeSampler sampler(table, means);
  const ColumnGroups groups{4, 1, false};
  const std::uint32_t input = ~0U;
  const std::uint32_t cells = (1U << lrs_count) - 1;
  const AlignedVector<std::uint32_t> weights(64, cells);
  AlignedVector<std::uint8_t> bytes;
  for (unsigned byte = 0; byte < 4; ++byte) {
    bytes.insert(bytes.end(), batch_words, static_cast<std::uint8_t>(cells >> 8 * byte));
  }
  const DrawOrigin origin{{seed}, 0};
  AlignedVector<std::uint32_t> words(32 * batch_words);
  AlignedVector<std::uint32_t> scratch(batch_words);
  AlignedVector<std::int32_t> sums(64);
  AlignedVector<std::uint8_t> codes(batch_words);
  const std::uint32_t first_words[] = {0};
  std::vector<std::uint64_t> counts(table.codes, 0);
  const auto usual = static_cast<std::int32_t>(lrs_count);
  for (std::uint64_t first = 0; first < reads; first += 32) {
    fill_batches(origin, core::Domain::code_sampling, {&first, 1}, sampler.steps() ? 16 : 32,
                 words);
    for (std::uint64_t i = 0; i < 32; ++i) {
      ColumnRead read;
      read.input = &input;
      read.weights = weights.data();
      read.words = 1;
      read.bytes = bytes.data();
      read.row_bytes = 4;
      read.active_rows = 32;
      read.first_batch = first + i;
      read.planes = groups.all_planes();
      std::fill(sums.begin(), sums.end(), 0);
      const std::span<const std::uint32_t> all(words);
      if (sampler.steps()) {
        draw_step_codes({{&read, 1}, all.subspan(i * step_words, step_words), first_words}, groups,
                        sampler, origin, codes);
        add_step_codes({&read, 1}, groups, codes, sums);
      } else {
        sample_codes({&read, 1}, groups, sampler, origin, all.subspan(i * batch_words, batch_words),
                     scratch, sums);
      }
      std::uint64_t others = 0;
      for (const std::int32_t code : sums) others += code != usual ? 1 : 0;
      counts[lrs_count] += 64 - others;
      if (others == 0) continue;
      for (const std::int32_t code : sums) {
        if (code != usual) ++counts[static_cast<std::size_t>(code)];
      }
    }
  }
  return counts;
}

double goodness_of_fit(const std::vector<std::uint64_t>& counts,
                       const std::vector<double>& probability) {
  const auto draws =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  double statistic = 0.0;
  int cells = 0;
  for (std::size_t code = 0; code < counts.size(); ++code) {
    if (probability[code] == 0.0) {
      EXPECT_EQ(counts[code], 0u);
      continue;
    }
    const double expected = draws * probability[code];
    statistic += std::pow(static_cast<double>(counts[code]) - expected, 2) / expected;
    ++cells;
  }
  return core::chi_square_tail(statistic, cells - 1);
}

// 2^31 draws; misreads between 2e-8 and 1.2e-7, all far below the 2^-16 of a step and the 2^-20 of
// a slot, so that each of them comes through the escape.
TEST(CodeSampler, PassesAChiSquareTestOfTwoBillionDrawsWithMisreadsNearTenToTheMinus7) {
#ifndef __OPTIMIZE__
  GTEST_SKIP() << "a matter of many minutes without optimisation";
#endif
  const auto law = [](double factor) {
    std::vector<double> probability(33, 0.0);
    probability[9] = 8e-8 * factor;
    probability[11] = 1.2e-7 * factor;
    probability[12] = 2e-8 * factor;
    probability[10] = 1.0 - probability[9] - probability[11] - probability[12];
    return probability;
  };
  constexpr std::uint64_t reads = (std::uint64_t{1} << 31) / 64;
  for (const CodeSampler::Means means : {CodeSampler::Means::steps, CodeSampler::Means::slots}) {
    const std::vector<std::uint64_t> counts =
        drawn_counts(one_class(law(1.0), 10, 32), 10, reads, 7, means);
    EXPECT_GT(goodness_of_fit(counts, law(1.0)), 1e-3);
    // The twin: misreads 1.5 times as frequent, about 11 standard errors of the 472 expected.
    const std::vector<std::uint64_t> twin =
        drawn_counts(one_class(law(1.5), 10, 32), 10, reads, 7, means);
    EXPECT_LT(goodness_of_fit(twin, law(1.0)), 1e-6);
  }
}

/// Codes with less than 10 expected are pooled by leaving the far tail out of the law.
double fit_of_common_codes(const std::vector<std::uint64_t>& counts,
                           const std::vector<double>& law) {
  const auto draws =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  std::vector<std::uint64_t> pooled;
  std::vector<double> expected;
  std::uint64_t rest = 0;
  double rest_law = 0.0;
  for (std::size_t code = 0; code < law.size(); ++code) {
    if (law[code] * draws >= 10) {
      pooled.push_back(counts[code]);
      expected.push_back(law[code]);
    } else {
      rest += counts[code];
      rest_law += law[code];
    }
  }
  pooled.push_back(rest);
  expected.push_back(rest_law);
  return goodness_of_fit(pooled, expected);
}

TEST(CodeSampler, PassesAChiSquareTestOfCommonMisreads) {
  const circuits::ErrorTable table = fixtures::normal_table(32, 0.1, 0.02, 0.5);
  const std::size_t i = *table.find({10, 32});
  const std::vector<double> law(table.row(i), table.row(i) + table.codes);
  for (const CodeSampler::Means means : {CodeSampler::Means::steps, CodeSampler::Means::slots}) {
    EXPECT_GT(fit_of_common_codes(drawn_counts(table, 10, 1 << 20, 11, means), law), 1e-3);
    // The twin: misreads a thousandth more frequent, some 6 standard errors.
    const circuits::ErrorTable twin = fixtures::with_misreads_scaled(table, 1.001);
    EXPECT_LT(fit_of_common_codes(drawn_counts(twin, 10, 1 << 20, 11, means), law), 1e-3);
  }
}

}  // namespace
}  // namespace cimstat::experiments
