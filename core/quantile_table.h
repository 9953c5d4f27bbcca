#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/law.h"

namespace cimstat::core {

/// Any distribution as an inverse-CDF table indexed by the bits of a 32-bit uniform word w:
/// bit 31 picks the side (0 lower, 1 upper), t = float(w & 0x7fffffff) + 0.5f is the tail
/// probability times 2^32, the exponent and the top mantissa bits of t pick a segment, and the
/// value is c0 + c1 * t: one gather, one multiply, one add a draw. Reaches 6.3 sigma (tail 2^-33).
class QuantileTable {
 public:
  using QuantileFunction = std::function<double(Tail side, double probability)>;
  static constexpr unsigned segment_bits = 5;  ///< 32 segments in each octave of tail probability

  QuantileTable() = default;
  /// Values are divided by `unit` before they become floats. quantile(side, p) is asked for
  /// 2^-33 <= p <= 1/2 only.
  QuantileTable(const QuantileFunction& quantile, double unit);
  QuantileTable(const Law& law, double unit);

  struct Segment {
    float c0;
    float c1;
  };
  const std::vector<Segment>& segments() const { return segments_; }
  float operator()(std::uint32_t word) const;  ///< scalar reference; equals the vector code

 private:
  std::vector<Segment> segments_;
};

}  // namespace cimstat::core
