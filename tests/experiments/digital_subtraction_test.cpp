#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/experiment.h"
#include "experiments/macro/macro_text.h"
#include "experiments/margin/margin.h"
#include "experiments/report_input.h"
#include "experiments/seeing/comparison_text.h"
#include "experiments/seeing/table_csv.h"
#include "experiments/seeing/table_summary.h"
#include "experiments/table/table_file.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::HasSubstr;
using testing::Not;

using Overrides = std::vector<std::string>;

constexpr const char* rram = R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.08
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 5
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "2 uA"
[table]
trials = 3000
)";

constexpr const char* capacitors = R"(
[cell]
model = "unit_capacitor"
capacitance = "1 fF"
relative_sd = "3 %"
[column]
rows = 6
read_voltage = "0.9 V"
[bit_line]
kind = "charge_sharing"
[sense_amplifier]
noise_voltage_sd = "40 mV"
[table]
trials = 3000
)";

Experiment read(const char* macro, const Overrides& overrides) {
  return read_experiment(core::Config::from_text(macro, "d.toml", overrides));
}

Overrides digital(const std::string& form, const Overrides& more = {}) {
  Overrides overrides = {"mapping.weights=" + form, "mapping.subtraction=digital"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return overrides;
}

std::string refusal(const char* macro, const Overrides& overrides) {
  try {
    const Experiment experiment = read(macro, overrides);
    check_table(experiment, experiment.classes());
  } catch (const core::UsageError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}

ChosenTable make(const Experiment& asked) { return make_table(asked, asked.classes(), {1}); }

TEST(DigitalSubtraction, GivesTablesThatAreReadBack) {
  const tests::TemporaryFolder folder;
  for (const char* method : {"table.method=exact", "table.method=monte_carlo"}) {
    for (const char* classes : {"table.classes=all", "table.classes=typical"}) {
      for (const char* form : {"differential", "complementary", "dummy_column", "unit_column"}) {
        const Experiment asked = read(rram, digital(form, {method, classes}));
        const ChosenTable chosen = make(asked);
        EXPECT_EQ(chosen.table.codes, 11U);
        write_table(asked, chosen, folder / "t.h5");
        const TableRecord record = read_table(folder / "t.h5");
        EXPECT_EQ(record.table.classes, chosen.table.classes);
        EXPECT_EQ(record.table.probability, chosen.table.probability);
        EXPECT_EQ(record.table.counts, chosen.table.counts);
        EXPECT_EQ(record.table.ideal_code, chosen.table.ideal_code);
        EXPECT_EQ(record.reason, chosen.reason);
      }
    }
  }
}

// Of binary cells each column is a binary one, whatever its line: the table of a pair is made of
// that of `weights = "single"`.
TEST(DigitalSubtraction, MakesATableOfThatOfOneColumn) {
  const Overrides noise = {"sense_amplifier.noise_sd=0", "sense_amplifier.noise_voltage_sd=30e-3"};
  const auto with = [&](Overrides more) {
    more.insert(more.end(), noise.begin(), noise.end());
    return more;
  };
  const std::vector<std::pair<const char*, Overrides>> macros = {
      {rram, {}},
      {rram, {"converter.references=replica", "column.rows=4"}},
      {rram, {"sense_amplifier.gain_sd=0.1"}},
      {rram, {"bit_line.kind=compression", "bit_line.knee=1e-4"}},
      {rram, with({"bit_line.kind=discharge", "bit_line.precharge=0.8",
                   "bit_line.capacitance=60e-15", "bit_line.time=1e-9"})},
      {capacitors, {}},
      {capacitors, {"cell.relative_sd=0"}}};
  for (const auto& [macro, overrides] : macros) {
    const ChosenTable single = make(read(macro, overrides));
    ASSERT_EQ(single.table.method, circuits::TableMethod::exact);
    const Experiment asked = read(macro, digital("complementary", overrides));
    const ChosenTable pair = make(asked);
    ASSERT_EQ(pair.table.method, circuits::TableMethod::exact);
    const auto codes = static_cast<std::ptrdiff_t>(single.table.codes);
    ASSERT_EQ(pair.table.codes, 2U * single.table.codes - 1U);
    for (std::size_t i = 0; i < pair.table.size(); ++i) {
      const circuits::ColumnClass& one = pair.table.classes[i];
      const std::uint32_t n = one.active_rows;
      const double* p1 = single.table.row(*single.table.find({one.states[1], n}));
      const double* p2 = single.table.row(*single.table.find({one.states[0], n}));
      for (std::ptrdiff_t d = 1 - codes; d < codes; ++d) {
        double expected = 0.0;
        for (std::ptrdiff_t c1 = std::max<std::ptrdiff_t>(0, d); c1 < std::min(codes, codes + d);
             ++c1) {
          expected += p1[c1] * p2[c1 - d];
        }
        EXPECT_NEAR(pair.table.row(i)[static_cast<std::size_t>(d + codes - 1)], expected, 1e-12);
      }
    }
  }
}

TEST(DigitalSubtraction, IsSampledBehindALineThatKnowsEachCell) {
  const Overrides wire = {"bit_line.kind=wire_resistance", "bit_line.segment_resistance=20",
                          "table.trials=60000", "table.active_rows=5"};
  const ChosenTable single = make(read(rram, wire));
  const ChosenTable pair = make(read(rram, digital("differential", wire)));
  ASSERT_EQ(pair.table.method, circuits::TableMethod::monte_carlo);
  const std::size_t codes = single.table.codes;
  double worst = 0.0;
  for (std::size_t i = 0; i < pair.table.size(); ++i) {
    const circuits::ColumnClass& one = pair.table.classes[i];
    const double* p1 = single.table.row(*single.table.find({one.states[2], 5}));
    const double* p2 = single.table.row(*single.table.find({one.states[0], 5}));
    std::vector<double> expected(2 * codes - 1, 0.0);
    for (std::size_t c1 = 0; c1 < codes; ++c1) {
      for (std::size_t c2 = 0; c2 < codes; ++c2) {
        expected[c1 + codes - 1 - c2] += p1[c1] * p2[c2];
      }
    }
    for (std::size_t d = 0; d < expected.size(); ++d) {
      const double p = expected[d];
      if (p * 60'000 < 20.0 || (1.0 - p) * 60'000 < 20.0) continue;
      // Both of the expected and of the counts: as three of 60,000 trials.
      const double sd = std::sqrt(3.0 * p * (1.0 - p) / 60'000);
      worst = std::max(worst, std::abs(pair.table.row(i)[d] - p) / sd);
    }
  }
  EXPECT_LT(worst, 4.5);
  EXPECT_GT(worst, 0.5);
}

TEST(DigitalSubtraction, PlacesReferencesForOneColumn) {
  for (const char* references : {"midpoint", "replica", "dual"}) {
    const std::string key = std::string("converter.references=") + references;
    const Experiment single = read(rram, {key});
    const Experiment pair = read(rram, digital("differential", {key}));
    EXPECT_EQ(pair.macro.design.ladder.references, single.macro.design.ladder.references);
  }
  const std::string text = aligned_text(macro_lines(read(rram, digital("differential")).macro));
  EXPECT_THAT(text, HasSubstr("differential, 2 levels a cell, 3 states a row"));
  EXPECT_THAT(text, HasSubstr("codes of two columns subtracted"));
  EXPECT_THAT(text, HasSubstr("6 codes, midpoint references"));
  EXPECT_THAT(aligned_text(macro_lines(read(rram, digital("dummy_column")).macro)),
              HasSubstr(", beside a dummy column"));
  // Analog is what it is without the key.
  const Overrides analog = {"mapping.weights=differential", "mapping.subtraction=analog"};
  EXPECT_EQ(make(read(rram, analog)).table.probability,
            make(read(rram, {"mapping.weights=differential"})).table.probability);
}

TEST(DigitalSubtraction, IsShownAndCompared) {
  const tests::TemporaryFolder folder;
  const auto record = [&](const Overrides& more) {
    const Experiment asked = read(rram, digital("differential", more));
    write_table(asked, make(asked), folder / "t.h5");
    return read_table(folder / "t.h5");
  };
  const Overrides two = {"table.active_rows=2"};
  const TableRecord exact = record(two);
  EXPECT_EQ(exact.table.label(0), "-2");
  EXPECT_THAT(levels_as_csv(exact, {}, {}), HasSubstr("\n2,0,1,0,1,5,"));
  EXPECT_THAT(format_levels(exact, 2, {}, TextStyle{}), HasSubstr("\n0 (0 2 0)  "));
  EXPECT_THAT(exact.reason, HasSubstr("codes of two columns, independent of each other"));
  const TableRecord sampled = record({"table.active_rows=2", "table.method=monte_carlo"});
  EXPECT_FALSE(compare_tables(exact.table, sampled.table, 0.001, 0.95).differ());
  const TableRecord other = record({"table.active_rows=2", "cell.lrs.sigma=0.3"});
  EXPECT_TRUE(compare_tables(other.table, sampled.table, 0.001, 0.95).differ());
  EXPECT_THROW(require_binary_table(exact, "t.h5"), core::UsageError);  // accuracy
}

TEST(DigitalSubtraction, HasAReportWithoutWhatOneConverterSees) {
  const tests::TemporaryFolder folder;
  const Experiment asked =
      read(rram, digital("complementary", {"table.method=monte_carlo", "name=pairs"}));
  write_table(asked, make(asked), folder / "t.h5");
  const ReportInput input = report_input(read_table(folder / "t.h5"), {}, 5, {}, {1});
  EXPECT_TRUE(input.distributions.empty() && input.margins.empty() && !input.before);
  EXPECT_EQ(input.misread.size(), 6U);
  EXPECT_EQ(input.by_active_rows.size(), 5U);
  EXPECT_EQ(input.confusion.codes, 11U);
  EXPECT_EQ(input.trials, 3000U);
  const std::string page = render_report(input);
  EXPECT_THAT(page, HasSubstr("Which code each MAC value gives"));
  EXPECT_THAT(page, HasSubstr("Misreads against active rows"));
  EXPECT_THAT(page, HasSubstr("Codes are differences of the codes of two columns."));
  EXPECT_THAT(page, Not(HasSubstr("Read margin against active rows")));
  EXPECT_THAT(page, Not(HasSubstr("Pattern margins")));
}

TEST(DigitalSubtraction, RefusesInOneLineWhatMakesNoSense) {
  EXPECT_EQ(refusal(rram, digital("differential")), "accepted");
  EXPECT_THAT(refusal(rram, {"mapping.subtraction=digital"}),
              HasSubstr("mapping.subtraction: there is nothing to subtract (weights = \"single\" "
                        "has one column)"));
  EXPECT_THAT(refusal(rram, {"mapping.weights=differential", "mapping.subtraction=numeric"}),
              HasSubstr("subtraction"));
  EXPECT_THAT(refusal(rram, digital("differential", {"column.common_factor_sd=0.1"})),
              HasSubstr("mapping.subtraction: \"digital\" can't be had with a common factor"));
  EXPECT_THAT(refusal(rram, digital("differential", {"spatial_field.relative_sd=0.1",
                                                     "spatial_field.correlation_length=5e-6"})),
              HasSubstr("mapping.subtraction"));
  EXPECT_THAT(refusal(rram, digital("differential", {"table.method=monte_carlo",
                                                     "table.target_relative_error=0.1"})),
              HasSubstr("table.target_relative_error: has no place beside"));
  EXPECT_THAT(refusal(rram, digital("differential", {"mapping.input_steps=8"})),
              HasSubstr("states of a row"));
  EXPECT_THAT(refusal(rram, digital("differential",
                                    {"mapping.input_steps=3", "bit_line.kind=wire_resistance",
                                     "bit_line.segment_resistance=1"})),
              HasSubstr("bit_line.kind: has no place beside this mapping"));
  EXPECT_THAT(refusal(rram, {"mapping.weights=differential", "bit_line.kind=compression",
                             "bit_line.knee=1e-3"}),
              HasSubstr("mapping.subtraction = \"digital\""));
  EXPECT_THAT(refusal(capacitors, digital("dummy_column")),
              HasSubstr("mapping.subtraction: \"digital\" has no dummy column here (capacitors"));
  EXPECT_THAT(
      refusal(rram, digital("differential", {"converter.references=uniform", "converter.codes=4096",
                                             "column.rows=200", "table.classes=typical"})),
      HasSubstr("classes x 8191 codes are more entries than a table may have"));
  const Experiment pair = read(rram, digital("differential"));
  EXPECT_THROW(measure_margins(pair, {1}), core::UsageError);
  EXPECT_THROW(circuits::require_binary(pair.macro.design, "the spread"), core::UsageError);
}

TEST(DigitalSubtraction, TablesAreRefusedWhenDamagedAndNeverCrash) {
  const tests::TemporaryFolder folder;
  const Experiment asked = read(rram, digital("complementary", {"table.method=monte_carlo"}));
  const ChosenTable chosen = make(asked);
  write_table(asked, chosen, folder / "t.h5");
  std::ifstream stream(folder / "t.h5", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)),
                          std::istreambuf_iterator<char>());
  for (std::size_t place = 7; place < whole.size(); place += 503) {
    std::string bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ 0x10);
    std::ofstream(folder / "d.h5", std::ios::binary) << bytes;
    try {
      EXPECT_EQ(read_table(folder / "d.h5").table.counts, chosen.table.counts);
    } catch (const core::DataError&) {
    }
  }
}

}  // namespace
}  // namespace cimstat::experiments
