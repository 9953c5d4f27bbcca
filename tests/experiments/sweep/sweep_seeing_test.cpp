#include <algorithm>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/sweep/sweep_file.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tests::Outcome;

/// A sweep of six points, made by the program.
class SeeingSweeps : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_ / "x.toml") << R"(name = "swept macro"
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
[table]
method = "exact"
[sweep]
outputs = ["margin", "misread"]
[sweep.axis.sigma]
key = "cell.lrs.sigma"
values = [0.05, 0.1, 0.2]
[sweep.axis.corner]
cases = ["slow", "fast"]
[sweep.axis.corner.vary]
"column.read_voltage" = ["0.18 V", "0.22 V"]
)";
    const Outcome made = cimstat("sweep x.toml -q -o x.sweep.h5");
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }
  Outcome cimstat(const std::string& arguments) const {
    return tests::run_program("cd " + folder_.path().string() + " && " + CIMSTAT_BINARY + " " +
                              arguments + " 2>&1");
  }
  std::string text_of(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  tests::TemporaryFolder folder_;
};

TEST_F(SeeingSweeps, ReportWritesAPageOfTheResult) {
  const Outcome outcome = cimstat("report x.sweep.h5 -q");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_EQ(outcome.output, "written x.sweep.html\n");
  EXPECT_THAT(
      text_of("x.sweep.html"),
      AllOf(StartsWith("<!DOCTYPE html>"), HasSubstr("<h1>swept macro</h1>"),
            HasSubstr("<section class=\"heat-map\""), HasSubstr("6 points = 2 corner × 3 sigma")));
  EXPECT_EQ(cimstat("report x.sweep.h5 -q -o y.html").output, "written y.html\n");
  EXPECT_EQ(text_of("x.sweep.html"), text_of("y.html"));
}

TEST_F(SeeingSweeps, ReportRefusesWhatOnlyPagesOfTablesTake) {
  const Outcome outcome = cimstat("report x.sweep.h5 --active-rows 4");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("--active-rows: x.sweep.h5 is the result of a sweep (only "
                                        "the page of an error table takes it); leave it out"));
}

TEST_F(SeeingSweeps, ShowTellsAxesAndPoints) {
  const Outcome shown = cimstat("show x.sweep.h5");
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_THAT(shown.output, AllOf(StartsWith("x.sweep.h5: sweep result, format version"),
                                  HasSubstr("swept macro"), HasSubstr("(verified)"),
                                  HasSubstr("6 points: 2 corner x 3 sigma"),
                                  HasSubstr("cell.lrs.sigma"), HasSubstr("misread_worst"),
                                  HasSubstr("extremes among 6 points"), Not(HasSubstr("\033"))));
  const Outcome config = cimstat("show x.sweep.h5 --config");
  EXPECT_THAT(config.output, HasSubstr("[sweep.axis.sigma]"));
}

TEST_F(SeeingSweeps, ShowPicksPointsAndWritesCsv) {
  const Outcome all = cimstat("show x.sweep.h5 --csv");
  EXPECT_EQ(std::count(all.output.begin(), all.output.end(), '\n'), 1 + 6);
  EXPECT_THAT(all.output, StartsWith("corner,sigma,"));
  const Outcome some = cimstat("show x.sweep.h5 --csv --at corner=fast --at sigma=0.11");
  EXPECT_EQ(some.exit_code, 0);
  EXPECT_THAT(some.output, AllOf(HasSubstr("note: sigma has no 0.11; the nearest is 0.1\n"),
                                 HasSubstr("\nfast,0.1,")));
  // The numbers are those of the file.
  const SweepRecord record = read_sweep_file(folder_ / "x.sweep.h5");
  const auto worst =
      std::find_if(record.scalars.begin(), record.scalars.end(),
                   [](const SweepScalar& scalar) { return scalar.name == "misread_worst"; });
  ASSERT_NE(worst, record.scalars.end());
  EXPECT_THAT(cimstat("show x.sweep.h5 --json --at corner=slow").output,
              HasSubstr("\"misread_worst\""));
}

TEST_F(SeeingSweeps, ShowRefusesOptionsOfOtherKinds) {
  EXPECT_THAT(cimstat("show x.sweep.h5 --class 1,4").output, HasSubstr("--class: "));
  EXPECT_EQ(cimstat("show x.sweep.h5 --class 1,4").exit_code, 2);
  EXPECT_EQ(cimstat("show x.toml --at sigma=1").exit_code, 2);
  EXPECT_EQ(cimstat("show x.sweep.h5 --at corner=none").exit_code, 2);
}

TEST_F(SeeingSweeps, ResultsThatReferToSegmentsAreSeenToo) {
  const Outcome whole = cimstat(
      "sweep x.toml -q --set 'sweep.outputs=[\"misread\",\"table\"]' -o t.sweep.h5 --folder "
      "t.sweep");
  ASSERT_EQ(whole.exit_code, 0) << whole.output;
  const Outcome merged = cimstat("merge t.sweep --virtual -o v.h5");
  ASSERT_EQ(merged.exit_code, 0) << merged.output;
  EXPECT_EQ(cimstat("show v.h5 --csv").output, cimstat("show t.sweep.h5 --csv").output);
  const Outcome shown = cimstat("show v.h5");
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_THAT(shown.output, HasSubstr("/misread_worst"));
}

TEST_F(SeeingSweeps, DiffTellsWhatDiffers) {
  const Outcome other =
      cimstat("sweep x.toml -q -o y.h5 --folder y.sweep --set cell.hrs.sigma=0.31");
  ASSERT_EQ(other.exit_code, 0) << other.output;
  const Outcome differ = cimstat("diff x.sweep.h5 y.h5");
  EXPECT_EQ(differ.exit_code, 1);
  EXPECT_THAT(differ.output, AllOf(HasSubstr("cell.hrs.sigma  0.3 | 0.31"),
                                   HasSubstr("differ beyond their intervals")));
  EXPECT_EQ(cimstat("diff x.sweep.h5 x.sweep.h5").output, "identical: the same bytes\n");
  const Outcome table = cimstat("diff x.sweep.h5 x.toml");
  EXPECT_EQ(table.exit_code, 2);
}

TEST_F(SeeingSweeps, ADamagedResultIsRefused) {
  std::string bytes = text_of("x.sweep.h5");
  bytes[bytes.size() / 2] ^= 0x10;
  std::ofstream(folder_ / "damaged.h5", std::ios::binary) << bytes;
  EXPECT_EQ(cimstat("show damaged.h5").exit_code, 3);
  EXPECT_EQ(cimstat("report damaged.h5 -o d.html").exit_code, 3);
}

}  // namespace
}  // namespace cimstat::experiments
