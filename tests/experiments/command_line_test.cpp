#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <sys/wait.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file/provenance.h"
#include "core/simd.h"

#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

struct Outcome {
  int exit_code = -1;
  std::string output;  ///< stdout and stderr
};

Outcome run(const std::string& arguments) {
  Outcome outcome;
  FILE* pipe = popen((std::string(CIMSTAT_BINARY) + " " + arguments + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) outcome.output += buffer.data();
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return outcome;
}

class CommandLine : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(config()) << R"(name = "test macro"
[cell]
model = "rram"
read_noise = 0.01
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.08
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 9
read_voltage = "0.2 V"
[column.leakage]
distribution = "lognormal"
median = "5 nS"
sigma = 0.8
[sense_amplifier]
offset_sd = "0.5 uA"
noise_sd = "0.5 uA"
[table]
trials = 10_000
)";
  }
  std::string config() const { return (folder_ / "m.toml").string(); }
  std::string out(const std::string& name) const { return (folder_ / name).string(); }
  std::string table_hash(const std::string& arguments) const {
    const std::string file = out("hash.h5");
    const Outcome outcome = run("table " + config() + " -q -o " + file + " " + arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    return core::sha256_of_file(file);
  }
  tests::TemporaryFolder folder_;
};

TEST_F(CommandLine, HelpNamesEverySubcommand) {
  const Outcome help = run("--help");
  EXPECT_EQ(help.exit_code, 0);
  for (const char* command : {"margin", "table", "accuracy", "report"}) {
    EXPECT_THAT(help.output, HasSubstr(command));
    const Outcome sub = run(std::string(command) + " --help");
    EXPECT_EQ(sub.exit_code, 0);
    EXPECT_THAT(sub.output, HasSubstr("Example:"));
  }
  EXPECT_THAT(run("--version").output, HasSubstr("cimstat 0."));
}

TEST_F(CommandLine, WrongUseExitsWithTwoAndOneLine) {
  for (const std::string& arguments :
       {std::string("tabel"), std::string("table"), "table " + config() + " --nosuch",
        "table " + out("missing.toml"), "table " + config() + " --set table.trials=-1",
        "table " + config() + " --set cell.lrs.sigma=nan", "table " + config() + " --simd MMX",
        "table " + config() + " --set nosuch.key=1", "table " + config() + " --threads 99999"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments << "\n" << outcome.output;
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("cimstat: "));
  }
  EXPECT_THAT(run("tabel").output, HasSubstr("did you mean table?"));
}

TEST_F(CommandLine, HelpsWhereAKeyWasNotWrittenAsOne) {
  EXPECT_EQ(run("margin " + config() + " --active-rows 4").output,
            "cimstat: --active-rows: is no option of cimstat margin (it is a key of the experiment "
            "file); write --set margin.active_rows=...\n");
  EXPECT_EQ(run("margin " + config() + " --set cell.lrs.median=40 uS").output,
            "cimstat: --set cell.lrs.median=40 uS: is two words to the shell; write --set "
            "'cell.lrs.median=40 uS'\n");
  EXPECT_THAT(run("table " + config() + " --set table.active_rows=4,8").output,
              HasSubstr("--set table.active_rows: \"4,8\" is a text (several numbers are a list in "
                        "brackets); write [4,8]"));
  EXPECT_THAT(run("describe lrs").output, HasSubstr("did you mean cell.lrs?"));
  EXPECT_THAT(run("validate " + config() + " --set sense_amp.offset_sd=0").output,
              HasSubstr("did you mean sense_amplifier?"));
}

TEST_F(CommandLine, ForeignDataExitsWithThree) {
  std::ofstream(out("foreign.h5")) << "no HDF5";
  EXPECT_EQ(run("report " + out("foreign.h5")).exit_code, 3);
  EXPECT_EQ(run("accuracy " + config() + " --table " + out("foreign.h5")).exit_code, 3);
  EXPECT_EQ(run("accuracy " + config() + " --table " + out("missing.h5")).exit_code, 2);
}

TEST_F(CommandLine, MarginPrintsEachLevel) {
  const Outcome outcome = run("margin " + config());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("test macro: 9 of 9 rows"), HasSubstr("Worst pair:")));
  const Outcome json = run("margin " + config() + " --json");
  EXPECT_EQ(json.output.substr(0, 1), "{");
}

TEST_F(CommandLine, AnUnwritableResultLeavesNothing) {
  const Outcome outcome = run("table " + config() + " -q -o " + out("no/such/folder/t.h5"));
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1);
}

TEST_F(CommandLine, ValidateSaysOkOrTheOneLine) {
  const Outcome sound = run("validate " + config());
  EXPECT_EQ(sound.exit_code, 0);
  EXPECT_THAT(sound.output, testing::StartsWith("ok\n  LRS "));
  EXPECT_THAT(sound.output, HasSubstr("\n  converter "));
  const Outcome wrong = run("validate " + config() + " --set cell.lrs.sigma=-1");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_EQ(wrong.output,
            "cimstat: --set cell.lrs.sigma: -1 is out of range (must be >= 0 and <= 5); write a "
            "number between 0 and 5\n");
}

TEST_F(CommandLine, ValidateRefusesWhatAccuracyWould) {
  const std::string image = " --set accuracy.images=10";
  for (const auto& [keys, line] :
       {std::pair(std::string(" --set accuracy.images=9999 --set accuracy.recalibration_images=2"),
                  "accuracy.recalibration_images: 2 are wanted beside 9999 images"),
        std::pair(image + " --set accuracy.recalibration_images=9 --set accuracy.sensitivity=true",
                  "accuracy.sensitivity: has no place beside recalibration_images"),
        std::pair(image + " --set accuracy.layers=true --set accuracy.protected_diagonals=2 "
                          "--set accuracy.protection=vote --set accuracy.vote=mean",
                  "accuracy.layers: can't count codes of a mean"),
        std::pair(image + " --set column.rows=1024",
                  "column.rows: 1024 make a table of 525825 classes x 1025 codes")}) {
    for (const std::string& command :
         {std::string("validate "), "accuracy -q -o " + out("r.h5") + " "}) {
      const Outcome refused = run(command + config() + keys);
      EXPECT_EQ(refused.exit_code, 2) << command << keys << refused.output;
      EXPECT_THAT(refused.output, HasSubstr(line));
    }
  }
  EXPECT_FALSE(fs::exists(out("r.h5")));
}

TEST_F(CommandLine, ChipsAreNotRunBeforeATableThatCantBe) {
  const Outcome refused = run("accuracy -q -o " + out("r.h5") + " " + config() +
                              " --set accuracy.images=5 --set accuracy.noise=frozen "
                              "--set column.rows=1024 --beside-table");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.output, HasSubstr("column.rows: 1024 make a table of 525825 classes"));
  EXPECT_FALSE(fs::exists(out("r.h5")));
}

TEST_F(CommandLine, ValidateDryRunGivesTheFigures) {
  const Outcome exact = run("validate " + config() + " --dry-run");
  EXPECT_EQ(exact.exit_code, 0);
  EXPECT_THAT(exact.output,
              AllOf(HasSubstr("classes  55\n"), HasSubstr("codes    10\n"),
                    HasSubstr("method   exact (cells are independent and add up)\n"),
                    HasSubstr("time     about "), HasSubstr("(probe: 55 classes took ")));
  const Outcome sampled = run("validate " + config() + " --dry-run --set table.method=monte_carlo");
  EXPECT_THAT(sampled.output,
              AllOf(HasSubstr("method   monte_carlo (asked for)\n"),
                    HasSubstr("trials   550000 (10000 for each class)\n"),
                    HasSubstr("(probe: preparing took "), HasSubstr(", 80000 trials ")));
}

TEST_F(CommandLine, WarnsOfNegativeConductancesOnStandardError) {
  const Outcome outcome =
      run("validate " + config() +
          " --set 'cell.hrs={distribution=\"normal\", mean=\"2 uS\", sd=\"1 uS\"}'");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(
      outcome.output,
      testing::StartsWith(
          "cimstat: warning: --set cell.hrs: cell.hrs.sd: 0.0228 of the cells have a negative "
          "conductance (the normal law is that wide); cut it off with low = 0, or use a "
          "lognormal\nok\n"));
}

TEST_F(CommandLine, DryRunWritesNothing) {
  const Outcome outcome = run("table " + config() + " --dry-run");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output, HasSubstr("classes  55"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1);
}

TEST_F(CommandLine, TablesAreTheSameBytesForAnyThreadsAndInstructionSet) {
  for (const std::string method : {"exact", "monte_carlo", "monte_carlo --set table.stream=fast",
                                   "monte_carlo --set table.summation=per_cell"}) {
    const std::string arguments = "--set table.method=" + method;
    std::set<std::string> hashes = {table_hash(arguments + " --threads 1"),
                                    table_hash(arguments + " --threads 2")};
    for (const std::string& target : core::simd_targets()) {
      hashes.insert(table_hash(arguments + " --simd " + target));
    }
    EXPECT_EQ(hashes.size(), 1U) << method;
  }
}

TEST_F(CommandLine, AnotherSeedGivesAnotherSample) {
  const std::string sampled = "--set table.method=monte_carlo ";
  EXPECT_NE(table_hash(sampled), table_hash(sampled + "--seed 2"));
}

}  // namespace
}  // namespace cimstat::experiments
