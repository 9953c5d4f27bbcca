#include "experiments/table/table_stopping.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/provenance.h"
#include "core/simd.h"

#include "circuits/exact/exact_column.h"

#include "experiments/report_input.h"
#include "experiments/seeing/table_summary.h"
#include "experiments/table/table_file.h"
#include "tests/experiments/result_samples.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using circuits::StopReason;
using testing::HasSubstr;

/// Of its 28 classes some meet the target, some spend all trials, some are never misread.
Experiment stopped_experiment(std::vector<std::string> overrides = {}) {
  overrides.insert(overrides.begin(), {"table.method=monte_carlo", "table.trials=100000",
                                       "table.target_relative_error=0.2"});
  return tests::sample_experiment(overrides);
}

class TableStopping : public testing::Test {
 protected:
  std::string bytes_of(const Experiment& experiment, unsigned threads) {
    const ChosenTable chosen =
        make_table(experiment, circuits::classes_for(experiment.table.active_rows), {threads});
    write_table(experiment, chosen, folder_ / "t.h5");
    return core::sha256_of_file(folder_ / "t.h5");
  }
  tests::TemporaryFolder folder_;
};

TEST_F(TableStopping, ReadsBackWhatWasWritten) {
  const Experiment experiment = stopped_experiment();
  const ChosenTable chosen = tests::sample_table(experiment);
  write_table(experiment, chosen, folder_ / "t.h5");
  const circuits::ErrorTable table = read_table(folder_ / "t.h5").table;
  ASSERT_TRUE(table.guaranteed);
  EXPECT_EQ(table.guaranteed->relative_error, 0.2);
  EXPECT_EQ(table.guaranteed->confidence, 0.95);
  EXPECT_EQ(table.guaranteed->misreads, 97u);
  EXPECT_EQ(table.counts, chosen.table.counts);
  std::set<StopReason> seen;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const core::GammaBernoulli& found = table.guaranteed->classes[row];
    EXPECT_EQ(found.trials, chosen.table.guaranteed->classes[row].trials);
    EXPECT_EQ(found.time, chosen.table.guaranteed->classes[row].time);
    EXPECT_EQ(table.stop_reason(row), chosen.table.stop_reason(row));
    EXPECT_EQ(table.stop_reason(row) == StopReason::target_met, table.misreads(row) >= 97);
    EXPECT_EQ(table.stop_reason(row) == StopReason::none_seen, table.misreads(row) == 0);
    seen.insert(table.stop_reason(row));
  }
  EXPECT_EQ(seen.size(), 3u);
}

TEST_F(TableStopping, IsTheSameBytesForAnyThreadsAndInstructionSet) {
  for (const char* stream : {"table.stream=philox", "table.stream=fast"}) {
    const Experiment experiment = stopped_experiment({stream});
    const std::string one = bytes_of(experiment, 1);
    EXPECT_EQ(bytes_of(experiment, 2), one);
    for (const std::string& target : core::simd_targets()) {
      core::use_simd_target(target);
      EXPECT_EQ(bytes_of(experiment, 2), one) << target;
    }
    core::use_simd_target("");
  }
}

TEST_F(TableStopping, GuaranteesRatesThatTheExactEngineConfirms) {
  const Experiment experiment = stopped_experiment({"table.target_relative_error=0.05"});
  const circuits::ErrorTable table = tests::sample_table(experiment).table;
  const circuits::ErrorTable exact =
      tests::sample_table(tests::sample_experiment({"table.method=exact"})).table;
  std::size_t met = 0;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const core::GammaBernoulli& found = table.guaranteed->classes[row];
    if (found.trials == 0) continue;
    ++met;
    // Twice what may be exceeded once in 20 classes.
    EXPECT_NEAR(found.probability() / exact.misread(row), 1.0, 0.1) << row;
  }
  EXPECT_GE(met, 3u);
}

TEST_F(TableStopping, SaysOneDotOneInTheFileAndOthersOneDotZero) {
  const auto version = [&](const Experiment& experiment) {
    write_table(experiment, tests::sample_table(experiment), folder_ / "t.h5");
    return core::Hdf5Input(folder_ / "t.h5").integers_attribute("/", "schema_version");
  };
  EXPECT_EQ(version(stopped_experiment()), (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(version(tests::sample_experiment({"table.method=monte_carlo"})),
            (std::vector<std::int64_t>{1, 0}));
  // The exact engine needs no target.
  EXPECT_EQ(version(stopped_experiment({"table.method=exact"})), (std::vector<std::int64_t>{1, 0}));
}

TEST_F(TableStopping, IsShownWithWhatIsGuaranteedAndWhy) {
  const Experiment experiment = stopped_experiment();
  write_table(experiment, tests::sample_table(experiment), folder_ / "t.h5");
  const TableRecord record = read_table(folder_ / "t.h5");
  const std::string text = format_levels(record, 6, {}, {});
  EXPECT_THAT(text, HasSubstr("sampled until 97 misreads"));
  EXPECT_THAT(text, HasSubstr("target met"));
  EXPECT_THAT(text, HasSubstr("100000  trials spent"));
  EXPECT_THAT(stopping_summary(record.table), HasSubstr("not within 100000 trials"));
  const core::Json json = levels_as_json(record, 6, {});
  std::size_t met = 0;
  for (const core::Json& level : json["levels"]) {
    if (level["ended"] != "target met") {
      EXPECT_TRUE(level["guaranteed"].is_null());
      continue;
    }
    ++met;
    EXPECT_LT(level["guaranteed"]["lower"], level["guaranteed"]["misread"]);
    EXPECT_LE(level["guaranteed"]["trial"], level["trials"]);
  }
  EXPECT_GT(met, 0u);
  const ReportInput report = report_input(record, {}, 6, {}, {1});
  EXPECT_THAT(report.how_sure, HasSubstr("known to 20 % at 95 %"));
  EXPECT_LT(report.trials, report.most_trials);
}

TEST_F(TableStopping, GivesCountsTheIntervalsThatTheReaderChooses) {
  const Experiment experiment = tests::sample_experiment({"table.method=monte_carlo"});
  const circuits::ErrorTable table = tests::sample_table(experiment).table;
  const std::size_t row = table.find({.lrs_count = 6, .active_rows = 6}).value();
  const std::uint64_t misreads = table.misreads(row);
  const auto width = [&](const IntervalChoice& choice) {
    const core::Interval interval = misread_estimate(table, row, choice).interval;
    return interval.upper - interval.lower;
  };
  const IntervalChoice usual{};
  EXPECT_EQ(misread_estimate(table, row, usual).interval.upper,
            core::clopper_pearson(misreads, 5000, 0.95).upper);
  EXPECT_LT(width({.method = core::IntervalMethod::jeffreys}), width(usual));
  EXPECT_GT(width({.confidence = 0.99}), width(usual));
  EXPECT_GT(width({.scope = IntervalScope::row}), width(usual));
  EXPECT_GT(width({.scope = IntervalScope::table}), width({.scope = IntervalScope::row}));
  EXPECT_EQ(misread_estimate(table, row, {.scope = IntervalScope::row}).interval.upper,
            core::clopper_pearson(misreads, 5000, 1.0 - 0.05 / table.codes).upper);
}

}  // namespace
}  // namespace cimstat::experiments
