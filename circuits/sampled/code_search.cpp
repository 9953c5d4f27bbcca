#include "circuits/sampled/code_search.h"

#include <bit>
#include <cassert>
#include <limits>

namespace cimstat::circuits {

CodeSearch::CodeSearch(std::span<const float> references)
    : references_(references.begin(), references.end()) {
  assert(!references.empty() && std::is_sorted(references.begin(), references.end()));
  const std::size_t buckets = std::bit_ceil(2 * references.size() + 2);
  const float range = references.back() - references.front();
  low_ = references.front();
  last_ = static_cast<float>(buckets - 1);
  // A range so small that this overflows would be searched as one bucket.
  scale_ = range > 0.0f ? static_cast<float>(buckets - 2) / range : 0.0f;
  if (scale_ > std::numeric_limits<float>::max()) scale_ = 0.0f;

  std::vector<std::uint32_t> inside(buckets, 0);
  for (const float reference : references) ++inside[bucket(reference)];
  first_.reserve(buckets);
  std::uint32_t below = 0;
  for (const std::uint32_t count : inside) {
    first_.push_back(below);
    below += count;
  }
  widest_ = std::bit_floor(*std::max_element(inside.begin(), inside.end()));
  references_.resize(references_.size() + 2 * std::size_t{widest_},
                     std::numeric_limits<float>::infinity());
}

}  // namespace cimstat::circuits
