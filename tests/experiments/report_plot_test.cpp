#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/report/svg_plot.h"
#include "tests/experiments/report_samples.h"

namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// ---- axes

std::vector<std::string> labels_of(const std::vector<report::Tick>& ticks) {
  std::vector<std::string> labels;
  for (const report::Tick& tick : ticks) {
    if (!tick.label.empty()) labels.push_back(tick.label);
  }
  return labels;
}

TEST(ReportTicks, AreRoundNumbers) {
  using Labels = std::vector<std::string>;
  EXPECT_EQ(labels_of(report::linear_ticks(0.0, 1.0, 5)),
            (Labels{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels_of(report::linear_ticks(-3.0, 312.0, 6)), (Labels{"0", "100", "200", "300"}));
  EXPECT_EQ(labels_of(report::linear_ticks(-1.0, 1.0, 2)), (Labels{"\u22121", "0", "1"}));
  EXPECT_EQ(labels_of(report::linear_ticks(0.0, 3.0, 12, 1.0)), (Labels{"0", "1", "2", "3"}));
  EXPECT_EQ(labels_of(report::linear_ticks(2.0, 2.0, 5)), Labels{"2"});
}

TEST(ReportTicks, OfALogarithmicAxisArePowersOfTenThinnedToFit) {
  using Labels = std::vector<std::string>;
  EXPECT_EQ(labels_of(report::power_ticks(1e-4, 1.0, 8)),
            (Labels{"10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"}));
  EXPECT_LE(labels_of(report::power_ticks(1e-18, 1.0, 5)).size(), 5u);
  EXPECT_EQ(labels_of(report::power_ticks(0.1, 1.0, 8)), (Labels{"0.1", "0.2", "0.5", "1"}));
}

TEST(ReportTicks, OfTheUpperAxisAreThinnedEvenly) {
  report::Plot plot("p", "p", {960.0, 300.0, 46.0, 20.0},
                    {"x", 0.0, 128.0, report::Spacing::linear, {}},
                    {"y", 0.0, 1.0, report::Spacing::linear, {}});
  std::vector<report::Plot::UpperTick> ticks;
  for (int level = 0; level <= 128; ++level) {
    ticks.push_back(
        {static_cast<double>(level), std::string("L").append(std::to_string(level)), "v0"});
  }
  plot.upper_axis(ticks, "levels");
  const std::string svg = plot.svg();
  EXPECT_THAT(svg, HasSubstr(">L0<"));
  EXPECT_THAT(svg, HasSubstr(">L120<"));
  EXPECT_THAT(svg, Not(HasSubstr(">L1<")));
  EXPECT_EQ(count_of(svg, ">L"), 13u);  // each tenth
}

TEST(ReportCurves, LosePointsOnlyWhereTheLineStaysPut) {
  const std::vector<report::Point> bent{{0, 0}, {1, 0.01}, {2, 0}, {3, 5}, {4, 10}, {5, 0}};
  const auto kept = report::simplified(bent, 0.1);
  ASSERT_EQ(kept.size(), 4u);
  EXPECT_EQ(kept[1].x, 2.0);
  EXPECT_EQ(kept[2].x, 4.0);
  EXPECT_EQ(report::simplified(std::span(bent).first(2), 0.1).size(), 2u);
}

// ---- marks

report::Plot small_plot(report::Spacing spacing) {
  return report::Plot("p", "a <plot>", {400.0, 200.0, 10.0, 10.0},
                      {"x", 0.0, 10.0, report::Spacing::linear, {}}, {"y", 1e-6, 1.0, spacing, {}});
}

TEST(ReportPlot, IsWellFormedWithEveryKindOfMark) {
  report::Plot plot = small_plot(report::Spacing::linear);
  const std::vector<report::Point> curve{{0.0, 0.1}, {5.0, 0.9}, {10.0, 0.2}};
  const std::vector<report::Plot::BandPoint> band{{0.0, 0.1, 0.2}, {10.0, 0.3, 0.6}};
  const std::vector<report::LegendItem> items{{report::LegendItem::Sign::line, "s0", "a < b"},
                                              {report::LegendItem::Sign::dot, "s1", "dots"},
                                              {report::LegendItem::Sign::arrow, "s2", "limits"},
                                              {report::LegendItem::Sign::patch, "limit", "grey"}};
  plot.line(curve, "s0", "a \"line\"");
  plot.area(curve, "s1", "area & more");
  plot.band(band, "s0");
  plot.dot({1.0, 0.5}, 3.0, "s2", "dot");
  plot.measured(2.0, 0.5, 0.4, 0.6, "s0", "measured");
  plot.upper_limit({3.0, 0.2}, "s1", "limit");
  plot.filled(curve, "overlap", "filled");
  plot.horizontal_line(0.5, "zero", "level");
  plot.whisker(0.5, 6.0, 8.0, "ink", "whisker");
  plot.vertical_line(4.0, "reference", "reference");
  plot.cells(2, 2, std::vector<int>{0, 0, report::Plot::kNoCell, report::Plot::kLimitCell}, "h");
  plot.outline({5.0, 0.1}, {6.0, 0.2}, "ideal");
  plot.note({1.0, 1.0}, "<note>", "label");
  plot.colour_bar({"bar", 1e-6, 1.0, report::Spacing::logarithmic, {}}, 8, "h");
  plot.legend(items);
  const std::string svg = plot.svg();
  EXPECT_EQ(fault_of(svg), "");
  EXPECT_EQ(count_of(svg, "<title>"), 9u);
}

TEST(ReportPlot, KeepsZeroOffALogarithmicAxis) {
  report::Plot plot = small_plot(report::Spacing::logarithmic);
  plot.measured(2.0, 1e-3, 0.0, 1e-2, "s0", "to the edge");
  plot.upper_limit({3.0, 1e-5}, "s1", "limit");
  const std::vector<report::Point> curve{{0.0, 0.0}, {5.0, 0.5}, {10.0, 0.0}};
  plot.line(curve, "s0");
  const std::string svg = plot.svg();
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_EQ(fault_of(svg), "");
}

}  // namespace
}  // namespace cimstat::experiments
