#include "experiments/report/report.h"

#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/report/figures.h"
#include "experiments/report/markup.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"
#include "experiments/report/provenance.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// ---- a checker of XML, just enough for what we write

/// What is wrong with an XML fragment; "" for nothing.
std::string fault_of(std::string_view xml) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < xml.size();) {
    if (xml[at] == '&') {
      const std::size_t end = xml.find(';', at);
      const std::string_view entity = xml.substr(at, end == xml.npos ? 1 : end - at + 1);
      for (const std::string_view known : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
        if (entity == known) at = end + 1;
      }
      if (at <= end - entity.size() + 1 && xml[at] == '&') return "bad entity";
      continue;
    }
    if (xml[at] == '>') return "stray >";
    if (xml[at] != '<') {
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    for (char quote = '\0'; end < xml.size() && (quote != '\0' || xml[end] != '>'); ++end) {
      if (quote != '\0' && xml[end] == '<') return "< in an attribute";
      if (xml[end] == '"') quote = quote == '\0' ? '"' : '\0';
    }
    if (end == xml.size()) return "tag without end";
    const std::string_view tag = xml.substr(at + 1, end - at - 1);
    const std::string name(tag.substr(0, tag.find_first_of(" /", 1)));
    if (tag.front() == '/') {
      if (open.empty() || std::string("/").append(open.back()) != name) return "unbalanced " + name;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    at = end + 1;
  }
  return open.empty() ? "" : "not closed: " + open.back();
}

TEST(XmlChecker, FindsFaults) {
  EXPECT_EQ(fault_of("<a b=\"c\"><d/>x &amp; y</a>"), "");
  EXPECT_NE(fault_of("<a><b></a></b>"), "");
  EXPECT_NE(fault_of("<a>"), "");
  EXPECT_NE(fault_of("<a>x & y</a>"), "");
  EXPECT_NE(fault_of("<a b=\"<\"/>"), "");
  EXPECT_NE(fault_of("<a b=\"c/>"), "");
}

std::vector<std::string> pictures_of(std::string_view page) {
  std::vector<std::string> pictures;
  for (std::size_t at = page.find("<svg"); at != page.npos; at = page.find("<svg", at + 1)) {
    pictures.emplace_back(page.substr(at, page.find("</svg>", at) + 6 - at));
  }
  return pictures;
}

/// What stands between style and script.
std::string body_of(std::string_view page) {
  const std::size_t from = page.find("<body>") + 6;
  return std::string(page.substr(from, page.find("<script>") - from));
}

std::size_t count_of(std::string_view whole, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = whole.find(part); at != whole.npos; at = whole.find(part, at + 1)) ++count;
  return count;
}

// ---- a made-up macro: normal currents, a converter of `codes` even steps

double upper_tail(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }

AccuracyCondition condition(std::string label, double accuracy) {
  return {.label = std::move(label),
          .network = "net",
          .data_set = "images",
          .images = 1000,
          .reads = 2,
          .exact = {0.8831, 0.8767, 0.8893},
          .sampled = {accuracy, accuracy - 0.01, accuracy + 0.01},
          .difference = {accuracy - 0.8831, accuracy - 0.8931, accuracy - 0.8731},
          .these_images = {},
          .against_first = {},
          .same_table = true};
}

ReportInput example(std::uint32_t rows, std::uint32_t codes) {
  ReportInput input;
  input.title = "A made-up macro";
  input.modelled = {{"Column", std::to_string(rows) + " rows"}};
  input.provenance = {{"seed", "1"}, {"content SHA-256", "00ff"}};
  input.program = "cimstat 0.1.0 (0123456789ab)";
  input.content_hash = "00ff";
  input.rows = rows;
  input.active_rows = rows;
  input.config_toml = "seed = 1\n";
  const double step = static_cast<double>(rows) / (codes - 1);
  for (std::uint32_t code = 1; code < codes; ++code) {
    input.references.push_back(30e-6 * (code - 0.5) * step);
  }
  input.confusion.levels = rows + 1;
  input.confusion.codes = codes;
  for (std::uint32_t level = 0; level <= rows; ++level) {
    const double mean = 30e-6 * level;
    const double sd = 1e-6 * (1.0 + 0.5 * level);
    LevelDistribution distribution{std::to_string(level), level, {}, {}};
    for (int index = -200; index <= 200; ++index) {
      const double z = 0.04 * index;
      distribution.current.push_back(mean + z * sd);
      distribution.density.push_back(std::exp(-0.5 * z * z) /
                                     (sd * std::sqrt(8.0 * std::atan(1.0))));
    }
    input.distributions.push_back(distribution);
    const auto ideal = static_cast<std::uint32_t>(std::lround(level / step));
    input.confusion.ideal.push_back(ideal);
    double misread = 0.0;
    for (std::uint32_t code = 0; code < codes; ++code) {
      const double below = code == 0 ? -1e3 : (input.references[code - 1] - mean) / sd;
      const double above = code + 1 == codes ? 1e3 : (input.references[code] - mean) / sd;
      const double probability = upper_tail(below) - upper_tail(above);
      input.confusion.probability.push_back(probability);
      if (code != ideal) misread += probability;
    }
    const MisreadPoint point{level, misread, 0.9 * misread, 1.1 * misread,
                             misread < 1e-9 ? MisreadBasis::none_seen : MisreadBasis::sampled};
    input.misread.push_back(point);
    const double margin = level == rows ? kNone : 30e-6 - 6.0 * sd;
    input.margins.push_back({level, mean, sd, mean - 3.0 * sd, mean + 3.0 * sd, margin, margin,
                             margin, level == rows ? kNone : 2.0 * upper_tail(15e-6 / sd), point});
  }
  for (std::uint32_t active = 1; active <= rows; ++active) {
    ActiveRowsFigures figures;
    figures.active_rows = active;
    figures.misread.assign(input.misread.begin(), input.misread.begin() + active + 1);
    figures.input_aware = {30e-6 - 6e-6 * active, active - 1};
    figures.pattern = {20e-6 - 6e-6 * active, active - 1};
    if (active % 2 == 1) figures.quantile = {25e-6 - 6e-6 * active, active - 1};
    input.by_active_rows.push_back(figures);
  }
  input.accuracy = {condition("sigma = 0.05", 0.86), condition("sigma = 0.1", 0.82)};
  input.accuracy.back().against_first = {-0.04, -0.05, -0.03};
  return input;
}

// ---- texts

TEST(ReportMarkup, EscapesMarkupControlCharactersAndBadBytes) {
  EXPECT_EQ(report::escaped("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(report::escaped(std::string_view("a\0b\x1b\x7f\xff"
                                             "\xe2\x82",
                                             8)),
            "a\uFFFD"
            "b\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(report::escaped("6 k\u03a9\n"), "6 k\u03a9\n");
}

TEST(ReportMarkup, WritesNumbersForReaders) {
  EXPECT_EQ(report::number_text(0.0), "0");
  EXPECT_EQ(report::number_text(-27.94), "\u221227.9");
  EXPECT_EQ(report::number_text(0.5), "0.5");
  EXPECT_EQ(report::number_text(123456.0), "123456");
  EXPECT_EQ(report::number_text(3.2e-5), "3.2 × 10⁻⁵");
  EXPECT_EQ(report::number_text(1e-12), "10⁻¹²");
  EXPECT_EQ(report::number_text(-2.5e7), "\u22122.5 × 10⁷");
  EXPECT_EQ(report::number_text(kNone), "–");
  EXPECT_EQ(report::percent_text(0.87314, 2), "87.31 %");
  EXPECT_EQ(report::power_of_ten(-10), "10⁻¹⁰");
  EXPECT_EQ(report::pixels(12.34), "12.3");
  EXPECT_EQ(report::pixels(12.0), "12");
  EXPECT_EQ(report::pixels(-0.01), "0");
}

TEST(ReportMarkup, ChoosesTheUnitThatReadsBest) {
  EXPECT_EQ(report::unit_for(300e-6).name, "µA");
  EXPECT_EQ(report::unit_for(-4e-3).name, "mA");
  EXPECT_EQ(report::unit_for(20e-9).name, "nA");
  EXPECT_EQ(report::unit_for(0.0).name, "pA");
}

TEST(ReportMarkup, WritesIntervalsWithAsManyDigitsAsTellTheirEndsApart) {
  using report::interval_text;
  EXPECT_EQ(interval_text({0, 0.1, 0.05, 0.2, MisreadBasis::sampled}), "0.05 to 0.2");
  EXPECT_EQ(interval_text({0, 0.15, 0.1523, 0.1531, MisreadBasis::sampled}), "0.1523 to 0.1531");
}

TEST(ReportMarkup, SaysWhatAMisreadRateRestsOn) {
  using report::misread_text;
  EXPECT_EQ(misread_text({0, 0.0, 0.0, 3.7e-9, MisreadBasis::none_seen}),
            "none seen (below 3.7 × 10⁻⁹)");
  EXPECT_EQ(misread_text({0, 3.2e-5, 2.9e-5, 3.5e-5, MisreadBasis::sampled}),
            "3.2 × 10⁻⁵ (2.9 × 10⁻⁵ to 3.5 × 10⁻⁵)");
  EXPECT_EQ(misread_text({0, 0.25, 0.25 - 2e-13, 0.25 + 2e-13, MisreadBasis::computed}),
            "0.25 (± 2 × 10⁻¹³)");
  EXPECT_EQ(misread_text({0, 1e-12, 1e-12, 1e-12, MisreadBasis::computed}), "10⁻¹² (exact)");
  EXPECT_EQ(misread_text({0, 1e-20, 0.0, 2e-13, MisreadBasis::computed}),
            "not above 2 × 10⁻¹³ (error bound)");
}

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

// ---- the page

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

// ---- numbers

/// Lines of the CSV text with this name, fields split at commas.
std::vector<std::vector<std::string>> numbers_of(std::string_view page, std::string_view name) {
  const std::string open = "<pre id=\"" + report::numbers_id(name) + "\">";
  const std::size_t from = page.find(open) + open.size();
  std::string_view text = page.substr(from, page.find("</pre>", from) - from);
  std::vector<std::vector<std::string>> lines;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    lines.emplace_back();
    for (;;) {
      lines.back().emplace_back(line.substr(0, line.find(',')));
      if (lines.back().back().size() == line.size()) break;
      line.remove_prefix(lines.back().back().size() + 1);
    }
  }
  return lines;
}

TEST(ReportNumbers, QuoteWhatCsvAsksForAndDisarmFormulas) {
  report::Csv csv{"a", "b", "c"};
  csv.text("x,\"y\"\n").text("=1+1").number(kNone).end_line();
  csv.count(3).number(0.25).number(1e-300).end_line();
  EXPECT_EQ(csv.all(), "a,b,c\n\"x,\"\"y\"\"\n\",\"'=1+1\",\n3,0.25,1e-300\n");
  EXPECT_EQ(csv.lines(), 2u);
}

TEST(ReportNumbers, NameFilesByLettersAndDigits) {
  EXPECT_EQ(report::file_stem("RRAM macro, 128 rows"), "rram-macro-128-rows");
  EXPECT_EQ(report::file_stem("../\"</script>"), "script");
  EXPECT_EQ(report::file_stem("\xff"), "cimstat");
}

TEST(ReportNumbers, AreThoseOfTheInput) {
  const ReportInput input = example(9, 10);
  const std::string page = render_report(input);
  const auto confusion = numbers_of(page, "confusion");
  std::size_t positive = 0;
  for (const double probability : input.confusion.probability) positive += probability > 0.0;
  ASSERT_EQ(confusion.size(), positive + 1);
  for (std::size_t line = 1; line < confusion.size(); ++line) {
    const std::size_t level = std::stoul(confusion[line][0]);
    const std::size_t code = std::stoul(confusion[line][1]);
    const double probability = input.confusion.probability[level * 10 + code];
    EXPECT_NEAR(std::stod(confusion[line][3]), probability, 1e-11 * probability);
    EXPECT_EQ(std::stoi(confusion[line][2]), static_cast<int>(code) - static_cast<int>(level));
  }
  const auto misread = numbers_of(page, "misread");
  ASSERT_EQ(misread.size(), 11u);
  for (std::size_t level = 0; level <= 9; ++level) {
    EXPECT_NEAR(std::stod(misread[level + 1][1]), input.misread[level].rate,
                1e-11 * input.misread[level].rate);
  }
  EXPECT_EQ(numbers_of(page, "misread-rows").size(), 1u + 54u);
  const auto margins = numbers_of(page, "margins");
  ASSERT_EQ(margins.size(), 10u);
  EXPECT_EQ(margins[2], (std::vector<std::string>{"2", "1.8e-05", "1", "8e-06", "1", "", ""}));
}

TEST(ReportNumbers, LeaveOutWhatAnErrorBoundHidesAndSayTheBound) {
  ReportInput input;
  input.confusion = {1, 3, {0.9, 0.1, 1e-15}, {0}, {}, {}, {1e-13}};
  const std::string page = render_report(input);
  EXPECT_EQ(numbers_of(page, "confusion").size(), 3u);
  EXPECT_THAT(page, HasSubstr("data-limits=\"1e-13\""));
  EXPECT_THAT(page, HasSubstr("data-absent=\"below the error bound,\""));
}

TEST(ReportNumbers, OfCodesNeverSeenAreLimits) {
  ReportInput input;
  input.confusion = {1, 2, {1.0, 0.0}, {0}, {0.99, 0.0}, {1.0, 3.7e-3}, {}};
  const std::string page = render_report(input);
  EXPECT_THAT(page, HasSubstr("data-limits=\"0.0037\""));
  EXPECT_THAT(page, HasSubstr("data-absent=\"none seen, below\""));
}

// ---- citing

TEST(ReportCitation, NamesVersionRevisionAndTable) {
  const std::string entry = report::citation_bibtex("cimstat 1.2.3 (0123456789ab)", "00ff");
  EXPECT_THAT(entry, StartsWith("@software{cimstat,\n"));
  EXPECT_THAT(entry, HasSubstr("version = {1.2.3}"));
  EXPECT_THAT(entry, HasSubstr("revision 0123456789ab; error table with content SHA-256 00ff"));
  EXPECT_THAT(report::citation_text("cimstat 1.2.3 (0123456789ab)", ""),
              HasSubstr("version 1.2.3"));
}

TEST(ReportCitation, AgreesWithTheCitationFile) {
  std::ifstream file(CIMSTAT_CITATION);
  const std::string citation{std::istreambuf_iterator<char>(file), {}};
  const std::string text = report::citation_text("", "");
  for (const std::string key : {"title: \"", "  - name: \""}) {
    const std::size_t from = citation.find(key);
    ASSERT_NE(from, citation.npos) << key;
    const std::size_t start = from + key.size();
    EXPECT_THAT(text, HasSubstr(citation.substr(start, citation.find('"', start) - start)));
  }
}

TEST(ReportCitation, TakesNoMarkupFromAForeignFile) {
  const std::string entry = report::citation_bibtex("cimstat 1}, evil = {2 (\\input{x})", "");
  EXPECT_THAT(entry, HasSubstr("version = {1evil2}"));
  EXPECT_THAT(entry, Not(HasSubstr("\\input")));
}

// ---- all active rows

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
