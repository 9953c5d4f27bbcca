#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/simd.h"

#include "experiments/columns/columns_file.h"
#include "experiments/table/table_file.h"
#include "tests/experiments/result_samples.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::bytes_of;
using tests::Outcome;
using tests::TemporaryFolder;

constexpr const char* macro = R"(name = "my macro"
[cell]
model = "rram"
read_noise = 0.02
stuck_at_hrs = 0.01
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.08
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 10
read_voltage = "0.2 V"
[column.leakage]
distribution = "lognormal"
median = "2 nS"
sigma = 0.8
[sense_amplifier]
offset_sd = "0.8 uA"
noise_sd = "1.2 uA"
[converter]
references = "replica"
[columns]
columns = 20
dies = 5
patterns = 3
)";

class ColumnsCommand : public testing::Test {
 protected:
  ColumnsCommand() { std::ofstream(folder_ / "m.toml") << macro; }

  Outcome columns(const std::string& arguments) const {
    return tests::run_program("cd " + (folder_ / "").string() + " && " + CIMSTAT_BINARY +
                              " columns m.toml -q " + arguments + " 2>&1");
  }
  TemporaryFolder folder_;
};

TEST_F(ColumnsCommand, PrintsTheSpreadAndWritesTheRates) {
  const Outcome outcome = columns("-o c.h5 --limit 0.05 --repairs 2");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(
      outcome.output,
      AllOf(HasSubstr("my macro: 5 dies x 20 columns, 10 active rows, 3 inputs a MAC value"),
            HasSubstr("at most 0.05"), HasSubstr("2 failing columns at most"),
            HasSubstr("written c.h5")));
  const ColumnsResult result = read_columns(folder_ / "c.h5");
  EXPECT_EQ(result.rates.columns, 100u);
  EXPECT_EQ(result.rates.classes.size(), 11u);
  const Experiment experiment = read_experiment(core::Config::from_file(
      folder_ / "m.toml", std::vector<std::string>{"columns.limit=0.05", "columns.repairs=2"}));
  const ColumnsResult made = run_columns(experiment, {1});
  EXPECT_EQ(result.rates.misread, made.rates.misread);
  EXPECT_EQ(result.rates.both_wrong, made.rates.both_wrong);
  EXPECT_EQ(result.rates.vote_wrong, made.rates.vote_wrong);
  EXPECT_EQ(result.config_toml, made.config_toml);
}

TEST_F(ColumnsCommand, WritesTheSameBytesForAnyThreadsAndInstructionSet) {
  const auto bytes = [this](const std::string& arguments) {
    const Outcome outcome = columns("-o c.h5 " + arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    return bytes_of(folder_ / "c.h5");
  };
  const std::string die = "--set column.common_factor_sd=0.02 ";
  const auto whole = bytes(die + "--threads 1");
  for (const std::string& target : core::simd_targets()) {
    EXPECT_EQ(bytes(die + "--threads 3 --simd " + target), whole) << target;
  }
  EXPECT_NE(bytes(die + "--seed 2"), whole);
}

TEST_F(ColumnsCommand, PrintsJsonWithIntervals) {
  const Outcome outcome = columns("--json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(json["classes"].size(), 11u);
  for (const auto& object : json["classes"]) {
    EXPECT_LE(object["mean"][1], object["mean"][0]);
    EXPECT_GE(object["mean"][2], object["mean"][0]);
  }
  EXPECT_FALSE(json["die_yield_from_columns"].is_null());
  // The file shows the same.
  const Outcome shown = tests::run_program("cd " + (folder_ / "").string() + " && " +
                                           CIMSTAT_BINARY + " show m.columns.h5 --json");
  EXPECT_EQ(nlohmann::json::parse(shown.output)["summary"], json);
}

TEST_F(ColumnsCommand, MakesTheFileAgainFromItsConfiguration) {
  ASSERT_EQ(columns("-o c.h5 --columns 7 --votes 5").exit_code, 0);
  const std::string place = "cd " + (folder_ / "").string() + " && " + CIMSTAT_BINARY;
  ASSERT_EQ(tests::run_program(place + " show c.h5 --config > again.toml").exit_code, 0);
  ASSERT_EQ(tests::run_program(place + " columns again.toml -q -o again.h5").exit_code, 0);
  EXPECT_EQ(bytes_of(folder_ / "again.h5"), bytes_of(folder_ / "c.h5"));
}

TEST_F(ColumnsCommand, TakesTheSmallestOfEverything) {
  const Outcome outcome = columns(
      "--columns 1 --dies 1 --patterns 1 --votes 1 --set column.rows=1 --set "
      "converter.references=midpoint -o c.h5");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_EQ(read_columns(folder_ / "c.h5").rates.misread.size(), 2u);
}

TEST_F(ColumnsCommand, FreezesTheOffsetAlone) {
  const Outcome outcome = columns("--set columns.frozen=offset");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("the offset is frozen"));
}

TEST_F(ColumnsCommand, RefusesWhatMakesNoSense) {
  const Outcome even = columns("--votes 4");
  EXPECT_EQ(even.exit_code, 2);
  EXPECT_THAT(even.output, HasSubstr("columns.votes: 4 reads can end in a tie"));
  const Outcome many = columns("--columns 1000000 --dies 1000000");
  EXPECT_EQ(many.exit_code, 2);
  EXPECT_THAT(many.output, HasSubstr("there would be too many rates"));
  const Outcome cells = columns("--set columns.lrs_cells=11");
  EXPECT_EQ(cells.exit_code, 2);
  EXPECT_THAT(cells.output, HasSubstr("columns.lrs_cells: 11 is out of range"));
}

// What [columns] says decides neither an error table nor an accuracy result.
TEST(ColumnsSection, LeavesOtherResultsAlone) {
  const Experiment one = tests::sample_experiment();
  const Experiment other = tests::sample_experiment({"columns.dies=3"});
  EXPECT_EQ(one.table_toml, other.table_toml);
  EXPECT_EQ(one.accuracy_toml, other.accuracy_toml);
  EXPECT_EQ(one.macro_toml, other.macro_toml);
  EXPECT_NE(columns_toml(one), columns_toml(other));
  EXPECT_EQ(columns_toml(one), columns_toml(tests::sample_experiment({"accuracy.images=7"})));
}

}  // namespace
}  // namespace cimstat::experiments
