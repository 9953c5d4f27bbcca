#include "circuits/arrays/array_product.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/simd.h"
#include "core/statistics/statistics.h"
#include "core/statistics/statistics_comparison.h"

#include "circuits/arrays/level_tables.h"

namespace cimstat::circuits {
namespace {

constexpr std::array<ArrayShape, 4> odd_shapes{{{1, 1}, {3, 65}, {1023, 70}, {64, 64}}};

/// Whole numbers from 0 to `highest`, the same for every run.
std::vector<std::uint8_t> some_inputs(std::size_t count, std::uint32_t highest) {
  std::vector<std::uint8_t> inputs(count);
  core::TrialRandom random({6, 0}, core::Domain::test, 1);
  for (std::uint8_t& input : inputs) input = static_cast<std::uint8_t>(random() % (highest + 1));
  return inputs;
}

NoisyArray some_array(ArrayShape shape) {
  std::vector<float> conductance(shape.cells());
  std::vector<float> noise(shape.cells());
  core::TrialRandom random({7, 0}, core::Domain::test, 2);
  for (std::size_t i = 0; i < conductance.size(); ++i) {
    conductance[i] = static_cast<float>(1.0 + random.uniform());
    noise[i] = static_cast<float>(0.1 * random.uniform());
  }
  return {ArrayPlane(shape, conductance), ArrayPlane(shape, noise)};
}

std::vector<float> product(const NoisyArray& array, const std::vector<std::uint8_t>& inputs,
                           const ProductOptions& options) {
  const ArrayShape shape = array.conductance.shape();
  std::vector<float> sums(inputs.size() / shape.rows * shape.columns);
  multiply(array, inputs, options, sums);
  return sums;
}

/// The same, cell by cell in loops, with the words of the contract.
std::vector<float> product_by_loops(const NoisyArray& array,
                                    const std::vector<std::uint8_t>& inputs,
                                    const ProductOptions& options) {
  const ArrayShape shape = array.conductance.shape();
  const std::size_t products = inputs.size() / shape.rows;
  const core::QuantileTable& normal = standard_normal_table();
  std::vector<float> sums;
  for (std::size_t p = 0; p < products; ++p) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      const std::uint64_t instance =
          options.place.chip * chip_column_limit + options.place.first_column + column;
      const std::uint64_t number = options.first_product + p;
      core::TrialRandom random(options.place.key, core::Domain::read_noise, instance,
                               1024 * number);
      float sum = 0.0f;
      float variance = 0.0f;
      for (std::uint32_t row = 0; row < shape.rows; ++row) {
        const auto input = static_cast<float>(inputs[p * shape.rows + row]);
        const float sd = array.noise_sd.at(row, column);
        float conductance = array.conductance.at(row, column);
        if (input == 0.0f) continue;
        if (options.noise == NoiseDraw::per_cell) conductance += sd * normal(random());
        sum += input * conductance;
        variance += (input * sd) * (input * sd);
      }
      if (options.noise == NoiseDraw::per_sum) {
        const std::uint64_t block = (std::uint64_t{1} << 37) + number / 4;
        const std::uint32_t word = core::philox4x32(
            core::counter_of(options.place.key, core::Domain::read_noise, instance, block),
            core::key_of(options.place.key))[number % 4];
        sum += std::sqrt(variance) * normal(word);
      }
      sums.push_back(sum);
    }
  }
  return sums;
}

TEST(ArrayProduct, EqualsLoopsOverItsCellsBitForBit) {
  for (const ArrayShape shape : odd_shapes) {
    const NoisyArray array = some_array(shape);
    for (const std::uint32_t highest : {1U, 255U}) {
      const std::vector<std::uint8_t> inputs = some_inputs(std::size_t{5} * shape.rows, highest);
      for (const NoiseDraw noise : {NoiseDraw::none, NoiseDraw::per_cell, NoiseDraw::per_sum}) {
        const ProductOptions options{
            .place = {{9, 1}, 3, 192}, .noise = noise, .first_product = 1000};
        EXPECT_EQ(product(array, inputs, options), product_by_loops(array, inputs, options))
            << shape.rows << " x " << shape.columns << ", inputs to " << highest;
      }
    }
  }
}

TEST(ArrayProduct, DoesNotDependOnThreadsInstructionSetOrGroupsOfProducts) {
  const ArrayShape shape{130, 129};
  const NoisyArray array = some_array(shape);
  const std::vector<std::uint8_t> inputs = some_inputs(std::size_t{9} * shape.rows, 3);
  const std::string before = core::simd_target();
  for (const NoiseDraw noise : {NoiseDraw::none, NoiseDraw::per_cell, NoiseDraw::per_sum}) {
    for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
      ProductOptions options{
          .place = {{9, 1}, 3, 64}, .noise = noise, .stream = stream, .first_product = 8};
      const std::vector<float> expected = product(array, inputs, options);
      for (const std::string& target : core::simd_targets()) {
        core::use_simd_target(target);
        for (const unsigned threads : {1U, 2U, 5U}) {
          options.threads = {threads};
          EXPECT_EQ(product(array, inputs, options), expected) << target << ", " << threads;
        }
      }
      core::use_simd_target(before);
      // The first four, then the others.
      const auto cut = inputs.begin() + std::ptrdiff_t{4} * shape.rows;
      std::vector<float> parts = product(array, {inputs.begin(), cut}, options);
      options.first_product += 4;
      const std::vector<float> rest = product(array, {cut, inputs.end()}, options);
      parts.insert(parts.end(), rest.begin(), rest.end());
      EXPECT_EQ(parts, expected);
    }
  }
}

TEST(ArrayProduct, HasTheMomentsOfItsCellsWithFreshNoiseInEveryProduct) {
  const ArrayShape shape{96, 64};
  const NoisyArray array = some_array(shape);
  const std::vector<std::uint8_t> input = some_inputs(shape.rows, 3);
  constexpr std::size_t products = 20000;
  std::vector<std::uint8_t> inputs;
  for (std::size_t p = 0; p < products; ++p) {
    inputs.insert(inputs.end(), input.begin(), input.end());
  }
  constexpr std::array cases{std::pair{NoiseDraw::per_cell, core::Stream::philox},
                             std::pair{NoiseDraw::per_cell, core::Stream::fast},
                             std::pair{NoiseDraw::per_sum, core::Stream::philox}};
  for (const auto& [noise, stream] : cases) {
    const std::vector<float> sums =
        product(array, inputs, {.place = {{1, 0}}, .noise = noise, .stream = stream});
    double worst_mean = 0.0;
    double worst_variance = 0.0;
    double successive = 0.0;
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      double mean = 0.0;
      double variance = 0.0;
      for (std::uint32_t row = 0; row < shape.rows; ++row) {
        const auto x = static_cast<double>(input[row]);
        mean += x * static_cast<double>(array.conductance.at(row, column));
        variance += std::pow(x * static_cast<double>(array.noise_sd.at(row, column)), 2);
      }
      double sum = 0.0;
      double squares = 0.0;
      double before = 0.0;
      for (std::size_t p = 0; p < products; ++p) {
        const double z =
            (static_cast<double>(sums[p * shape.columns + column]) - mean) / std::sqrt(variance);
        sum += z;
        squares += z * z - 1.0;
        successive += z * before;
        before = z;
      }
      worst_mean = std::max(worst_mean, std::abs(sum));
      worst_variance = std::max(worst_variance, std::abs(squares) / std::sqrt(2.0));
    }
    // 64 columns, 4.5 standard errors each: 4 in 10,000 that any mean is beyond, as with variances.
    const double limit = 4.5 * std::sqrt(static_cast<double>(products));
    EXPECT_LT(worst_mean, limit);
    EXPECT_LT(worst_variance, limit);
    EXPECT_LT(std::abs(successive), limit * std::sqrt(64.0));
    // The twin: a noise that is wrong by 5 % would be seen.
    EXPECT_GT((1.05 * 1.05 - 1.0) / std::sqrt(2.0) * static_cast<double>(products), 1.5 * limit);
  }
}

/// Codes of sums around the middle, sixteen of them.
std::vector<std::uint64_t> code_counts(const NoisyArray& array, NoiseDraw noise) {
  const ArrayShape shape = array.conductance.shape();
  const std::vector<std::uint8_t> input = some_inputs(shape.rows, 1);
  std::vector<std::uint8_t> inputs;
  for (int p = 0; p < 4000; ++p) inputs.insert(inputs.end(), input.begin(), input.end());
  const std::vector<float> centre = product(array, input, {.place = {}, .noise = NoiseDraw::none});
  std::vector<float> sums = product(array, inputs, {.place = {{2, 0}}, .noise = noise});
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] -= centre[i % shape.columns];
  std::vector<float> references;
  for (int i = -7; i <= 7; ++i) references.push_back(0.1f * static_cast<float>(i));
  std::vector<std::uint32_t> codes(sums.size());
  convert(sums, CodeSearch(references), codes);
  std::vector<std::uint64_t> counts(references.size() + 1, 0);
  for (const std::uint32_t code : codes) ++counts[code];
  return counts;
}

// Tolerance: 1 in 1,000.
TEST(ArrayProduct, OneDrawForEachSumGivesTheSameLawOfCodesAsOneForEachCell) {
  const NoisyArray array = some_array({64, 128});
  const std::vector<std::uint64_t> per_cell = code_counts(array, NoiseDraw::per_cell);
  EXPECT_GT(core::homogeneity(per_cell, code_counts(array, NoiseDraw::per_sum), 10.0).p_value,
            1e-3);
  // The twin: noise that is 1 % too large would be seen.
  NoisyArray louder = array;
  for (std::size_t tile = 0; tile < louder.noise_sd.shape().tiles(); ++tile) {
    for (TileRow& row : louder.noise_sd.tile(tile)) {
      for (float& sd : row.column) sd *= 1.01f;
    }
  }
  EXPECT_LT(core::homogeneity(per_cell, code_counts(louder, NoiseDraw::per_sum), 10.0).p_value,
            1e-3);
}

TEST(ArrayProduct, ADifferenceOfArraysHasTheMomentsOfBoth) {
  const ArrayShape shape{5, 66};
  const NoisyArray positive = with_relative_noise(some_array(shape).conductance, 0.02);
  const NoisyArray negative = with_relative_noise(some_array(shape).noise_sd, 0.05);
  const NoisyArray both = difference(positive, negative);
  for (std::uint32_t row = 0; row < shape.rows; ++row) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      EXPECT_EQ(both.conductance.at(row, column),
                positive.conductance.at(row, column) - negative.conductance.at(row, column));
      EXPECT_NEAR(both.noise_sd.at(row, column),
                  std::hypot(positive.noise_sd.at(row, column), negative.noise_sd.at(row, column)),
                  1e-8);
    }
  }
}

TEST(ArrayProduct, BitPlanesShiftedAndAddedGiveTheProductOfWholeNumbers) {
  const ArrayShape shape{33, 65};
  std::vector<float> weights;
  for (const std::uint8_t weight : some_inputs(shape.cells(), 3)) weights.push_back(weight);
  const NoisyArray array{ArrayPlane(shape, weights), {}};
  const std::vector<std::uint8_t> inputs = some_inputs(std::size_t{3} * shape.rows, 255);
  const ProductOptions options{.place = {}, .noise = NoiseDraw::none};
  const std::vector<float> expected = product(array, inputs, options);
  const std::vector<float> sums = product(array, bit_planes(inputs, shape.rows, 8), options);
  std::vector<float> references;
  for (int code = 1; code <= 99; ++code) references.push_back(static_cast<float>(code) - 0.5f);
  std::vector<std::uint32_t> codes(sums.size());
  convert(sums, CodeSearch(references), codes);
  const std::vector<std::int64_t> totals = shift_and_add(codes, shape.columns, 8);
  ASSERT_EQ(totals.size(), expected.size());
  for (std::size_t i = 0; i < totals.size(); ++i) {
    EXPECT_EQ(static_cast<float>(totals[i]), expected[i]);
  }
}

TEST(ArrayProduct, RefusesMoreProductsThanThereIsNoiseFor) {
  const NoisyArray array = some_array({2, 2});
  try {
    product(array, std::vector<std::uint8_t>(8, 1), {.place = {}, .first_product = product_limit});
    FAIL() << "nothing was thrown";
  } catch (const core::UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("array: products up to 134217732 have no noise "
                                                 "(an array gives at most 134217728)"));
  }
}

}  // namespace
}  // namespace cimstat::circuits
