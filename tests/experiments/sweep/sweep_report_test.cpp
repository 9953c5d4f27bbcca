#include "experiments/report/sweep_report.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/report/markup.h"
#include "experiments/report/sweep_figures.h"
#include "tests/experiments/report_samples.h"
#include "tests/experiments/sweep/sweep_samples.h"

namespace cimstat::experiments {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

void expect_sound(const std::string& page) {
  EXPECT_EQ(fault_of(body_of(page)), "");
  for (const std::string& picture : pictures_of(page)) {
    EXPECT_EQ(fault_of(picture), "");
    EXPECT_THAT(picture, Not(HasSubstr("nan")));
    EXPECT_THAT(picture, Not(HasSubstr("inf")));
  }
  EXPECT_EQ(count_of(page, "<script"), 1u);
  EXPECT_EQ(count_of(page, "<style"), 1u);
  EXPECT_THAT(page, HasSubstr("content=\"default-src 'none'; style-src 'sha256-"));
}

bool has_section(const std::string& page, const std::string& name) {
  return page.find("<section class=\"" + name + "\"") != page.npos;
}

TEST(SweepReport, OfAGridHoldsMapAndCurves) {
  const std::string page = render_sweep_report(grid_record());
  EXPECT_THAT(page, StartsWith("<!DOCTYPE html>"));
  expect_sound(page);
  for (const char* name :
       {"heat-map", "curves", "axes", "numbers", "provenance", "cite", "config"}) {
    EXPECT_TRUE(has_section(page, name)) << name;
  }
  EXPECT_FALSE(has_section(page, "scatter"));
  EXPECT_FALSE(has_section(page, "sensitivity"));
  EXPECT_EQ(pictures_of(page).size(), 2u);
  EXPECT_THAT(page, HasSubstr("252 points = 3 corner × 12 ratio × 7 sigma"));
  EXPECT_THAT(page, HasSubstr("sweep result with content SHA-256 cccccccccccccccc"));
  EXPECT_EQ(page, render_sweep_report(grid_record()));
}

TEST(SweepReport, OfSamplesHoldsPanelsAndRankCorrelations) {
  const std::string page = render_sweep_report(sampled_record(300));
  expect_sound(page);
  EXPECT_TRUE(has_section(page, "scatter"));
  EXPECT_TRUE(has_section(page, "sensitivity"));
  EXPECT_FALSE(has_section(page, "heat-map"));
  EXPECT_FALSE(has_section(page, "curves"));
  EXPECT_EQ(pictures_of(page).size(), 3u + 1u);
}

TEST(SweepReport, CardsNameTheBestAndTheWorstPoint) {
  SweepRecord record =
      record_over({number_axis("sigma", {0.1, 0.2}), word_axis("corner", {"slow", "fast"})});
  record.scalars.push_back({"accuracy",
                            "1",
                            "share of right answers",
                            {0.5, 0.6, 0.9, 0.2},
                            {0.49, 0.59, 0.89, 0.19},
                            {0.51, 0.61, 0.91, 0.21}});
  record.scalars.push_back({"energy", "J", "", {1e-12, 4e-12, 1e-12, 3e-12}, {}, {}});
  const std::string page = render_sweep_report(record);
  EXPECT_THAT(page, HasSubstr("Best: 0.9 (0.89 to 0.91) at sigma = 0.2, corner = slow."));
  EXPECT_THAT(page, HasSubstr("Worst: 0.2 (0.19 to 0.21) at sigma = 0.2, corner = fast."));
  EXPECT_THAT(page, HasSubstr("Least: 1 pJ at sigma = 0.1, corner = slow. So is 1 other point."));
  EXPECT_THAT(page, HasSubstr("Greatest: 4 pJ at sigma = 0.1, corner = fast."));
}

TEST(SweepReport, TheMapsShadesFollowTheNumbers) {
  SweepRecord record = record_over({number_axis("x", {1, 2, 3, 4}), number_axis("y", {1, 2})});
  record.scalars.push_back({"misread_mean",
                            "1",
                            "",
                            {1e-1, 1e-6, 2e-3, 0.0, 1e-1, kNotKnown, 1e-1, 1e-1},
                            {1e-1, 1e-6, 2e-3, 0.0, 1e-1, kNotKnown, 1e-1, 1e-1},
                            {1e-1, 1e-6, 2e-3, 1e-6, 1e-1, kNotKnown, 1e-1, 1e-1}});
  const report::SweepView view = report::view_of(record);
  const std::string figure = report::sweep_map_figure(view);
  EXPECT_EQ(fault_of(figure), "");
  const std::string cells = figure.substr(figure.find("<g class=\"cells\""));
  const auto path = [&](const std::string& style) {
    const std::string start = "<path class=\"" + style + "\" d=\"";
    const std::size_t at = cells.find(start) + start.size();
    return cells.substr(at, cells.find('"', at) - at);
  };
  // x runs to the right, y up: the most misread are the greatest shade, 1e-6 the least.
  EXPECT_EQ(path("h31"), "M0 0h1v1h-1zM2 0h2v1h-2zM3 1h1v1h-1z");
  EXPECT_EQ(path("h0"), "M0 1h1v1h-1z");
  EXPECT_EQ(path("limit"), "M1 1h1v1h-1z");
  EXPECT_EQ(path("h" + std::to_string(view.scalars[0].shade(2e-3))), "M1 0h1v1h-1z");
  EXPECT_THAT(figure, HasSubstr("not known"));  // (2, 1) is no cell
  EXPECT_THAT(figure, HasSubstr("none seen: at most 10⁻⁶"));
}

TEST(SweepReport, CurvesShowIntervalsAndArrowsWhereNoneWasSeen) {
  SweepRecord record = record_over({number_axis("x", {1, 2, 3, 4, 5})});
  record.scalars.push_back({"misread_mean",
                            "1",
                            "",
                            {1e-1, 1e-2, 0.0, kNotKnown, 1e-2},
                            {0.9e-1, 0.9e-2, 0.0, kNotKnown, 0.9e-2},
                            {1.1e-1, 1.1e-2, 4e-6, kNotKnown, 1.1e-2}});
  const std::string figure = report::sweep_curve_figure(report::view_of(record));
  EXPECT_EQ(fault_of(figure), "");
  EXPECT_EQ(count_of(figure, "<circle class=\"dot s0\""), 3u);
  EXPECT_EQ(count_of(figure, "<g class=\"mark s0\""), 1u);  // the arrow
  EXPECT_EQ(count_of(figure, "class=\"line s0\""), 1u);     // broken where nothing is known
  EXPECT_EQ(count_of(figure, "class=\"band s0\""), 1u);
  EXPECT_THAT(figure, HasSubstr("<title>x = 1: 0.1 (0.09 to 0.11)</title>"));
  EXPECT_THAT(figure, HasSubstr("<title>x = 3: none seen (below 4 × 10⁻⁶)</title>"));
}

TEST(SweepReport, RankCorrelationsAreThoseOfAllSamplesAtEachListedValue) {
  SweepRecord record =
      record_over({word_axis("corner", {"slow", "fast"}), sampled_axis("up", {1, 2, 3, 4, 5, 6}),
                   sampled_axis("mixed", {3, 1, 6, 2, 5, 4})});
  add_scalar(record, "energy", "J", [](const Coordinates& at) {
    const double value = at[0] == 0.0 ? at[1] : -at[1];
    return Estimated{value, value, value};
  });
  const std::string figure = report::sweep_sensitivity_figure(report::view_of(record), record);
  EXPECT_EQ(fault_of(figure), "");
  EXPECT_THAT(figure, HasSubstr("slow,energy,up,1,"));
  EXPECT_THAT(figure, HasSubstr("fast,energy,up,-1,"));
  EXPECT_THAT(figure, HasSubstr("slow,energy,mixed,0.3714,"));  // 1 - 6 x 22 / 210
}

TEST(SweepReport, OddSweepsHaveSoundPages) {
  for (const SweepRecord& record :
       {odd_record(), one_point_record(), line_record(), sampled_record(1), sampled_record(3),
        sampled_record(40, {word_axis("corner", {"slow", "fast"}), number_axis("n", {8, 16})}),
        record_over({number_axis("x", {1, 2, 3})}), record_over({})}) {
    const std::string page = render_sweep_report(record);
    expect_sound(page);
    EXPECT_LT(page.size(), 1'000'000u);
  }
  EXPECT_TRUE(has_section(render_sweep_report(odd_record()), "heat-map"));
  EXPECT_FALSE(has_section(render_sweep_report(one_point_record()), "curves"));
  EXPECT_THAT(render_sweep_report(line_record()), HasSubstr("not above"));
}

TEST(SweepReport, WordsAmongSampledAxesHaveNoRank) {
  SweepAxis words = word_axis("converter", {"flash", "sar", "flash", "ramp"});
  words.kind = SweepAxis::Kind::sampled;
  SweepRecord record = record_over({sampled_axis("x", {1, 2, 3, 4}), words});
  add_scalar(record, "energy", "J", [](const Coordinates& at) {
    return Estimated{at[0], at[0], at[0]};
  });
  const std::string page = render_sweep_report(record);
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("not known"));
  EXPECT_THAT(page, HasSubstr(">ramp</text>"));
}

TEST(SweepReport, HostileTextsStayText) {
  const std::string page = render_sweep_report(hostile_record());
  expect_sound(page);
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_EQ(count_of(page, "</script"), 1u);
  EXPECT_EQ(count_of(body_of(page), "</title"), count_of(body_of(page), "<title"));
}

TEST(SweepReport, LargeSweepsStayAtSomeMegabytesAndSaySo) {
  for (const SweepRecord& record : {large_record(), sampled_record(100'000), [] {
                                      std::vector<std::string> words;
                                      for (int index = 0; index < 100'000; ++index)
                                        words.push_back("w" + std::to_string(index));
                                      SweepRecord one = record_over({word_axis("word", words)});
                                      add_scalar(one, "energy", "J", [](const Coordinates& at) {
                                        return Estimated{std::fmod(at[0] * 0.618, 1.0), 0.0, 1.0};
                                      });
                                      return one;
                                    }()}) {
    const std::string page = render_sweep_report(record);
    EXPECT_LT(page.size(), 5'000'000u);
    EXPECT_THAT(page, HasSubstr("stand on this page"));
    EXPECT_THAT(page, HasSubstr("The file holds all 100,000 points"));
  }
}

TEST(SweepReport, ContradictoryLengthsAreRefused) {
  SweepRecord record = grid_record();
  record.scalars[0].value.pop_back();
  EXPECT_THROW(render_sweep_report(record), std::invalid_argument);
}

}  // namespace
}  // namespace cimstat::experiments
