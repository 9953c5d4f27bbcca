#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file/provenance.h"

#include "experiments/accuracy_file.h"
#include "experiments/table/table_file.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tests::Outcome;

class Seeing : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(config()) << R"(name = "test macro"
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
rows = 4
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "1.5 uA"
[table]
trials = 100_000
)";
  }
  std::string config() const { return (folder_ / "m.toml").string(); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  Outcome cimstat(const std::string& arguments) const {
    return tests::run_program("cd " + folder_.path().string() + " && " + CIMSTAT_BINARY + " " +
                              arguments + " 2>&1");
  }
  void make_table(const std::string& name, const std::string& more = {}) const {
    const Outcome made = cimstat("table m.toml -q -o " + name + " " + more);
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }
  /// As `cimstat accuracy` writes it, without a network to run.
  void make_accuracy(const std::string& name, double share) const {
    const Experiment experiment = read_experiment(
        core::Config::from_file(config(), std::vector<std::string>{"accuracy.images=1000"}));
    AccuracyRecord record{.name = "test macro",
                          .network = "net",
                          .data_set = "set",
                          .table_sha256 = std::string(64, 'a'),
                          .confidence = 0.95,
                          .result = {}};
    record.result.reads = 1;
    record.result.partial_sums = 7;
    record.result.exact_correct.assign(1000, 1);
    for (int i = 0; i < 1000; ++i) record.result.sampled_correct.push_back(i < 1000 * share);
    write_accuracy(experiment, record, path(name));
  }
  tests::TemporaryFolder folder_;
};

TEST_F(Seeing, ShowTellsWhatMadeATableAndWhatItSays) {
  make_table("t.h5");
  const Outcome shown = cimstat("show t.h5");
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.output,
              AllOf(StartsWith("t.h5: error table, format version 1.0\n"), HasSubstr("test macro"),
                    HasSubstr(core::source_text()), HasSubstr("(verified)"),
                    HasSubstr("/probability"), HasSubstr("15 x 5"),
                    HasSubstr("at 4 active rows (the table has 0 .. 4;"), HasSubstr("+-")));
  EXPECT_THAT(shown.output, Not(HasSubstr("\033")));  // not a terminal: no colours
  const TableRecord record = read_table(path("t.h5"));
  const Outcome row = cimstat("show t.h5 --class 3,4");
  EXPECT_EQ(std::count(row.output.begin(), row.output.end(), '\n'), 2 + 5);
  EXPECT_THAT(row.output, HasSubstr("ideal"));
  EXPECT_THAT(cimstat("show t.h5 --json").output, HasSubstr(record.content_sha256));
}

TEST_F(Seeing, ShowGivesIntervalsOfASampledTable) {
  make_table("t.h5", "--set table.method=monte_carlo");
  EXPECT_THAT(cimstat("show t.h5 --active-rows 2").output,
              AllOf(HasSubstr("[95 % interval]"), HasSubstr("at 2 active rows")));
  EXPECT_THAT(cimstat("show t.h5 --class 1,2").output, HasSubstr("100000 trials"));
}

TEST_F(Seeing, TheShownConfigurationMakesTheSameBytesAgain) {
  for (const std::string more :
       {"", "--set table.method=monte_carlo --seed 7 --set table.trials=1000"}) {
    make_table("t.h5", more);
    ASSERT_EQ(cimstat("show t.h5 --config > x.toml").exit_code, 0);
    const Outcome again = cimstat("table x.toml -q -o again.h5");
    ASSERT_EQ(again.exit_code, 0) << again.output;
    EXPECT_EQ(core::sha256_of_file(path("t.h5")), core::sha256_of_file(path("again.h5"))) << more;
  }
}

TEST_F(Seeing, ShowKnowsEveryKindOfFile) {
  make_table("t.h5");
  make_accuracy("a.h5", 0.9);
  EXPECT_THAT(cimstat("show a.h5").output,
              AllOf(HasSubstr("accuracy result"), HasSubstr("on this macro              90.00 %")));
  EXPECT_THAT(cimstat("show a.h5 --json").output, HasSubstr("\"partial_sums\": 7"));
  EXPECT_THAT(cimstat("show a.h5 --config").output, HasSubstr("[accuracy]"));
  EXPECT_THAT(cimstat("show t.h5.run.json").output,
              AllOf(HasSubstr("run record"), HasSubstr("verified: the file beside")));
  std::ofstream(path("t.h5"), std::ios::app) << "x";
  EXPECT_THAT(cimstat("show t.h5.run.json").output, HasSubstr("has another hash"));
  EXPECT_THAT(cimstat("show m.toml").output, HasSubstr("cimstat validate m.toml"));
  const Outcome network = cimstat(std::string("show ") + CIMSTAT_EMBEDDED_NETWORK);
  EXPECT_THAT(network.output, AllOf(HasSubstr("1208864 MACs an image"), HasSubstr("max_pool"),
                                    HasSubstr("/layers/008_classes/weight"),
                                    HasSubstr("(verified: input, layers, weights, scales)")));
  EXPECT_EQ(cimstat(std::string("show --json ") + CIMSTAT_EMBEDDED_NETWORK).exit_code, 0);
}

TEST_F(Seeing, ShowRefusesInOneLineWhatItCannotShow) {
  make_table("t.h5");
  std::ofstream(path("text.h5")) << "no HDF5";
  std::ofstream(path("deep.run.json")) << "{\"a\": " << std::string(60'000, '[') << "}";
  std::ofstream(path("poor.run.json")) << "{}";
  for (const auto& [arguments, code] :
       {std::pair("show missing.h5", 2), std::pair("show text.h5", 3), std::pair("show .", 2),
        std::pair("show deep.run.json", 3), std::pair("show poor.run.json", 3),
        std::pair("show t.h5 --active-rows 9", 2), std::pair("show t.h5 --class 5,4", 2),
        std::pair("show t.h5 --class three", 2), std::pair("show m.toml --class 1,2", 2),
        std::pair("show t.h5.run.json --config", 2)}) {
    const Outcome refused = cimstat(arguments);
    EXPECT_EQ(refused.exit_code, code) << arguments << "\n" << refused.output;
    EXPECT_EQ(std::count(refused.output.begin(), refused.output.end(), '\n'), 1) << refused.output;
  }
}

TEST_F(Seeing, DiffAnswersByItsExitStatus) {
  make_table("exact.h5");
  make_table("sampled.h5", "--set table.method=monte_carlo");
  make_table("other.h5", "--set cell.lrs.sigma=0.09");
  make_table("part.h5", "--set table.active_rows=[4]");
  EXPECT_EQ(cimstat("diff exact.h5 exact.h5").output, "identical: the same bytes\n");
  const Outcome same = cimstat("diff exact.h5 sampled.h5");
  EXPECT_EQ(same.exit_code, 0) << same.output;
  EXPECT_THAT(same.output, AllOf(HasSubstr("the same macro; 1 key"), HasSubstr("table.method"),
                                 HasSubstr("no significant difference")));
  const Outcome other = cimstat("diff sampled.h5 other.h5");
  EXPECT_EQ(other.exit_code, 1) << other.output;
  EXPECT_THAT(other.output, AllOf(HasSubstr("other macros"), HasSubstr("cell.lrs.sigma"),
                                  HasSubstr("the tables differ: ")));
  EXPECT_THAT(cimstat("diff exact.h5 other.h5 --json").output, HasSubstr("\"differ\": true"));
  const Outcome part = cimstat("diff exact.h5 part.h5");
  EXPECT_EQ(part.exit_code, 0) << part.output;
  EXPECT_THAT(part.output, AllOf(HasSubstr("5 classes in both tables, 10 only in a"),
                                 HasSubstr("no difference beyond the error bounds")));
}

TEST_F(Seeing, DiffTellsWrongUseFromDamage) {
  make_table("t.h5");
  make_accuracy("a.h5", 0.9);
  EXPECT_EQ(cimstat("diff t.h5 a.h5").exit_code, 2);
  EXPECT_THAT(cimstat("diff m.toml m.toml").output, HasSubstr("; name two of these"));
  EXPECT_EQ(cimstat("diff t.h5 missing.h5").exit_code, 2);
  EXPECT_EQ(cimstat("diff t.h5").exit_code, 2);
  EXPECT_EQ(cimstat("diff t.h5 t.h5 --level 2").exit_code, 2);
  std::filesystem::resize_file(path("t.h5"), 5000);
  EXPECT_EQ(cimstat("diff t.h5 t.h5").exit_code, 3);
}

TEST_F(Seeing, DiffPairsAccuracyResults) {
  make_accuracy("a.h5", 0.90);
  make_accuracy("b.h5", 0.93);
  const Outcome outcome = cimstat("diff a.h5 b.h5");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("paired"), HasSubstr("3.00 %")));
}

TEST_F(Seeing, CimstatAlonePrintsTheCommands) {
  const Outcome alone = cimstat("");
  EXPECT_EQ(alone.exit_code, 2);
  for (const char* command : {"margin", "table", "accuracy", "show", "diff", "report"}) {
    EXPECT_THAT(alone.output, HasSubstr(std::string("\n  cimstat ") + command));
  }
}

TEST_F(Seeing, EveryRefusalOfTheCommandLineSuggestsSomething) {
  for (const auto& [arguments, expected] :
       {std::pair("tabel m.toml", "tabel: is no subcommand; did you mean table?"),
        std::pair("zzzzzzzz", "zzzzzzzz: is no subcommand (known: "),
        std::pair("table m.toml --treads 2",
                  "--treads: is no option of cimstat table; did you mean --threads?"),
        std::pair("table m.toml --xyzzy=1", "--xyzzy: is no option of cimstat table (known: "),
        std::pair("--quiet table m.toml",
                  "--quiet: stands before the subcommand; write it behind, as in cimstat "),
        std::pair("table m.toml more", "more: is one argument too many (cimstat table takes no"),
        std::pair("table", "cimstat table: config is missing (experiment file (TOML)); see "),
        std::pair("table m.toml --threads 9999", "--threads: "),
        std::pair("table m.toml --seed", "--seed: "), std::pair("completion tcsh", "shell: "),
        std::pair("table m.toml --seed 99999999999999999999",
                  "--seed: \"99999999999999999999\" is not a whole number from 0 to "),
        std::pair("table m.toml --seed -1", "--seed: \"-1\" is not a whole number from 0 to "),
        std::pair("table m.toml --simd foo", "--simd foo: is not available (this CPU runs "),
        std::pair("diff a.h5 b.h5 --level nan",
                  "--level: \"nan\" is not a number from 1e-12 to 0.5; see "),
        std::pair("diff a.h5 b.h5 --level 0", "--level: \"0\" is not a number from 1e-12 to 0.5; "),
        std::pair("diff a.h5 b.h5 --classes -1",
                  "--classes: \"-1\" is not a whole number from 0 to "),
        std::pair("show t.h5 --active-rows 1.5",
                  "--active-rows: \"1.5\" is not a whole number from 0 to 1024; see "),
        std::pair("report t.h5 --active-rows 0",
                  "--active-rows: \"0\" is not a whole number from 1 to 1024; see "),
        std::pair("show x.h5 --class 1,2 --active-rows 3", "--active-rows: excludes --class; ")}) {
    const Outcome outcome = cimstat(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments;
    EXPECT_THAT(outcome.output, StartsWith(std::string("cimstat: ") + expected)) << arguments;
    EXPECT_THAT(outcome.output, HasSubstr("; ")) << arguments;
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
  }
}

TEST_F(Seeing, EveryHelpStandsAlone) {
  for (const char* command :
       {"margin", "table", "accuracy", "show", "diff", "report", "completion"}) {
    const Outcome help = cimstat(std::string(command) + " --help");
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.output, AllOf(HasSubstr("Example: cimstat "), Not(HasSubstr(" TEXT")),
                                   Not(HasSubstr(" VALUE"))));
  }
}

TEST_F(Seeing, ShowGivesTheCountsOfAFileTheIntervalsThatAreAskedFor) {
  make_table("s.h5", "--set table.method=monte_carlo");
  const std::string usual = cimstat("show s.h5 --class 2,4").output;
  EXPECT_THAT(usual, AllOf(HasSubstr("[95 % interval]"), Not(HasSubstr("intervals:"))));
  EXPECT_THAT(
      cimstat("show s.h5 --class 2,4 --confidence 0.99 --interval jeffreys").output,
      AllOf(HasSubstr("[99 % interval]"), HasSubstr("intervals: Jeffreys, each by itself")));
  EXPECT_THAT(cimstat("show s.h5 --class 2,4 --interval goodman --simultaneous row --json").output,
              HasSubstr("\"intervals\": \"Goodman, all codes of a class at once\""));
  EXPECT_THAT(cimstat("show s.h5 --simultaneous table").output,
              HasSubstr("intervals: Clopper-Pearson, all codes of all classes at once"));
  EXPECT_EQ(cimstat("show s.h5 --interval wald").exit_code, 2);
  EXPECT_EQ(cimstat("show s.h5 --confidence 1").exit_code, 2);
  const Outcome refused = cimstat("show m.toml --simultaneous row");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.output,
              HasSubstr("--simultaneous: m.toml is a file of another kind (experiment) (only an "
                        "error table has counts to give intervals); leave the option out"));
}

TEST_F(Seeing, ShowPrintsTablesAsCsv) {
  make_table("s.h5", "--set table.method=monte_carlo");
  const std::string all = cimstat("show s.h5 --csv").output;
  EXPECT_THAT(all, StartsWith("active_rows,lrs_count,ideal_code,trials,misreads,misread,lower,"
                              "upper\n0,0,0,100000,"));
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 16);
  const std::string some = cimstat("show s.h5 --csv --active-rows 4").output;
  EXPECT_EQ(std::count(some.begin(), some.end(), '\n'), 6);
  EXPECT_THAT(cimstat("show s.h5 --csv --class 2,4").output,
              StartsWith("code,mac_value,count,probability,lower,upper\n0,0,"));
  make_table("e.h5");
  EXPECT_THAT(cimstat("show e.h5 --csv").output,
              StartsWith("active_rows,lrs_count,ideal_code,misread,lower,upper\n"));
  EXPECT_EQ(cimstat("show s.h5 --csv --json").exit_code, 2);
}

TEST_F(Seeing, ATableWithATargetSaysWhatItKnowsSoWell) {
  const Outcome made = cimstat(
      "table m.toml -q -o t.h5 --set table.method=monte_carlo "
      "--set table.target_relative_error=0.1");
  EXPECT_EQ(made.exit_code, 0);
  EXPECT_THAT(made.output,
              AllOf(HasSubstr(" of 15 classes: misread rate known to 10 % at 95 % (385 "
                              "misreads each)"),
                    HasSubstr("raise table.trials for these")));
  EXPECT_THAT(cimstat("show t.h5").output, HasSubstr("sampled until 385 misreads"));
  EXPECT_THAT(cimstat("show t.h5 --csv").output, HasSubstr(",ended,guaranteed_misread,"));
  // Compared class by class, each with its own number of trials.
  make_table("e.h5");
  EXPECT_EQ(cimstat("diff t.h5 e.h5").exit_code, 0);
  make_table("other.h5", "--set table.method=monte_carlo --seed 9");
  EXPECT_EQ(cimstat("diff t.h5 other.h5").exit_code, 0);
  EXPECT_EQ(cimstat("report t.h5 -q -o t.html --simultaneous table").exit_code, 0);
  EXPECT_THAT(cimstat("table m.toml --dry-run --set table.method=monte_carlo "
                      "--set table.target_relative_error=0.1")
                  .output,
              AllOf(HasSubstr("trials   at most 1500000 (100000 for each class)"),
                    HasSubstr("target   10 % at 95 %: 385 misreads of each class")));
}

}  // namespace
}  // namespace cimstat::experiments
