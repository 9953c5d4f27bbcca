#include "circuits/exact_column.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/references.h"

#include "tests/support/sum_oracle.h"

namespace cimstat::circuits {
namespace {

constexpr core::Threads one_thread{1};
constexpr ExactOptions inverted{.shortcut = Shortcut::forbid};

std::vector<ColumnClass> classes_of(std::uint32_t active_rows) {
  return classes_for(std::vector{active_rows});
}

/// Largest absolute difference of the rows from what the distribution function says.
template <class Below>
void expect_agreement(const ColumnDesign& design, const std::vector<ColumnClass>& classes,
                      const ExactProbabilities& exact, const Below& below, double tolerance,
                      const std::string& name) {
  const std::size_t codes = design.ladder.codes;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto references = design.ladder.at(classes[c].active_rows);
    std::vector<long double> f = below(classes[c], references);
    f.insert(f.begin(), 0.0L);
    f.push_back(1.0L);
    double largest = 0.0;
    for (std::size_t code = 0; code < codes; ++code) {
      const long double expected = f[code + 1] - f[code];
      const long double difference = exact.probability[c * codes + code] - expected;
      largest = std::max(largest, static_cast<double>(std::abs(difference)));
    }
    EXPECT_LE(largest, tolerance) << name << " k = " << classes[c].lrs_count;
    EXPECT_GE(exact.error_bound[c], largest) << name << " k = " << classes[c].lrs_count;
    EXPECT_LE(exact.error_bound[c], 1e-12) << name << " k = " << classes[c].lrs_count;
  }
}

ColumnDesign gaussian_design(std::uint32_t rows, double sd_lrs, double sd_hrs, double noise) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::normal(1.0, sd_lrs);
  design.hrs = core::Law::normal(0.1, sd_hrs);
  design.sense.noise_sd = noise;
  design.sense.offset_sd = 0.5 * noise;
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

long double normal_below(const ColumnDesign& design, ColumnClass c, double t) {
  const long double mean = mean_current(design, c);
  const long double variance =
      static_cast<long double>(current_variance(design, c)) +
      static_cast<long double>(design.sense.noise_sd) * design.sense.noise_sd +
      static_cast<long double>(design.sense.offset_sd) * design.sense.offset_sd;
  return std::erfc((mean - t) / std::sqrt(2 * variance)) / 2;
}

TEST(ExactColumn, InvertsGaussianColumnsToTheClosedForm) {
  for (const std::uint32_t n : {1U, 4U, 9U, 16U, 32U, 128U}) {
    for (const double sd : {0.02, 0.1}) {
      for (const double noise : {0.0, 0.05, 0.4}) {
        const ColumnDesign design = gaussian_design(n, sd, 0.03, noise);
        const auto classes = classes_of(n);
        const auto below = [&](ColumnClass c, std::span<const double> references) {
          std::vector<long double> f;
          for (const double t : references) f.push_back(normal_below(design, c, t));
          return f;
        };
        const std::string name = "n = " + std::to_string(n) + " noise " + std::to_string(noise);
        const auto exact = exact_probabilities(design, classes, inverted, one_thread);
        expect_agreement(design, classes, exact, below, 1e-13, name);
        const auto shortcut = exact_probabilities(design, classes, {}, one_thread);
        expect_agreement(design, classes, shortcut, below, 1e-14, name + " by the shortcut");
      }
    }
  }
}

}  // namespace
}  // namespace cimstat::circuits
