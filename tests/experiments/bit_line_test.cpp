#include "circuits/bit_line/bit_line.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "circuits/bit_line/line_reading.h"
#include "circuits/exact/exact_column.h"

#include "experiments/experiment.h"
#include "experiments/macro/macro_text.h"
#include "experiments/margin/margin.h"
#include "experiments/table/table_file.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

using Overrides = std::vector<std::string>;

Experiment read_file(const std::string& name, const Overrides& overrides = {}) {
  const std::filesystem::path file = std::filesystem::path(CIMSTAT_CONFIGS) / name;
  return read_experiment(core::Config::from_file(file, overrides));
}

std::string refusal(const std::string& name, const Overrides& overrides) {
  try {
    read_file(name, overrides);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

const std::string discharge = "discharge_16rows.toml";
const std::string wire = "wire_64rows.toml";
const std::string charge = "charge_domain_256rows.toml";
const std::string asim = "asim_255rows.toml";

TEST(BitLineSection, ExamplesReadAsTheySay) {
  const circuits::ColumnDesign fall = read_file(discharge).macro.design;
  const auto& line = std::get<circuits::Discharge>(fall.bit_line);
  EXPECT_DOUBLE_EQ(line.precharge, 0.8);
  EXPECT_DOUBLE_EQ(line.capacitance, 80e-15);
  EXPECT_DOUBLE_EQ(line.modulation, 0.1);
  EXPECT_DOUBLE_EQ(fall.sense.offset_sd, 2e-3);
  const circuits::ColumnDesign ladder = read_file(wire).macro.design;
  EXPECT_DOUBLE_EQ(std::get<circuits::WireResistance>(ladder.bit_line).segment, 1.5);
  const circuits::ColumnDesign shared = read_file(charge).macro.design;
  EXPECT_DOUBLE_EQ(std::get<circuits::ChargeSharing>(shared.bit_line).supply, 0.9);
  EXPECT_DOUBLE_EQ(shared.lrs.mean(), 1e-15);
  EXPECT_EQ(shared.leakage->mean(), shared.lrs.mean()) << "unselected capacitors are grounded";
  const circuits::ColumnDesign noise = read_file(asim).macro.design;
  EXPECT_DOUBLE_EQ(std::get<circuits::AsimNoise>(noise.bit_line).mismatch, 0.002);
  EXPECT_EQ(noise.ladder.codes, 256U);
}

TEST(BitLineSection, ResolvedConfigurationsReadBackToThemselves) {
  for (const std::string& name : {discharge, wire, charge, asim}) {
    const Experiment experiment = read_file(name);
    const Experiment again =
        read_experiment(core::Config::from_text(experiment.config_toml, "again.toml", {}));
    EXPECT_EQ(again.config_toml, experiment.config_toml) << name;
  }
}

TEST(BitLineSection, LumpedWireIsACompressionWithItsResistance) {
  const circuits::ColumnDesign design =
      read_file(wire, {"bit_line.kind=lumped_wire", "bit_line.sense_resistance=\"0 ohm\""})
          .macro.design;
  const double resistance = 1.5 * 65.0 * 129.0 / (6.0 * 64.0);
  EXPECT_DOUBLE_EQ(std::get<circuits::Compression>(design.bit_line).knee, 0.2 / resistance);
}

TEST(BitLineSection, ConditionsSetSupplyAndTemperature) {
  const circuits::ColumnDesign low = read_file(discharge, {"conditions.supply=0.9"}).macro.design;
  EXPECT_DOUBLE_EQ(std::get<circuits::Discharge>(low.bit_line).precharge, 0.72);
  const circuits::ColumnDesign hot =
      read_file(charge, {"bit_line.thermal_noise=true", "conditions.temperature=\"350\"",
                         "conditions.supply=0.5"})
          .macro.design;
  const auto& line = std::get<circuits::ChargeSharing>(hot.bit_line);
  EXPECT_DOUBLE_EQ(line.temperature, 350.0);
  EXPECT_DOUBLE_EQ(line.supply, 0.45);
  EXPECT_NEAR(line_noise_sd(hot, {128, 256}), std::sqrt(1.380649e-23 * 350.0 / 256e-15), 1e-15);
}

TEST(BitLineSection, ParasiticIsThatOfThePresetWhereNothingIsSaid) {
  const Overrides preset = {"cell.preset=uiuc_28nm"};
  const circuits::ColumnDesign design = read_file(charge, preset).macro.design;
  EXPECT_NEAR(std::get<circuits::ChargeSharing>(design.bit_line).parasitic, 78.8e-15, 1e-22);
  const circuits::ColumnDesign own =
      read_file(charge, {"cell.preset=uiuc_28nm", "bit_line.parasitic=\"5 fF\""}).macro.design;
  EXPECT_DOUBLE_EQ(std::get<circuits::ChargeSharing>(own.bit_line).parasitic, 5e-15);
}

TEST(BitLineSection, RefusesTheWrongUnit) {
  EXPECT_THAT(refusal(discharge, {"sense_amplifier.offset_sd=\"1 uA\""}),
              EndsWith("sense_amplifier.offset_sd: is a current (the bit line (discharge) delivers "
                       "a voltage); write offset_voltage_sd"));
  EXPECT_THAT(refusal(wire, {"sense_amplifier.noise_voltage_sd=\"1 mV\""}),
              EndsWith("sense_amplifier.noise_voltage_sd: is a voltage (the bit line "
                       "(wire_resistance) delivers a current); write noise_sd"));
  EXPECT_THAT(refusal(discharge, {"sense_amplifier.noise_knee=\"1 uA\""}),
              HasSubstr("sense_amplifier.noise_knee: is a current"));
  EXPECT_THAT(refusal(charge, {"converter.comparator_noise=\"1 uA\""}),
              EndsWith("write comparator_noise_voltage"));
  EXPECT_THAT(refusal(charge, {"converter.references=listed", "converter.currents=[1e-6]"}),
              EndsWith("converter.currents: have no place here (the bit line (charge_sharing) "
                       "delivers a voltage); write voltages"));
  EXPECT_THAT(refusal(wire, {"converter.references=listed", "converter.voltages=[0.1]"}),
              EndsWith("write currents"));
  EXPECT_EQ(refusal(charge, {"converter.references=listed", "converter.voltages=[0.1, 0.2]",
                             "converter.comparator_noise_voltage=\"0.1 mV\""}),
            "accepted");
}

TEST(BitLineSection, RefusesCellsThatDontFitTheLine) {
  EXPECT_THAT(refusal(charge, {"bit_line.kind=ideal"}), HasSubstr("cell.model: has capacitors"));
  EXPECT_THAT(
      refusal("rram_128rows.toml", {"bit_line.kind=charge_sharing"}),
      EndsWith("cell.model: has no capacitors (the bit line (charge_sharing) shares charge); write "
               "model = \"unit_capacitor\", or another bit_line.kind"));
  EXPECT_THAT(refusal(asim, {"cell.relative_sd=0.01"}), HasSubstr("cell.relative_sd"));
  EXPECT_THAT(
      refusal(charge, {"column.leakage.distribution=constant", "column.leakage.value=\"1 nS\""}),
      HasSubstr("column.leakage"));
}

TEST(BitLineSection, RefusesWhatALineCantDo) {
  EXPECT_THAT(refusal(discharge, {"bit_line.time=\"3 ns\""}),
              AllOf(HasSubstr("bit_line.time"), HasSubstr("shorten it, or raise capacitance")));
  EXPECT_THAT(refusal(discharge, {"bit_line.cells=resistive"}),
              HasSubstr("resistive cells don't saturate"));
  EXPECT_THAT(refusal(wire, {"bit_line.segment_resistance=\"-1 ohm\""}),
              HasSubstr("bit_line.segment_resistance"));
  EXPECT_THAT(refusal(wire, {"bit_line.knee=\"1 uA\""}),
              HasSubstr("it belongs to kind = \"compression\""));
  EXPECT_THAT(refusal(wire, {"column.dummy_column=true"}), HasSubstr("with a dummy column"));
  EXPECT_THAT(refusal(wire, {"column.common_factor_sd=0.1"}), HasSubstr("with a common factor"));
  EXPECT_THAT(refusal(wire, {"bit_line.kind=wires"}), HasSubstr("wire_resistance"));
}

/// Sorted readings of one class, each cell drawn by itself.
std::vector<double> drawn(const Experiment& experiment, circuits::ColumnClass one) {
  const std::vector<float> readings =
      circuits::sampled_currents(experiment.macro.design, one,
                                 {.trials = 200'000,
                                  .key = {.seed = 77, .point = 3},
                                  .summation = circuits::Summation::per_cell});
  std::vector<double> sorted(readings.begin(), readings.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

TEST(BitLineMargins, AgreeWithReadingsThatAreDrawnCellByCell) {
  for (const std::string& name : {discharge, charge, asim}) {
    const Overrides rows = {"margin.active_rows=12", "margin.tail_probability=0.01"};
    const Experiment experiment = read_file(name, rows);
    const MarginResult result = measure_margins(experiment, {1});
    ASSERT_EQ(result.levels.size(), 13U);
    for (const std::size_t k : {std::size_t{0}, std::size_t{5}, std::size_t{12}}) {
      const LevelFigures& level = result.levels[k];
      const std::vector<double> readings = drawn(experiment, level.column_class);
      const auto trials = double(readings.size());
      const double mean = std::accumulate(readings.begin(), readings.end(), 0.0) / trials;
      double squares = 0.0;
      for (const double one : readings) squares += (one - mean) * (one - mean);
      EXPECT_NEAR(level.mean, mean, 5.0 * level.sd / std::sqrt(trials)) << name << k;
      // Of laws a little more tailed than a normal one.
      EXPECT_NEAR(level.sd, std::sqrt(squares / trials), 6.0 * level.sd / std::sqrt(2.0 * trials));
      const auto below = [&](double x) {
        return double(std::upper_bound(readings.begin(), readings.end(), x) - readings.begin()) /
               trials;
      };
      const double error = 5.0 * std::sqrt(0.01 * 0.99 / trials);
      EXPECT_NEAR(below(level.low_quantile), 0.01, error) << name << k;
      EXPECT_NEAR(below(level.high_quantile), 0.99, error) << name << k;
      // The twin: off by a tenth of the spread.
      EXPECT_GT(std::abs(below(level.low_quantile + 0.1 * level.sd) - 0.01), error);
      if (k == 12) continue;
      const GapFigures& gap = result.gaps[k];
      EXPECT_NEAR(gap.quantile, result.levels[k + 1].low_quantile - level.high_quantile, 1e-18);
      EXPECT_LE(gap.pattern, gap.input_aware);
      EXPECT_GT(gap.pattern, gap.input_aware - 2.0 * level.sd);
    }
  }
}

TEST(BitLineMargins, OfPointCellsHaveTheOverlapOfTheNoise) {
  const Experiment experiment = read_file(
      discharge, {"cell.lrs.sd=0", "cell.hrs.sigma=0", "sense_amplifier.offset_voltage_sd=\"6 mV\"",
                  "sense_amplifier.noise_voltage_sd=\"8 mV\"", "margin.active_rows=4"});
  const MarginResult result = measure_margins(experiment, {1});
  for (std::size_t k = 0; k < result.gaps.size(); ++k) {
    const double apart = result.levels[k + 1].mean - result.levels[k].mean;
    EXPECT_NEAR(result.levels[k].sd, 10e-3, 1e-12);
    EXPECT_NEAR(result.gaps[k].input_aware, apart - 60e-3, 1e-12);
    EXPECT_NEAR(result.gaps[k].overlap, std::erfc(apart / 20e-3 / std::numbers::sqrt2), 2e-5);
  }
}

TEST(BitLineMargins, OfAWireAreSampledAndHaveNoPatterns) {
  const Experiment experiment = read_file(wire, {"margin.active_rows=4", "table.trials=20000"});
  const MarginResult result = measure_margins(experiment, {2});
  for (const GapFigures& gap : result.gaps) EXPECT_TRUE(std::isnan(gap.pattern));
  EXPECT_GT(result.gaps[0].quantile, 0.0);
  EXPECT_THAT(format_margins(experiment, result), HasSubstr(" - "));
  EXPECT_THAT(margins_as_json(experiment, result), HasSubstr("\"pattern_A\": null"));
}

TEST(BitLineMargins, AreInWhatTheLineDelivers) {
  const Experiment experiment = read_file(discharge, {"margin.active_rows=2"});
  const MarginResult result = measure_margins(experiment, {1});
  EXPECT_THAT(format_margins(experiment, result), HasSubstr(" mV"));
  EXPECT_THAT(margins_as_json(experiment, result), HasSubstr("\"mean_V\": "));
}

TEST(BitLineSection, DescribesTheLineInWords) {
  const auto text_of = [](const std::string& name) {
    return aligned_text(macro_lines(read_file(name).macro));
  };
  EXPECT_THAT(text_of(discharge),
              HasSubstr("80 fF precharged to 800 mV, discharged by saturated cells (lambda 0.1 / "
                        "V) for 1 ns"));
  EXPECT_THAT(text_of(wire), HasSubstr("1.5 ohm a segment, 5 ohm to the sense amplifier"));
  EXPECT_THAT(text_of(charge),
              AllOf(HasSubstr("unit capacitor of 1 fF, sd 1 %"), HasSubstr("noise 250 uV")));
  EXPECT_THAT(text_of(asim), HasSubstr("random 0.1 %, mismatch 0.2 % / sqrt(MAC + 1)"));
}

TEST(BitLineTable, OfSharedChargeIsExactAndMisreadsOneAndAHalfInAMillion) {
  const Experiment experiment = read_file(charge);
  const ChosenTable chosen = make_table(experiment, {{.lrs_count = 128, .active_rows = 256}}, {1});
  EXPECT_EQ(chosen.table.method, circuits::TableMethod::exact);
  EXPECT_NEAR(chosen.table.probability[127], 1.5e-6, 0.05e-6);
  EXPECT_NEAR(chosen.table.probability[129], 1.5e-6, 0.05e-6);
}

TEST(BitLineTable, OfAWireIsSampledAndOfADischargeExact) {
  const Experiment line = read_file(wire, {"table.trials=1000"});
  const ChosenTable sampled = make_table(line, {{.lrs_count = 30, .active_rows = 64}}, {1});
  EXPECT_EQ(sampled.table.method, circuits::TableMethod::monte_carlo);
  EXPECT_THAT(sampled.reason, HasSubstr("depends on where its cells are"));
  EXPECT_THROW(make_table(read_file(wire, {"table.method=exact"}),
                          {{.lrs_count = 30, .active_rows = 64}}, {1}),
               core::UsageError);
  const ChosenTable exact =
      make_table(read_file(discharge), {{.lrs_count = 8, .active_rows = 16}}, {1});
  EXPECT_EQ(exact.table.method, circuits::TableMethod::exact);
  EXPECT_LT(exact.table.error_bound[0], 1e-11);
}

TEST(BitLineTable, FilesHoldReferencesInVoltsAndReadBack) {
  const tests::TemporaryFolder folder;
  for (const std::string& name : {discharge, asim}) {
    const Experiment experiment = read_file(name);
    const ChosenTable chosen =
        make_table(experiment, circuits::classes_for(experiment.table.active_rows), {1});
    const std::filesystem::path file = folder.path() / "line.h5";
    write_table(experiment, chosen, file);
    EXPECT_EQ(core::Hdf5Input(file).text_attribute("/reference", "units"), "V");
    EXPECT_EQ(core::Hdf5Input(file).text_attribute("/reference", "long_name"), "reference voltage");
    EXPECT_EQ(read_table(file).table.probability, chosen.table.probability);
  }
}

TEST(BitLineTable, OfSharedChargeIsReadAgainWhateverItsRowsAndVoltage) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "charge.h5";
  for (const std::string rows : {"3", "8", "16", "32"}) {
    for (const std::string voltage : {"0.2", "0.3", "0.5", "0.9"}) {
      const Experiment experiment =
          read_file(charge, {"column.rows=" + rows, "column.read_voltage=" + voltage,
                             "table.active_rows=all", "sense_amplifier.noise_voltage_sd=1e-3"});
      const ChosenTable chosen =
          make_table(experiment, circuits::classes_for(experiment.table.active_rows), {1});
      write_table(experiment, chosen, file);
      EXPECT_EQ(read_table(file).table.probability, chosen.table.probability) << rows << voltage;
      std::filesystem::remove(file);
    }
  }
}

}  // namespace
}  // namespace cimstat::experiments
