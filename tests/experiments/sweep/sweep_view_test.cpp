#include "experiments/report/sweep_view.h"

#include <nlohmann/json.hpp>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file/json.h"

#include "tests/experiments/sweep/sweep_samples.h"

namespace cimstat::experiments::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(SweepView, HoldsAllOfASmallSweep) {
  const SweepRecord record = grid_record();
  const SweepView view = view_of(record);
  EXPECT_TRUE(view.left_out.empty());
  EXPECT_EQ(points_of(view.record), points_of(record));
  EXPECT_EQ(view.record.scalars[0].value, record.scalars[0].value);
  EXPECT_EQ(view.axes[1].title, "ratio");
  EXPECT_TRUE(view.axes[1].is_logarithmic);
  EXPECT_TRUE(view.axes[0].has_words);
  EXPECT_TRUE(view.scalars[0].is_logarithmic);
  EXPECT_DOUBLE_EQ(view.scalars[0].least, 1e-6);  // colours are for what was seen,
  EXPECT_DOUBLE_EQ(view.scalars[0].low, 1e-7);    // the axis holds the intervals too
  EXPECT_EQ(view.scalars[1].title, "margin [µA]");
  EXPECT_FALSE(view.scalars[2].is_logarithmic);
  EXPECT_LE(view.scalars[2].high, 1.0);
}

TEST(SweepView, ThinsLongAxesEvenlyAndSaysSo) {
  const SweepRecord record = large_record();
  const SweepView view = view_of(record, 60'000);
  EXPECT_LE(points_of(view.record) * 9, 60'000u);
  EXPECT_GT(points_of(view.record) * 9, 30'000u);
  ASSERT_FALSE(view.left_out.empty());
  EXPECT_THAT(view.left_out.back(), HasSubstr("stand on this page, picked evenly"));
  EXPECT_EQ(view.record.dimensions[0].size, 4u);  // short ones stay
  for (std::size_t axis = 0; axis < record.axes.size(); ++axis) {
    EXPECT_EQ(view.record.axes[axis].numbers.front(), record.axes[axis].numbers.front());
    EXPECT_EQ(view.record.axes[axis].numbers.back(), record.axes[axis].numbers.back());
  }
  // What stands there is what the record has at those values.
  for (std::uint64_t point = 0; point < points_of(view.record); point += 97) {
    std::vector<std::size_t> indices = indices_of(view.record, point);
    for (std::size_t dimension = 0; dimension < indices.size(); ++dimension) {
      indices[dimension] = view.picked[dimension][indices[dimension]];
    }
    EXPECT_EQ(view.record.scalars[1].upper[point],
              record.scalars[1].upper[point_at(record, indices)]);
  }
}

TEST(SweepView, PicksSamplesWithoutAPattern) {
  const SweepView view = view_of(sampled_record(20'000), 12'000);
  EXPECT_EQ(view.picked[0].size(), view.record.dimensions[0].size);
  EXPECT_LE(view.record.dimensions[0].size * 6, 12'000u);
  EXPECT_THAT(view.left_out, ElementsAre(HasSubstr("picked at random")));
  // As many of one half as of the other, in every bit of the number: 4.5 standard errors.
  for (std::size_t bit = 1; bit < 20'000; bit *= 2) {
    double odd = 0.0;
    double share = 0.0;
    for (const std::size_t index : view.picked[0]) odd += (index & bit) != 0 ? 1.0 : 0.0;
    for (std::size_t index = 0; index < 20'000; ++index) share += (index & bit) != 0 ? 1.0 : 0.0;
    const auto size = static_cast<double>(view.picked[0].size());
    share /= 20'000.0;
    EXPECT_NEAR(odd / size, share, 4.5 * std::sqrt(share * (1.0 - share) / size)) << bit;
  }
  const std::vector<std::size_t> picks = scattered_picks(10, 4);
  EXPECT_EQ(std::set<std::size_t>(picks.begin(), picks.end()).size(), 4u);
  EXPECT_THAT(scattered_picks(3, 7), ElementsAre(0, 1, 2));
}

TEST(SweepView, TellsLogarithmicSpacing) {
  EXPECT_TRUE(is_log_spaced({0.05, 0.1, 0.2}));
  EXPECT_TRUE(is_log_spaced({128, 8, 64, 32, 16}));
  EXPECT_TRUE(is_log_spaced(log_spaced(1e3, 1e6, 7)));
  EXPECT_FALSE(is_log_spaced({1, 2, 3, 4}));
  EXPECT_FALSE(is_log_spaced({0, 0.01, 0.1}));
  EXPECT_FALSE(is_log_spaced({-1, 10, 100}));
  EXPECT_FALSE(is_log_spaced({1, 100}));
  EXPECT_FALSE(is_log_spaced({}));
  const SweepView view = view_of(sampled_record(200));
  EXPECT_TRUE(view.axes[0].is_logarithmic);
  EXPECT_FALSE(view.axes[1].is_logarithmic);
}

TEST(SweepView, NumbersStandInTheirColumns) {
  SweepRecord record =
      record_over({word_axis("corner", {"slow", "a, b"}), number_axis("r", {1e3, 2e3}, "ohm")});
  record.scalars.push_back({"margin",
                            "A",
                            "",
                            {1e-6, kNotKnown, -3e-6, 4e-6},
                            {0.9e-6, kNotKnown, -3.1e-6, 3.9e-6},
                            {1.1e-6, kNotKnown, -2.9e-6, 4.1e-6}});
  record.scalars.push_back({"energy", "J", "", {1, 2, 3, 4}, {}, {}});
  EXPECT_EQ(numbers_of(view_of(record)).all(),
            "corner,r_ohm,margin_A,margin_A_lower,margin_A_upper,energy_J\n"
            "slow,1000,1e-06,9e-07,1.1e-06,1\n"
            "slow,2000,,,,2\n"
            "\"a, b\",1000,-3e-06,-3.1e-06,-2.9e-06,3\n"
            "\"a, b\",2000,4e-06,3.9e-06,4.1e-06,4\n");
}

TEST(SweepView, LayoutTellsTheScriptWhereNumbersStand) {
  const SweepView view = view_of(grid_record());
  const core::Json layout = core::Json::parse(layout_of(view));
  EXPECT_EQ(layout["dimensions"].size(), 3u);
  EXPECT_EQ(layout["dimensions"][1]["size"], 12);
  EXPECT_EQ(layout["axes"][0]["texts"][2], "fast");
  EXPECT_EQ(layout["axes"][1]["log"], true);
  EXPECT_EQ(layout["axes"][2]["numbers"][0], 0.02);
  EXPECT_EQ(layout["scalars"][0]["column"], 3);
  EXPECT_EQ(layout["scalars"][2]["column"], 9);
  EXPECT_EQ(layout["scalars"][0]["rate"], true);
  EXPECT_EQ(layout["scalars"][1]["unit"], "µA");
}

TEST(SweepView, EstimatesReadAsWhatTheyAre) {
  SweepRecord record = record_over({number_axis("x", {1, 2, 3})});
  record.scalars.push_back({"misread_mean",
                            "1",
                            "",
                            {0.0, 3.2e-5, kNotKnown},
                            {0.0, 2.9e-5, kNotKnown},
                            {3.7e-9, 3.5e-5, kNotKnown}});
  record.scalars.push_back({"margin",
                            "A",
                            "",
                            {1.5e-6, -2e-6, 3e-6},
                            {1.4e-6, -2.5e-6, 2.9e-6},
                            {1.6e-6, -1.5e-6, 3.1e-6}});
  const SweepView view = view_of(record);
  EXPECT_EQ(estimate_text(view, 0, 0), "none seen (below 3.7 × 10⁻⁹)");
  EXPECT_EQ(estimate_text(view, 0, 1), "3.2 × 10⁻⁵ (2.9 × 10⁻⁵ to 3.5 × 10⁻⁵)");
  EXPECT_EQ(estimate_text(view, 0, 2), "not known");
  EXPECT_EQ(estimate_text(view, 1, 0), "1.5 µA (1.4 to 1.6)");
  EXPECT_EQ(estimate_text(view, 1, 1), "−2 µA (−2.5 to −1.5)");
}

}  // namespace
}  // namespace cimstat::experiments::report
