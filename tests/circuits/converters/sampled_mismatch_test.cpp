#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "circuits/converters/converter_circuit.h"
#include "circuits/converters/ensemble.h"
#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"
#include "circuits/sampled/sampled_column.h"

// Tables over many converters: sampled codes against exact ones of given converters, and of what a
// frozen offset is to a table.
namespace cimstat::circuits {
namespace {

constexpr core::StreamKey key{.seed = 31};

/// 12 normal cells, currents near k uA.
ColumnDesign column(Comparator comparator) {
  ColumnDesign design;
  design.rows = 12;
  design.lrs = core::Law::normal(1.0e-6, 0.04e-6);
  design.hrs = core::Law::normal(0.1e-6, 0.01e-6);
  design.sense = {.offset_sd = 0.05e-6, .noise_sd = 0.1e-6};
  design.comparator = comparator;
  design.ladder = midpoint_ladder(design, 12);
  return design;
}

constexpr std::array<ColumnClass, 3> classes{ColumnClass{.lrs_count = 3, .active_rows = 12},
                                             ColumnClass{.lrs_count = 7, .active_rows = 12},
                                             ColumnClass{.lrs_count = 8, .active_rows = 12}};

std::vector<std::uint64_t> sampled(const ColumnDesign& design, std::uint64_t trials,
                                   unsigned threads = 1,
                                   core::Stream stream = core::Stream::philox) {
  return sampled_counts(design, classes, {.trials = trials, .key = key, .stream = stream},
                        {threads});
}

double chi_square(const std::vector<std::uint64_t>& counts, std::size_t row,
                  const std::vector<double>& probability, std::size_t codes, int& freedom) {
  double trials = 0.0;
  for (std::size_t c = 0; c < codes; ++c) trials += double(counts[row * codes + c]);
  double sum = 0.0;
  double rest = 0.0;
  double rest_expected = 0.0;
  freedom = -1;
  const auto add = [&](double found, double expected) {
    sum += (found - expected) * (found - expected) / expected;
    ++freedom;
  };
  for (std::size_t c = 0; c < codes; ++c) {
    const double expected = trials * probability[c];
    const double found = double(counts[row * codes + c]);
    if (expected < 10.0) {
      rest += found;
      rest_expected += expected;
    } else {
      add(found, expected);
    }
  }
  if (rest_expected > 1.0) add(rest, rest_expected);
  return sum;
}

/// P(code) of one converter without noise of its decisions, from the distribution of the current.
std::vector<double> of_one_converter(const SensedCurrent& current, const ConverterCircuit& circuit,
                                     double origin, const std::vector<double>& values,
                                     std::size_t codes) {
  std::vector<double> probability(codes, 0.0);
  const auto pieces = circuit.pieces(values);
  const auto above = [&](double position) {
    return current.tail_probability(core::Tail::upper, origin + circuit.step() * (position - 1.0));
  };
  double from = 1.0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const double to = i + 1 < pieces.size() ? above(pieces[i + 1].from) : 0.0;
    probability[pieces[i].code] += from - to;
    from = to;
  }
  return probability;
}

struct Kind {
  ConverterKind kind;
  ConverterMismatch mismatch;
};

const Kind frozen_kinds[] = {
    {ConverterKind::flash, {.element_sd = 0.1}},
    {ConverterKind::flash_lowest_zero, {.element_sd = 0.1}},
    {ConverterKind::sar, {.element_sd = 0.08}},
    {ConverterKind::sar, {.element_sd = 0.03, .split_bits = 2}},
    {ConverterKind::sar, {.element_sd = 0.08, .radix = 1.7}},
    {ConverterKind::ramp, {.element_sd = 0.08}},
    {ConverterKind::pipeline, {.element_sd = 0.05, .amplifier_gain = 60.0}},
    {ConverterKind::cyclic, {.offset_sd = 1.0e-6, .element_sd = 0.05}},
};

TEST(SampledMismatch, TablesAreTheMeanOfTheTablesOfManyConverters) {
  constexpr std::uint64_t trials = 60'000;
  constexpr int converters = 4'000;
  for (const Kind& kind : frozen_kinds) {
    const ColumnDesign design = column({.kind = kind.kind, .mismatch = kind.mismatch});
    const std::size_t codes = design.ladder.codes;
    const auto counts = sampled(design, trials);
    const ConverterCircuit circuit(design.comparator, design.ladder.references);
    const auto currents = sensed_currents(design, classes, {}, {1});
    double farthest = 0.0;
    for (std::size_t row = 0; row < classes.size(); ++row) {
      std::vector<double> mean(codes, 0.0);
      std::vector<double> square(codes, 0.0);
      for (int number = 0; number < converters; ++number) {
        const auto values = converter(circuit, {.seed = 77}, static_cast<std::uint64_t>(number));
        const auto one = of_one_converter(currents[row], circuit, design.ladder.references.front(),
                                          values, codes);
        for (std::size_t c = 0; c < codes; ++c) {
          mean[c] += one[c] / converters;
          square[c] += one[c] * one[c] / converters;
        }
      }
      for (std::size_t c = 0; c < codes; ++c) {
        const double p = mean[c];
        const double found = double(counts[row * codes + c]) / double(trials);
        const double variance = (square[c] - p * p) / converters + p * (1.0 - p) / double(trials);
        EXPECT_LE(std::abs(found - p), 5.0 * std::sqrt(variance) + 2.0 / double(trials))
            << int(kind.kind) << " class " << row << " code " << c;
      }
      // The twin: without the mismatch some class has another table.
      ColumnDesign ideal = design;
      ideal.comparator.mismatch = {};
      const auto exact = exact_probabilities(ideal, std::array{classes[row]}, {}, {1}).probability;
      int freedom = 0;
      farthest = std::max(farthest, chi_square(counts, row, exact, codes, freedom));
    }
    EXPECT_GT(farthest, 200.0) << int(kind.kind);
  }
}

TEST(SampledMismatch, CountsDependOnNeitherThreadsNorPieces) {
  for (const Kind& kind : frozen_kinds) {
    const ColumnDesign design =
        column({.kind = kind.kind, .noise_sd = 0.05e-6, .mismatch = kind.mismatch});
    for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
      const auto one = sampled(design, 3'000, 1, stream);
      EXPECT_EQ(one, sampled(design, 3'000, 3, stream));
    }
  }
}

/// An independent SAR: product along the path of every code, thresholds by plain loops.
std::vector<double> product_formula(const std::vector<double>& capacitors, double closing,
                                    double sd, double position, std::size_t references) {
  double all = closing;
  for (const double c : capacitors) all += c;
  const auto full = static_cast<double>(1U << capacitors.size());
  std::vector<double> probability(references + 1, 0.0);
  for (std::size_t code = 0; code <= references; ++code) {
    double product = 1.0;
    std::size_t so_far = 0;
    for (std::size_t k = 0; k < capacitors.size(); ++k) {
      const std::size_t bit = std::size_t{1} << (capacitors.size() - 1 - k);
      const std::size_t tried = so_far | bit;
      double kept_capacitance = 0.0;
      for (std::size_t i = 0; i < capacitors.size(); ++i) {
        const std::size_t bit_of_i = std::size_t{1} << (capacitors.size() - 1 - i);
        if ((tried & bit_of_i) != 0) kept_capacitance += capacitors[i];
      }
      const double level = full * kept_capacitance / all;
      double above = 0.5 * std::erfc((level - position) / (sd * std::sqrt(2.0)));
      if (tried > references) above = 0.0;
      const bool kept = (code & bit) != 0;
      product *= kept ? above : 1.0 - above;
      if (kept) so_far = tried;
    }
    probability[code] = product;
  }
  return probability;
}

TEST(SampledMismatch, CodesOfACapacitorArrayFollowTheProductFormula) {
  const double sd = 0.6;  // of each decision, in steps
  const Comparator comparator{
      .kind = ConverterKind::sar, .noise_sd = sd * 1e-6, .mismatch = {.element_sd = 0.1}};
  std::vector<double> references;
  for (int j = 1; j <= 12; ++j) references.push_back(1e-6 * j);
  const ConverterCircuit sar(comparator, references);
  ASSERT_EQ(sar.frozen_draws(), 5U);
  ASSERT_EQ(sar.fresh_draws(), 4U);
  constexpr int reads = 40'000;
  for (std::uint64_t number = 0; number < 5; ++number) {
    const auto draws = converter_draws(key, number, sar.frozen_draws());
    std::vector<double> capacitors;
    for (int k = 0; k < 4; ++k) {
      const double units = double(8 >> k);
      capacitors.push_back(units + 0.1 * std::sqrt(units) * double(draws[std::size_t(k)]));
    }
    const double closing = 1.0 + 0.1 * double(draws[4]);
    const auto values = sar.freeze(draws);
    for (const double position : {3.9, 7.8, 11.0}) {
      const auto expected = product_formula(capacitors, closing, sd, position, 12);
      std::vector<std::uint64_t> counts(13, 0);
      for (int read = 0; read < reads; ++read) {
        const auto noise = converter_draws({.seed = 5, .point = 9}, std::uint64_t(read), 4);
        ++counts[sar.code(values, position, NormalDraws{noise.data()})];
      }
      int freedom = 0;
      const double found = chi_square(counts, 0, expected, 13, freedom);
      EXPECT_LT(found, freedom + 5.0 * std::sqrt(2.0 * freedom) + 10.0)
          << number << " " << position;
      const auto other = product_formula({8, 4, 2, 1}, 1.0, sd, position + 0.2, 13 - 1);
      EXPECT_GT(chi_square(counts, 0, other, 13, freedom), freedom + 60.0);  // the twin
    }
  }
}

TEST(SampledMismatch, OffsetsOfComparatorsAreExactInTables) {
  constexpr std::uint64_t trials = 200'000;
  for (const ConverterKind kind : {ConverterKind::flash, ConverterKind::flash_lowest_zero,
                                   ConverterKind::sar, ConverterKind::ramp}) {
    const ColumnDesign design =
        column({.kind = kind, .noise_sd = 0.1e-6, .mismatch = {.offset_sd = 0.3e-6}});
    ASSERT_FALSE(exact_obstacle(design).has_value());
    const auto exact = exact_probabilities(design, classes, {}, {1}).probability;
    const std::size_t codes = design.ladder.codes;
    // Converters made one at a time, each with offsets of its own, each read once.
    const ConverterCircuit circuit(design.comparator, design.ladder.references);
    for (std::size_t row = 0; row < classes.size(); ++row) {
      ColumnDesign before = design;
      before.comparator = {};
      const auto currents = sampled_currents(before, classes[row], {.trials = trials, .key = key});
      std::vector<std::uint64_t> counts(codes, 0);
      std::vector<double> values;
      for (std::uint64_t trial = 0; trial < trials; ++trial) {
        const auto draws =
            converter_draws(key, trial, circuit.frozen_draws() + circuit.fresh_draws());
        circuit.freeze(NormalDraws{draws.data()}, values);
        ++counts[circuit.code(values, circuit.position(double(currents[trial])),
                              NormalDraws{draws.data()}.from(circuit.frozen_draws()))];
      }
      const std::vector<double> expected(exact.begin() + std::ptrdiff_t(row * codes),
                                         exact.begin() + std::ptrdiff_t((row + 1) * codes));
      int freedom = 0;
      EXPECT_LT(chi_square(counts, 0, expected, codes, freedom),
                freedom + 5.0 * std::sqrt(2.0 * freedom) + 10.0)
          << int(kind) << " class " << row;
    }
  }
}

TEST(SampledMismatch, DesignsWithoutMismatchStayAsTheyAre) {
  const ColumnDesign design = column({.kind = ConverterKind::sar, .noise_sd = 0.1e-6});
  const ColumnDesign same = over_converters(design);
  EXPECT_EQ(same.sense.offset_sd, design.sense.offset_sd);
  EXPECT_EQ(same.comparator.noise_sd, design.comparator.noise_sd);
  EXPECT_FALSE(circuit_reason(design.comparator).has_value());
}

TEST(SampledMismatch, TheExactEngineSaysWhyItLeavesThemToSampling) {
  const auto why = [](Comparator comparator) {
    return exact_obstacle(column(comparator)).value_or("");
  };
  EXPECT_EQ(why({.kind = ConverterKind::sar, .mismatch = {.element_sd = 0.01}}),
            "the capacitors of a converter shift its decisions together");
  EXPECT_EQ(why({.kind = ConverterKind::flash, .mismatch = {.element_sd = 0.01}}),
            "the resistors of a converter shift its references together");
  EXPECT_EQ(why({.kind = ConverterKind::ramp, .mismatch = {.element_sd = 0.01}}),
            "the steps of a ramp add up");
  EXPECT_EQ(why({.kind = ConverterKind::cyclic, .mismatch = {.offset_sd = 1e-6}}),
            "a cyclic converter asks the same comparators again and again");
  EXPECT_EQ(why({.kind = ConverterKind::pipeline, .mismatch = {.offset_sd = 1e-6}}),
            "what a stage of a converter decides, the next ones see");
  EXPECT_EQ(why({.kind = ConverterKind::sar, .noise_sd = 1e-7, .mismatch = {.radix = 1.8}}),
            "later decisions of a converter make good earlier ones");
  EXPECT_EQ(why({.kind = ConverterKind::pipeline}), "");
  EXPECT_EQ(why({.kind = ConverterKind::sar, .mismatch = {.radix = 1.8}}), "");
  EXPECT_THROW(
      exact_probabilities(column({.kind = ConverterKind::sar, .mismatch = {.element_sd = 0.01}}),
                          classes, {}, {1}),
      ExactObstacle);
}

}  // namespace
}  // namespace cimstat::circuits
