#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/law/quantile_table.h"
#include "core/simd.h"
#include "core/statistics/statistics.h"

#include "circuits/exact/exact_column.h"
#include "circuits/rare/rare_column.h"
#include "circuits/references/references.h"
#include "circuits/sampled/sampled_column.h"

namespace cimstat::circuits {
namespace {

using enum ConverterKind;

const std::vector<Comparator> comparators{
    {flash, 0.2}, {flash_lowest_zero, 0.2}, {sar, 0.2}, {ramp, 0.2, 0.4}, {ramp, 0.2, 1.0}};
const std::vector<core::Stream> streams{core::Stream::philox, core::Stream::fast};
const std::vector<Summation> summations{Summation::per_cell, Summation::block_tables};
const std::vector<ColumnClass> some_classes{{0, 12}, {3, 7}, {6, 12}, {12, 12}};

ColumnDesign design_with(Comparator comparator, double common_factor_sd = 0.0) {
  ColumnDesign design;
  design.rows = 12;
  design.lrs = core::Law::lognormal(1.0, 0.1);
  design.hrs = core::Law::normal(0.1, 0.02);
  design.leakage = core::Law::lognormal(0.01, 0.3);
  design.sense.noise_sd = 0.1;
  design.sense.offset_sd = 0.1;
  design.ladder = midpoint_ladder(design, 12);
  design.comparator = comparator;
  design.common_factor_sd = common_factor_sd;
  return design;
}

SamplingOptions options_of(std::uint64_t trials, core::Stream stream, Summation summation) {
  return {.trials = trials, .key = {2026, 7}, .stream = stream, .summation = summation};
}

/// P(a chi-square at least this large), for the counts of one class against probabilities; codes
/// with fewer than 10 expected counts are taken together.
double chi_square_p(std::span<const std::uint64_t> counts, std::span<const double> probability) {
  const auto trials =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  double statistic = 0.0;
  double rare_count = 0.0;
  double rare_expected = 0.0;
  int cells = 0;
  const auto add = [&](double count, double expected) {
    statistic += (count - expected) * (count - expected) / expected;
    ++cells;
  };
  for (std::size_t code = 0; code < counts.size(); ++code) {
    const double expected = trials * probability[code];
    if (expected < 10.0) {
      rare_count += static_cast<double>(counts[code]);
      rare_expected += expected;
    } else {
      add(static_cast<double>(counts[code]), expected);
    }
  }
  if (rare_expected >= 1.0) add(rare_count, rare_expected);
  return core::chi_square_tail(statistic, cells - 1);
}

double smallest_p(const ColumnDesign& sampled, const ColumnDesign& exact,
                  const SamplingOptions& options) {
  const auto counts = sampled_counts(sampled, some_classes, options, {1});
  const ExactProbabilities table = exact_probabilities(exact, some_classes, {}, {1});
  const std::size_t codes = sampled.ladder.codes;
  double smallest = 1.0;
  for (std::size_t i = 0; i < some_classes.size(); ++i) {
    smallest =
        std::min(smallest, chi_square_p(std::span(counts).subspan(i * codes, codes),
                                        std::span(table.probability).subspan(i * codes, codes)));
  }
  return smallest;
}

TEST(SampledConverter, AgreesWithTheExactEngineByChiSquare) {
  for (const Comparator& comparator : comparators) {
    for (const double common : {0.0, 0.03}) {
      for (const core::Stream stream : streams) {
        const ColumnDesign design = design_with(comparator, common);
        EXPECT_GT(
            smallest_p(design, design, options_of(1'000'000, stream, Summation::block_tables)),
            1e-5)
            << static_cast<int>(comparator.kind) << " " << comparator.correlation << " " << common;
      }
    }
  }
}

TEST(SampledConverter, AgreesWithTheExactEngineUnderACommonFactorAlone) {
  for (const NoiseShape shape : {NoiseShape::gaussian, NoiseShape::logistic}) {
    ColumnDesign design = design_with({}, 0.05);
    design.sense.noise_shape = shape;
    for (const Summation summation : summations) {
      EXPECT_GT(smallest_p(design, design, options_of(2'000'000, core::Stream::philox, summation)),
                1e-5);
    }
  }
}

TEST(SampledConverter, ChiSquareTellsANoiseThatIsTwoPercentOffAndAFactorThatIsFivePercentOff) {
  const auto options = options_of(4'000'000, core::Stream::philox, Summation::block_tables);
  for (const Comparator& comparator : comparators) {
    Comparator biased = comparator;
    biased.noise_sd *= 1.02;
    EXPECT_LT(smallest_p(design_with(biased), design_with(comparator), options), 1e-9);
  }
  EXPECT_LT(smallest_p(design_with({}, 0.03 * 1.05), design_with({}, 0.03), options), 1e-9);
}

TEST(SampledConverter, ChiSquareTellsOneKindOfConverterFromAnother) {
  const auto options = options_of(1'000'000, core::Stream::philox, Summation::block_tables);
  for (const ConverterKind first : {flash, flash_lowest_zero, sar}) {
    for (const ConverterKind second : {flash, flash_lowest_zero, sar}) {
      if (first == second) continue;
      EXPECT_LT(smallest_p(design_with({first, 0.3}), design_with({second, 0.3}), options), 1e-9);
    }
  }
}

/// Word for word as the header says, with scalar code, in a unit of 1 A.
std::vector<std::uint64_t> reference_counts(const ColumnDesign& design, ColumnClass column_class,
                                            const SamplingOptions& options) {
  const core::QuantileTable normal(core::Law::normal(0.0, 1.0), 1.0);
  std::vector<core::QuantileTable> tables;
  const std::vector<ColumnPart> parts = parts_of(design, column_class);
  for (const ColumnPart& part : parts) tables.emplace_back(part.law, 1.0, part.law.mean());
  const double mean = mean_current(design, column_class);
  std::vector<float> references;
  for (const double reference : design.ladder.at(column_class.active_rows)) {
    references.push_back(static_cast<float>(reference - mean));
  }
  const std::uint64_t block =
      (std::uint64_t{column_class.active_rows} * 2048 + column_class.lrs_count) << 16;
  const Comparator& comparator = design.comparator;
  const auto sd = static_cast<float>(comparator.decision_sd());
  const auto shared = static_cast<float>(std::sqrt(comparator.shared_variance()));
  const auto factor = static_cast<float>(design.common_factor_sd);
  const auto factor_level = static_cast<float>(design.common_factor_sd * mean);
  const auto noise =
      static_cast<float>(std::pow(design.sense.offset_sd, 2) + std::pow(design.sense.noise_sd, 2));
  std::vector<std::uint64_t> counts(references.size() + 1, 0);
  for (std::uint64_t trial = 0; trial < options.trials; ++trial) {
    core::TrialRandom random(options.key, core::Domain::column_sum, trial, block);
    float sum = 0.0f;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      for (std::uint32_t cell = 0; cell < parts[i].count; ++cell) sum += tables[i](random());
    }
    if (factor > 0.0f) sum += normal(random()) * (factor_level + factor * sum);
    sum += normal(random()) * std::sqrt(noise);
    if (shared > 0.0f) sum += normal(random()) * shared;
    std::size_t code = 0;
    if (comparator.kind == sar) {
      for (std::size_t bit = std::bit_floor(references.size()); bit > 0; bit /= 2) {
        const float seen = sum + normal(random()) * sd;
        if ((code | bit) <= references.size() && seen >= references[(code | bit) - 1]) code |= bit;
      }
    } else {
      bool asked = true;
      for (const float reference : references) {
        const bool above = (sd > 0.0f ? sum + normal(random()) * sd : sum) >= reference;
        asked = asked && (above || comparator.kind == flash);
        code += asked && above ? 1 : 0;
      }
    }
    ++counts[code];
  }
  return counts;
}

TEST(SampledConverter, CodesEqualScalarCodeOnEveryTarget) {
  const auto options = options_of(700, core::Stream::philox, Summation::per_cell);
  for (const Comparator& comparator : comparators) {
    for (const double common : {0.0, 0.03}) {
      ColumnDesign design = design_with(comparator, common);
      design.ladder = uniform_ladder(design, 12, 40);  // more than a chunk of words
      for (const ColumnClass column_class : {ColumnClass{5, 12}, {0, 1}, {12, 12}}) {
        const auto expected = reference_counts(design, column_class, options);
        for (const std::string& target : core::simd_targets()) {
          core::use_simd_target(target);
          const std::vector<ColumnClass> one{column_class};
          ASSERT_EQ(sampled_counts(design, one, options, {1}), expected)
              << target << " " << static_cast<int>(comparator.kind) << " " << common;
        }
      }
    }
  }
  core::use_simd_target("");
}

TEST(SampledConverter, CountsAreTheSameForAllTargetsAndThreads) {
  for (const Comparator& comparator : comparators) {
    const ColumnDesign design = design_with(comparator, 0.02);
    for (const core::Stream stream : streams) {
      const SamplingOptions options = options_of(10'001, stream, Summation::block_tables);
      const auto once = sampled_counts(design, some_classes, options, {1});
      EXPECT_EQ(sampled_counts(design, some_classes, options, {3}), once);
      for (const std::string& target : core::simd_targets()) {
        core::use_simd_target(target);
        EXPECT_EQ(sampled_counts(design, some_classes, options, {2}), once) << target;
      }
      core::use_simd_target("");
    }
  }
}

TEST(SampledConverter, WithoutNoiseOfTheComparatorsAllKindsAreOne) {
  const auto options = options_of(10'000, core::Stream::philox, Summation::block_tables);
  const auto expected = sampled_counts(design_with({}), some_classes, options, {1});
  for (const ConverterKind kind : {flash_lowest_zero, sar, ramp}) {
    EXPECT_EQ(sampled_counts(design_with({kind, 0.0}), some_classes, options, {1}), expected);
  }
}

TEST(SampledConverter, MethodsThatKnowOfSumsAloneRefuse) {
  const auto message_of = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const core::UsageError& error) {
      return error.what();
    }
    return "nothing";
  };
  for (const ColumnDesign& design : {design_with({flash, 0.2}), design_with({}, 0.02)}) {
    const std::string message = message_of([&] {
      misread_tail(design, {{0, 12}, core::Tail::upper, 2.0}, {.samples = 2048}, {1});
    });
    EXPECT_NE(message.find("sampling of rare tails can't do this design"), std::string::npos)
        << message;
  }
}

}  // namespace
}  // namespace cimstat::circuits
