#include "tests/circuits/converters/plain_converter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "circuits/converters/converter_circuit.h"
#include "circuits/references/references.h"
#include "circuits/sampled/sampled_column.h"

// Circuits with mismatch, and tables of them, against plain loops.
namespace cimstat::circuits {
namespace {

using namespace tests;

std::vector<double> even_references(std::size_t count) {
  std::vector<double> references;
  for (std::size_t j = 1; j <= count; ++j) references.push_back(1e-6 * (0.5 + double(j)));
  return references;
}

/// Codes of `plain` that are not those of the circuit, over all positions.
template <class Plain>
int differences(const ConverterCircuit& circuit, std::span<const float> frozen,
                const std::vector<float>& fresh, const Plain& plain) {
  const std::vector<double> values =
      circuit.freeze(std::vector<float>(frozen.begin(), frozen.end()));
  const double end = double(circuit.references()) + 3.0;
  int count = 0;
  for (double x = -2.0123; x < end; x += 0.0737) {
    const auto code = static_cast<int>(circuit.code(values, x, NormalDraws{fresh.data()}));
    count += code == plain(x) ? 0 : 1;
  }
  return count;
}

TEST(PlainConverter, StagesConvertAsTheChargeOnTheirCapacitorsSays) {
  constexpr std::size_t bits = 6;
  Draws normal(71);
  int swapped = 0;
  int wider = 0;
  for (const ConverterKind kind : {ConverterKind::pipeline, ConverterKind::cyclic}) {
    for (const double gain : {infinity, 60.0}) {
      for (const double offset : {0.0, 3.0}) {
        for (const double noise_sd : {0.0, 0.7}) {
          const Comparator comparator{
              .kind = kind,
              .noise_sd = noise_sd * 1e-6,
              .mismatch = {.offset_sd = offset * 1e-6, .element_sd = 0.05, .amplifier_gain = gain}};
          const ConverterCircuit circuit(comparator, even_references(63));
          const Stages like{.bits = bits, .highest = 63, .gain = gain};
          const std::size_t built = kind == ConverterKind::cyclic ? 1 : bits - 1;
          ASSERT_EQ(circuit.frozen_draws(), 2 * built + (offset > 0.0 ? 2 * built + 1 : 0));
          ASSERT_EQ(circuit.fresh_draws(), noise_sd > 0.0 ? 2 * bits - 1 : 0);
          for (int number = 0; number < 25; ++number) {
            const std::vector<float> frozen = normal(circuit.frozen_draws());
            const std::vector<float> fresh = normal(circuit.fresh_draws());
            std::vector<double> noise(2 * bits - 1, 0.0);
            for (std::size_t i = 0; i < fresh.size(); ++i) noise[i] = noise_sd * double(fresh[i]);
            const auto count = [&](const Stages& stages) {
              return differences(circuit, frozen, fresh,
                                 [&](double x) { return convert(stages, x, noise); });
            };
            Stages stages = stages_of(like, frozen, {0.05, offset}, built);
            EXPECT_EQ(count(stages), 0)
                << int(kind) << " " << gain << " " << offset << " " << number;
            // The twins: another ratio of the capacitors, and a spread like that of a pair.
            wider += count(stages_of(like, frozen, {0.05 * std::sqrt(2.0), offset}, built)) > 20;
            for (auto& stage : stages.built) std::swap(stage.first, stage.second);
            swapped += count(stages) > 20;
          }
        }
      }
    }
  }
  EXPECT_GT(swapped, 360);  // of 400
  EXPECT_GT(wider, 360);
}

struct Radix {
  double radix;
  int highest;
  std::vector<int> weights;  // worked out by hand from what search_weights() promises
};

const Radix radices[] = {{1.8, 200, {162, 90, 50, 28, 16, 9, 5, 3, 2, 1}},
                         {1.5, 100, {42, 28, 19, 13, 9, 6, 4, 3, 2, 1}},
                         {1.9, 60, {32, 17, 9, 5, 3, 2, 1}}};

TEST(PlainConverter, OverlappingWeightsConvertAsTheChargeOnTheirCapacitorsSays) {
  Draws normal(72);
  int wider = 0;
  int even = 0;
  for (const Radix& radix : radices) {
    for (const double offset : {0.0, 2.0}) {
      for (const double noise_sd : {0.0, 0.7}) {
        const Comparator comparator{
            .kind = ConverterKind::sar,
            .noise_sd = noise_sd * 1e-6,
            .mismatch = {.offset_sd = offset * 1e-6, .element_sd = 0.1, .radix = radix.radix}};
        const ConverterCircuit circuit(comparator, even_references(std::size_t(radix.highest)));
        ASSERT_EQ(circuit.frozen_draws(), radix.weights.size() + (offset > 0.0 ? 2U : 1U));
        for (int number = 0; number < 25; ++number) {
          const std::vector<float> frozen = normal(circuit.frozen_draws());
          const std::vector<float> fresh = normal(circuit.fresh_draws());
          std::vector<double> noise(radix.weights.size(), 0.0);
          for (std::size_t i = 0; i < fresh.size(); ++i) noise[i] = noise_sd * double(fresh[i]);
          const auto count = [&](const Search& search) {
            return differences(circuit, frozen, fresh,
                               [&](double x) { return convert(search, radix.highest, x, noise); });
          };
          Search search = search_of(radix.weights, frozen, {0.1, offset});
          EXPECT_EQ(count(search), 0) << radix.radix << " " << offset << " " << number;
          // The twins: a spread like that of a pair, and one that counts units, not their root.
          wider += count(search_of(radix.weights, frozen, {0.1 * std::sqrt(2.0), offset})) > 5;
          for (std::size_t k = 0; k < radix.weights.size(); ++k) {
            search.capacitors[k] = radix.weights[k] * (1.0 + 0.1 * double(frozen[k]));
          }
          even += count(search) > 5;
        }
      }
    }
  }
  EXPECT_GT(wider, 270);  // of 300
  EXPECT_GT(even, 270);
}

constexpr std::array<ColumnClass, 3> classes{ColumnClass{.lrs_count = 3, .active_rows = 12},
                                             ColumnClass{.lrs_count = 7, .active_rows = 12},
                                             ColumnClass{.lrs_count = 8, .active_rows = 12}};

/// 12 normal cells of 1 and 0.1 uA behind a converter.
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

/// Where the column's current lies on the ladder of such columns: reference j half way between MAC
/// values j - 1 and j.
double position_of(ColumnClass column_class, Draws& normal) {
  const double k = column_class.lrs_count;
  const double sd = std::sqrt(k * 0.04 * 0.04 + (12.0 - k) * 0.01 * 0.01 + 0.05 * 0.05 + 0.1 * 0.1);
  return k + 0.5 + sd / 0.9 * normal();
}

/// Two samples of equal size: how many standard errors their chi-square is above its mean.
double distance(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  double sum = 0.0;
  double freedom = -1.0;
  double rest_of_a = 0.0;
  double rest_of_b = 0.0;
  const auto add = [&](double x, double y) {
    sum += (x - y) * (x - y) / (x + y);
    freedom += 1.0;
  };
  for (std::size_t c = 0; c < a.size(); ++c) {
    if (a[c] + b[c] < 20) {
      rest_of_a += double(a[c]);
      rest_of_b += double(b[c]);
    } else {
      add(double(a[c]), double(b[c]));
    }
  }
  if (rest_of_a + rest_of_b >= 5.0) add(rest_of_a, rest_of_b);
  return (sum - freedom) / std::sqrt(2.0 * freedom);
}

/// The table's codes against those of as many columns and converters made here.
template <class Converter>
void expect_table(const Comparator& comparator, const Converter& code_of_a_new_one) {
  constexpr std::uint64_t trials = 100'000;
  const ColumnDesign design = column(comparator);
  const std::size_t codes = design.ladder.codes;
  ASSERT_EQ(codes, 13U);
  for (std::size_t j = 0; j < 12; ++j) {
    ASSERT_NEAR(design.ladder.references[j], 1.2e-6 + 0.9e-6 * (double(j) + 0.5), 1e-17);
  }
  const auto counts = sampled_counts(design, classes, {.trials = trials, .key = {.seed = 81}}, {1});
  double farthest = 0.0;
  for (std::size_t row = 0; row < classes.size(); ++row) {
    const auto made_here = [&](double stretch) {
      Draws normal(82 + row);
      std::vector<std::uint64_t> plain(codes, 0);
      for (std::uint64_t trial = 0; trial < trials; ++trial) {
        const double position = position_of(classes[row], normal);
        ++plain[std::size_t(code_of_a_new_one(normal, stretch, position))];
      }
      return plain;
    };
    const std::span<const std::uint64_t> table(counts.data() + row * codes, codes);
    EXPECT_LT(distance(table, made_here(1.0)), 6.0) << "class " << row;
    farthest = std::max(farthest, distance(table, made_here(std::sqrt(2.0))));
  }
  EXPECT_GT(farthest, 20.0);  // the twin
}

TEST(PlainConverter, TablesOfOverlappingWeightsAreThoseOfPlainLoops) {
  const Comparator comparator{.kind = ConverterKind::sar,
                              .mismatch = {.element_sd = 0.08, .radix = 1.7}};
  expect_table(comparator, [](Draws& normal, double stretch, double position) {
    const std::vector<int> weights{8, 5, 3, 2, 1};
    const std::vector<double> noise(5, 0.0);
    return convert(search_of(weights, normal(6), {0.08 * stretch, 0.0}), 12, position, noise);
  });
}

void expect_table_of_stages(ConverterKind kind, double offset, double gain, std::size_t built) {
  // The column's step is 0.9 uA.
  const Comparator comparator{
      .kind = kind,
      .mismatch = {.offset_sd = offset * 0.9e-6, .element_sd = 0.08, .amplifier_gain = gain}};
  const Stages like{.bits = 4, .highest = 12, .gain = gain};
  const std::size_t count = 2 * built + (offset > 0.0 ? 2 * built + 1 : 0);
  expect_table(comparator, [=](Draws& normal, double stretch, double position) {
    const std::vector<double> noise(7, 0.0);
    const Spreads spreads{0.08 * stretch, offset * stretch};
    return convert(stages_of(like, normal(count), spreads, built), position, noise);
  });
}

TEST(PlainConverter, TablesOfPipelinesAreThoseOfPlainLoops) {
  expect_table_of_stages(ConverterKind::pipeline, 0.0, 60.0, 3);
  expect_table_of_stages(ConverterKind::pipeline, 1.2, infinity, 3);
}

TEST(PlainConverter, TablesOfCyclicConvertersAreThoseOfPlainLoops) {
  expect_table_of_stages(ConverterKind::cyclic, 0.0, 60.0, 1);
  expect_table_of_stages(ConverterKind::cyclic, 1.2, infinity, 1);
}

}  // namespace
}  // namespace cimstat::circuits
