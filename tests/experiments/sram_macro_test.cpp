#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "devices/field.h"

#include "experiments/macro/macro.h"

namespace cimstat::experiments {
namespace {

const std::string cell =
    "[cell]\nmodel = \"sram\"\non_current = \"20 uA\"\noff_current = \"1 nA\"\n"
    "gate_voltage = \"0.9 V\"\nread_voltage = \"0.5 V\"\nthreshold = \"0.35 V\"\n"
    "threshold_sd = \"30 mV\"\ndie_threshold_sd = \"10 mV\"\n";
const std::string column = "[column]\nrows = 64\nread_voltage = \"0.5 V\"\n";
const std::string field =
    "[spatial_field]\nrelative_sd = \"3 %\"\ncorrelation_length = \"20 um\"\nrow_pitch = \"0.5 "
    "um\"\n";

Macro macro_of(const std::string& text) {
  const core::Config config = core::Config::from_text(text, "small.toml");
  const core::Section root{.need = core::Need::required, .sections = macro_sections()};
  Macro macro = read_macro(core::SectionReader(config, root));
  config.finish();
  return macro;
}

TEST(SramMacro, ItsColumnSumsTheCurrentsOfTheCell) {
  const Macro macro = macro_of(cell + column);
  const auto& sram = std::get<devices::SramCell>(macro.cell);
  EXPECT_NEAR(macro.design.lrs.mean() / sram.current_mean(1), 1.0, 1e-9);
  EXPECT_NEAR(macro.design.lrs.sd() / sram.current_sd(1), 1.0, 1e-8);
  EXPECT_NEAR(macro.design.hrs.mean() / sram.current_mean(0), 1.0, 1e-12);
}

TEST(SramMacro, SupplyAndCornerChangeTheCurrentAndNotTheConductanceAlone) {
  const Macro macro = macro_of(cell + column + "[conditions]\nsupply = 0.9\ncorner = -2\n");
  const auto& sram = std::get<devices::SramCell>(macro.cell);
  EXPECT_NEAR(macro.read_voltage, 0.45, 1e-15);
  EXPECT_NEAR(sram.current(1, 0.0) / 20e-6, std::pow((0.81 - 0.37) / 0.55, 1.3), 1e-12);
  EXPECT_NEAR(macro.design.lrs.mean() / sram.current_mean(1), 1.0, 1e-9);
}

TEST(SramMacro, IsRefusedAtAnotherReadVoltageThanItsColumns) {
  try {
    macro_of(cell + "[column]\nrows = 64\nread_voltage = \"0.2 V\"\n");
    FAIL() << "accepted";
  } catch (const core::UsageError& error) {
    EXPECT_STREQ(
        error.what(),
        "small.toml:6:16: cell.read_voltage: 500 mV differs from column.read_voltage, 200 "
        "mV (the cell's currents hold at the voltage of the column); set both to the same");
  }
}

std::string refusal(const std::string& keys) {
  try {
    macro_of("[cell]\n" + keys + "[column]\nrows = 64\nread_voltage = \"0.2 V\"\n");
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ReadVoltage, OfACellThatDependsOnItIsThatOfItsColumn) {
  const std::string reason =
      ": 100 mV differs from column.read_voltage, 200 mV (the cell's currents hold at the voltage "
      "of the column); set both to the same";
  using testing::HasSubstr;
  EXPECT_THAT(refusal("model = \"mram\"\n"), HasSubstr("cell.voltage" + reason));
  EXPECT_THAT(refusal("model = \"sonos\"\n"), HasSubstr("cell.voltage" + reason));
  EXPECT_THAT(refusal("model = \"fefet\"\n"), HasSubstr("cell.drain_voltage" + reason));
  const std::string milo = "model = \"analog_rram\"\npreset = \"milo\"\n";
  EXPECT_THAT(refusal(milo + "voltage = \"0.1 V\"\n"), HasSubstr("cell.voltage" + reason));
}

TEST(ReadVoltage, IsFreeWhereTheCellIsLinearOrBehindAResistor) {
  EXPECT_EQ(refusal("model = \"mram\"\nvoltage = \"0.2 V\"\n"), "accepted");
  EXPECT_EQ(refusal("model = \"sonos\"\nvoltage = \"0.2 V\"\n"), "accepted");
  EXPECT_EQ(refusal("model = \"fefet\"\ndrain_voltage = \"0.2 V\"\n"), "accepted");
  EXPECT_EQ(refusal("model = \"fefet\"\nresistance = \"200 kohm\"\n"), "accepted");
  const std::string milo = "model = \"analog_rram\"\npreset = \"milo\"\n";
  EXPECT_EQ(refusal(milo), "accepted");
  EXPECT_EQ(refusal(milo + "voltage = \"0.2 V\"\n"), "accepted");
}

TEST(SpatialField, GivesColumnsTheVarianceOfCellsAtRandomRows) {
  const Macro plain = macro_of(cell + column);
  EXPECT_EQ(plain.design.common_factor_sd, 0.0);
  const Macro macro = macro_of(cell + column + field);
  const devices::SpatialField same{.sd = 0.03, .correlation_length = 20e-6, .row_pitch = 0.5e-6};
  // The mean over all pairs of rows: what two active rows have, wherever they lie.
  double pairs = 0.0;
  for (std::uint32_t i = 0; i < 64; ++i) {
    for (std::uint32_t j = 0; j < i; ++j) pairs += same.correlation(i - j, 0);
  }
  const double pair = pairs / (64.0 * 63.0 / 2.0);
  const double mean = plain.design.lrs.mean();
  for (const std::uint32_t rows : {1U, 2U, 8U, 64U}) {
    const circuits::ColumnClass one{.lrs_count = rows, .active_rows = rows};
    const double own = circuits::current_variance(plain.design, one);
    const double cells = 0.03 * 0.03 * (rows + double(rows) * (rows - 1) * pair) * mean * mean;
    // Products of both variations are of fourth order.
    EXPECT_NEAR(circuits::current_variance(macro.design, one) / (own + cells), 1.0, 2e-3) << rows;
  }
  // All rows: the variance of the column's mean, as draws over the die have it.
  EXPECT_NEAR(same.column_mean_covariance(64, 0) / (0.03 * 0.03), (1.0 + 63.0 * pair) / 64.0,
              1e-12);
}

TEST(SpatialField, AddsToTheCommonFactorThatIsGiven) {
  const Macro macro = macro_of(cell + column + field);
  const Macro both = macro_of(cell + column + "common_factor_sd = 0.02\n" + field);
  EXPECT_NEAR(both.design.common_factor_sd, std::hypot(0.02, macro.design.common_factor_sd), 1e-15);
  EXPECT_TRUE(both.has_field);
}

}  // namespace
}  // namespace cimstat::experiments
