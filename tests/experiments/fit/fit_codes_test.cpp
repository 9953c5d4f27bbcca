// Error tables from silicon counts and levels, as a user makes them.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/table/table_file.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::Outcome;

Outcome cimstat(const std::string& arguments) {
  return tests::run_program(std::string(CIMSTAT_BINARY) + " " + arguments + " 2>&1");
}

class FitCodes : public testing::Test {
 protected:
  FitCodes() {
    write("macro.toml", R"(name = "four rows"
[cell]
model = "rram"
[cell.lrs]
distribution = "normal"
mean = "40 uS"
sd = "2 uS"
[cell.hrs]
distribution = "normal"
mean = "2 uS"
sd = "0.5 uS"
[column]
rows = 4
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "1.5 uA"
[converter]
references = "midpoint"
)");
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  Outcome codes(const std::string& csv, const std::string& more = "") const {
    return cimstat("fit codes " + csv + " --macro " + path("macro.toml") + " -o " +
                   path("measured.table.h5") + " " + more);
  }
  TableRecord measured() const { return read_table(path("measured.table.h5")); }
  tests::TemporaryFolder folder_;
};

/// 5 MAC values x 5 codes at 4 active rows.
constexpr const char* matrix =
    "9990,10,0,0,0\n12,9970,18,0,0\n0,21,9950,29,0\n0,0,30,9940,30\n0,0,0,35,9965\n";

TEST_F(FitCodes, MakesATableOfAMatrixOfCounts) {
  const Outcome outcome = codes(write("m.csv", matrix));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("5 classes x 5 codes"), HasSubstr("measured: counts"),
                                    HasSubstr("m.csv, SHA-256 ")));
  const TableRecord record = measured();
  EXPECT_EQ(record.table.counts[7], 18u);
  EXPECT_DOUBLE_EQ(record.table.row(1)[2], 18e-4);
  EXPECT_THAT(record.config_toml,
              AllOf(HasSubstr("method = \"measured\""), HasSubstr("active_rows = [4]")));
  const Outcome shown = cimstat("show " + path("measured.table.h5"));
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_THAT(shown.output, AllOf(HasSubstr("measured: counts of codes"), HasSubstr("0.0060")));
  const Outcome page =
      cimstat("report " + path("measured.table.h5") + " -o " + path("measured.html"));
  EXPECT_EQ(page.exit_code, 0) << page.output;
}

TEST_F(FitCodes, TakesAListOfCountsOrOneReadInEachRow) {
  ASSERT_EQ(codes(write("m.csv", matrix)).exit_code, 0);
  const TableRecord expected = measured();
  std::string list = "mac,active_rows,code,count\n";
  std::string reads = "code;k\n";
  for (std::uint32_t mac = 0; mac < 5; ++mac) {
    for (std::uint32_t code = 0; code < 5; ++code) {
      const std::uint64_t count = expected.table.counts[5 * mac + code];
      list +=
          std::to_string(mac) + ",4," + std::to_string(code) + "," + std::to_string(count) + "\n";
      for (std::uint64_t i = 0; i < count; ++i) {
        reads += std::to_string(code) + ";" + std::to_string(mac) + "\n";
      }
    }
  }
  for (const std::string& csv : {write("list.csv", list), write("reads.csv", reads)}) {
    const Outcome outcome = codes(csv);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_EQ(measured().table.counts, expected.table.counts);
  }
}

/// Counts of a sampled table are those of a chip that is as described; they differ from a macro
/// with 10 % more noise.
TEST_F(FitCodes, ComparesAChipWithItsDescription) {
  const std::string macro = path("macro.toml");
  ASSERT_EQ(cimstat("table " + macro + " -q -o " + path("sampled.h5") +
                    " --set table.method=monte_carlo --set table.trials=200000 --set "
                    "table.active_rows=[2,4]")
                .exit_code,
            0);
  const circuits::ErrorTable chip = read_table(path("sampled.h5")).table;
  std::string list = "k,n,code,count\n";
  for (std::size_t row = 0; row < chip.size(); ++row) {
    for (std::uint32_t code = 0; code < chip.codes; ++code) {
      list += std::to_string(chip.classes[row].lrs_count) + "," +
              std::to_string(chip.classes[row].active_rows) + "," + std::to_string(code) + "," +
              std::to_string(chip.counts[row * chip.codes + code]) + "\n";
    }
  }
  const Outcome outcome = codes(write("chip.csv", list));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  ASSERT_EQ(measured().table.classes.size(), 8u);
  const std::string exact = "table " + macro + " -q --set table.active_rows=[2,4] -o ";
  ASSERT_EQ(cimstat(exact + path("exact.h5")).exit_code, 0);
  ASSERT_EQ(cimstat(exact + path("noisy.h5") + " --set sense_amplifier.noise_sd=1.65e-6").exit_code,
            0);
  const Outcome same = cimstat("diff " + path("exact.h5") + " " + path("measured.table.h5"));
  EXPECT_EQ(same.exit_code, 0) << same.output;
  const Outcome other = cimstat("diff " + path("noisy.h5") + " " + path("measured.table.h5"));
  EXPECT_EQ(other.exit_code, 1) << other.output;
}

TEST_F(FitCodes, CutsLevelsByTheReferences) {
  // What the sum of normal cells and noise is: mean and variance by hand, in uA.
  std::string levels = "mac,mean,sd\n";
  for (int k = 0; k <= 4; ++k) {
    const double mean = 8.0 * k + 0.4 * (4 - k);
    const double sd = std::sqrt(0.16 * k + 0.01 * (4 - k) + 2.25);
    levels +=
        std::to_string(k) + "," + fmt::format("{}", mean) + "," + fmt::format("{}", sd) + "\n";
  }
  const Outcome outcome = codes(write("levels.csv", levels), "--unit uA");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("taken for normal"));
  const TableRecord found = measured();
  ASSERT_EQ(cimstat("table " + path("macro.toml") + " -q --set table.active_rows=4 -o " +
                    path("exact.h5"))
                .exit_code,
            0);
  const TableRecord exact = read_table(path("exact.h5"));
  ASSERT_EQ(found.table.classes, exact.table.classes);
  for (std::size_t i = 0; i < exact.table.probability.size(); ++i) {
    const double p = exact.table.probability[i];
    EXPECT_NEAR(found.table.probability[i], p, 1e-12 * p + 1e-15) << i;
  }
}

TEST_F(FitCodes, ServesAsATableForDiffAndShowButCannotBeComputed) {
  const Outcome outcome =
      cimstat("table " + path("macro.toml") + " --set table.method=measured -o " + path("x.h5"));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("table.method: \"measured\" can't be computed"));
}

TEST_F(FitCodes, RefusesWhatItCannotUseInOneLine) {
  struct Case {
    std::string bytes;
    std::string more;
    int exit_code;
    std::string text;
  };
  int number = 0;
  for (const Case& wrong : {
           Case{"mac,code,count\n0,0,5\n1,1,5\n2,2,5\n4,4,5\n", "", 3,
                "MAC value 3 of 4 active rows was not measured"},
           Case{"mac,code,count\n0,5,1\n", "", 3, ":2:3: \"5\" is out of range"},
           Case{"mac,code,count\n5,0,1\n", "", 3, ":2:1: \"5\" is out of range"},
           Case{"mac,code,count\n0,0,-1\n", "", 3, ":2:5: \"-1\" is out of range"},
           Case{"mac,code,count\n0,0,1.5\n", "", 3, ":2:5: \"1.5\" is out of range"},
           Case{"mac,n,code\n3,2,1\n", "", 3, ":2:1: \"3\" is out of range"},
           Case{"mac,count\n0,1\n", "", 2, "which column holds the codes?"},
           Case{"code,count\n0,1\n", "", 2, "which column holds the MAC values?"},
           Case{"1,2,3\n", "", 2, "has 3 columns without names"},
           Case{std::string(matrix) + "1,1,1,1,1\n", "", 3, ":6:1: there are more rows than MAC"},
           Case{matrix, "--rows 5", 2, "--rows 5: are more rows than the column has"},
           Case{"mac,mean,sd\n0,1,0\n", "", 3, ":2:5: is no standard deviation"},
           Case{"mac,mean,sd\n0,1,1\n0,1,1\n", "", 3,
                ":3:1: the MAC value stands here a second time"},
           Case{matrix, "--lrs 1", 2, "--lrs: changes nothing in fit codes"},
       }) {
    const Outcome outcome =
        codes(write("wrong" + std::to_string(++number) + ".csv", wrong.bytes), wrong.more);
    EXPECT_EQ(outcome.exit_code, wrong.exit_code) << wrong.bytes << outcome.output;
    EXPECT_THAT(outcome.output, AllOf(testing::StartsWith("cimstat: "), HasSubstr(wrong.text)));
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
    EXPECT_FALSE(std::filesystem::exists(path("measured.table.h5"))) << wrong.bytes;
  }
  EXPECT_THAT(cimstat("fit codes " + write("m.csv", matrix)).output, HasSubstr("--macro"));
  EXPECT_THAT(cimstat("fit codes " + path("m.csv") + " --macro " + path("macro.toml")).output,
              HasSubstr("--out"));
}

}  // namespace
}  // namespace cimstat::experiments
