#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/json.h"

#include "experiments/experiment.h"
#include "experiments/macro/macro_text.h"
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

Experiment read(const Overrides& overrides, const std::string& more = {}) {
  return read_experiment(core::Config::from_text(R"(
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
common_factor_sd = 0.0
[sense_amplifier]
noise_sd = "0.5 uA"
[table]
trials = 3000
)" + more,
                                                 "m.toml", overrides));
}

std::string refusal(const Overrides& overrides) {
  try {
    read(overrides);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

ChosenTable make(const Experiment& asked) { return make_table(asked, asked.classes(), {1}); }

std::string text_of(const Experiment& experiment) {
  return aligned_text(macro_lines(experiment.macro));
}

TEST(Mapping, MakesPairsOfBinaryCells) {
  const Experiment experiment = read({"mapping.weights=differential"});
  const circuits::ColumnDesign& design = experiment.macro.design;
  EXPECT_EQ(design.row_states.states.size(), 3U);
  EXPECT_EQ(design.ladder.codes, 11U);
  EXPECT_EQ(design.ladder.code_origin, -5.0);
  EXPECT_EQ(design.ladder.ideal_code(-5), 0U);
  EXPECT_EQ(design.ladder.ideal_code(0), 5U);
  EXPECT_THAT(text_of(experiment), HasSubstr("differential, 2 levels a cell, 3 states a row"));
}

TEST(Mapping, LeavesABinaryColumnAsItIs) {
  const Experiment plain = read({});
  const Experiment mapped = read({"mapping.weights=single", "mapping.input_steps=2"});
  EXPECT_TRUE(mapped.macro.design.row_states.empty());
  EXPECT_EQ(plain.macro.design.ladder.references, mapped.macro.design.ladder.references);
  EXPECT_THAT(plain.config_toml, Not(HasSubstr("mapping")));
  EXPECT_THAT(plain.config_toml, Not(HasSubstr("conditions")));
}

TEST(Mapping, OfADummyColumnIsTheColumnsFlag) {
  const Experiment flag = read({"column.dummy_column=true"});
  const Experiment mapped = read({"mapping.weights=dummy_column"});
  ASSERT_TRUE(flag.macro.design.dummy && mapped.macro.design.dummy);
  EXPECT_EQ(flag.macro.design.dummy->mean(), mapped.macro.design.dummy->mean());
  EXPECT_THAT(refusal({"column.dummy_column=true", "mapping.weights=differential"}),
              HasSubstr("weights: stands beside column.dummy_column"));
}

TEST(Mapping, RefusesWhatDoesNotFit) {
  EXPECT_THAT(refusal({"mapping.weights=differential", "mapping.input_steps=8"}),
              HasSubstr("states of a row (input steps times weights; 16 at the most)"));
  EXPECT_THAT(refusal({"mapping.weights=differential", "converter.references=replica"}),
              HasSubstr("\"replica\" places none here"));
  EXPECT_THAT(refusal({"mapping.weight_bits=0"}), HasSubstr("weight_bits"));
  EXPECT_THAT(
      refusal({"mapping.weights=differential", "bit_line.kind=compression", "bit_line.knee=1e-3"}),
      HasSubstr("bit_line.kind: has no place beside weights that are subtracted (the two columns "
                "have a line each"));
  EXPECT_THAT(refusal({"mapping.input_steps=3", "bit_line.kind=wire_resistance",
                       "bit_line.segment_resistance=1"}),
              HasSubstr("bit_line.kind: has no place beside this mapping (the line "
                        "(wire_resistance) knows cells of two levels"));
  EXPECT_THAT(refusal({"mapping.wieghts=single"}), HasSubstr("weights"));
}

TEST(Mapping, GivesTablesThatAreReadBack) {
  const tests::TemporaryFolder folder;
  for (const char* method : {"table.method=exact", "table.method=monte_carlo"}) {
    for (const char* classes : {"table.classes=all", "table.classes=typical"}) {
      const Experiment asked =
          read({method, classes, "mapping.weights=differential", "mapping.input_steps=3"});
      const ChosenTable chosen = make(asked);
      write_table(asked, chosen, folder / "t.h5");
      const TableRecord record = read_table(folder / "t.h5");
      EXPECT_EQ(record.table.classes, chosen.table.classes);
      EXPECT_EQ(record.table.state_values, chosen.table.state_values);
      EXPECT_EQ(record.table.probability, chosen.table.probability);
      EXPECT_EQ(record.table.counts, chosen.table.counts);
      EXPECT_EQ(record.table.ideal_code, chosen.table.ideal_code);
      EXPECT_EQ(record.reason, chosen.reason);
      EXPECT_EQ(chosen.reason.find("typical classes") != std::string::npos,
                classes == std::string("table.classes=typical"));
    }
  }
}

TEST(Mapping, IsShownByMacValueAndRowsInEachState) {
  const tests::TemporaryFolder folder;
  const Experiment asked = read({"mapping.weights=differential", "table.active_rows=2"});
  write_table(asked, make(asked), folder / "t.h5");
  const TableRecord record = read_table(folder / "t.h5");
  EXPECT_EQ(record.table.label(0), "-2");
  EXPECT_EQ(record.table.label(2), "0 (0 2 0)");
  const std::string csv = levels_as_csv(record, {}, {});
  EXPECT_THAT(csv, HasSubstr("active_rows,mac_value,rows_in_state_0,rows_in_state_1,"
                             "rows_in_state_2,ideal_code,misread"));
  EXPECT_THAT(csv, HasSubstr("\n2,0,1,0,1,5,"));
  const std::string text = format_levels(record, 2, {}, TextStyle{});
  EXPECT_THAT(text, HasSubstr("\n0 (0 2 0)  "));
  EXPECT_THROW(require_binary_table(record, "t.h5"), core::UsageError);  // accuracy
  EXPECT_THROW(require_class(record.table, {.lrs_count = 1, .active_rows = 2}), core::UsageError);
}

/// Readings of four rows of cells drawn one by one: discharged, in volts.
TEST(Mapping, OnADischargedLineAgreesWithCellsDrawnOneByOne) {
  for (const bool is_resistive : {false, true}) {
    const Experiment asked = read(
        {"mapping.input_steps=3", "column.rows=4", "table.active_rows=3",
         "sense_amplifier.noise_sd=0", "sense_amplifier.noise_voltage_sd=20e-3",
         "bit_line.kind=discharge", "bit_line.precharge=0.8", "bit_line.capacitance=60e-15",
         "bit_line.time=1e-9",
         is_resistive ? "bit_line.cells=resistive" : "bit_line.channel_length_modulation=0.2"});
    const circuits::ColumnDesign& design = asked.macro.design;
    ASSERT_EQ(design.row_states.states.size(), 4U);  // 0 0 1 2
    EXPECT_EQ(design.ladder.codes, 4U * 2U + 1U);
    const ChosenTable exact = make(asked);
    ASSERT_EQ(exact.table.method, circuits::TableMethod::exact);
    const std::size_t i = exact.table.size() / 2;  // of many states
    constexpr int trials = 60'000;
    std::mt19937_64 random(3);
    std::uniform_real_distribution<double> uniform(1e-300, 1.0);
    std::normal_distribution<double> noise(0.0, 20e-3);
    std::vector<double> counts(exact.table.codes, 0.0);
    for (int trial = 0; trial < trials; ++trial) {
      double sum = 0.0;
      for (std::size_t state = 0; state < 4; ++state) {
        for (unsigned row = 0; row < exact.table.classes[i].states[state]; ++row) {
          for (const std::uint32_t cell : design.row_states.states[state].cells) {
            sum += design.row_states.laws[cell].quantile(core::Tail::lower, uniform(random));
          }
        }
      }
      const double fall = sum * 1e-9 / 60e-15;
      const double swing = is_resistive ? 0.8 * (1.0 - std::exp(-fall / 0.2))
                                        : (0.8 + 5.0) * (1.0 - std::exp(-0.2 * fall));
      const double sensed = std::min(swing, 0.8) + noise(random);
      std::size_t code = 0;
      while (code + 1 < exact.table.codes && design.ladder.references[code] <= sensed) ++code;
      counts[code] += 1.0;
    }
    int compared = 0;
    for (std::size_t code = 0; code < exact.table.codes; ++code) {
      const double p = exact.table.row(i)[code];
      EXPECT_NEAR(counts[code] / trials, p, 5.0 * std::sqrt(p * (1.0 - p) / trials) + 1e-4) << code;
      if (p > 0.02 && p < 0.98) ++compared;
    }
    EXPECT_GE(compared, 1);
    // And by the sampling engine, all classes.
    Experiment sampled = asked;
    sampled.table.method = Method::monte_carlo;
    sampled.table.trials = 20'000;
    const ChosenTable drawn = make(sampled);
    double worst = 0.0;
    for (std::size_t entry = 0; entry < drawn.table.probability.size(); ++entry) {
      const double p = exact.table.probability[entry];
      if (p * 20'000 < 20.0 || (1.0 - p) * 20'000 < 20.0) continue;
      worst = std::max(
          worst, std::abs(drawn.table.probability[entry] - p) / std::sqrt(p * (1.0 - p) / 20'000));
    }
    EXPECT_LT(worst, 5.0);
    EXPECT_GT(worst, 0.5);
  }
}

TEST(Mapping, MidpointsOnALineLieHalfWayBetweenReadings) {
  const Experiment asked = read({"mapping.input_steps=3", "column.rows=4",
                                 "bit_line.kind=compression", "bit_line.knee=2e-5"});
  const circuits::ColumnDesign& design = asked.macro.design;
  ASSERT_EQ(design.ladder.references.size(), 8U);
  // From all rows in the lowest state, half an input on HRS, to all in the highest.
  const double low = 2.0 * design.hrs.mean();
  const double step = (4.0 * design.lrs.mean() - low) / 8.0;
  const auto reading = [](double sum) { return sum / (1.0 + sum / 2e-5); };
  for (std::size_t j = 0; j < 8; ++j) {
    EXPECT_NEAR(design.ladder.references[j],
                0.5 * (reading(low + double(j) * step) + reading(low + double(j + 1) * step)),
                1e-18);
  }
}

TEST(Mapping, TablesAreComparedByMacValueAndRowsInEachState) {
  const tests::TemporaryFolder folder;
  const auto record = [&](const Overrides& more) {
    Overrides overrides = {"mapping.weights=differential", "table.active_rows=2"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    const Experiment asked = read(overrides);
    write_table(asked, make(asked), folder / "t.h5");
    return read_table(folder / "t.h5");
  };
  const TableRecord exact = record({});
  const TableRecord sampled = record({"table.method=monte_carlo"});
  const TableRecord other = record({"cell.lrs.sigma=0.2"});
  const TableComparison same = compare_tables(exact.table, sampled.table, 0.001, 0.95);
  EXPECT_EQ(same.classes.size(), 6U);
  EXPECT_FALSE(same.differ());
  const TableComparison differs = compare_tables(exact.table, other.table, 0.001, 0.95);
  EXPECT_TRUE(differs.differ());
  const std::string text = format_comparison(exact, other, differs, {});
  EXPECT_THAT(text, HasSubstr("MAC value active"));
  EXPECT_THAT(text, HasSubstr("0 (1 0 1)      2"));
  EXPECT_THAT(core::json_text(comparison_as_json(differs, {})), HasSubstr("\"rows_in_states\""));
  const Experiment single = read({"mapping.input_steps=3", "table.active_rows=2"});
  EXPECT_THROW(compare_tables(exact.table, make(single).table, 0.001, 0.95), core::UsageError);
}

TEST(Mapping, TablesAreRefusedWhenDamagedAndNeverCrash) {
  const tests::TemporaryFolder folder;
  const Experiment asked = read({"mapping.weights=complementary", "table.method=monte_carlo"});
  const ChosenTable chosen = make(asked);
  write_table(asked, chosen, folder / "t.h5");
  std::ifstream stream(folder / "t.h5", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)),
                          std::istreambuf_iterator<char>());
  for (std::size_t place = 11; place < whole.size(); place += 211) {
    std::string bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ 0x04);
    std::ofstream(folder / "d.h5", std::ios::binary) << bytes;
    try {
      EXPECT_EQ(read_table(folder / "d.h5").table.counts, chosen.table.counts);
    } catch (const core::DataError&) {
    }
  }
}

TEST(Mapping, IsRefusedByWhatKnowsLrsCountsOnly) {
  const Experiment asked = read({"mapping.weights=differential"});
  EXPECT_THROW(circuits::require_binary(asked.macro.design, "a margin"), core::UsageError);
  EXPECT_NO_THROW(circuits::require_binary(read({}).macro.design, "a margin"));
}

TEST(Conditions, MoveCurrentsAndReferencesAsTheySay) {
  const double nominal = read({}).macro.design.lrs.mean();
  const Experiment low = read({"conditions.supply=0.9"});
  EXPECT_NEAR(low.macro.design.lrs.mean(), 0.9 * nominal, 1e-12 * nominal);
  EXPECT_NEAR(low.macro.design.ladder.references[2],
              0.9 * read({}).macro.design.ladder.references[2], 1e-18);
  const Experiment left = read({"conditions.supply=0.9", "conditions.references=nominal"});
  EXPECT_EQ(left.macro.design.ladder.references, read({}).macro.design.ladder.references);
  EXPECT_NEAR(left.macro.design.lrs.mean(), 0.9 * nominal, 1e-12 * nominal);
  EXPECT_THAT(text_of(left), HasSubstr("references placed at nominal conditions"));
}

TEST(Conditions, ReferencesOfDriftingCellsFollowAsTheirCompensationSays) {
  const auto references = [](const Overrides& overrides) {
    return read_experiment(core::Config::from_text(R"(
[cell]
model = "pcm"
preset = "ibm"
[column]
rows = 4
read_voltage = "0.2 V"
)",
                                                   "m.toml", overrides))
        .macro.design.ladder.references;
  };
  const std::vector<double> placed = references({"conditions.time=0"});
  const Overrides later = {"conditions.time=3600"};
  const auto at = [&](const char* compensation) {
    return references({later[0], std::string("cell.drift_compensation=") + compensation});
  };
  EXPECT_EQ(at("none"), placed);
  EXPECT_EQ(references({later[0], "conditions.references=nominal"}), placed);
  const std::vector<double> global = at("global");
  const std::vector<double> anew = at("recalibrated");
  for (std::size_t i = 0; i < placed.size(); ++i) {
    EXPECT_LT(global[i], 0.9 * placed[i]);
    EXPECT_NEAR(global[i] / placed[i], global[0] / placed[0], 1e-12);
    EXPECT_NEAR(anew[i] / global[i], 1.0, 0.05);
  }
}

TEST(Conditions, ACornerIsADieWhoseCommonFactorIsKnown) {
  const Overrides random = {"column.common_factor_sd=0.05"};
  const double nominal = read(random).macro.design.lrs.mean();
  const Experiment slow = read({"column.common_factor_sd=0.05", "conditions.corner=-3"});
  EXPECT_NEAR(slow.macro.design.lrs.mean(), 0.85 * nominal, 1e-12 * nominal);
  EXPECT_EQ(slow.macro.design.common_factor_sd, 0.0);
  EXPECT_THAT(refusal({"column.common_factor_sd=0.5", "conditions.corner=-3"}),
              HasSubstr("corner: leaves no current"));
}

}  // namespace
}  // namespace cimstat::experiments
