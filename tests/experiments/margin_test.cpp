#include "experiments/margin/margin.h"

#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "circuits/exact/exact_column.h"

#include "experiments/margin/margin_by_rows.h"

namespace cimstat::experiments {
namespace {

circuits::ColumnDesign point_design(std::uint32_t rows, double ratio) {
  circuits::ColumnDesign design{.rows = rows,
                                .lrs = core::Law::point(1.0),
                                .hrs = core::Law::point(1.0 / ratio),
                                .leakage = {},
                                .dummy = {},
                                .sense = {},
                                .ladder = {}};
  design.ladder = circuits::midpoint_ladder(design, rows);
  return design;
}

// Reference: pattern margin at level 0 without variation = 1 - N / R in units of the LRS current.
TEST(PatternMargin, EqualsOneMinusRowsOverRatio) {
  for (const std::uint32_t rows : {4U, 9U, 16U, 25U, 32U}) {
    for (const double ratio : {5.0, 10.0, 20.0, 50.0, 100.0}) {
      EXPECT_NEAR(pattern_margin(point_design(rows, ratio), 0, rows, 0.0), 1.0 - rows / ratio,
                  1e-12)
          << rows << " rows, ratio " << ratio;
    }
  }
}

TEST(PatternMargin, ChangesSignWhereTheRatioEqualsTheRows) {
  for (const std::uint32_t rows : {4U, 9U, 32U, 128U}) {
    EXPECT_LT(pattern_margin(point_design(rows, rows * 0.999), 0, rows, 0.0), 0.0);
    EXPECT_GT(pattern_margin(point_design(rows, rows * 1.001), 0, rows, 0.0), 0.0);
  }
}

// Chen et al., ISSCC 2018, 31.4: one LRS and eight HRS cells exceed two LRS cells; input-aware
// (replica) references turn the worst-case margin from -27.9 uA to +7.8 uA.
TEST(PatternMargin, ReplicaReferencesMakeItPositive) {
  circuits::ColumnDesign design = point_design(9, 7.0);
  EXPECT_LT(pattern_margin(design, 1, 9, 0.0), 0.0);
  design.ladder = circuits::replica_ladder(design, 9);
  for (std::uint32_t level = 0; level < 9; ++level)
    EXPECT_GT(pattern_margin(design, level, 9, 0.0), 0.0);
}

std::string config_text(const std::string& cells, const std::string& rest) {
  return "[cell]\nmodel = \"rram\"\n" + cells + "[column]\nread_voltage = 1\n" + rest;
}

Experiment normal_experiment() {
  return read_experiment(core::Config::from_text(
      config_text("[cell.lrs]\ndistribution = \"normal\"\nmean = 1e-4\nsd = 5e-6\n"
                  "[cell.hrs]\ndistribution = \"normal\"\nmean = 1e-5\nsd = 3e-6\n",
                  "rows = 9\n"),
      "normal.toml"));
}

TEST(Margins, OfNormalCellsFollowTheClosedForms) {
  const Experiment experiment = normal_experiment();
  const MarginResult result = measure_margins(experiment, {1});
  ASSERT_EQ(result.levels.size(), 10U);
  ASSERT_EQ(result.gaps.size(), 9U);
  for (const GapFigures& gap : result.gaps) {
    const auto k = static_cast<double>(gap.level);
    const double sd = std::sqrt(k * 25e-12 + (9 - k) * 9e-12);
    const double next_sd = std::sqrt((k + 1) * 25e-12 + (8 - k) * 9e-12);
    EXPECT_NEAR(gap.input_aware, 9e-5 - 3.0 * (sd + next_sd), 1e-12);
    const double z = 3.090232306167813;  // upper 1e-3 point
    EXPECT_NEAR(gap.quantile, 9e-5 - z * (sd + next_sd), 1e-12);
    EXPECT_NEAR(result.levels[static_cast<std::size_t>(gap.level)].sd, sd, 1e-15);
  }
}

TEST(Margins, OverlapOfEqualSpreadsIsTwiceTheTail) {
  // Two normals of equal sd a distance d apart: 2 Q(d / 2 sd).
  const Experiment experiment = read_experiment(
      core::Config::from_text(config_text("[cell.lrs]\ndistribution = \"point\"\nvalue = "
                                          "1e-4\n[cell.hrs]\ndistribution = \"point\"\n"
                                          "value = 1e-5\n",
                                          "rows = 4\n[sense_amplifier]\nnoise_sd = 30e-6\n"),
                              "noise.toml"));
  const MarginResult result = measure_margins(experiment, {1});
  for (const GapFigures& gap : result.gaps)
    EXPECT_NEAR(gap.overlap, std::erfc(1.5 / std::sqrt(2.0)), 2e-5);
}

TEST(Margins, AreTheSameForOneAndTwoThreads) {
  const Experiment experiment = normal_experiment();
  EXPECT_EQ(margins_as_json(experiment, measure_margins(experiment, {1})),
            margins_as_json(experiment, measure_margins(experiment, {2})));
}

TEST(Margins, SampledOnesAgreeWithExactOnes) {
  const std::string cells =
      "[cell.lrs]\ndistribution = \"lognormal\"\nmedian = 1e-4\nsigma = 0.06\n"
      "[cell.hrs]\ndistribution = \"lognormal\"\nmedian = 1e-5\nsigma = 0.3\n";
  const std::string rest =
      "rows = 4\n[sense_amplifier]\nnoise_sd = 8e-6\n[table]\ntrials = 200000\n";
  const auto measure = [&](std::string_view method) {
    return measure_margins(
        read_experiment(core::Config::from_text(
            config_text(cells, rest + fmt::format("method = \"{}\"\n", method)), "m.toml")),
        {1});
  };
  const MarginResult exact = measure("exact");
  const MarginResult sampled = measure("monte_carlo");
  for (std::size_t k = 0; k < exact.levels.size(); ++k) {
    EXPECT_NEAR(sampled.levels[k].low_quantile, exact.levels[k].low_quantile,
                0.1 * exact.levels[k].sd);
    const double p = exact.levels[k].misread;
    EXPECT_NEAR(sampled.levels[k].misread, p, 5.0 * std::sqrt(p * (1 - p) / 200000) + 1e-9);
  }
}

/// Pairs of cells, inputs of two steps beside 0, 3 of 4 rows active; unselected cells leak.
Experiment pair_experiment(const std::string& more = {}) {
  return read_experiment(core::Config::from_text(R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "normal"
mean = 8e-5
sd = 3e-6
[cell.hrs]
distribution = "normal"
mean = 1e-5
sd = 1e-6
[column]
rows = 4
read_voltage = 1
[column.leakage]
distribution = "normal"
mean = 1e-6
sd = 1e-7
[sense_amplifier]
noise_sd = 4e-6
[mapping]
weights = "differential"
input_steps = 3
[margin]
active_rows = 3
)" + more,
                                                 "pairs.toml"));
}

/// Calls `see` with each way in which n rows fall into the states.
template <class See>
void for_each_composition(std::size_t states, std::uint32_t n, See&& see) {
  std::vector<std::uint32_t> counts(states, 0);
  const std::function<void(std::size_t, std::uint32_t)> fill = [&](std::size_t state,
                                                                   std::uint32_t left) {
    if (state + 1 == states) {
      counts[state] = left;
      see(counts);
      return;
    }
    for (counts[state] = 0; counts[state] <= left; ++counts[state]) {
      fill(state + 1, left - counts[state]);
    }
  };
  fill(0, n);
}

TEST(MarginsOfPairs, StandForTypicalClassesAndFollowTheClosedForms) {
  const Experiment experiment = pair_experiment();
  const circuits::ColumnDesign& design = experiment.macro.design;
  ASSERT_EQ(design.row_states.states.size(), 6U);  // -2 -1 0 0 1 2
  const MarginResult result = measure_margins(experiment, {1});
  ASSERT_EQ(result.levels.size(), 13U);
  ASSERT_EQ(result.gaps.size(), 12U);
  const double z = 3.090232306167813;  // upper 1e-3 point
  for (std::size_t i = 0; i < result.levels.size(); ++i) {
    const LevelFigures& level = result.levels[i];
    EXPECT_EQ(level.level, static_cast<std::int64_t>(i) - 6);
    // By hand: pairs and the two unselected cells of the fourth row.
    double mean = 0.0;
    double variance = 16e-12 + 2.0 * 1e-14;
    double all = 0.0;
    double ways = 0.0;
    for_each_composition(6, 3, [&](const std::vector<std::uint32_t>& counts) {
      std::int64_t value = 0;
      double probability = 6.0;  // 3!
      bool is_level = true;
      for (std::size_t state = 0; state < 6; ++state) {
        value += std::int64_t{design.row_states.states[state].value} * counts[state];
        probability /= std::tgamma(counts[state] + 1.0);
        is_level = is_level && counts[state] == level.column_class.states[state];
      }
      if (value != level.level) return;
      all += probability;
      if (is_level) ways = probability;
    });
    EXPECT_NEAR(level.weight, ways / all, 1e-12);
    for (std::size_t state = 0; state < 6; ++state) {
      for (const std::uint32_t cell : design.row_states.states[state].cells) {
        mean += level.column_class.states[state] * design.row_states.laws[cell].mean();
        variance += level.column_class.states[state] * design.row_states.laws[cell].variance();
      }
    }
    EXPECT_NEAR(level.mean, mean, 1e-16);
    EXPECT_NEAR(level.sd, std::sqrt(variance), 1e-15);
    EXPECT_NEAR(level.low_quantile, mean - z * std::sqrt(variance), 1e-14);
    // Midpoints of levels 35 uA apart; of four rows, so there is one beyond each end of three.
    EXPECT_NEAR(level.misread, std::erfc(17.5e-6 / std::sqrt(2.0 * variance)), 1e-9);
  }
  for (std::size_t i = 0; i < result.gaps.size(); ++i) {
    const GapFigures& gap = result.gaps[i];
    const LevelFigures& below = result.levels[i];
    const LevelFigures& above = result.levels[i + 1];
    EXPECT_EQ(gap.level, below.level);
    EXPECT_EQ(gap.next, above.level);
    EXPECT_NEAR(gap.input_aware, 35e-6 - 3.0 * (below.sd + above.sd), 1e-14);
    EXPECT_NEAR(gap.quantile, 35e-6 - z * (below.sd + above.sd), 1e-14);
    EXPECT_LE(gap.pattern, gap.input_aware + 1e-18);
  }
}

TEST(MarginsOfPairs, PatternsAreWorseThanAllCompositionsTriedOneByOne) {
  const Experiment experiment = pair_experiment();
  const circuits::ColumnDesign& design = experiment.macro.design;
  const MarginResult result = measure_margins(experiment, {1});
  for (const GapFigures& gap : result.gaps) {
    double least = 1.0;        // of `next`: mean - 3 sd of one pattern
    double most = -1.0;        // of `level`
    double bound_least = 1.0;  // with the worst mean and the worst sd of each number of rows
    double bound_most = -1.0;
    for (std::uint32_t n = 1; n <= 3; ++n) {
      double means[2][2] = {{1.0, -1.0}, {1.0, -1.0}};
      double sd[2] = {0.0, 0.0};
      for_each_composition(6, n, [&](const std::vector<std::uint32_t>& counts) {
        circuits::ColumnClass one{.lrs_count = 0, .active_rows = n};
        for (std::size_t i = 0; i < 6; ++i) one.states[i] = static_cast<std::uint16_t>(counts[i]);
        const std::int64_t value = mac_value(design, one);
        if (value != gap.level && value != gap.next) return;
        const std::size_t side = value == gap.next ? 1 : 0;
        const double mean = mean_current(design, one);
        const double own = sensed_sd(design, one);
        means[side][0] = std::min(means[side][0], mean);
        means[side][1] = std::max(means[side][1], mean);
        sd[side] = std::max(sd[side], own);
        if (side == 1) least = std::min(least, mean - 3.0 * own);
        if (side == 0) most = std::max(most, mean + 3.0 * own);
      });
      if (sd[1] > 0.0) bound_least = std::min(bound_least, means[1][0] - 3.0 * sd[1]);
      if (sd[0] > 0.0) bound_most = std::max(bound_most, means[0][1] + 3.0 * sd[0]);
    }
    EXPECT_NEAR(gap.pattern, bound_least - bound_most, 1e-15) << gap.level;
    EXPECT_LE(gap.pattern, least - most + 1e-16) << gap.level;
  }
}

TEST(MarginsOfPairs, AreThoseOfAFileSampledToo) {
  const MarginResult exact = measure_margins(pair_experiment(), {1});
  const MarginResult sampled =
      measure_margins(pair_experiment("[table]\nmethod = \"monte_carlo\"\ntrials = 100000\n"), {1});
  for (std::size_t i = 0; i < exact.levels.size(); ++i) {
    const double p = exact.levels[i].misread;
    EXPECT_NEAR(sampled.levels[i].misread, p, 5.0 * std::sqrt(p * (1 - p) / 100000) + 1e-9);
  }
}

TEST(MarginsOfPairs, SayWhatALevelStandsFor) {
  const Experiment experiment = pair_experiment();
  const MarginResult result = measure_margins(experiment, {2});
  const std::string text = format_margins(experiment, result);
  EXPECT_NE(text.find("level   share"), std::string::npos) << text;
  EXPECT_NE(text.find("A level stands for its typical class"), std::string::npos);
  EXPECT_NE(text.find("\n   -6       1 "), std::string::npos) << text;
  const std::string json = margins_as_json(experiment, result);
  EXPECT_NE(json.find("\"rows_in_states\""), std::string::npos);
  EXPECT_NE(json.find("\"next\": -5"), std::string::npos) << json;
}

TEST(MarginsOfPairs, ShrinkWithTheNumberOfActiveRows) {
  const Experiment experiment = pair_experiment();
  const std::uint32_t quantile_rows[] = {3};
  const std::vector<RowsMargins> rows = margins_by_rows(experiment, quantile_rows, {1});
  const MarginResult result = measure_margins(experiment, {1});
  ASSERT_EQ(rows.size(), 4U);
  double input_aware = 1.0;
  double pattern = 1.0;
  double quantile = 1.0;
  for (const GapFigures& gap : result.gaps) {
    input_aware = std::min(input_aware, gap.input_aware);
    pattern = std::min(pattern, gap.pattern);
    quantile = std::min(quantile, gap.quantile);
  }
  EXPECT_NEAR(rows[2].input_aware.value, input_aware, 1e-18);
  EXPECT_NEAR(rows[2].pattern.value, pattern, 1e-18);
  EXPECT_NEAR(rows[2].quantile.value, quantile, 1e-18);
  EXPECT_TRUE(std::isnan(rows[1].quantile.value));
}

// DL-RSIM (ICCAD 2018): dual references, 9 rows; the error rate of a sum of products of 0 falls
// from 25 % at ratio 10 to 0 % at ratio 50.
double level_zero_misread(double ratio, double sigma) {
  circuits::ColumnDesign design{.rows = 9,
                                .lrs = core::Law::lognormal(1.0, sigma),
                                .hrs = core::Law::lognormal(1.0 / ratio, sigma),
                                .leakage = {},
                                .dummy = {},
                                .sense = {.noise_sd = 0.01},
                                .ladder = {}};
  design.ladder = circuits::dual_ladder(design, 9);
  const circuits::ColumnClass zero[] = {{.lrs_count = 0, .active_rows = 9}};
  return 1.0 - circuits::exact_probabilities(design, zero, {}, {1}).probability[0];
}

TEST(DlRsim, LevelZeroMisreadsFallFromAQuarterToNothingAsTheRatioRises) {
  double low = 0.05;
  double high = 0.35;  // beyond, the skew makes the misread rate fall again
  for (int i = 0; i < 50; ++i) {
    const double middle = 0.5 * (low + high);
    (level_zero_misread(10.0, middle) < 0.25 ? low : high) = middle;
  }
  const double sigma = low;
  RecordProperty("fitted_sigma", std::to_string(sigma));
  EXPECT_NEAR(level_zero_misread(10.0, sigma), 0.25, 0.01);
  double previous = 1.0;
  for (const double ratio : {10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0}) {
    const double misread = level_zero_misread(ratio, sigma);
    // Below 1e-12 the exact engine's absolute accuracy is reached.
    EXPECT_LT(misread, previous > 1e-12 ? previous : 1e-12) << "ratio " << ratio;
    previous = misread;
  }
  EXPECT_LT(previous, 0.005);
}

}  // namespace
}  // namespace cimstat::experiments
