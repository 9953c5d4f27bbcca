#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "circuits/exact/exact_column.h"

namespace cimstat::circuits {

inline constexpr core::Threads one_thread{1};
inline constexpr ExactOptions inverted{.shortcut = Shortcut::forbid};

inline std::vector<ColumnClass> classes_of(std::uint32_t active_rows) {
  return classes_for(std::vector{active_rows});
}

/// Largest absolute difference of the rows from what the distribution function says.
template <class Below>
void expect_agreement(const ColumnDesign& design, const std::vector<ColumnClass>& classes,
                      const ExactProbabilities& exact, const Below& below, double tolerance,
                      const std::string& name) {
  const std::size_t codes = design.ladder.codes;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto references = design.ladder.at(classes[c].active_rows);
    std::vector<long double> f = below(classes[c], references);
    f.insert(f.begin(), 0.0L);
    f.push_back(1.0L);
    double largest = 0.0;
    for (std::size_t code = 0; code < codes; ++code) {
      const long double expected = f[code + 1] - f[code];
      const long double difference = exact.probability[c * codes + code] - expected;
      largest = std::max(largest, static_cast<double>(std::abs(difference)));
    }
    EXPECT_LE(largest, tolerance) << name << " k = " << classes[c].lrs_count;
    EXPECT_GE(exact.error_bound[c], largest) << name << " k = " << classes[c].lrs_count;
    EXPECT_LE(exact.error_bound[c], 1e-12) << name << " k = " << classes[c].lrs_count;
  }
}

}  // namespace cimstat::circuits
