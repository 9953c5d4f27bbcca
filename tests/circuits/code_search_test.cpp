#include "circuits/sampled/code_search.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace cimstat::circuits {
namespace {

/// Compares with a binary search at the references, beside them, between and beyond.
void expect_exact(const std::vector<float>& references) {
  const CodeSearch search{references};
  std::vector<float> currents{-1e30f, 1e30f, 0.0f};
  for (std::size_t i = 0; i < references.size(); ++i) {
    const float here = references[i];
    const float next = i + 1 < references.size() ? references[i + 1] : here + 1.0f;
    currents.insert(
        currents.end(),
        {here, std::nextafter(here, -std::numeric_limits<float>::infinity()),
         std::nextafter(here, std::numeric_limits<float>::infinity()), 0.5f * (here + next)});
  }
  for (const float current : currents) {
    const auto above = std::upper_bound(references.begin(), references.end(), current);
    ASSERT_EQ(search(current), static_cast<std::uint32_t>(above - references.begin()))
        << "current " << current << ", " << references.size() << " references";
  }
}

TEST(CodeSearch, IsExactForUniformLaddersOfAnySize) {
  for (const std::size_t count : {1U, 2U, 3U, 15U, 64U, 300U, 1024U}) {
    std::vector<float> references(count);
    for (std::size_t i = 0; i < count; ++i) references[i] = -3.7f + 0.1f * static_cast<float>(i);
    expect_exact(references);
  }
}

TEST(CodeSearch, IsExactForLaddersThatCrowdAtOneEnd) {
  for (const std::size_t count : {2U, 7U, 100U, 1024U}) {
    std::vector<float> references(count);
    for (std::size_t i = 0; i < count; ++i) {
      references[i] = std::pow(2.0f, -0.1f * static_cast<float>(count - i));
    }
    expect_exact(references);
  }
}

TEST(CodeSearch, IsExactForRandomLaddersWithEqualReferences) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (int ladder = 0; ladder < 200; ++ladder) {
    std::vector<float> references(1 + random() % 50);
    for (float& reference : references) reference = std::round(8.0f * normal(random)) / 8.0f;
    std::sort(references.begin(), references.end());
    expect_exact(references);
  }
}

TEST(CodeSearch, IsExactWhereAllReferencesAreEqualOrNext) {
  expect_exact({2.5f, 2.5f, 2.5f});
  expect_exact({1.0f, std::nextafter(1.0f, 2.0f)});
  expect_exact({0.0f, std::numeric_limits<float>::denorm_min()});
}

}  // namespace
}  // namespace cimstat::circuits
