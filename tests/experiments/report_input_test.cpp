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
      EXPECT_EQ(margins.quantile.level, result.worst_gap);
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

}  // namespace
}  // namespace cimstat::experiments
