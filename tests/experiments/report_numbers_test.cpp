#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/report/numbers.h"
#include "experiments/report/provenance.h"
#include "tests/experiments/report_samples.h"

namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

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

}  // namespace
}  // namespace cimstat::experiments
