#include "experiments/commands/progress_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/seeing/text_bar.h"

namespace cimstat::experiments {
namespace {

using testing::HasSubstr;

const ProgressUnit classes{"classes", 8000.0};

TEST(ProgressRate, ForgetsWhatIsOlderThanItsWindow) {
  ProgressRate rate;
  EXPECT_EQ(rate.per_second(), 0.0);
  for (int second = 1; second <= 20; ++second) rate.add(second, 0.001 * second);
  for (int second = 21; second <= 40; ++second) rate.add(second, 0.02 + 0.01 * (second - 20));
  EXPECT_NEAR(rate.per_second(), 0.01, 1e-12);
}

TEST(ProgressBar, TellsShareRateElapsedAndLeft) {
  EXPECT_EQ(progress_bar("table", classes, {0.25, 0.01, 25.0}, 99),
            "table [#######.......................]  25 %  80 classes/s  25 s, 1 min 15 s left");
  EXPECT_THAT(progress_bar("table", {"trials", 4e11}, {0.5, 0.01, 50.0}, 79),
              HasSubstr("4 G trials/s"));
  EXPECT_EQ(progress_bar("table", classes, {0.0, 0.0, 1.0}, 79),
            "table [..............................]   0 %  1 s");
}

TEST(ProgressBar, NeverIsWiderThanTheTerminal) {
  const ProgressState state{0.5, 1e-5, 40'000.0};
  for (std::size_t width = 0; width < 120; ++width) {
    EXPECT_LE(progress_bar("accuracy", classes, state, width).size(), width);
  }
  EXPECT_THAT(progress_bar("accuracy", classes, state, 80), HasSubstr("[####"));
  EXPECT_THAT(progress_bar("accuracy", classes, state, 40), Not(HasSubstr("[")));
}

TEST(ProgressLine, CountsInItsUnit) {
  EXPECT_EQ(progress_line("table", classes, {0.25, 0.01, 25.0}),
            "table: 25 % (2000 of 8000 classes), 80 classes/s, 25 s elapsed, 1 min 15 s left");
}

TEST(DurationText, UsesTwoUnitsAtMost) {
  EXPECT_EQ(duration_text(0.0), "0 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(59.6), "1 min 0 s");
  EXPECT_EQ(duration_text(7500.0), "2 h 5 min");
  EXPECT_EQ(duration_text(1e6), "11 d 13 h");
  EXPECT_EQ(duration_text(-3.0), "0 s");
}

TEST(TextBar, IsAsLongAsItsPlaceOnTheDecades) {
  const DecadeAxis axis = DecadeAxis::down_to(2e-4, 40);
  EXPECT_EQ(axis.low, -4);
  EXPECT_EQ(bar(axis, 0.01, 0.01, {}), std::string(20, '#'));
  EXPECT_EQ(bar(axis, 1.0, 1.0, {}), std::string(40, '#'));
  EXPECT_EQ(bar(axis, 0.0, 0.01, {}), std::string(20, ' ') + "<");
  EXPECT_EQ(bar(axis, 0.0, 0.0, {}), "");
  EXPECT_EQ(axis.caption().size(), 40U);
  EXPECT_EQ(bar({-1, 4}, 0.5, 0.5, {Glyphs::blocks, Colour::none}), "██▊");
  EXPECT_EQ(bar({-1, 4}, 0.5, 0.5, {Glyphs::ascii, Colour::ansi}), "\033[31m###\033[0m");
  EXPECT_EQ(DecadeAxis::down_to(0.0, 40).low, -1);
}

TEST(ProbabilityText, KeepsTheDigitsThatMatter) {
  EXPECT_EQ(probability_text(0.01741), "0.01741");
  EXPECT_EQ(probability_text(3.21e-7), "3.210e-07");
  EXPECT_EQ(probability_text(1.0 - 3.7e-6), "1-3.7e-06");
  EXPECT_EQ(probability_text(1.0), "1.00000");
}

}  // namespace
}  // namespace cimstat::experiments
