#include "experiments/sweep/sweep_file.h"

#include <cmath>
#include <functional>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "tests/experiments/sweep/sweep_fixtures.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::bytes_of;
using tests::TemporaryFolder;

std::string refusal_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::DataError& error) {
    return error.what();
  } catch (const core::UsageError& error) {
    return std::string("usage: ") + error.what();
  }
  return "accepted";
}

TEST(SweepFile, GivesBackAxesAndScalars) {
  const TemporaryFolder folder;
  const SweepPlan plan = tests::sample_plan();
  tests::write_sample_sweep(plan, folder / "a.h5");
  const SweepRecord record = read_sweep_file(folder / "a.h5");
  EXPECT_EQ(record.name, "sample");
  EXPECT_EQ(record.seed, 7U);
  EXPECT_EQ(record.config_toml, plan.config_toml());
  EXPECT_EQ(record.origin.method, "monte_carlo");
  EXPECT_EQ(record.origin.identity, std::string(64, 'a'));
  ASSERT_EQ(record.dimensions.size(), 3U);
  EXPECT_EQ(record.dimensions[0].name, "corner");
  EXPECT_EQ(record.dimensions[2].name, "sample");
  EXPECT_EQ(record.dimensions[2].size, 4U);
  EXPECT_EQ(record.points(), 24U);
  ASSERT_EQ(record.axes.size(), plan.axes().size());
  for (std::size_t i = 0; i < record.axes.size(); ++i) {
    EXPECT_EQ(record.axes[i].name, plan.axes()[i].name);
    EXPECT_EQ(record.axes[i].kind, plan.axes()[i].kind);
    EXPECT_EQ(record.axes[i].keys, plan.axes()[i].keys);
    EXPECT_EQ(record.axes[i].units, plan.axes()[i].units);
    EXPECT_EQ(record.axes[i].meaning, plan.axes()[i].meaning);
    EXPECT_EQ(record.axes[i].labels, plan.axes()[i].labels);
    EXPECT_EQ(record.axes[i].numbers, plan.axes()[i].numbers);
  }
  EXPECT_THAT(record.axes[0].labels, ElementsAre("slow", "very fast"));
  ASSERT_EQ(record.scalars.size(), 3U);
  const SweepScalar& margin = record.scalars[0];
  EXPECT_EQ(margin.name, "margin");
  EXPECT_EQ(margin.units, "A");
  EXPECT_EQ(margin.long_name, "smallest margin");
  EXPECT_TRUE(margin.lower.empty());
  ASSERT_EQ(margin.value.size(), 24U);
  EXPECT_TRUE(std::isnan(margin.value[4]));
  const SweepScalar& rate = record.scalars[1];
  EXPECT_EQ(rate.name, "rate");
  EXPECT_EQ(rate.value[23], 0.5 / 24.0);
  EXPECT_EQ(rate.lower[23], 0.9 * (0.5 / 24.0));
  EXPECT_EQ(rate.upper.size(), 24U);
  EXPECT_EQ(record.scalars[2].name, "worst");
  EXPECT_EQ(record.scalars[2].value[11], 2.0);
}

TEST(SweepFile, HoldsATableForEachPoint) {
  const TemporaryFolder folder;
  tests::write_sample_sweep(tests::sample_plan(), folder / "a.h5");
  const core::Hdf5Input file(folder / "a.h5");
  EXPECT_EQ(file.shape("/counts"), (core::Shape64{2, 3, 4, 9, 6}));
  for (const std::uint64_t point : {0U, 7U, 23U}) {
    EXPECT_EQ(file.unsigneds("/counts", core::RowRange{point, 1, 3}, 1000),
              tests::sample_values(point).integers[2]);
  }
}

TEST(SweepFile, HasBytesThatDependOnItsContentAlone) {
  const TemporaryFolder folder;
  const SweepPlan plan = tests::sample_plan();
  tests::write_sample_sweep(plan, folder / "a.h5");
  tests::write_sample_sweep(tests::sample_plan(), folder / "b.h5");
  EXPECT_TRUE(bytes_of(folder / "a.h5") == bytes_of(folder / "b.h5"));
  write_sweep_file(plan, {"monte_carlo", std::string(64, 'a')}, tests::sample_fields(),
                   tests::sample_classes(), folder / "c.h5",
                   [](std::uint64_t first, std::uint64_t count) {
                     std::vector<PointValues> points;
                     for (std::uint64_t i = 0; i < count; ++i) {
                       points.push_back(tests::sample_values(first + i));
                       if (first + i == 20) ++points.back().integers[2][3];
                     }
                     return points;
                   });
  EXPECT_NE(read_sweep_file(folder / "c.h5").content_sha256,
            read_sweep_file(folder / "a.h5").content_sha256);
}

TEST(SweepFile, MayHaveNoAxisOrSampledOnesAlone) {
  const TemporaryFolder folder;
  const std::string bare = "[sweep]\noutputs = [\"misread\"]\n";
  tests::write_sample_sweep(tests::sample_plan(bare), folder / "a.h5");
  const SweepRecord one = read_sweep_file(folder / "a.h5");
  EXPECT_TRUE(one.dimensions.empty());
  EXPECT_EQ(one.points(), 1U);
  EXPECT_THAT(one.scalars.at(1).value, ElementsAre(0.5));
  const std::string sampled =
      "samples = 8\n[sweep.axis.sigma]\nkey = \"cell.lrs.sigma\"\nfrom = 0.1\nto = 0.2\n";
  tests::write_sample_sweep(tests::sample_plan(bare + sampled), folder / "b.h5");
  const SweepRecord eight = read_sweep_file(folder / "b.h5");
  ASSERT_EQ(eight.dimensions.size(), 1U);
  EXPECT_EQ(eight.dimensions[0].name, "sample");
  EXPECT_EQ(eight.points(), 8U);
}

TEST(SweepFile, RefusesWhatContradictsItself) {
  const TemporaryFolder folder;
  const SweepPlan plan = tests::sample_plan();
  const auto write = [&](const SweepOrigin& origin,
                         const std::function<void(PointValues&)>& change) {
    write_sweep_file(plan, origin, tests::sample_fields(), tests::sample_classes(), folder / "a.h5",
                     [&](std::uint64_t first, std::uint64_t count) {
                       std::vector<PointValues> points;
                       for (std::uint64_t i = 0; i < count; ++i) {
                         points.push_back(tests::sample_values(first + i));
                         if (first + i == 5) change(points.back());
                       }
                       return points;
                     });
    return refusal_of([&] { read_sweep_file(folder / "a.h5"); });
  };
  const auto keep = [](PointValues&) {};
  EXPECT_EQ(write({"exact", "a"}, keep), "accepted");
  EXPECT_THAT(write({"guess", "a"}, keep),
              HasSubstr("a.h5: /: attribute 'method' is neither exact nor monte_carlo (guess); "));
  EXPECT_THAT(
      write({"exact", "a"}, [](PointValues& values) { values.numbers[3] = {1e-9}; }),
      AllOf(HasSubstr("a.h5: /rate: is 0.08333333333333333 at point 5 (it does not lie in "),
            HasSubstr("; make the result again")));
}

TEST(SweepFile, RefusesAxesWithNamesOfItsDatasets) {
  const TemporaryFolder folder;
  const SweepPlan plan = tests::sample_plan(
      "[sweep]\noutputs = [\"misread\"]\n[sweep.axis.rate]\n"
      "key = \"cell.lrs.sigma\"\nvalues = [0.1]\n");
  EXPECT_THAT(refusal_of([&] { tests::write_sample_sweep(plan, folder / "a.h5"); }),
              HasSubstr("usage: sweep.axis.rate: has the name of a dataset of the result; choose "
                        "another name"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SweepFile, RefusesTruncatedAndForeignFiles) {
  const TemporaryFolder folder;
  tests::write_sample_sweep(tests::sample_plan(), folder / "a.h5");
  std::vector<char> bytes = bytes_of(folder / "a.h5");
  for (const std::size_t size : {bytes.size() - 1, bytes.size() / 2, std::size_t{100}}) {
    bytes.resize(size);
    tests::write_bytes(folder / "cut.h5", bytes);
    EXPECT_THAT(refusal_of([&] { read_sweep_file(folder / "cut.h5"); }),
                HasSubstr("cut.h5: is truncated"));
  }
  core::Hdf5Output other(folder / "other.h5");
  other.attribute("/", "filetype", "cimstat accuracy");
  other.commit();
  EXPECT_THAT(refusal_of([&] { read_sweep_file(folder / "other.h5"); }),
              HasSubstr("other.h5: /: is a file of type 'cimstat accuracy'"));
  EXPECT_THAT(refusal_of([&] { read_sweep_file(folder / "none.h5"); }), HasSubstr("usage: "));
}

/// Largest resident memory of a child that does this [KiB].
long memory_of(const std::function<void()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    action();
    ::_exit(0);
  }
  int status = -1;
  rusage usage{};
  EXPECT_EQ(::wait4(child, &status, 0, &usage), child);
  EXPECT_EQ(status, 0);
  return usage.ru_maxrss;
}

TEST(SweepFile, TakesMemoryForABatchAndNotForThePoints) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& samples) {
    const SweepPlan plan =
        tests::sample_plan(tests::sweep_section_of_three_axes,
                           {"sweep.samples=" + samples, "sweep.outputs=[\"misread\"]"});
    return memory_of([&] { tests::write_sample_sweep(plan, folder / "a.h5", 30); });
  };
  const long few = write("512");    // 3,072 points, more than a batch
  const long many = write("8192");  // 49,152, of 2.3 kB each
  RecordProperty("kibibytes_for_3072_points", static_cast<int>(few));
  RecordProperty("kibibytes_for_49152_points", static_cast<int>(many));
  EXPECT_LT(many, few + 8 * 1024);
}

}  // namespace
}  // namespace cimstat::experiments
