#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/experiments/report_samples.h"

namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Report, ShowsAnUpperLimitWhereNoMisreadWasSeen) {
  ReportInput input;
  input.misread = {{0, 0.0, 0.0, 3.7e-6, MisreadBasis::none_seen},
                   {1, 1e-3, 8e-4, 1.2e-3, MisreadBasis::sampled}};
  const std::string page = render_report(input);
  EXPECT_THAT(page, HasSubstr("MAC value 0: none seen (below 3.7 × 10⁻⁶)"));
  EXPECT_THAT(page, HasSubstr("none seen: upper limit at 95 %"));
  input.misread.front() = {0, 1e-3, 8e-4, 1.2e-3, MisreadBasis::sampled};
  EXPECT_THAT(body_of(render_report(input)), Not(HasSubstr("none seen")));
}

TEST(Report, SaysWhereTheWorstLevelIsNotCertain) {
  ReportInput input;
  input.misread = {{0, 1e-3, 8e-4, 1.2e-3, MisreadBasis::sampled},
                   {1, 2e-3, 1.6e-3, 2.4e-3, MisreadBasis::sampled}};
  EXPECT_THAT(render_report(input), Not(HasSubstr("not certain")));
  input.misread.front().upper = 1.7e-3;
  EXPECT_THAT(render_report(input), HasSubstr("which one is worst is not certain"));
}

TEST(Report, ClaimsNothingBelowTheErrorBoundOfAComputedTable) {
  ReportInput input;
  input.misread = {{0, 1e-20, 0.0, 2e-13, MisreadBasis::computed},
                   {1, 1e-3, 1e-3 - 2e-13, 1e-3 + 2e-13, MisreadBasis::computed}};
  const std::string page = render_report(input);
  EXPECT_THAT(page, HasSubstr("not above the error bound"));
  EXPECT_THAT(page, HasSubstr("MAC value 0: not above 2 × 10⁻¹³"));
  EXPECT_THAT(page, Not(HasSubstr("10⁻²⁰")));
  EXPECT_THAT(page, HasSubstr("MAC value 1 is misread most: 0.001 (± 2 × 10⁻¹³)"));
  input.misread.pop_back();
  EXPECT_THAT(render_report(input),
              HasSubstr("No MAC value is misread more often than the error bound"));
}

TEST(Report, ReportsRatesBelowTheAxisWithoutLosingThem) {
  ReportInput input;
  input.misread = {{0, 1e-40, 1e-40, 1e-40, MisreadBasis::computed},
                   {1, 0.0, 0.0, 0.0, MisreadBasis::computed},
                   {2, 1e-3, 1e-3, 1e-3, MisreadBasis::computed}};
  const std::string page = render_report(input);
  EXPECT_THAT(page, HasSubstr("MAC value 0: 10⁻⁴⁰ (exact)"));
  EXPECT_THAT(page, HasSubstr("MAC value 1: 0 (exact)"));
  EXPECT_THAT(page, HasSubstr("below the axis"));
}

TEST(Report, ComparesConditionsWithPairedIntervals) {
  ReportInput input;
  input.accuracy = {condition("sigma = 0.05", 0.86), condition("sigma = 0.1", 0.82)};
  input.accuracy.back().against_first = {-0.04, -0.05, -0.03};
  input.accuracy.back().same_table = false;
  const std::string page = render_report(input);
  EXPECT_THAT(page, HasSubstr("the axis does not start at 0"));
  EXPECT_THAT(page, HasSubstr("sigma = 0.1, against sigma = 0.05: \u22124.00 points "
                              "(\u22125.00 to \u22123.00)"));
  EXPECT_EQ(count_of(page, ">net on images, exact integers: "), 4u)
      << "one line for both: its name, and three texts on hover";
}

TEST(Report, MapsTheMisreadsOfEveryNumberOfActiveRows) {
  const std::string page = render_report(example(9, 10));
  EXPECT_THAT(page, HasSubstr("aria-roledescription=\"heat map\""));
  EXPECT_THAT(page, HasSubstr("data-text=\"MAC value {x} of {y} active rows is misread\""));
  EXPECT_THAT(page, HasSubstr("9 active rows: MAC value 9 is misread most"));
}

TEST(Report, DrawsMarginsWhereTheyAreKnown) {
  const std::string page = render_report(example(9, 10));
  EXPECT_THAT(
      page,
      HasSubstr("input-aware, 3 sigma, exactly 2 active rows: 18 µA between MAC values 1 and 2"));
  EXPECT_THAT(page, Not(HasSubstr("quantile, tails of 10⁻³, exactly 2 active rows")));
  ReportInput one = example(9, 10);
  one.by_active_rows.resize(1);
  const std::string without = render_report(one);
  EXPECT_THAT(without, Not(HasSubstr("<section class=\"margins\"")));
  EXPECT_THAT(without, Not(HasSubstr("<section class=\"misread-rows\"")));
}

TEST(Report, CutsALevelFarSharperThanTheOthersAndSaysSo) {
  ReportInput input = example(9, 10);
  for (double& density : input.distributions[0].density) density *= 100.0;
  EXPECT_THAT(render_report(input), HasSubstr("cut here: its density reaches"));
}

TEST(Report, EndsTheLogarithmicAxisWhereSomeCurveEnds) {
  ReportInput input;
  input.distributions = {{"0", 0, {1e-6, 2e-6, 3e-6}, {1e-8, 1e6, 1e-8}},
                         {"1", 1, {2e-6, 3e-6, 4e-6}, {1e-8, 1e6, 1e-8}}};
  EXPECT_THAT(render_report(input), HasSubstr(">10⁻⁸<"));
  input.distributions[1].density = {1e2, 1e6, 1e2};
  EXPECT_THAT(render_report(input), Not(HasSubstr(">10⁻⁸<")));
}

}  // namespace
}  // namespace cimstat::experiments
