#include "core/random/scrambled_sobol.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include <boost/random/sobol.hpp>

namespace cimstat::core {

namespace {

constexpr unsigned dimension_shift = 25;                       // blocks of a coordinate
constexpr std::uint64_t tree_blocks = std::uint64_t{1} << 24;  // where those of its tree begin

}  // namespace

ScrambledSobol::ScrambledSobol(StreamKey key, std::uint64_t instance, std::size_t dimensions,
                               unsigned log2_size)
    : key_(key),
      instance_(instance),
      dimensions_(dimensions),
      log2_size_(log2_size),
      sobol_dimensions_(std::min(dimensions, sobol_limit)) {
  assert(dimensions <= dimension_limit && log2_size <= log2_size_limit);
  if (sobol_dimensions_ == 0) return;
  boost::random::sobol_engine<std::uint32_t, 32> sobol(sobol_dimensions_);
  directions_.resize(sobol_dimensions_ * log2_size_);
  for (unsigned bit = 0; bit < log2_size_; ++bit) {
    // The engine leaves the origin out and counts in Gray code: this point is the direction itself.
    sobol.seed((std::uint32_t{2} << bit) - 2U);
    for (std::size_t d = 0; d < sobol_dimensions_; ++d) {
      directions_[d * log2_size_ + bit] = sobol() >> (32U - log2_size_);
    }
  }
  scrambled_.resize(sobol_dimensions_ << log2_size_);
  for (std::size_t d = 0; d < sobol_dimensions_; ++d) scramble(d);
}

void ScrambledSobol::scramble(std::size_t dimension) {
  std::uint32_t* const digits = scrambled_.data() + (dimension << log2_size_);
  PhiloxCounter words{};
  // Level by level, from the end, as prefixes of one more digit take the places of those before.
  // Node `prefix` of level l is bit 2^l + prefix of the tree's words.
  for (unsigned level = 0; level < log2_size_; ++level) {
    const std::uint32_t nodes = std::uint32_t{1} << level;
    for (std::uint32_t prefix = nodes; prefix-- > 0;) {
      const std::uint32_t node = nodes + prefix;
      if (prefix + 1 == nodes || node % 128 == 127) {
        const std::uint64_t block =
            (std::uint64_t{dimension} << dimension_shift) + tree_blocks + node / 128;
        words = philox4x32(counter_of(key_, Domain::scrambling, instance_, block), key_of(key_));
      }
      const std::uint32_t turned = words[node / 32 % 4] >> (node % 32) & 1U;
      const std::uint32_t above = digits[prefix] << 1U;
      digits[2 * prefix] = above | turned;
      digits[2 * prefix + 1] = above | (turned ^ 1U);
    }
  }
}

void ScrambledSobol::point(std::size_t i, std::span<double> coordinates) const {
  assert(i < size() && coordinates.size() == dimensions_);
  for (std::size_t d = 0; d < dimensions_; ++d) {
    const std::uint64_t block = (std::uint64_t{d} << dimension_shift) + i / 2;
    const PhiloxCounter words =
        philox4x32(counter_of(key_, Domain::scrambling, instance_, block), key_of(key_));
    std::uint64_t bits = std::uint64_t{words[2 * (i % 2)]} << 32U | words[2 * (i % 2) + 1];
    if (d < sobol_dimensions_ && log2_size_ > 0) {
      std::uint32_t digits = 0;
      for (std::uint64_t rest = i; rest != 0; rest &= rest - 1) {
        digits ^= directions_[d * log2_size_ + static_cast<unsigned>(std::countr_zero(rest))];
      }
      const std::uint64_t top = scrambled_[(d << log2_size_) + digits];
      bits = top << (64U - log2_size_) | bits >> log2_size_;
    }
    coordinates[d] = static_cast<double>((bits >> 12U << 1U) + 1U) * 0x1p-53;
  }
}

}  // namespace cimstat::core
