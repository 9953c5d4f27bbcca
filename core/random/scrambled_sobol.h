#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random/random.h"

/// Low-discrepancy points with a random scrambling: quasi-Monte Carlo with an honest error.
namespace cimstat::core {

/// The first 2^m points of Sobol's sequence (direction numbers of Joe and Kuo, SIAM J. Sci. Comput.
/// 30, 2008, 2635), scrambled after Owen (Monte Carlo and Quasi-Monte Carlo Methods in Scientific
/// Computing, 1995, 299): every node of the binary tree of digits is turned over or not by a random
/// bit of its own, and below its leaves, where each point is alone, the digits are random. Each
/// point is uniform, so that means are unbiased, and together they stay a net. All points are
/// there, the first (which would be the origin) too.
///
/// Coordinates from `sobol_limit` on are independent uniform numbers: plain Monte Carlo. Give the
/// variables that matter most first.
///
/// Random words are those of (key, Domain::scrambling, instance); another instance is another,
/// independent scrambling. Coordinate d takes blocks from d 2^25 on.
class ScrambledSobol {
 public:
  static constexpr std::size_t sobol_limit = 64;
  static constexpr std::size_t dimension_limit = std::size_t{1} << 13;
  static constexpr unsigned log2_size_limit = 18;

  /// Holds 4 * 2^log2_size bytes for each coordinate up to sobol_limit. Asserts the limits.
  ScrambledSobol(StreamKey key, std::uint64_t instance, std::size_t dimensions, unsigned log2_size);

  std::size_t size() const { return std::size_t{1} << log2_size_; }
  std::size_t dimensions() const { return dimensions_; }

  /// Coordinates of point i, each an odd multiple of 2^-53.
  void point(std::size_t i, std::span<double> coordinates) const;

 private:
  void scramble(std::size_t dimension);

  StreamKey key_;
  std::uint64_t instance_;
  std::size_t dimensions_;
  unsigned log2_size_;
  std::size_t sobol_dimensions_;
  std::vector<std::uint32_t>
      directions_;                        ///< [dimension][bit of the index], the digits to scramble
  std::vector<std::uint32_t> scrambled_;  ///< [dimension][digits]: the digits instead
};

}  // namespace cimstat::core
