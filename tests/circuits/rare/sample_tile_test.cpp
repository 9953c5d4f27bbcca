#include "circuits/rare/sample_tile.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "circuits/rare/rare_estimate.h"

namespace cimstat::circuits {
namespace {

constexpr core::StreamKey key{.seed = 7, .point = 3};

TEST(SampleTile, HasTheNumbersOfEachSampleOnItsOwn) {
  constexpr std::size_t normals = 13;
  const std::uint64_t first_block = 77;
  SampleTile tile(key, first_block, 5, normals);
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{640}, first_pilot_sample}) {
    tile.fill(first);
    for (std::size_t i = 0; i < core::tile_trials; ++i) {
      core::TrialRandom random(key, core::Domain::rare_event, first + i, first_block);
      for (std::size_t j = 0; j < 5; ++j) EXPECT_EQ(tile.uniform(i, j), uniform(random));
      core::TrialRandom later(key, core::Domain::rare_event, first + i, first_block + 2);
      std::vector<double> expected(normals);
      fill_normal(later, expected);
      std::vector<double> got(normals);
      tile.copy_normals(i, got);
      for (std::size_t j = 0; j < normals; ++j) EXPECT_NEAR(got[j], expected[j], 1e-14) << j;
    }
  }
}

TEST(SampleTile, HasTheMomentsOfANormalLaw) {
  constexpr std::size_t normals = 8;
  SampleTile tile(key, 0, 1, normals);
  double moments[4] = {};
  double beyond_3 = 0.0;
  constexpr std::size_t tiles = 2000;
  std::vector<double> z(normals);
  for (std::size_t t = 0; t < tiles; ++t) {
    tile.fill(t * core::tile_trials);
    for (std::size_t i = 0; i < core::tile_trials; ++i) {
      tile.copy_normals(i, z);
      for (const double x : z) {
        double power = 1.0;
        for (double& moment : moments) moment += power *= x;
        if (x > 3.0) ++beyond_3;
      }
    }
  }
  const double n = tiles * core::tile_trials * normals;  // 1.02e6
  EXPECT_NEAR(moments[0] / n, 0.0, 5.0 / std::sqrt(n));
  EXPECT_NEAR(moments[1] / n, 1.0, 5.0 * std::sqrt(2.0 / n));
  EXPECT_NEAR(moments[2] / n, 0.0, 5.0 * std::sqrt(15.0 / n));
  EXPECT_NEAR(moments[3] / n, 3.0, 5.0 * std::sqrt(96.0 / n));
  EXPECT_NEAR(beyond_3 / n, 1.349898e-3, 5.0 * std::sqrt(1.35e-3 / n));
}

}  // namespace
}  // namespace cimstat::circuits
