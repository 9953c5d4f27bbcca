#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/report/page.h"
#include "tests/experiments/report_samples.h"

namespace cimstat::experiments {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(XmlChecker, FindsFaults) {
  EXPECT_EQ(fault_of("<a b=\"c\"><d/>x &amp; y</a>"), "");
  EXPECT_NE(fault_of("<a><b></a></b>"), "");
  EXPECT_NE(fault_of("<a>"), "");
  EXPECT_NE(fault_of("<a>x & y</a>"), "");
  EXPECT_NE(fault_of("<a b=\"<\"/>"), "");
  EXPECT_NE(fault_of("<a b=\"c/>"), "");
}

TEST(Report, HoldsEverySectionAndWellFormedPictures) {
  for (const auto& [rows, codes] : {std::pair(9u, 10u), std::pair(128u, 64u)}) {
    const std::string page = render_report(example(rows, codes));
    EXPECT_THAT(page, StartsWith("<!DOCTYPE html>"));
    EXPECT_THAT(page, EndsWith("</html>\n"));
    for (const char* name : {"distributions", "margins", "confusion", "misread", "misread-rows",
                             "accuracy", "table", "provenance", "cite", "config"}) {
      EXPECT_THAT(page, HasSubstr(std::string("<section class=\"").append(name).append("\"")));
    }
    EXPECT_EQ(fault_of(body_of(page)), "");
    const std::vector<std::string> pictures = pictures_of(page);
    EXPECT_EQ(pictures.size(), rows == 9 ? 9u : 10u);
    for (const std::string& picture : pictures) {
      EXPECT_EQ(fault_of(picture), "");
      EXPECT_THAT(picture, Not(HasSubstr("nan")));
      EXPECT_THAT(picture, Not(HasSubstr("inf ")));
    }
  }
}

TEST(Report, LeavesOutSectionsWithoutData) {
  ReportInput bare;
  bare.title = "Nothing yet";
  const std::string page = render_report(bare);
  EXPECT_THAT(page, HasSubstr("<h1>Nothing yet</h1>"));
  EXPECT_THAT(page, Not(HasSubstr("<section")));
  EXPECT_TRUE(pictures_of(page).empty());

  ReportInput accuracy_only = bare;
  accuracy_only.accuracy = {condition("alone", 0.9)};
  EXPECT_EQ(count_of(render_report(accuracy_only), "<section"), 1u);
}

TEST(Report, FetchesNothingAndAllowsOnlyItsOwnStyleAndScript) {
  const std::string page = render_report(example(9, 10));
  for (const char* fetch : {"http://", "https://", "src=", "@import", "href=\"/", "url(//",
                            "fetch(", "style=\"", " onclick", " onload"}) {
    // The namespace of SVG is a name, not an address.
    const std::size_t at = page.find(fetch);
    EXPECT_TRUE(at == page.npos || page.substr(at).starts_with("http://www.w3.org/2000/svg"))
        << fetch;
  }
  EXPECT_EQ(count_of(page, "<script"), 1u);
  EXPECT_EQ(count_of(page, "<style"), 1u);
  EXPECT_THAT(page, HasSubstr("content=\"default-src 'none'; style-src 'sha256-"));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(page, HasSubstr("@media print"));
}

TEST(Report, EscapesHostileTexts) {
  const std::string attack = "</title><script>alert(1)</script>\"'&\x01";
  ReportInput input = example(9, 10);
  input.title = attack;
  input.modelled = input.provenance = {{attack, attack}};
  input.program = input.content_hash = input.how_sure = attack;
  input.config_toml = attack;
  for (LevelDistribution& level : input.distributions) level.label = attack;
  for (AccuracyCondition& one : input.accuracy) one.label = one.network = one.data_set = attack;
  const std::string page = render_report(input);
  EXPECT_EQ(count_of(page, "<script"), 1u);
  EXPECT_EQ(count_of(page, "</title><script"), 0u);
  EXPECT_EQ(page.find('\x01'), page.npos);
  EXPECT_EQ(fault_of(body_of(page)), "");
}

TEST(Report, IsTheSameBytesForTheSameInput) {
  EXPECT_EQ(render_report(example(9, 10)), render_report(example(9, 10)));
}

TEST(Report, StaysBelowTwoMegabytesHoweverLargeTheMap) {
  for (const std::uint32_t side : {129u, 600u}) {
    ReportInput input = example(128, 129);
    input.confusion = {side,
                       side,
                       std::vector<double>(std::size_t{side} * side, 1.0 / side),
                       std::vector<std::uint32_t>(side, 0),
                       {},
                       {},
                       {}};
    const std::string page = render_report(input);
    EXPECT_LT(page.size(), 2'000'000u) << side;
    const bool together = page.find("Neighbouring cells are taken together") != page.npos;
    EXPECT_EQ(together, side == 600u);
  }
}

TEST(Report, AddsCodesAndAveragesLevelsWhereCellsAreTakenTogether) {
  ConfusionMap map{
      260, 260, std::vector<double>(260 * 260, 0.0), std::vector<std::uint32_t>(260, 0), {},
      {},  {}};
  for (std::uint32_t level = 0; level < 260; ++level) {
    map.probability[level * 260 + level] = 0.75;
    map.probability[level * 260 + (level + 2) % 260] = 0.25;
  }
  ReportInput input;
  input.confusion = map;
  const std::string page = render_report(input);
  EXPECT_THAT(page, HasSubstr("\n4,4,0.75\n"));
  EXPECT_THAT(page, HasSubstr("\n4,6,0.25\n"));
}

TEST(Report, NamesEachReferenceLevelAndOverlapOnHover) {
  const std::string page = render_report(example(9, 10));
  EXPECT_THAT(page, HasSubstr("<title>overlap 9: "));
  EXPECT_THAT(page, HasSubstr("<title>reference 0: 15 µA</title>"));
  EXPECT_THAT(page, HasSubstr("<title>MAC value 3: peak at 90 µA</title>"));
}

TEST(Report, RefusesLengthsThatContradictEachOther) {
  ReportInput input = example(9, 10);
  input.distributions[0].density.pop_back();
  EXPECT_THROW(render_report(input), std::invalid_argument);
  input = example(9, 10);
  input.confusion.probability.pop_back();
  EXPECT_THROW(render_report(input), std::invalid_argument);
  input = example(9, 10);
  input.confusion.ideal.pop_back();
  EXPECT_THROW(render_report(input), std::invalid_argument);
}

TEST(Report, SurvivesOneLevelOneCodeAndEmptyCurves) {
  ReportInput input;
  input.distributions = {{"0", 0, {}, {}}, {"1", 1, {1e-6}, {1e6}}};
  input.references = {1e-6};
  input.confusion = {1, 1, {1.0}, {0}, {}, {}, {}};
  input.misread = {{0, 0.5, 0.4, 0.6, MisreadBasis::sampled}};
  input.margins = {{0, 1e-6, 0.0, 1e-6, 1e-6, kNone, kNone, kNone, kNone, {}}};
  const std::string page = render_report(input);
  for (const std::string& picture : pictures_of(page)) {
    EXPECT_EQ(fault_of(picture), "");
    EXPECT_THAT(picture, Not(HasSubstr("nan")));
  }
}

}  // namespace
}  // namespace cimstat::experiments
