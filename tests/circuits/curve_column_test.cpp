#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/law/quantile_curve.h"

#include "circuits/references/references.h"

#include "tests/circuits/exact_agreement.h"

namespace cimstat::circuits {
namespace {

struct Cells {
  std::string name;
  core::Component lrs;
  core::Component hrs;
};

core::Shape curve_of(const core::Shape& shape) {
  if (const auto* normal = std::get_if<core::Normal>(&shape)) {
    return core::curve_of_scores([s = *normal](double z) { return s.mean + s.sd * z; });
  }
  const auto lognormal = std::get<core::LogNormal>(shape);
  return core::curve_of_scores(
      [s = lognormal](double z) { return s.median * std::exp(s.sigma * z); });
}

ColumnDesign design_of(std::uint32_t rows, core::Component lrs, core::Component hrs, double noise) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law({std::move(lrs)});
  design.hrs = core::Law({std::move(hrs)});
  design.sense.noise_sd = noise;
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

/// The exact table of cells on quantile curves agrees with that of the laws that they are.
TEST(ColumnsOnQuantileCurves, GiveTheTablesOfTheirTwins) {
  const std::vector<Cells> all{
      {"normal", {.base = core::Normal{1.0, 0.08}}, {.base = core::Normal{0.1, 0.02}}},
      {"lognormal", {.base = core::LogNormal{1.0, 0.1}}, {.base = core::LogNormal{0.1, 0.45}}},
      {"noisy",
       {.base = core::LogNormal{1.0, 0.1}, .relative_noise = 0.03},
       {.base = core::LogNormal{0.1, 0.4}, .relative_noise = 0.03}},
      {"behind a transistor",
       {.base = core::LogNormal{1.0, 0.1}, .compression = 0.2},
       {.base = core::LogNormal{0.1, 0.4}, .compression = 0.2}}};
  for (const Cells& cells : all) {
    for (const std::uint32_t rows : {4U, 16U}) {
      for (const double noise : {0.0, 0.1}) {
        core::Component lrs = cells.lrs;
        core::Component hrs = cells.hrs;
        const ColumnDesign exact = design_of(rows, lrs, hrs, noise);
        lrs.base = curve_of(lrs.base);
        hrs.base = curve_of(hrs.base);
        ColumnDesign curves = design_of(rows, lrs, hrs, noise);
        curves.ladder = exact.ladder;
        const std::vector<ColumnClass> classes = classes_of(rows);
        const ExactOptions options{.tolerance = 1e-12};
        const auto a = exact_probabilities(exact, classes, options, one_thread);
        const auto b = exact_probabilities(curves, classes, options, one_thread);
        double largest = 0.0;
        double bound = 0.0;
        for (std::size_t i = 0; i < a.probability.size(); ++i) {
          largest = std::max(largest, std::abs(a.probability[i] - b.probability[i]));
        }
        for (const double error : b.error_bound) bound = std::max(bound, error);
        EXPECT_LE(largest, 1e-9) << cells.name << ", " << rows << " rows, noise " << noise;
        EXPECT_LE(bound, 1e-7) << cells.name << ", " << rows << " rows, noise " << noise;
        RecordProperty(cells.name + std::to_string(rows), std::to_string(bound));
      }
    }
  }
}

}  // namespace
}  // namespace cimstat::circuits
