#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cimstat::circuits {

/// How many references lie at or below a current, in constant time for near-uniform ladders.
///
/// The range of the references is cut into equal buckets. All operations from a current to its
/// bucket are monotonic, rounding included; so references in lower buckets lie below the current,
/// those in higher buckets above it, and only those in its own bucket are left to be searched.
/// Exact for any ascending ladder, equal references included.
class CodeSearch {
 public:
  CodeSearch() = default;
  /// `references` ascending and finite; at least one.
  explicit CodeSearch(std::span<const float> references);

  // The bucket of x is trunc(min(max((x - low) * scale + 1, 0), last)).
  float low() const { return low_; }
  float scale() const { return scale_; }
  float last() const { return last_; }

  std::uint32_t bucket(float x) const {
    return static_cast<std::uint32_t>(std::min(std::max((x - low_) * scale_ + 1.0f, 0.0f), last_));
  }
  /// The code of x, whose bucket is known.
  std::uint32_t code(float x, std::uint32_t bucket) const {
    std::uint32_t found = first_[bucket];
    for (std::uint32_t step = widest_; step > 0; step /= 2) {
      found += references_[found + step - 1] <= x ? step : 0;
    }
    return found;
  }
  std::uint32_t operator()(float x) const { return code(x, bucket(x)); }

 private:
  std::vector<float> references_;     ///< padded with infinity
  std::vector<std::uint32_t> first_;  ///< [bucket]: how many references lie in lower buckets
  float low_ = 0.0f;
  float scale_ = 0.0f;
  float last_ = 0.0f;
  std::uint32_t widest_ = 0;  ///< first step of the search inside a bucket, a power of two
};

}  // namespace cimstat::circuits
