/// Where results go: what can't be written is refused before anything is computed.
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/child_process.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using tests::Outcome;
using tests::TemporaryFolder;
using tests::text_of;

class Outputs : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_ / "m.toml") << R"(name = "outputs"
[cell]
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
rows = 4
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "2 uA"
)";
  }

  /// In the test's folder; 124 when it hangs, which TERM must then end.
  Outcome run(const std::string& arguments) const {
    return tests::run_program("cd '" + folder_.path().string() + "' && (timeout 60 " +
                              std::string(CIMSTAT_BINARY) + " " + arguments + ") 2>&1");
  }
  /// Of a table that would take hours.
  Outcome run_long(const std::string& output) const {
    return run("table m.toml -q --set table.method=monte_carlo --set table.trials=1e12 -o " +
               output);
  }
  void expect_refused(const Outcome& outcome, int code, const std::string& line) const {
    EXPECT_EQ(outcome.exit_code, code) << outcome.output;
    EXPECT_EQ(outcome.output, "cimstat: " + line + "\n");
  }
  /// 20 images of 2 x 2 pixels, which the shipped network can't take.
  void write_small_images() const {
    std::filesystem::create_directory(folder_ / "small");
    const auto number = [](unsigned value) {
      return std::string{'\0', '\0', static_cast<char>(value >> 8), static_cast<char>(value)};
    };
    std::ofstream(folder_ / "small/t10k-images-idx3-ubyte", std::ios::binary)
        << number(2051) + number(20) + number(2) + number(2) + std::string(80, '\7');
    std::ofstream(folder_ / "small/t10k-labels-idx1-ubyte", std::ios::binary)
        << number(2049) + number(20) + std::string(20, '\1');
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  TemporaryFolder folder_;
};

TEST_F(Outputs, WhoseTemporaryCannotBeMadeAreRefusedBeforeTheWork) {
  std::filesystem::create_directory(folder_ / "a.h5.tmp");
  std::filesystem::create_symlink("a.h5.tmp", folder_ / "b.h5.tmp");
  ASSERT_EQ(::mkfifo((folder_ / "c.h5.tmp").c_str(), 0600), 0);
  const std::set<std::string> before = files();
  for (const std::string name : {"a.h5", "b.h5", "c.h5"}) {
    expect_refused(run_long(name), 1,
                   name +
                       ".tmp: is in the way of the result (not a regular file); remove it, or "
                       "name another file");
  }
  const std::string longest(252, 'x');
  expect_refused(run_long(longest), 1,
                 longest + ": can't be created (File name too long); choose a shorter name");
  EXPECT_EQ(files(), before);
}

TEST_F(Outputs, WhoseRunRecordCannotBeMadeAreRefusedBeforeTheWork) {
  std::filesystem::create_directory(folder_ / "a.h5.run.json");
  ASSERT_EQ(::mkfifo((folder_ / "b.h5.run.json.tmp").c_str(), 0600), 0);
  const std::set<std::string> before = files();
  expect_refused(run_long("a.h5"), 2, "a.h5.run.json: is not a regular file; name another file");
  expect_refused(run_long("b.h5"), 1,
                 "b.h5.run.json.tmp: is in the way of the result (not a regular file); remove it, "
                 "or name another file");
  const std::string longest(245, 'x');
  expect_refused(run_long(longest), 1,
                 longest +
                     ".run.json: can't be created (File name too long); choose a shorter "
                     "name");
  EXPECT_EQ(files(), before);
}

TEST_F(Outputs, NeverOverwriteAnInput) {
  std::filesystem::copy_file(folder_ / "m.toml", folder_ / "n.tmp");
  const std::string text = text_of(folder_ / "n.tmp");
  expect_refused(run("table n.tmp -o n"), 2,
                 "--out n: would overwrite an input of this run, n.tmp; name another file");
  EXPECT_EQ(text_of(folder_ / "n.tmp"), text);
}

TEST_F(Outputs, GoThroughALinkToItsTarget) {
  std::filesystem::create_directory(folder_ / "scratch");
  std::filesystem::create_symlink("scratch/t.h5", folder_ / "t.h5");
  EXPECT_EQ(run("table m.toml -q -o t.h5").exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "t.h5"));
  EXPECT_TRUE(std::filesystem::is_regular_file(folder_ / "scratch/t.h5"));
  EXPECT_EQ(run("show t.h5").exit_code, 0);
  std::filesystem::create_symlink("nowhere/t.h5", folder_ / "u.h5");
  expect_refused(run_long("u.h5"), 2,
                 "--out u.h5: no such folder (it is a link to nowhere/t.h5); make it first");
}

TEST_F(Outputs, NeedAName) {
  for (const char* command : {"table m.toml", "columns m.toml", "accuracy m.toml", "report t.h5"}) {
    expect_refused(run(std::string(command) + " -o -"), 2,
                   "--out: is no name of a file (results are files, not standard output); see "
                   "cimstat " +
                       std::string(command).substr(0, std::string(command).find(' ')) + " --help");
    const Outcome empty = run(std::string(command) + " -o ''");
    EXPECT_EQ(empty.exit_code, 2);
    EXPECT_THAT(empty.output, HasSubstr("--out: is an empty name (name a file, or leave"));
  }
  EXPECT_EQ(files(), std::set<std::string>{"m.toml"});
}

TEST_F(Outputs, AreNamedOnOneVisibleLine) {
  const Outcome outcome = run("table m.toml -q -o \"$(printf 'two\\nlines\\377.h5')\"");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output, HasSubstr("\nwritten two\\x0alines\\xff.h5 in "));
}

TEST_F(Outputs, OfAnAccuracyThatDoesNotFitAreRefusedBeforeItsTableIsMade) {
  write_small_images();
  const Outcome outcome =
      run("accuracy m.toml -q -o a.h5 --set accuracy.data_set=small --set "
          "table.method=monte_carlo --set table.trials=1e12");
  EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("has images of 1 x 2 x 2 pixels"));
}

TEST_F(Outputs, AreNotMadeWithATableThatLacksClasses) {
  ASSERT_EQ(run("table m.toml -q -o few.h5 --set 'table.active_rows=[1, 4]'").exit_code, 0);
  const Outcome outcome = run("accuracy m.toml -q -o a.h5 --table few.h5 --set accuracy.images=1");
  if (outcome.exit_code == 2 &&
      outcome.output.find("fashion-mnist: no such") != std::string::npos) {
    GTEST_SKIP() << outcome.output;
  }
  expect_refused(
      outcome, 2,
      "few.h5: has no class of 2 active rows (the network reads up to 4 at a time); make "
      "it with table.active_rows = \"all\"");
}

TEST_F(Outputs, OfAccuracyCarryTheConfigurationOfTheTableThatWasGiven) {
  ASSERT_EQ(run("table m.toml -q -o t.h5 --set table.method=monte_carlo --set table.trials=300")
                .exit_code,
            0);
  const Outcome outcome = run("accuracy m.toml -q -o a.h5 --table t.h5 --set accuracy.images=3");
  if (outcome.exit_code == 2 &&
      outcome.output.find("fashion-mnist: no such") != std::string::npos) {
    GTEST_SKIP() << outcome.output;
  }
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  ASSERT_EQ(run("show a.h5 --config > again.toml").exit_code, 0);
  ASSERT_EQ(run("accuracy again.toml -q -o b.h5").exit_code, 0);
  EXPECT_EQ(text_of(folder_ / "a.h5"), text_of(folder_ / "b.h5"));
}

TEST_F(Outputs, RememberActiveRowsAsASet) {
  ASSERT_EQ(run("table m.toml -q -o a.h5 --set 'table.active_rows=[1, 4]'").exit_code, 0);
  ASSERT_EQ(run("table m.toml -q -o b.h5 --set 'table.active_rows=[4, 1, 4]'").exit_code, 0);
  EXPECT_EQ(text_of(folder_ / "a.h5"), text_of(folder_ / "b.h5"));
}

TEST_F(Outputs, OfTablesAreNotNamedAsFilesOfAnotherKind) {
  expect_refused(run("table m.toml -o t.csv"), 2,
                 "--out t.csv: names a file of another kind (what is written is HDF5); write --out "
                 "t.h5; `cimstat report` makes pages and CSV of it");
}

TEST_F(Outputs, AreNotTheSameAccuracyTwiceInAReport) {
  std::ofstream(folder_ / "t.h5") << "anything";
  std::ofstream(folder_ / "a.h5") << "anything";
  std::filesystem::create_symlink("a.h5", folder_ / "b.h5");
  expect_refused(run("report t.h5 a.h5 a.h5 -o p.html"), 2,
                 "a.h5: is given twice; name each accuracy result once");
  expect_refused(run("report t.h5 a.h5 b.h5 -o p.html"), 2,
                 "b.h5: is given twice (it is the same file as a.h5); name each accuracy result "
                 "once");
}

TEST_F(Outputs, OfDiffNameClassesThatOneTableLacksAndSayDifferFromTrouble) {
  ASSERT_EQ(run("table m.toml -q -o a.h5 --set 'table.active_rows=[1, 4]'").exit_code, 0);
  ASSERT_EQ(run("table m.toml -q -o b.h5 --set 'table.active_rows=[2, 4]'").exit_code, 0);
  const Outcome outcome = run("diff a.h5 b.h5");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_TRUE(outcome.output.ends_with(
      "no difference beyond the error bounds (2 classes are only in a, 3 only in b: not "
      "compared)\n"))
      << outcome.output;
  expect_refused(run("diff a.h5 b.h5 >/dev/full"), 2,
                 "standard output: can't be written (full disk?); send it elsewhere");
  EXPECT_EQ(run("show a.h5 >/dev/full").exit_code, 1);
}

TEST_F(Outputs, AndInputsThatArePipesKeepNobodyWaiting) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((folder_ / "pipe.run.json").c_str(), 0600), 0);
  std::filesystem::create_directory(folder_ / "images");
  ASSERT_EQ(::mkfifo((folder_ / "images/t10k-images-idx3-ubyte").c_str(), 0600), 0);
  ASSERT_EQ(run("table m.toml -q -o t.h5").exit_code, 0);
  for (const char* arguments :
       {"show pipe", "show pipe.run.json", "show --config pipe", "diff t.h5 pipe", "diff pipe t.h5",
        "report pipe", "report t.h5 pipe", "table pipe", "accuracy m.toml --table pipe",
        "accuracy m.toml --set accuracy.network=pipe",
        "accuracy m.toml --set accuracy.data_set=pipe",
        "accuracy m.toml --set accuracy.data_set=images",
        "validate m.toml --set accuracy.data_set=images", "table m.toml -o pipe"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments << ": " << outcome.output;
    EXPECT_THAT(outcome.output, StartsWith("cimstat: ")) << arguments;
  }
}

}  // namespace
}  // namespace cimstat::experiments
