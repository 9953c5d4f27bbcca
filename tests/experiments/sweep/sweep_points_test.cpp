#include "experiments/seeing/sweep_points.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/experiments/sweep/sweep_samples.h"

namespace cimstat::experiments {
namespace {

TEST(SweepPoints, LieInCOrderOverTheDimensions) {
  const SweepRecord record = grid_record();
  EXPECT_EQ(points_of(record), 3u * 12u * 7u);
  EXPECT_EQ(indices_of(record, 0), (std::vector<std::size_t>{0, 0, 0}));
  EXPECT_EQ(indices_of(record, 1), (std::vector<std::size_t>{0, 0, 1}));
  EXPECT_EQ(indices_of(record, 7u * 12u + 7u), (std::vector<std::size_t>{1, 1, 0}));
  for (const std::uint64_t point : {0u, 5u, 100u, 251u}) {
    EXPECT_EQ(point_at(record, indices_of(record, point)), point);
  }
  EXPECT_EQ(points_of(one_point_record()), 1u);
}

TEST(SweepPoints, SampledAxesShareADimension) {
  const SweepRecord record = sampled_record(16, {word_axis("corner", {"slow", "fast"})});
  EXPECT_EQ(record.dimensions.size(), 2u);
  EXPECT_EQ(dimension_of(record, record.axes[0]), 0u);
  EXPECT_EQ(dimension_of(record, record.axes[1]), 1u);
  EXPECT_EQ(dimension_of(record, record.axes[3]), 1u);
  EXPECT_FALSE(is_sample_dimension(record, 0));
  EXPECT_TRUE(is_sample_dimension(record, 1));
}

TEST(SweepPoints, AreNamedInUnitsThatReadWell) {
  EXPECT_EQ(value_text(number_axis("r", {6e3, 1.5e6, 0.0}, "ohm"), 0), "6 kohm");
  EXPECT_EQ(value_text(number_axis("r", {6e3, 1.5e6, 0.0}, "ohm"), 0, Letters::any), "6 kΩ");
  EXPECT_EQ(value_text(number_axis("r", {6e3, 1.5e6, 0.0}, "ohm"), 1), "1.5 Mohm");
  EXPECT_EQ(value_text(number_axis("r", {6e3, 1.5e6, 0.0}, "ohm"), 2), "0 ohm");
  EXPECT_EQ(value_text(number_axis("i", {2e-6}, "A"), 0), "2 uA");
  EXPECT_EQ(value_text(number_axis("i", {999.9999999e-9}, "A"), 0), "1 uA");
  EXPECT_EQ(value_text(number_axis("t", {300.0}, "K"), 0), "300 K");
  EXPECT_EQ(value_text(number_axis("n", {1e5}), 0), "1e+05");
  // As many digits as tell a value from its neighbours.
  EXPECT_EQ(value_text(number_axis("s", {0.12341, 0.12342, 7.0}), 0), "0.12341");
  EXPECT_EQ(value_text(number_axis("s", {0.12341, 0.12342, 7.0}), 2), "7");
  EXPECT_EQ(value_text(word_axis("corner", {"slow"}), 0), "slow");
  EXPECT_EQ(point_text(grid_record(), 8), "corner = slow, ratio = 2.854, sigma = 0.05");
  EXPECT_EQ(point_text(one_point_record(), 0), "the only point");
}

TEST(SweepPoints, SayWhatAValueRestsOn) {
  SweepRecord record = record_over({number_axis("x", {1, 2, 3, 4})});
  record.scalars.push_back({"misread_mean",
                            "1",
                            "",
                            {0.0, 1e-3, kNotKnown, 1e-3},
                            {0.0, 5e-4, kNotKnown, 1e-3},
                            {4e-6, 2e-3, kNotKnown, 1e-3}});
  const auto known = [&](std::uint64_t point) {
    return knowledge_of(record, record.scalars[0], point);
  };
  EXPECT_EQ(known(0), Knowledge::none_seen);
  EXPECT_EQ(known(1), Knowledge::interval);
  EXPECT_EQ(known(2), Knowledge::nothing);
  EXPECT_EQ(known(3), Knowledge::value);
  record.origin.method = "exact";
  EXPECT_EQ(known(0), Knowledge::below_bound);
  EXPECT_EQ(known(1), Knowledge::bound);
  record.scalars[0].name = "margin";  // 0 is a margin like any other
  EXPECT_EQ(known(0), Knowledge::interval);
  record.scalars[0].lower = record.scalars[0].upper = {};
  EXPECT_EQ(known(1), Knowledge::value);
}

TEST(SweepPoints, ExtremesCountThoseThatMayBeAsExtreme) {
  SweepRecord record = record_over({number_axis("x", {1, 2, 3, 4, 5})});
  record.scalars.push_back({"misread_mean",
                            "1",
                            "",
                            {0.0, 0.0, 2e-6, kNotKnown, 0.5},
                            {0.0, 0.0, 1e-6, kNotKnown, 0.4},
                            {4e-6, 3e-6, 9e-6, kNotKnown, 0.6}});
  const std::optional<Extremes> found = extremes_of(record, record.scalars[0]);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->known, 4u);
  EXPECT_EQ(found->least, 1u);  // none seen at two points: this one's limit is lower
  EXPECT_EQ(found->greatest, 4u);
  EXPECT_EQ(found->as_low, 2u);
  EXPECT_EQ(found->as_high, 0u);
  record.scalars[0].value.assign(5, kNotKnown);
  EXPECT_FALSE(extremes_of(record, record.scalars[0]).has_value());
}

TEST(SweepPoints, ContradictoryLengthsAreRefused) {
  const auto broken = [](auto change) {
    SweepRecord record = grid_record();
    change(record);
    EXPECT_THROW(require_consistent(record), std::invalid_argument);
  };
  EXPECT_NO_THROW(require_consistent(grid_record()));
  EXPECT_NO_THROW(require_consistent(odd_record()));
  broken([](SweepRecord& record) { record.scalars[0].value.pop_back(); });
  broken([](SweepRecord& record) { record.scalars[1].upper.clear(); });
  broken([](SweepRecord& record) { record.axes[1].numbers.push_back(1.0); });
  broken([](SweepRecord& record) { record.dimensions.pop_back(); });
}

}  // namespace
}  // namespace cimstat::experiments
