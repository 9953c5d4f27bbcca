#include "experiments/columns/columns_report.h"

#include <algorithm>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/columns/columns_file.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::Outcome;

constexpr const char* macro = R"(name = "my macro"
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
rows = 6
read_voltage = "0.2 V"
[sense_amplifier]
offset_sd = "0.8 uA"
noise_sd = "1.2 uA"
[columns]
columns = 20
dies = 5
)";

class ColumnsReport : public testing::Test {
 protected:
  ColumnsReport() {
    std::ofstream(folder_ / "m.toml") << macro;
    EXPECT_EQ(cimstat("table m.toml -q -o t.h5").exit_code, 0);
    EXPECT_EQ(cimstat("columns m.toml -q -o c.h5").exit_code, 0);
  }
  Outcome cimstat(const std::string& arguments) const {
    return tests::run_program("cd " + (folder_ / "").string() + " && " + CIMSTAT_BINARY + " " +
                              arguments + " 2>&1");
  }
  tests::TemporaryFolder folder_;
};

TEST_F(ColumnsReport, ShowsHowColumnsDifferBesideTheTable) {
  const Outcome outcome = cimstat("report t.h5 -q --columns c.h5 -o r.html");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const std::vector<char> bytes = tests::bytes_of(folder_ / "r.html");
  EXPECT_THAT(std::string(bytes.begin(), bytes.end()),
              AllOf(HasSubstr("How columns differ"), HasSubstr("5 dies x 20 columns"),
                    HasSubstr("MAC value 6, 99 % of columns: "), HasSubstr("<dt>die yield</dt>")));
}

TEST_F(ColumnsReport, RefusesColumnsOfAnotherMacro) {
  ASSERT_EQ(cimstat("columns m.toml -q --set column.rows=5 -o other.h5").exit_code, 0);
  const Outcome outcome = cimstat("report t.h5 -q --columns other.h5 -o r.html");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("--columns other.h5: was made for another macro"));
  EXPECT_EQ(cimstat("report t.h5 -q --columns nowhere.h5 -o r.html").exit_code, 2);
}

TEST_F(ColumnsReport, SortsTheRatesOfEveryColumn) {
  const ColumnSpread spread = column_spread(read_columns(folder_ / "c.h5"));
  ASSERT_EQ(spread.rates.size(), 100u);
  EXPECT_TRUE(std::is_sorted(spread.rates.begin(), spread.rates.end()));
  EXPECT_EQ(spread.by_level.size(), 7u);
  EXPECT_EQ(spread.quantiles.size(), spread.quantile_levels.size());
}

}  // namespace
}  // namespace cimstat::experiments
