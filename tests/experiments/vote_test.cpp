#include "experiments/inference/vote.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

constexpr VoteRule rules[] = {VoteRule::mode, VoteRule::median, VoteRule::mean};

/// Every outcome of the votes, one after the other.
std::vector<double> enumerated(const std::vector<double>& row, std::uint32_t votes, VoteRule rule) {
  std::vector<double> result(rule == VoteRule::mean ? votes * (row.size() - 1) + 1 : row.size(),
                             0.0);
  std::vector<std::uint32_t> outcome(votes, 0);
  for (;;) {
    double probability = 1.0;
    for (const std::uint32_t code : outcome) probability *= row[code];
    std::vector<std::uint32_t> sorted = outcome;
    result[voted_code(sorted, rule)] += probability;
    std::size_t place = 0;
    while (place < votes && ++outcome[place] == row.size()) outcome[place++] = 0;
    if (place == votes) return result;
  }
}

TEST(Vote, DecidesAsItsRuleSays) {
  const auto decided = [](std::vector<std::uint32_t> codes, VoteRule rule) {
    return voted_code(codes, rule);
  };
  EXPECT_EQ(decided({7, 3, 7}, VoteRule::mode), 7u);
  EXPECT_EQ(decided({9, 3, 7}, VoteRule::mode), 3u);  // no winner: the lowest
  EXPECT_EQ(decided({9, 3, 9, 3}, VoteRule::mode), 3u);
  EXPECT_EQ(decided({9, 3, 7}, VoteRule::median), 7u);
  EXPECT_EQ(decided({9, 3, 7, 8}, VoteRule::median), 7u);
  EXPECT_EQ(decided({9, 3, 7}, VoteRule::mean), 19u);
}

TEST(Vote, FollowsTheLawOfAllOutcomes) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  for (int trial = 0; trial < 20; ++trial) {
    circuits::ErrorTable table = fixtures::empty_table(1, 5);
    for (std::size_t i = 0; i < table.size(); ++i) {
      std::vector<double> row(5);
      for (double& p : row) p = uniform(random) < 0.2 ? 0.0 : std::exp(-10.0 * uniform(random));
      row[2] += 1e-3;
      const double sum = std::accumulate(row.begin(), row.end(), 0.0);
      for (std::size_t c = 0; c < 5; ++c) table.probability[i * 5 + c] = row[c] / sum;
    }
    for (const VoteRule rule : rules) {
      for (const std::uint32_t votes : {1U, 2U, 3U, 4U, 5U}) {
        const circuits::ErrorTable voted = voted_table(table, votes, rule);
        for (std::size_t i = 0; i < table.size(); ++i) {
          const std::vector<double> all = enumerated({table.row(i), table.row(i) + 5}, votes, rule);
          ASSERT_EQ(voted.codes, all.size());
          for (std::uint32_t code = 0; code < voted.codes; ++code) {
            // Relative: rare codes keep their digits.
            EXPECT_NEAR(voted.row(i)[code], all[code], 1e-12 * all[code])
                << votes << " votes, code " << code;
          }
        }
      }
    }
  }
}

// ASiM's vote, the most frequent code and the lowest of equally frequent ones, measured on ASiM
// with random noise in units of a converter's step: three digits.
TEST(Vote, HasTheRatesMeasuredOnAsim) {
  struct Measured {
    double noise;
    std::uint32_t votes;
    double right;
    double rms;
  };
  for (const Measured& one :
       {Measured{1.0, 1, 0.383, 1.04}, Measured{1.0, 3, 0.366, 1.07}, Measured{0.5, 1, 0.683, 0.57},
        Measured{0.5, 3, 0.763, 0.49}, Measured{0.25, 1, 0.955, 0.0}, Measured{0.25, 3, 0.994, 0.0},
        Measured{1.0, 5, 0.485, 0.84}}) {
    const circuits::ErrorTable table = fixtures::normal_table(40, 0.0, 0.0, one.noise);
    const std::size_t i = *table.find({20, 40});
    const circuits::ErrorTable voted = voted_table(table, one.votes, VoteRule::mode);
    double square = 0.0;
    for (std::uint32_t code = 0; code < voted.codes; ++code) {
      const double error = static_cast<double>(code) - 20.0;
      square += error * error * voted.row(i)[code];
    }
    EXPECT_NEAR(voted.row(i)[20], one.right, 0.0025) << one.noise << ", " << one.votes;
    if (one.rms == 0.0) continue;
    EXPECT_NEAR(std::sqrt(square), one.rms, 0.006) << one.noise;
  }
}

TEST(Vote, OfAMeanStandsForPartsOfAStep) {
  circuits::ErrorTable table = fixtures::normal_table(3, 0.0, 0.0, 0.4);
  table.code_step = 1.5;
  table.code_origin = 0.5;
  const circuits::ErrorTable voted = voted_table(table, 3, VoteRule::mean);
  EXPECT_EQ(voted.codes, 3u * 3 + 1);
  EXPECT_EQ(voted.code_step, 0.5);
  EXPECT_EQ(voted.code_origin, 0.5);
}

TEST(FaultlessTable, GivesTheIdealCodes) {
  const circuits::ErrorTable table = fixtures::normal_table(4, 0.1, 0.1, 0.8);
  const circuits::ErrorTable faultless = faultless_table(table);
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      EXPECT_EQ(faultless.row(i)[code], code == table.ideal_code[i] ? 1.0 : 0.0);
    }
  }
}

}  // namespace
}  // namespace cimstat::experiments
