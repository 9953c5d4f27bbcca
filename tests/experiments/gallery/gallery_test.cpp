#include "experiments/gallery/gallery.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Gallery, EntriesHaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const GalleryEntry& entry : gallery_entries()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_EQ(entry.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"),
              std::string::npos)
        << entry.name;
  }
}

TEST(Gallery, EveryModelAndEveryPresetOfTheCellSectionHasAnEntry) {
  for (const core::Variant& variant : devices::cell_section().variants) {
    // Throws where there is none: add one in experiments/gallery/entries_<family>.cpp.
    const std::vector<GalleryEntry> entries = chosen_entries(variant.name);
    const core::Parameter* preset = core::find(variant.parameters, "preset");
    if (preset == nullptr) continue;
    for (const core::Choice& choice : std::get<core::ChoiceRule>(preset->rule).choices) {
      const std::string line = "preset = \"" + std::string(choice.name) + "\"\n";
      EXPECT_TRUE(std::any_of(
          entries.begin(), entries.end(),
          [&](const GalleryEntry& entry) { return entry.cell.find(line) != line.npos; }))
          << "no entry shows preset " << choice.name << " of model " << variant.name;
    }
  }
}

class EachEntry : public testing::TestWithParam<std::size_t> {};

std::string name_of(const testing::TestParamInfo<std::size_t>& entry) {
  std::string name = gallery_entries()[entry.param].name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Gallery, EachEntry,
                         testing::Range<std::size_t>(0, gallery_entries().size()), name_of);

void expect_moments_and_quantiles(const GalleryReading& reading) {
  EXPECT_TRUE(std::isfinite(reading.mean));
  EXPECT_TRUE(std::isfinite(reading.sd) && reading.sd >= 0.0);
  const auto& quantiles = reading.quantiles;
  for (const double quantile : quantiles) EXPECT_TRUE(std::isfinite(quantile));
  EXPECT_TRUE(std::is_sorted(quantiles.begin(), quantiles.end()));
  // |mean - median| <= sd holds for every law.
  EXPECT_LE(std::abs(quantiles[quantiles.size() / 2] - reading.mean),
            reading.sd * (1.0 + 1e-9) + 1e-12 * std::abs(reading.mean));
}

TEST_P(EachEntry, HasMomentsQuantilesAndTheNumbersThatArePublished) {
  const GalleryEntry& entry = gallery_entries()[GetParam()];
  ASSERT_FALSE(entry.times.empty());
  EXPECT_TRUE(std::is_sorted(entry.times.begin(), entry.times.end()));
  const GalleryCell cell = make_gallery_cell(entry);
  EXPECT_FALSE(cell.title.empty());
  ASSERT_GE(cell.levels.size(), 2U);
  for (const GalleryLevel& level : cell.levels) {
    ASSERT_EQ(level.readings.size(), entry.times.size());
    for (const GalleryReading& reading : level.readings) {
      SCOPED_TRACE("level " + std::to_string(level.level) + " at " + time_text(reading.time));
      expect_moments_and_quantiles(reading);
    }
  }
  if (entry.times.size() > 1) {
    const std::vector<GalleryReading>& readings = cell.levels.back().readings;
    EXPECT_NE(readings.front().sd, readings.back().sd) << "time changes nothing";
  }
  for (const GalleryComparison& comparison : cell.comparisons) {
    EXPECT_TRUE(comparison.agrees())
        << comparison.number.what << ": printed " << comparison.number.printed << ", here "
        << comparison.here_text();
    EXPECT_FALSE(comparison.number.source.empty()) << comparison.number.what;
    EXPECT_EQ(comparison.number.tolerance.empty(), comparison.number.why.empty())
        << comparison.number.what << ": a tolerance of its own needs a reason";
  }
}

/// The biased twin of the agreement: a number of which one digit is wrong.
TEST(Gallery, ANumberThatIsOneDigitOffDisagrees) {
  GalleryEntry entry = chosen_entries("rram").front();
  const auto agrees = [&](const std::string& printed, const std::string& tolerance) {
    entry.published = {{"sigma of level 1", printed, core::Quantity::ratio, sigma_of(1), "a test",
                        Evidence::unverified, tolerance}};
    return make_gallery_cell(entry).comparisons.front().agrees();
  };
  EXPECT_TRUE(agrees("0.18", ""));
  EXPECT_TRUE(agrees("0.180", ""));
  EXPECT_FALSE(agrees("0.19", ""));
  EXPECT_FALSE(agrees("0.181", ""));
  EXPECT_TRUE(agrees("0.181", "0.002"));
  EXPECT_TRUE(agrees("18 %", ""));
}

TEST(Gallery, QuantilesAndMomentsAreThoseOfTheLaw) {
  const GalleryCell cell = make_gallery_cell(chosen_entries("rram").front());
  const GalleryReading& lrs = cell.levels.back().readings.front();
  const double median = 400e-6;
  const double sigma = 0.18;
  for (std::size_t i = 0; i < gallery_scores.size(); ++i) {
    const double expected = median * std::exp(sigma * gallery_scores[i]);
    EXPECT_NEAR(lrs.quantiles[i], expected, 1e-10 * expected);
  }
  const double mean = median * std::exp(0.5 * sigma * sigma);
  EXPECT_NEAR(lrs.mean, mean, 1e-12 * mean);
  EXPECT_NEAR(lrs.sd, mean * std::sqrt(std::expm1(sigma * sigma)), 1e-12 * mean);
}

TEST(Gallery, NamesChooseAModelOrAnEntry) {
  EXPECT_EQ(chosen_entries("").size(), gallery_entries().size());
  EXPECT_EQ(chosen_entries("rram-transistor-faults").size(), 1U);
  EXPECT_GE(chosen_entries("rram").size(), 2U);
  try {
    chosen_entries("rarm");
    FAIL() << "took a name that is none";
  } catch (const core::UsageError& error) {
    EXPECT_EQ(std::string(error.what()),
              "--model rarm: is no model and no entry of the gallery; did you mean rram?");
  }
}

/// One without and one with times and flags.
std::vector<GalleryCell> some_cells() {
  std::vector<GalleryCell> cells;
  for (const char* name : {"rram", "pcm-joshi", "unit-capacitor-tripathi-1-2ff"}) {
    cells.push_back(make_gallery_cell(chosen_entries(name).front()));
  }
  return cells;
}

TEST(Gallery, PageHoldsEveryEntryWithItsConfigurationAndFlags) {
  const std::vector<GalleryCell> cells = some_cells();
  const std::string page = render_gallery(cells);
  for (const GalleryCell& cell : cells) {
    EXPECT_THAT(page, HasSubstr("<article id=\"" + cell.entry.name + "\">"));
    EXPECT_THAT(page, HasSubstr("<pre id=\"configuration-" + cell.entry.name + "\">[cell]\nmodel"));
    EXPECT_THAT(page, HasSubstr("<pre id=\"csv-gallery-" + cell.entry.name + "\">level,"));
  }
  const auto holds = [&](const char* text) { return page.find(text) != page.npos; };
  EXPECT_TRUE(holds("default-src 'none'"));
  EXPECT_TRUE(holds("<small>unverified</small>"));
  EXPECT_TRUE(holds("time = 31536000  # 1 year"));
  for (const char* absent : {"class=\"worst\"", " src=", "href=\"http", ">nan", "\"nan"}) {
    EXPECT_FALSE(holds(absent)) << absent;
  }
}

TEST(Gallery, ADisagreementStandsOutOnThePageAndInTheText) {
  GalleryEntry entry = chosen_entries("rram").front();
  entry.published = {{"sigma of level 1", "0.25", core::Quantity::ratio, sigma_of(1), "a test"}};
  const std::vector<GalleryCell> cells = {make_gallery_cell(entry)};
  EXPECT_THAT(render_gallery(cells), HasSubstr("class=\"worst\""));
  EXPECT_THAT(gallery_as_text(cells), HasSubstr("DISAGREES"));
  EXPECT_THAT(gallery_as_json(cells), HasSubstr("\"agrees\": false"));
}

TEST(Gallery, TextHasALineForEachOfManyEntriesAndAllOfAFew) {
  std::vector<GalleryCell> cells = some_cells();
  EXPECT_THAT(gallery_as_text(cells), AllOf(HasSubstr("1.066 uS"), HasSubstr("unverified; ")));
  cells.push_back(cells.front());
  const std::string text = gallery_as_text(cells);
  for (const GalleryCell& cell : cells) EXPECT_THAT(text, HasSubstr("\n" + cell.entry.name));
  EXPECT_THAT(text, HasSubstr("1 of 1 agree"));
}

TEST(Gallery, TimesReadAsPeopleSayThem) {
  EXPECT_EQ(time_text(0.0), "at first");
  EXPECT_EQ(time_text(1.0), "1 s");
  EXPECT_EQ(time_text(1800.0), "30 min");
  EXPECT_EQ(time_text(3600.0), "1 h");
  EXPECT_EQ(time_text(86400.0), "1 day");
  EXPECT_EQ(time_text(2.0 * 86400.0), "2 days");
  EXPECT_EQ(time_text(365.0 * 86400.0), "1 year");
}

}  // namespace
}  // namespace cimstat::experiments
