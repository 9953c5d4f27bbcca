#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/report/markup.h"
#include "tests/experiments/report_samples.h"

/// What the page says in words: labels, legends, units, singulars.
namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(std::vector<AccuracyCondition> conditions) {
  ReportInput input;
  input.accuracy = std::move(conditions);
  return render_report(input);
}

std::string page_of(std::vector<MisreadPoint> points) {
  ReportInput input;
  input.misread = std::move(points);
  return render_report(input);
}

TEST(ReportWords, ShortenTextsInTheMiddleByWholeLetters) {
  EXPECT_EQ(report::shortened("abcdefghi", 9), "abcdefghi");
  EXPECT_EQ(report::shortened("abcdefghij", 9), "abcde\u2026hij");
  EXPECT_EQ(report::shortened("\u00e4\u00e4\u00e4\u00e4\u00e4", 3), "\u00e4\u2026\u00e4");
}

TEST(ReportWords, KeepNumbersAndUnitsInOneLine) {
  EXPECT_EQ(report::unbroken("median 40 \u00b5S, 0.1 %, access 2 k\u03a9 (1 mV)"),
            "median 40\u00a0\u00b5S, 0.1\u00a0%, access 2\u00a0k\u03a9 (1\u00a0mV)");
  EXPECT_EQ(report::unbroken("9 rows, 10 codes, 3 Sigma"), "9 rows, 10 codes, 3 Sigma");
}

TEST(ReportWords, GiveEveryShortenedLabelItsWholeTextOnHover) {
  const std::string start(80, 'x');
  std::vector<AccuracyCondition> conditions{condition(start + " one", 0.86),
                                            condition(start + " two", 0.82)};
  conditions[1].against_first = {-0.04, -0.05, -0.03};
  conditions[1].detail = "b: offset_sd = 2 uA instead of 1 uA";
  const std::string page = page_of(conditions);
  for (const std::string_view last : {" one", " two"}) {
    const std::string shown = report::shortened(start + std::string(last), 52);
    EXPECT_THAT(page, HasSubstr("</title>" + shown + ": "));
    EXPECT_THAT(page, HasSubstr("\"><title>" + start + std::string(last) + ": "));
  }
  EXPECT_THAT(page, HasSubstr("\nb: offset_sd = 2 uA instead of 1 uA</title>"));
  EXPECT_THAT(page, HasSubstr("<title>" + start + " one</title>on the macro"));  // in the legend
  // Wherever a text ends in an ellipsis or has one, a title comes before it.
  for (std::size_t at = page.find("\u2026"); at != page.npos; at = page.find("\u2026", at + 1)) {
    if (page.rfind("<text", at) == page.npos) continue;
    EXPECT_GT(page.rfind("</title>", at), page.rfind("<text", at));
  }
}

TEST(ReportWords, ListInTheNumbersWhatEachConditionIs) {
  std::vector<AccuracyCondition> conditions{condition("as configured", 0.86)};
  conditions[0].detail = "a: macro";
  EXPECT_THAT(page_of(conditions), HasSubstr(",upper,what_it_is\nas configured,net,"));
  EXPECT_THAT(page_of(conditions), HasSubstr(",a: macro\n"));
}

TEST(ReportWords, SayWhatTheColoursOfDifferencesMean) {
  std::vector<AccuracyCondition> conditions{condition("as configured", 0.86),
                                            condition("offset_sd 2 uA", 0.82)};
  EXPECT_THAT(page_of(conditions), HasSubstr(">on the macro \u2212 exact integers</text>"));
  EXPECT_THAT(page_of(conditions), Not(HasSubstr("first condition (")));
  conditions[1].against_first = {-0.04, -0.05, -0.03};
  EXPECT_THAT(page_of(conditions),
              HasSubstr("on the macro \u2212 first condition (as configured)</text>"));
  EXPECT_THAT(page_of(conditions), Not(HasSubstr("another error table")));
  conditions[1].same_table = false;
  EXPECT_THAT(page_of(conditions),
              HasSubstr("1 of the 2 conditions was made with another error table than that of"));
}

TEST(ReportWords, CallAComputedErrorArithmeticAndASampledOneAnInterval) {
  const std::string computed =
      page_of({{0, 0.25, 0.25 - 2e-13, 0.25 + 2e-13, MisreadBasis::computed}});
  EXPECT_THAT(
      computed,
      HasSubstr(
          "arithmetic error at most 2 \u00d7 10\u207b\u00b9\u00b3 (computed, not sampled)</b>"));
  const std::string sampled = page_of({{0, 0.25, 0.2, 0.3, MisreadBasis::sampled}});
  EXPECT_THAT(sampled, HasSubstr("<b>95 % intervals</b>"));
  EXPECT_THAT(sampled, Not(HasSubstr("not sampled)")));
}

TEST(ReportWords, SayForEachMarginHowManyRowsMayBeActive) {
  const std::string page = render_report(example(9, 10));
  for (const char* words :
       {">input-aware, 3 sigma, exactly n rows</text>", ">pattern, 3 sigma, up to n rows</text>",
        "<title>pattern, 3 sigma, up to 2 active rows: ",
        "<title>input-aware, 3 sigma, exactly 1 active row: ",
        "pattern margin<small>\u00b5A, up to 9 rows</small>",
        "input-aware margin<small>\u00b5A, exactly 9 rows</small>"}) {
    EXPECT_THAT(page, HasSubstr(words));
  }
  EXPECT_THAT(page, Not(HasSubstr("margins are the same")));
  ReportInput replica = example(9, 10);
  for (ActiveRowsFigures& figures : replica.by_active_rows) figures.pattern = figures.input_aware;
  EXPECT_THAT(render_report(replica),
              HasSubstr("Here the least input-aware and pattern margins are the same."));
}

TEST(ReportWords, CountOneOfAThingInTheSingular) {
  const std::string page = render_report(example(1, 2));
  EXPECT_THAT(body_of(page), Not(HasSubstr(" 1 active rows")));
  EXPECT_THAT(body_of(page), Not(HasSubstr(">1 active rows")));
  EXPECT_THAT(page, HasSubstr("with 1 active row"));
  EXPECT_THAT(page_of({{0, 0.25, 0.2, 0.3, MisreadBasis::sampled}}),
              HasSubstr("Numbers: misread rates (1 line)"));
}

TEST(ReportPictures, ScrollWhereTheScreenIsNarrow) {
  for (const std::uint32_t rows : {9U, 64U}) {
    const std::string body = body_of(render_report(example(rows, rows + 1)));
    for (std::size_t at = body.find("<svg"); at != body.npos; at = body.find("<svg", at + 1)) {
      const std::size_t frame = body.rfind("<div", at);
      EXPECT_TRUE(body.substr(frame).starts_with("<div class=\"plot\"") ||
                  body.substr(frame).starts_with("<div class=\"map\""))
          << body.substr(frame, 60);
    }
  }
}

}  // namespace
}  // namespace cimstat::experiments
