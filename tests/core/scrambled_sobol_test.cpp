#include "core/random/scrambled_sobol.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/random/sobol.hpp>
#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

namespace cimstat::core {
namespace {

std::vector<std::vector<double>> points_of(const ScrambledSobol& sobol) {
  std::vector<std::vector<double>> points(sobol.size(), std::vector<double>(sobol.dimensions()));
  for (std::size_t i = 0; i < sobol.size(); ++i) sobol.point(i, points[i]);
  return points;
}

/// How many points lie in each box of 2^-bits[d] in coordinate d.
std::vector<unsigned> box_counts(const std::vector<std::vector<double>>& points,
                                 const std::vector<unsigned>& bits) {
  unsigned all = 0;
  for (const unsigned b : bits) all += b;
  std::vector<unsigned> counts(std::size_t{1} << all);
  for (const auto& point : points) {
    std::size_t box = 0;
    for (std::size_t d = 0; d < bits.size(); ++d) {
      box = box << bits[d] | static_cast<std::size_t>(std::ldexp(point[d], int(bits[d])));
    }
    ++counts[box];
  }
  return counts;
}

TEST(ScrambledSobol, HasOnePointInEachBoxOfItsFirstTwoCoordinates) {
  const auto points = points_of(ScrambledSobol({.seed = 1}, 0, 2, 10));
  for (unsigned first = 0; first <= 10; ++first) {
    for (const unsigned count : box_counts(points, {first, 10 - first})) EXPECT_EQ(count, 1u);
  }
}

TEST(ScrambledSobol, HasOnePointInEachIntervalOfEveryCoordinateThatIsSobols) {
  const auto points = points_of(ScrambledSobol({.seed = 2}, 7, 66, 8));
  for (std::size_t d = 0; d < 66; ++d) {
    std::vector<std::vector<double>> coordinate;
    for (const auto& point : points) coordinate.push_back({point[d]});
    const std::vector<unsigned> counts = box_counts(coordinate, {8});
    const bool even = std::all_of(counts.begin(), counts.end(), [](unsigned c) { return c == 1; });
    EXPECT_EQ(even, d < ScrambledSobol::sobol_limit) << d;
  }
}

/// Scrambling permutes boxes: as many of them hold 0, 1, 2 .. points as without.
TEST(ScrambledSobol, IsANetAsGoodAsTheUnscrambledSequence) {
  constexpr unsigned log2_size = 9;
  constexpr std::size_t dimensions = 12;
  boost::random::sobol_engine<std::uint32_t, 32> engine(dimensions);
  std::vector<std::vector<double>> plain{std::vector<double>(dimensions, 0.0)};  // the origin
  while (plain.size() < (1U << log2_size)) {
    std::vector<double> point(dimensions);
    for (double& x : point) x = engine() * 0x1p-32;
    plain.push_back(point);
  }
  const auto scrambled = points_of(ScrambledSobol({.seed = 3}, 0, dimensions, log2_size));
  const auto chosen = [](const auto& points, std::size_t first) {
    std::vector<std::vector<double>> few;
    for (const auto& p : points) few.push_back({p[first], p[first + 1], p[first + 2]});
    return few;
  };
  for (std::size_t first = 0; first + 3 <= dimensions; ++first) {
    auto expected = box_counts(chosen(plain, first), {3, 3, 3});
    auto found = box_counts(chosen(scrambled, first), {3, 3, 3});
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, expected) << first;
  }
}

/// Owen's scrambling by the book: the digits of the plain point one by one, each turned by the bit
/// of the node that the digits before it lead to.
TEST(ScrambledSobol, TurnsEachDigitByTheBitOfItsNode) {
  constexpr unsigned log2_size = 9;
  constexpr std::size_t dimensions = 5;
  const StreamKey key{.seed = 11, .point = 3};
  const ScrambledSobol sobol(key, 42, dimensions, log2_size);
  std::vector<double> found(dimensions);
  for (const std::uint32_t i : {0U, 1U, 2U, 77U, 300U, 511U}) {
    sobol.point(i, found);
    for (std::size_t d = 0; d < dimensions; ++d) {
      const auto bit = [&](std::uint64_t block, std::uint64_t index) {
        const PhiloxCounter words = philox4x32(
            counter_of(key, Domain::scrambling, 42, (std::uint64_t{d} << 25) + block + index / 128),
            key_of(key));
        return words[index / 32 % 4] >> (index % 32) & 1U;
      };
      // The point of index i in plain order is that of another index in Gray code.
      boost::random::sobol_engine<std::uint32_t, 32> engine(dimensions);
      std::uint32_t gray = i;
      for (std::uint32_t shift = i >> 1; shift != 0; shift >>= 1) gray ^= shift;
      std::uint32_t plain = 0;
      if (gray > 0) {
        engine.seed(gray - 1);
        for (std::size_t skipped = 0; skipped < d; ++skipped) engine();
        plain = engine();
      }
      double expected = 0.0;
      std::uint64_t prefix = 0;
      for (unsigned level = 0; level < log2_size; ++level) {
        const std::uint32_t digit = plain >> (31 - level) & 1U;
        const std::uint32_t turned = bit(std::uint64_t{1} << 24, (1U << level) + prefix);
        expected += std::ldexp(digit ^ turned, -int(level) - 1);
        prefix = prefix << 1 | digit;
      }
      EXPECT_GE(found[d], expected) << i << ' ' << d;
      EXPECT_LT(found[d], expected + std::ldexp(1.0, -int(log2_size))) << i << ' ' << d;
    }
  }
}

/// Chi-square over 64 cells of pairs of coordinates, of one point over many scramblings.
double chi_square_of_point(std::size_t index, std::size_t first, std::size_t second, double bias) {
  constexpr std::uint64_t scramblings = 12800;
  std::vector<double> counts(64);
  std::vector<double> point(70);
  for (std::uint64_t r = 0; r < scramblings; ++r) {
    ScrambledSobol({.seed = 5}, r, 70, 4).point(index, point);
    const auto cell = [&](std::size_t d) {
      return std::min(std::floor(8 * (point[d] + bias)), 7.);
    };
    counts[static_cast<std::size_t>(8 * cell(first) + cell(second))] += 1.0;
  }
  double statistic = 0.0;
  for (const double count : counts) statistic += (count - 200.0) * (count - 200.0) / 200.0;
  return statistic;
}

TEST(ScrambledSobol, MakesEveryPointUniform) {
  // 99.9999 % of chi-square with 63 degrees of freedom lie below 130.
  EXPECT_LT(chi_square_of_point(0, 0, 1, 0.0), 130.0);
  EXPECT_LT(chi_square_of_point(5, 1, 9, 0.0), 130.0);
  EXPECT_LT(chi_square_of_point(15, 3, 69, 0.0), 130.0);
  EXPECT_GT(chi_square_of_point(0, 0, 1, 0.02), 130.0);
}

struct MeanAndVariance {
  double mean;
  double variance;
};

/// Of the mean of exp(x + y + z) / (e - 1)^3 over the points.
MeanAndVariance spread_of_means(unsigned log2_size, std::size_t first) {
  Moments moments;
  std::vector<double> point(first + 3);
  for (std::uint64_t r = 0; r < 64; ++r) {
    const ScrambledSobol sobol({.seed = 9}, r, first + 3, log2_size);
    double sum = 0.0;
    for (std::size_t i = 0; i < sobol.size(); ++i) {
      sobol.point(i, point);
      sum += std::exp(point[first] + point[first + 1] + point[first + 2]);
    }
    moments.add(sum / double(sobol.size()) / std::pow(std::exp(1.0) - 1.0, 3));
  }
  return {moments.mean(), moments.variance()};
}

TEST(ScrambledSobol, IntegratesSmoothFunctionsWithoutBiasAndFarBetterThanMonteCarlo) {
  const MeanAndVariance small = spread_of_means(4, 0);
  const MeanAndVariance large = spread_of_means(8, 0);
  EXPECT_NEAR(small.mean, 1.0, 4.0 * std::sqrt(small.variance / 64));
  EXPECT_NEAR(large.mean, 1.0, 4.0 * std::sqrt(large.variance / 64));
  // 16 times the points: 1/16 of the variance by Monte Carlo, up to 1/16^3 by scrambled nets.
  EXPECT_LT(large.variance, small.variance / 400.0);
}

TEST(ScrambledSobol, IsMonteCarloBeyondItsLimit) {
  const MeanAndVariance padded = spread_of_means(8, ScrambledSobol::sobol_limit);
  // Variance of exp(x) / (e - 1) is 0.0820..; of the product of three (1 + v)^3 - 1.
  const double v = 0.5 * (std::exp(2.0) - 1.0) / std::pow(std::exp(1.0) - 1.0, 2) - 1.0;
  const double expected = (std::pow(1.0 + v, 3) - 1.0) / 256.0;
  EXPECT_NEAR(padded.mean, 1.0, 4.0 * std::sqrt(expected / 64));
  EXPECT_NEAR(padded.variance, expected, 4.0 * expected * std::sqrt(2.0 / 63));
}

TEST(ScrambledSobol, HoldsASinglePointToo) {
  std::vector<double> point(3);
  ScrambledSobol({.seed = 1}, 0, 3, 0).point(0, point);
  for (const double x : point) EXPECT_TRUE(x > 0.0 && x < 1.0);
  ScrambledSobol({.seed = 1}, 0, 0, 3).point(7, {});
}

}  // namespace
}  // namespace cimstat::core
