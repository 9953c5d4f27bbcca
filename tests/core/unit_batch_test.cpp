#include "core/unit_batch.h"

#include <limits>

#include <gtest/gtest.h>

namespace cimstat::core {
namespace {

TEST(UnitBatch, TheFirstWishIsOneUnit) { EXPECT_EQ(wished_batch(0, 1e6), 1U); }

TEST(UnitBatch, WishesComeToHalfASecondOfWork) {
  EXPECT_EQ(wished_batch(1000, 0.25), 2000U);
  EXPECT_EQ(wished_batch(1000, 5.0), 100U);
  EXPECT_EQ(wished_batch(1000, 1e9), 1U);
}

TEST(UnitBatch, WishesGrowAtMostFourfold) {
  EXPECT_EQ(wished_batch(1, 0.0), 4U);
  EXPECT_EQ(wished_batch(16, 1e-9), 64U);
  EXPECT_LE(wished_batch(std::uint64_t{1} << 62, 0.0), std::uint64_t{1} << 62);
}

TEST(UnitBatch, GrantsShrinkTowardsOneAtTheEnd) {
  EXPECT_EQ(granted_batch(1'000'000, 80'000, 4), 5000U);
  EXPECT_EQ(granted_batch(1'000'000, 32, 4), 2U);
  EXPECT_EQ(granted_batch(1'000'000, 16, 4), 1U);
  EXPECT_EQ(granted_batch(1'000'000, 1, 4), 1U);
  EXPECT_EQ(granted_batch(0, 80'000, 4), 1U);
  EXPECT_EQ(granted_batch(3, 80'000, 4), 3U);
}

TEST(UnitBatch, AHundredThousandTinyUnitsTakeFewMessages) {
  std::uint64_t left = 100'000;
  std::uint64_t wished = 0;
  int messages = 0;
  while (left > 0) {
    const std::uint64_t granted = granted_batch(wished_batch(wished, 1e-5), left, 4);
    wished = granted;
    left -= granted;
    ++messages;
  }
  EXPECT_LT(messages, 200);
}

TEST(UnitBatch, LongUnitsAreHandedOutOneByOne) {
  EXPECT_EQ(wished_batch(1, 60.0), 1U);
  EXPECT_EQ(wished_batch(4, 2.0), 1U);
}

}  // namespace
}  // namespace cimstat::core
