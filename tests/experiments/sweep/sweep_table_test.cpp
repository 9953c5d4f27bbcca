#include "experiments/seeing/sweep_table.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "tests/experiments/sweep/sweep_samples.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST(SweepTable, ASliceHoldsThePointsAtItsValues) {
  const SweepRecord record = grid_record();
  EXPECT_EQ(slice_of(record, {}).points.size(), points_of(record));
  const SweepSlice slice = slice_of(record, {"corner=fast", "sigma=0.12"});
  EXPECT_EQ(slice.points.size(), 12u);
  EXPECT_THAT(slice.notes, IsEmpty());
  for (const std::uint64_t point : slice.points) {
    EXPECT_THAT(point_text(record, point), AllOf(HasSubstr("fast"), HasSubstr("sigma = 0.12")));
  }
}

TEST(SweepTable, TheNearestValueIsTakenWithANote) {
  const SweepRecord record = grid_record();
  const SweepSlice slice = slice_of(record, {"sigma=0.11"});
  EXPECT_EQ(slice.points.size(), 36u);
  EXPECT_THAT(slice.notes, ElementsAre("sigma has no 0.11; the nearest is 0.12"));
  const SweepRecord sampled = sampled_record(100);
  const SweepSlice one = slice_of(sampled, {"median=20 kohm"});
  ASSERT_EQ(one.points.size(), 1u);
  for (const double number : sampled.axes[0].numbers) {
    EXPECT_GE(std::abs(number - 20e3),
              std::abs(sampled.axes[0].numbers[one.points.front()] - 20e3));
  }
}

std::string refusal(const SweepRecord& record, const std::vector<std::string>& at) {
  try {
    slice_of(record, at);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SweepTable, RefusesWhatIsNoValueOfAnAxis) {
  const SweepRecord record = grid_record();
  EXPECT_EQ(refusal(record, {"sigma"}),
            "--at: \"sigma\" is not NAME=VALUE; name an axis and a value, as in --at sigma=0.1");
  EXPECT_EQ(refusal(record, {"sigmo=1"}),
            "--at: the sweep has no axis \"sigmo\"; did you mean sigma?");
  EXPECT_EQ(refusal(record, {"corner=slowest"}),
            "--at: corner has no \"slowest\"; name one of its values: slow, typical, fast");
  EXPECT_THAT(refusal(record, {"sigma=much"}), StartsWith("--at: \"much\" is no value of sigma ("));
  EXPECT_THAT(refusal(record, {"sigma=0.1", "sigma=0.2"}),
              StartsWith("--at: sigma has been fixed already"));
  EXPECT_THAT(refusal(sampled_record(10), {"sigma=0.1", "median=1 Mohm"}),
              HasSubstr("all sampled axes share the samples"));
  EXPECT_THAT(refusal(record, {"corner=\x1b[2J"}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(refusal(one_point_record(), {"x=1"}), HasSubstr("it has no axes"));
}

TEST(SweepTable, CsvHoldsTheNumbersInFull) {
  SweepRecord record =
      record_over({word_axis("corner", {"slow", "a, \"b\""}), number_axis("r", {1e3}, "ohm")});
  record.scalars.push_back(
      {"misread_mean", "1", "", {1.0 / 3.0, kNotKnown}, {0.25, kNotKnown}, {0.5, kNotKnown}});
  record.scalars.push_back({"worst_lrs_count", "1", "", {3.0, 4.0}, {}, {}});
  EXPECT_EQ(sweep_as_csv(record, slice_of(record, {})),
            "corner,r,misread_mean,misread_mean_lower,misread_mean_upper,worst_lrs_count\n"
            "slow,1000,0.3333333333333333,0.25,0.5,3\n"
            "\"a, \"\"b\"\"\",1000,,,,4\n");
  EXPECT_EQ(sweep_as_csv(one_point_record(), slice_of(one_point_record(), {})),
            "misread_mean,misread_mean_lower,misread_mean_upper\n1.2e-05,1e-05,1.4e-05\n");
}

TEST(SweepTable, JsonHoldsAxesAndQuantities) {
  const SweepRecord record = grid_record();
  const core::Json json = sweep_as_json(record, slice_of(record, {"corner=fast", "sigma=0.3"}));
  EXPECT_EQ(json["points"].size(), 12u);
  EXPECT_EQ(json["axes"]["corner"]["values"][0], "fast");
  EXPECT_EQ(json["axes"]["sigma"]["values"][11], 0.3);
  EXPECT_EQ(json["quantities"]["margin"]["units"], "A");
  const std::uint64_t point = json["points"][5].get<std::uint64_t>();
  EXPECT_EQ(json["quantities"]["accuracy"]["upper"][5], record.scalars[2].upper[point]);
}

TEST(SweepTable, TextNamesAxesAndExtremesAndFewPoints) {
  const SweepRecord record = grid_record();
  const std::string all = format_sweep(record, slice_of(record, {}));
  EXPECT_THAT(all, StartsWith("252 points: 3 corner x 12 ratio x 7 sigma\n"));
  EXPECT_THAT(all, AllOf(HasSubstr("slow, typical, fast"), HasSubstr("2 .. 100"),
                         HasSubstr("cell.sigma"), HasSubstr("none seen, < 3.7e-06"),
                         HasSubstr("--at NAME=VALUE"), Not(HasSubstr("\npoints\n"))));
  const std::string few = format_sweep(record, slice_of(record, {"corner=slow", "sigma=0.07"}));
  EXPECT_THAT(few, AllOf(HasSubstr("note: sigma has no 0.07; the nearest is 0.08"),
                         HasSubstr("extremes among 12 points"), HasSubstr("\npoints\n")));
  EXPECT_THAT(format_sweep(one_point_record(), slice_of(one_point_record(), {})),
              HasSubstr("1.2e-05 (1e-05 .. 1.4e-05)"));
  EXPECT_THAT(format_sweep(hostile_record(), slice_of(hostile_record(), {})),
              AllOf(Not(HasSubstr("\x01")), Not(HasSubstr("\xff"))));
  for (const SweepRecord& odd : {odd_record(), line_record(), sampled_record(3), record_over({})}) {
    EXPECT_FALSE(format_sweep(odd, slice_of(odd, {})).empty());
  }
}

}  // namespace
}  // namespace cimstat::experiments
