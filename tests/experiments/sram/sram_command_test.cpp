#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/describe/description.h"
#include "experiments/sram/failure_run.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using tests::Outcome;
using tests::TemporaryFolder;

class SramCommand : public testing::Test {
 protected:
  Outcome sram(const std::string& text, const std::string& arguments = "") const {
    std::ofstream(folder_ / "cell.toml") << text;
    return run("sram cell.toml -q " + arguments);
  }
  Outcome run(const std::string& command) const {
    return tests::run_program("cd " + (folder_ / "").string() + " && " + CIMSTAT_BINARY + " " +
                              command + " 2>&1");
  }
  TemporaryFolder folder_;
};

const std::string upset = std::string(CIMSTAT_CONFIGS) + "/cells/sram_read_upset.toml";

TEST_F(SramCommand, SamplingAndTheIntegralAgreeForEveryFailure) {
  const std::string files[] = {
      "[sram]\nfailure = \"read_upset\"\nsupply = [0.7, 0.9]\naccess_sd = 0.05\npull_down_sd = "
      "0.05\npull_up_sd = 0.05\n",
      "[sram]\nfailure = \"read_access\"\nsupply = [0.9, \"1 V\"]\nword_line = \"0.95 V\"\n",
      "[sram]\nfailure = \"noise_margin\"\nnominal = \"0.15 V\"\nthreshold_sd = \"30 mV\"\n"
      "slopes = [-0.5, 0.4, 0.2, 0.1, -0.3, 0.1]\n"};
  for (const std::string& file : files) {
    const Outcome outcome = sram(file, "--json");
    ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
    const nlohmann::json result = nlohmann::json::parse(outcome.output);
    for (const auto& line : result["lines"]) {
      ASSERT_TRUE(line["importance_sampling"]["probability"].is_number()) << outcome.output;
      const double p = line["importance_sampling"]["probability"];
      const double error = line["importance_sampling"]["standard_error"];
      const double integral = line["integral"];
      EXPECT_LE(std::abs(p - integral), 4.5 * error) << outcome.output;
      EXPECT_GT(std::abs(p - 1.1 * integral), 4.5 * error);  // a bias of 10 % would be seen
      const double cells = result["cells"];
      EXPECT_NEAR(line["yield"], std::exp(cells * std::log1p(-integral)), 1e-12);
      EXPECT_FALSE(line["most_likely_failures"].empty());
    }
  }
}

TEST_F(SramCommand, TheCellIsThatOfTheFile) {
  const circuits::ReadUpset usual{.supply = 0.8, .access_sd = 0.04};
  const Outcome outcome =
      sram("[sram]\nfailure = \"read_upset\"\nsupply = [0.8]\naccess_sd = \"40 mV\"\n", "--json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const double integral = nlohmann::json::parse(outcome.output)["lines"][0]["integral"];
  EXPECT_EQ(integral, usual.failure_probability());
}

TEST_F(SramCommand, TheLikeliestFailuresLieOnTheBoundary) {
  const core::Config config = core::Config::from_file(upset, {});
  const SramFailureSettings settings = read_sram_failure(config);
  const FailureResult result = run_sram_failure(settings, {.samples = 2000}, {1});
  ASSERT_EQ(result.lines.size(), 5u);
  for (std::size_t i = 0; i < result.lines.size(); ++i) {
    const auto& cell = std::get<circuits::ReadUpset>(settings.cells[i]);
    ASSERT_EQ(variables_of(settings.cells[i]).size(), cell.limit().dimension);
    for (const circuits::DesignPoint& point : result.lines[i].points) {
      std::vector<double> nearer = point.z;
      std::vector<double> further = point.z;
      for (double& z : nearer) z *= 0.95;
      for (double& z : further) z *= 1.05;
      EXPECT_GT(cell.limit().margin(nearer), 0.0);
      EXPECT_LT(cell.limit().margin(further), 0.0);
    }
  }
  // One for each stored value.
  EXPECT_EQ(result.lines.back().points.size(), 2u);
}

TEST_F(SramCommand, AnyThreadsGiveTheSameText) {
  const Outcome one = run("sram " + upset + " -q --threads 1");
  const Outcome two = run("sram " + upset + " -q --threads 2");
  EXPECT_EQ(one.exit_code, 0) << one.output;
  EXPECT_EQ(one.output, two.output);
  EXPECT_THAT(one.output, AllOf(StartsWith("six-transistor cell: cells that are flipped when read"),
                                HasSubstr("Most likely failures at 600 mV"),
                                HasSubstr("Most likely failures at 1 V")));
}

TEST_F(SramCommand, WrongFilesGetOneLineWithThePlace) {
  const struct {
    std::string text;
    std::string message;
  } wrong[] = {
      {"", "cell.toml:1:1: sram: is missing"},
      {"[sram]\nsupply = [1.0]\n", "sram.failure: is missing"},
      {"[sram]\nfailure = \"read_upsett\"\nsupply = [1.0]\n", "read_upset"},
      {"[sram]\nfailure = \"read_upset\"\n", "sram.supply: is missing"},
      {"[sram]\nfailure = \"read_upset\"\nsupply = []\n", "lists 0 voltages"},
      {"[sram]\nfailure = \"read_upset\"\nsupply = [1.0, \"1 V\"]\n", "lists a voltage twice"},
      {"[sram]\nfailure = \"read_upset\"\nsupply = [0.01]\n", "sram.supply"},
      {"[sram]\nfailure = \"read_upset\"\nsupply = [1.0]\naccess_sd = nan\n", "sram.access_sd"},
      {"[sram]\nfailure = \"read_upset\"\nsupply = [1.0]\nleast_current = \"1 uA\"\n",
       "least_current"},
      {"[sram]\nfailure = \"noise_margin\"\nnominal = 0.1\nthreshold_sd = 0.03\nslopes = [1.0]\n",
       "lists 1 numbers"},
      {"[sram]\nfailure = \"noise_margin\"\nnominal = 0.1\nthreshold_sd = 0.03\nslopes = "
       "[0.0, 0.0]\n",
       "are all 0"},
  };
  for (const auto& [text, message] : wrong) {
    const Outcome outcome = sram(text);
    EXPECT_EQ(outcome.exit_code, 2) << text << outcome.output;
    EXPECT_THAT(outcome.output, AllOf(StartsWith("cimstat: "), HasSubstr(message)));
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
  }
}

TEST_F(SramCommand, DescribeListsItsFile) {
  const Outcome outcome = run("describe --file sram sram");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("least_current"), HasSubstr("slopes")));
}

}  // namespace
}  // namespace cimstat::experiments
