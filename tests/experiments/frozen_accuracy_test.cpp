#include "experiments/frozen_accuracy.h"

#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/experiment.h"

namespace cimstat::experiments {
namespace {

const std::string whole = R"([cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.05
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 9
read_voltage = "0.2 V"
[accuracy]
noise = "frozen"
)";

std::string refusal(const std::vector<std::string>& overrides) {
  try {
    chip_design(read_experiment(core::Config::from_text(whole, "m.toml", overrides)));
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(FrozenAccuracy, RefusesInOneLineWhatNoChipCanBeMadeOf) {
  const std::string frozen = "accuracy.noise: \"frozen\" can't do this column ";
  EXPECT_EQ(refusal({}), "accepted");
  EXPECT_EQ(refusal({"accuracy.chips=10000"}), "accepted");
  EXPECT_EQ(
      refusal({"accuracy.chips=0"}),
      "--set accuracy.chips: 0 is out of range (must be a whole number from 1 to 10000); write "
      "1 or more");
  EXPECT_EQ(refusal({"accuracy.chips=10001"}),
            "--set accuracy.chips: 10001 is out of range (must be a whole number from 1 to 10000); "
            "write 10000 or less");
  EXPECT_EQ(refusal({"accuracy.noise=fresh"}),
            "--set accuracy.noise: \"fresh\" is not a choice (one of table, frozen); write one of "
            "them, such as \"table\"");
  EXPECT_EQ(
      refusal({"accuracy.noise=table", "accuracy.chips=2"}),
      "--set accuracy.chips: is 2 without frozen chips (a table draws each code afresh: there "
      "are no chips to differ); write noise = \"frozen\", or leave it out");
  EXPECT_EQ(refusal({"accuracy.noise=table", "accuracy.chips=1"}), "accepted");
  EXPECT_EQ(refusal({"converter.comparator_noise=\"0.1 uA\""}),
            frozen +
                "(its comparators have noise of their own at each decision); write noise = "
                "\"table\", or leave out converter.comparator_noise");
  EXPECT_EQ(refusal({"converter.comparator_offset=\"0.1 uA\"", "converter.references=replica"}),
            frozen +
                "(its converters differ, and their references follow the number of active "
                "rows); write noise = \"table\", or take references that all numbers of "
                "active rows share");
  EXPECT_EQ(refusal({"converter.comparator_offset=\"0.1 uA\""}), "accepted");
  EXPECT_EQ(
      refusal({"spatial_field.relative_sd=0.1", "spatial_field.correlation_length=\"50 um\""}),
      "spatial_field: a frozen chip knows no field (neighbours would share a part of it); leave "
      "it out, or use cimstat table");
  EXPECT_EQ(refusal({"bit_line.kind=compression", "bit_line.knee=\"50 uA\""}),
            frozen +
                "(its bit line (compression) delivers more than a sum); write noise = \"table\", "
                "or leave out [bit_line]");
  EXPECT_EQ(refusal({"mapping.weights=differential"}),
            "mapping: a network's accuracy can't do this column (its rows have more than two "
            "states); use cimstat table, or cells of two levels");
}

TEST(FrozenAccuracy, RefusesCellsWhoseReadNoiseFollowsTheConductance) {
  circuits::ColumnDesign design;
  core::Component quiet;
  quiet.weight = 0.5;
  quiet.base = core::Normal{8e-6, 0.1 * 8e-6};
  core::Component loud = quiet;
  loud.relative_noise = 0.1;
  design.lrs = core::Law({quiet, loud});
  try {
    const ChipDesign chips(design);
    FAIL() << "accepted";
  } catch (const core::UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "accuracy.noise: \"frozen\" can't do this column (the relative read noise of its "
                 "cells depends on the conductance); write noise = \"table\", or take a cell model "
                 "with one relative read noise");
  }
}

}  // namespace
}  // namespace cimstat::experiments
