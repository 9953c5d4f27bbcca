#include "devices/field.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/law/shape.h"
#include "core/statistics/statistics.h"

// Seeds and numbers of dies were fixed before the first run.
namespace cimstat::devices {
namespace {

constexpr std::uint32_t rows = 16;
constexpr std::uint32_t columns = 12;
constexpr std::uint64_t dies = 3000;

SpatialField field_of(FieldKernel kernel, double length = 5e-6) {
  return {.kernel = kernel, .sd = 0.03, .correlation_length = length, .column_pitch = 1.5e-6};
}

class Field : public testing::TestWithParam<FieldKernel> {};
INSTANTIATE_TEST_SUITE_P(Kernels, Field,
                         testing::Values(FieldKernel::exponential,
                                         FieldKernel::squared_exponential));

TEST_P(Field, IsDrawnWithExactlyItsCovariance) {
  // Shorter than the pitch, of its order, and so long that the matrix is singular in double.
  for (const double length : {0.0, 0.05e-6, 0.3e-6, 0.9e-6, 1.2e-6, 5e-6, 300e-6, 1.0}) {
    const SpatialField field = field_of(GetParam(), length);
    const FieldSampler sampler(field, 64, 5);
    double worst = 0.0;
    for (std::uint32_t i = 0; i < 64; ++i) {
      for (std::uint32_t j = 0; j <= i; ++j) {
        worst = std::max(
            worst, std::abs(sampler.drawn_covariance(i, 4, j, 1) - field.covariance(i - j, 3)));
        worst = std::max(
            worst, std::abs(sampler.drawn_covariance(i, 2, j, 2) - field.covariance(i - j, 0)));
      }
    }
    EXPECT_LE(worst, 1e-14 * field.sd * field.sd) << length;
  }
}

/// Standard errors by which drawn dies miss what `stated` promises, at the worst over means,
/// variances and covariances at all distances; one value for each die in each test, so that dies
/// are the independent ones.
double worst_miss(const SpatialField& drawn, const SpatialField& stated, std::size_t& tests) {
  const FieldSampler sampler(drawn, rows, columns);
  std::vector<core::Moments> products(std::size_t{rows} * columns);
  std::vector<core::Moments> cells(products.size());
  for (std::uint64_t die = 0; die < dies; ++die) {
    const std::vector<double> values = sampler.draw({.seed = 11}, die);
    for (std::size_t cell = 0; cell < values.size(); ++cell) cells[cell].add(values[cell]);
    for (std::uint32_t dr = 0; dr < rows; ++dr) {
      for (std::uint32_t dc = 0; dc < columns; ++dc) {
        double sum = 0.0;
        for (std::uint32_t i = 0; i + dr < rows; ++i) {
          for (std::uint32_t j = 0; j + dc < columns; ++j) {
            sum += values[i * columns + j] * values[(i + dr) * columns + j + dc];
          }
        }
        products[dr * columns + dc].add(sum / ((rows - dr) * (columns - dc)));
      }
    }
  }
  double worst = 0.0;
  for (const core::Moments& cell : cells) {
    worst = std::max(worst, std::abs(cell.mean()) / (stated.sd / std::sqrt(double(dies))));
    const double variance = stated.sd * stated.sd;
    worst = std::max(worst, std::abs(cell.variance() - variance) /
                                (variance * std::sqrt(2.0 / double(dies - 1))));
  }
  for (std::uint32_t dr = 0; dr < rows; ++dr) {
    for (std::uint32_t dc = 0; dc < columns; ++dc) {
      const core::Moments& product = products[dr * columns + dc];
      worst = std::max(
          worst, std::abs(product.mean() - stated.covariance(dr, dc)) / product.standard_error());
    }
  }
  tests = 2 * cells.size() + products.size();
  return worst;
}

/// Two-sided, 1e-4 for all tests together.
double bonferroni_limit(std::size_t tests) { return core::normal_z(1.0 - 1e-4 / double(tests)); }

TEST_P(Field, DrawnDiesHaveItsMeanSdAndCovariance) {
  std::size_t tests = 0;
  const double worst = worst_miss(field_of(GetParam()), field_of(GetParam()), tests);
  std::printf("worst of %zu tests: %.2f standard errors, limit %.2f\n", tests, worst,
              bonferroni_limit(tests));
  EXPECT_LE(worst, bonferroni_limit(tests));
}

TEST_P(Field, ATenthInLengthOrInSdWouldBeSeen) {
  std::size_t tests = 0;
  const double longer = worst_miss(field_of(GetParam(), 5.5e-6), field_of(GetParam()), tests);
  EXPECT_GT(longer, bonferroni_limit(tests));
  SpatialField wider = field_of(GetParam());
  wider.sd *= 1.1;
  EXPECT_GT(worst_miss(wider, field_of(GetParam()), tests), bonferroni_limit(tests));
}

TEST_P(Field, OfACellIsTheSameInAnArrayOfAnySizeAndInAnyOrder) {
  const FieldSampler small(field_of(GetParam(), 40e-6), 7, 5);
  const FieldSampler large(field_of(GetParam(), 40e-6), 64, 31);
  const std::vector<double> again = large.draw({.seed = 3, .point = 2}, 9);
  large.draw({.seed = 3, .point = 2}, 1);
  EXPECT_EQ(large.draw({.seed = 3, .point = 2}, 9), again);
  EXPECT_NE(large.draw({.seed = 3, .point = 2}, 8), again);
  EXPECT_NE(large.draw({.seed = 3, .point = 1}, 9), again);
  const std::vector<double> part = small.draw({.seed = 3, .point = 2}, 9);
  for (std::uint32_t i = 0; i < 7; ++i) {
    for (std::uint32_t j = 0; j < 5; ++j) EXPECT_EQ(part[i * 5 + j], again[i * 31 + j]);
  }
}

TEST_P(Field, AColumnsMeanVariesAsTheDoubleSumSays) {
  const SpatialField field = field_of(GetParam());
  double sum = 0.0;
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i < rows; ++i) {
    all.push_back(i);
    for (std::uint32_t j = 0; j < rows; ++j) sum += field.covariance(i > j ? i - j : j - i, 0);
  }
  const double variance = sum / (rows * rows);
  EXPECT_NEAR(field.column_mean_covariance(rows, 0) / variance, 1.0, 1e-14);
  EXPECT_NEAR(field.mean_variance(all) / variance, 1.0, 1e-14);
  EXPECT_NEAR(field.variance_within_column(rows) / (9e-4 - variance), 1.0, 1e-12);

  const FieldSampler sampler(field, rows, columns);
  core::Moments squares;
  core::Moments products;
  for (std::uint64_t die = 0; die < dies; ++die) {
    const std::vector<double> values = sampler.draw({.seed = 5}, die);
    double near = 0.0;
    double far = 0.0;
    for (std::uint32_t i = 0; i < rows; ++i) {
      near += values[i * columns] / rows;
      far += values[i * columns + 3] / rows;
    }
    squares.add(near * near);
    products.add(near * far);
  }
  EXPECT_NEAR(squares.mean(), variance, 4.0 * squares.standard_error());
  EXPECT_NEAR(products.mean(), field.column_mean_covariance(rows, 3),
              4.0 * products.standard_error());
  EXPECT_GT(std::abs(squares.mean() - field.sd * field.sd / rows),
            20.0 * squares.standard_error());  // independent cells would have that
}

TEST(SpatialField, AColumnsMeanHasTheClosedFormOfAnAutoregression) {
  const SpatialField field = field_of(FieldKernel::exponential);
  const double r = std::exp(-0.2);
  const double n = 128.0;
  const double closed =
      9e-4 / (n * n) *
      (n + 2.0 * (r * n / (1 - r) - r * (1 - std::pow(r, n)) / ((1 - r) * (1 - r))));
  EXPECT_NEAR(field.column_mean_covariance(128, 0) / closed, 1.0, 1e-13);
}

TEST(SpatialField, WithoutLengthLeavesCellsIndependentAndWithAVeryLongOneEqual) {
  for (const FieldKernel kernel : {FieldKernel::exponential, FieldKernel::squared_exponential}) {
    EXPECT_NEAR(field_of(kernel, 0.0).column_mean_covariance(64, 0) / (9e-4 / 64), 1.0, 1e-14);
    EXPECT_NEAR(field_of(kernel, 1e3).column_mean_covariance(64, 0) / 9e-4, 1.0, 1e-6);
    const FieldSampler equal(field_of(kernel, 1e6), 8, 8);
    const std::vector<double> values = equal.draw({.seed = 1}, 0);
    for (const double value : values) EXPECT_NEAR(value, values.front(), 1e-5);
  }
}

TEST(SpatialField, TheFirstNormalIsTheFirstUniformOfItsDomain) {
  const FieldSampler sampler(field_of(FieldKernel::exponential), 2, 2);
  core::TrialRandom random({.seed = 1}, core::Domain::spatial_field, 7);
  const double u = random.uniform();
  EXPECT_NEAR(sampler.draw({.seed = 1}, 7).front(),
              0.03 * core::normal_quantile(core::Tail::lower, u), 1e-15);
}

TEST(SpatialField, IsReadFromItsSection) {
  const core::Config config = core::Config::from_text(
      "[spatial_field]\nkernel = \"squared_exponential\"\nrelative_sd = \"3 %\"\n"
      "correlation_length = \"50 um\"\nrow_pitch = \"500 nm\"\n",
      "macro.toml");
  const core::Section section = spatial_field_section();
  const SpatialField field =
      read_spatial_field(core::SectionReader(config.table("spatial_field"), section));
  config.finish();
  EXPECT_EQ(field.kernel, FieldKernel::squared_exponential);
  EXPECT_EQ(field.sd, 0.03);
  EXPECT_NEAR(field.correlation(100, 0), std::exp(-0.5), 1e-15);
}

TEST(FieldSampler, RefusesAnArrayWithoutCellsOrWithTooMany) {
  const SpatialField field = field_of(FieldKernel::exponential);
  EXPECT_THROW(FieldSampler(field, 0, 4), core::UsageError);
  EXPECT_THROW(FieldSampler(field, 4, 5000), core::UsageError);
}

}  // namespace
}  // namespace cimstat::devices
