#include "experiments/report_input.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "circuits/exact/exact_column.h"

#include "experiments/margin/margin.h"
#include "experiments/margin/margin_by_rows.h"

namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;

Experiment lognormal_macro(const std::string& references) {
  return read_experiment(core::Config::from_text(R"(
name = "small"
seed = 7
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.08
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.6
[column]
rows = 6
read_voltage = "0.2 V"
[sense_amplifier]
offset_sd = "0.5 uA"
noise_sd = "0.4 uA"
[converter]
references = ")" + references + "\"\n",
                                                 "small.toml"));
}

TEST(MarginsByRows, AgreeWithThoseOfTheMarginCommandAtEachNumberOfRows) {
  for (const std::string references : {"replica", "midpoint"}) {
    Experiment experiment = lognormal_macro(references);
    const std::vector<std::uint32_t> quantile_rows{2, 5, 6};
    const std::vector<RowsMargins> rows = margins_by_rows(experiment, quantile_rows, {1});
    ASSERT_EQ(rows.size(), 6u);
    for (const RowsMargins& margins : rows) {
      experiment.margin.active_rows = margins.active_rows;
      const MarginResult result = measure_margins(experiment, {1});
      const auto least = std::ranges::min_element(
          result.gaps, [](const auto& a, const auto& b) { return a.input_aware < b.input_aware; });
      EXPECT_DOUBLE_EQ(margins.input_aware.value, least->input_aware);
      EXPECT_EQ(margins.input_aware.level, least->level);
      const auto pattern = std::ranges::min_element(
          result.gaps, [](const auto& a, const auto& b) { return a.pattern < b.pattern; });
      EXPECT_NEAR(margins.pattern.value, pattern->pattern, 1e-9 * std::abs(pattern->pattern));
      if (std::ranges::count(quantile_rows, margins.active_rows) == 0) {
        EXPECT_TRUE(std::isnan(margins.quantile.value));
        continue;
      }
      EXPECT_DOUBLE_EQ(margins.quantile.value, result.gaps[result.worst_gap].quantile);
      EXPECT_EQ(margins.quantile.level, result.gaps[result.worst_gap].level);
    }
    for (std::size_t n = 1; n < 6; ++n) {
      EXPECT_LE(rows[n].pattern.value, rows[n - 1].pattern.value) << "more patterns, less margin";
    }
  }
}

TEST(MarginText, NamesNoWorstLevelWhereNoMisreadIsKnown) {
  Experiment experiment = lognormal_macro("replica");
  experiment.margin.active_rows = 2;
  MarginResult result = measure_margins(experiment, {1});
  EXPECT_THAT(format_margins(experiment, result), HasSubstr("Most misread: level "));
  for (LevelFigures& level : result.levels) {
    level.misread = 1e-20;
    level.misread_interval = {0.0, 2e-13};
  }
  EXPECT_THAT(format_margins(experiment, result),
              HasSubstr("No level is misread more often than the error bound allows: 2.0e-13."));
  result.method = circuits::TableMethod::monte_carlo;
  for (LevelFigures& level : result.levels) level.none_seen = true;
  EXPECT_THAT(format_margins(experiment, result),
              HasSubstr("No misread was seen: each level's rate is below 2.00e-13."));
}

TEST(SensedCurrents, AreTheSameTogetherAsOneAtATime) {
  const Experiment experiment = lognormal_macro("replica");
  const circuits::ColumnDesign& design = experiment.macro.design;
  const std::vector<std::uint32_t> rows{3, 6};
  const std::vector<circuits::ColumnClass> classes = circuits::classes_for(rows);
  const auto together = circuits::sensed_currents(design, classes, {}, {2});
  ASSERT_EQ(together.size(), classes.size());
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const circuits::SensedCurrent alone(design, classes[i], {});
    EXPECT_EQ(together[i].mean(), alone.mean());
    EXPECT_EQ(together[i].error_bound(), alone.error_bound());
    EXPECT_EQ(together[i].quantile(core::Tail::upper, 1e-3),
              alone.quantile(core::Tail::upper, 1e-3));
  }
}

TEST(ReportInput, TakesEveryWholeNumberOfActiveRowsOfTheTable) {
  const Experiment experiment = lognormal_macro("replica");
  const std::vector<std::uint32_t> rows{2, 5};
  const ChosenTable chosen = make_table(experiment, circuits::classes_for(rows), {1});
  const TableRecord record{.table = chosen.table,
                           .name = "small",
                           .config_toml = experiment.table_toml,
                           .reason = chosen.reason,
                           .source = "cimstat 0 (0)",
                           .rng = "philox",
                           .seed = 7,
                           .confidence = 0.95,
                           .content_sha256 = "00"};
  const ReportInput input = report_input(record, {}, 5, {.confidence = record.confidence}, {1});
  EXPECT_EQ(input.by_active_rows.size(), 6u);
  for (const ActiveRowsFigures& figures : input.by_active_rows) {
    const bool tabled = figures.active_rows == 2 || figures.active_rows == 5;
    EXPECT_EQ(figures.misread.size(), tabled ? figures.active_rows + 1 : 0u);
  }
  const auto& at_5 = input.by_active_rows[4].misread;
  for (std::size_t k = 0; k <= 5; ++k) {
    EXPECT_EQ(at_5[k].rate, input.misread[k].rate);
    EXPECT_EQ(at_5[k].upper, input.margins[k].misread.upper);
  }
  EXPECT_EQ(input.confusion.error_bound.size(), 6u);
  EXPECT_TRUE(input.confusion.lower.empty());
}

TableRecord record_of(const Experiment& experiment) {
  const ChosenTable chosen = make_table(experiment, experiment.classes(), {1});
  return {.table = chosen.table,
          .name = "small",
          .config_toml = experiment.table_toml,
          .reason = chosen.reason,
          .source = "cimstat 0 (0)",
          .rng = "philox",
          .seed = 7,
          .confidence = 0.95,
          .content_sha256 = "00"};
}

Experiment with(const std::string& text, const std::vector<std::string>& overrides) {
  return read_experiment(core::Config::from_text(text, "small.toml", overrides));
}

TEST(ReportInput, HasTheMacValuesOfPairsEachByItsTypicalClass) {
  const Experiment experiment =
      with(lognormal_macro("midpoint").config_toml,
           {"mapping.weights=complementary", "column.rows=4", "table.active_rows=[1, 2, 3, 4]",
            "converter.reference_rows=4", "margin.active_rows=4", "columns.active_rows=4"});
  const TableRecord record = record_of(experiment);
  const ReportInput input = report_input(record, {}, 4, {.confidence = record.confidence}, {1});
  // Values -4, -2 .. 4: one class each.
  ASSERT_EQ(input.misread.size(), 5u);
  EXPECT_EQ(input.confusion.first, -4);
  EXPECT_EQ(input.confusion.step, 2);
  EXPECT_EQ(input.confusion.levels, 5u);
  for (std::size_t k = 0; k < 5; ++k) {
    const std::int64_t value = 2 * static_cast<std::int64_t>(k) - 4;
    EXPECT_EQ(input.misread[k].level, value);
    EXPECT_EQ(input.margins[k].level, value);
    EXPECT_EQ(input.margins[k].upper_level(), k == 4 ? 5 : value + 2);
    EXPECT_EQ(input.distributions[k].label, std::to_string(value));
    circuits::ColumnClass one{.lrs_count = 0, .active_rows = 4};
    one.states[0] = static_cast<std::uint16_t>(4 - k);
    one.states[1] = static_cast<std::uint16_t>(k);
    const std::size_t row = record.table.find(one).value();
    EXPECT_EQ(input.misread[k].rate, record.table.misread(row));
    for (std::size_t code = 0; code < record.table.codes; ++code) {
      EXPECT_EQ(input.confusion.probability[k * record.table.codes + code],
                record.table.row(row)[code]);
    }
  }
  for (const ActiveRowsFigures& figures : input.by_active_rows) {
    EXPECT_EQ(figures.misread.size(), figures.active_rows + 1u);
    EXPECT_EQ(figures.misread.front().level, -static_cast<std::int64_t>(figures.active_rows));
    EXPECT_EQ(figures.quantile.upper_level(), figures.quantile.level + 2);
  }
  const std::string page = render_report(input);
  EXPECT_THAT(page, HasSubstr("MAC values "));
  EXPECT_THAT(page, HasSubstr("A MAC value stands for its typical class"));
  EXPECT_THAT(page, HasSubstr("\n-4,"));
  EXPECT_THAT(page, HasSubstr("data-y=\"mac_value\" data-y-first=\"-4\" data-y-step=\"2\""));
  EXPECT_THAT(page, HasSubstr("data-x=\"mac_value\" data-x-first=\"-4\" data-x-step=\"1\""));
}

TEST(ReportInput, IsInVoltsBehindALineThatDeliversThem) {
  const Experiment experiment =
      with(lognormal_macro("midpoint").config_toml,
           {"bit_line.kind=discharge", "bit_line.precharge=0.8", "bit_line.capacitance=200e-15",
            "bit_line.time=1e-9", "sense_amplifier.offset_sd=0", "sense_amplifier.noise_sd=0",
            "sense_amplifier.noise_voltage_sd=2e-3"});
  const TableRecord record = record_of(experiment);
  const ReportInput input = report_input(record, {}, 5, {.confidence = record.confidence}, {1});
  EXPECT_EQ(input.unit, "V");
  const std::string page = render_report(input);
  EXPECT_THAT(page, HasSubstr("Sensed voltage of each MAC value"));
  EXPECT_THAT(page, HasSubstr("mac_value,mean_V,sd_V,"));
  EXPECT_THAT(page, HasSubstr("sensed voltage (mV)"));
  EXPECT_THAT(page, testing::Not(HasSubstr("µA</small>")));
  EXPECT_THAT(page, testing::Not(HasSubstr("_A,")));
}

}  // namespace
}  // namespace cimstat::experiments
