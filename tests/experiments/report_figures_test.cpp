#include <cmath>
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

TEST(Report, DrawsRatesFromOneDownTo1em15WithIntervalsAndArrows) {
  ReportInput input;
  input.misread = {{0, 0.5, 0.48, 0.52, MisreadBasis::sampled},
                   {1, 1e-6, 4e-7, 2e-6, MisreadBasis::sampled},
                   {2, 0.0, 0.0, 3.7e-9, MisreadBasis::none_seen},
                   {3, 3e-15, 2e-15, 4e-15, MisreadBasis::computed},
                   {4, 1e-17, 0.0, 8e-16, MisreadBasis::computed}};
  const std::string page = render_report(input);
  const std::string picture = pictures_of(page).front();
  EXPECT_EQ(fault_of(picture), "");
  for (const char* label : {">10⁻¹⁵<", ">1<"}) EXPECT_THAT(picture, HasSubstr(label));
  EXPECT_EQ(count_of(picture, "not above the error bound"), 1U);
  EXPECT_THAT(picture, HasSubstr("MAC value 3: 3 × 10⁻¹⁵"));
  EXPECT_THAT(picture, HasSubstr("MAC value 4: not above 8 × 10⁻¹⁶"));
  EXPECT_THAT(picture, HasSubstr("MAC value 2: none seen (below 3.7 × 10⁻⁹)"));
}

TEST(Report, HoldsReferencesAgainstThoseThatTookNoSearch) {
  ReportInput input = example(6, 7);
  EXPECT_THAT(body_of(render_report(input)), Not(HasSubstr("References before and after")));
  ReferenceComparison before{.name = "midpoint", .references = {}, .misread = {}};
  for (const double reference : input.references) before.references.push_back(reference - 1e-7);
  for (MisreadPoint point : input.misread) {
    point = {point.level, 1.25 * point.rate, 1.2 * point.rate, 1.3 * point.rate,
             MisreadBasis::computed};
    before.misread.push_back(point);
  }
  before.mean_misread = 0.0125;
  before.mean_misread_after = 0.01;
  input.before = before;
  const std::string page = render_report(input);
  for (const std::string& picture : pictures_of(page)) EXPECT_EQ(fault_of(picture), "");
  EXPECT_THAT(page, HasSubstr("References before and after"));
  EXPECT_THAT(page, HasSubstr("Mean misread over these MAC values: 0.0125 before, 0.01 after."));
  EXPECT_THAT(page, HasSubstr("MAC value 6, midpoint references: "));
  EXPECT_THAT(page, HasSubstr("MAC value 6, the references listed: "));
  EXPECT_THAT(page, HasSubstr("between codes 0 and 1: from "));
  EXPECT_THAT(page, HasSubstr("code_above,reference_before_A,reference_after_A"));
  input.before->references.pop_back();
  EXPECT_THROW(render_report(input), std::invalid_argument);
}

TEST(Report, ShowsHowColumnsDiffer) {
  ReportInput input = example(3, 4);
  ColumnSpread spread{.hint = "1 die x 200 columns",
                      .judged = "mean over the MAC values",
                      .rates = {},
                      .limit = 1e-4,
                      .quantile_levels = {0.5, 0.9, 0.99, 0.999},
                      .quantiles = {},
                      .by_level = {},
                      .facts = {{"columns that pass", "0.9 (0.85 to 0.94)"}}};
  for (int i = 0; i < 200; ++i) spread.rates.push_back(1e-6 * std::exp(0.05 * i));
  spread.quantiles = {
      {1e-4, 8e-5, 1.2e-4}, {5e-3, 4e-3, 6e-3}, {1e-2, 8e-3, 1.0}, {2e-2, 1e-2, 1.0}};
  for (std::uint32_t k = 0; k <= 3; ++k)
    spread.by_level.push_back({k, {1e-3, 5e-4, 2e-3}, spread.quantiles});
  spread.by_level[0].quantiles[0] = {0.0, 0.0, 1e-20};
  input.columns = spread;
  const std::string page = render_report(input);
  for (const std::string& picture : pictures_of(page)) EXPECT_EQ(fault_of(picture), "");
  EXPECT_THAT(page, HasSubstr("How columns differ"));
  EXPECT_THAT(page, HasSubstr("99 % of columns: 0.01 (0.008 to not known)"));
  EXPECT_THAT(page, HasSubstr("MAC value 0, median: 0 (0 to 10⁻²⁰)"));
  EXPECT_THAT(page, HasSubstr("<dt>columns that pass</dt><dd>0.9 (0.85 to 0.94)</dd>"));
  EXPECT_THAT(page, HasSubstr("mac_value,quantile,misread,lower,upper"));
  input.columns->by_level[0].quantiles.pop_back();
  EXPECT_THROW(render_report(input), std::invalid_argument);
}

}  // namespace
}  // namespace cimstat::experiments
