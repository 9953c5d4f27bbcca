#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/law/quantile_table.h"

namespace cimstat::circuits {

/// A function of a positive float as a table of lines, found by the leading bits of the float: one
/// look-up, one multiply, one add. Where the function bends or leaps, a segment is cut into as many
/// pieces as it takes. Within 2e-6 of the function, relative to it, beyond the rounding of floats
/// (tests/circuits/arrays/drifting_array_test.cpp).
class StateCurve {
 public:
  using Segment = core::QuantileTable::Segment;  ///< c0 is NaN where the segment is cut
  static constexpr unsigned segment_bits = 9;    ///< 512 segments to an octave
  static constexpr unsigned index_shift = 23 - segment_bits;

  StateCurve() = default;
  /// `function` on [low, high], 0 < low < high, at most 2^16 times low; beyond, its value at the
  /// nearer end.
  StateCurve(const std::function<double(double)>& function, double low, double high);

  float low() const { return low_; }
  float high() const { return high_; }  ///< the largest float of the last segment
  std::uint32_t first_index() const { return first_index_; }
  const std::vector<Segment>& segments() const { return segments_; }

  /// Equals the vector code (drift_kernel.h) bit for bit.
  float operator()(float x) const;

 private:
  /// Valid for x < end.
  struct Piece {
    float end;
    Segment line;
  };
  struct Cut {
    std::size_t first;
    std::size_t end;
  };
  class Builder;

  float low_ = 1.0f;
  float high_ = 1.0f;
  std::uint32_t first_index_ = 0;
  std::vector<Segment> segments_;
  std::vector<Cut> cuts_;
  std::vector<Piece> pieces_;
};

}  // namespace cimstat::circuits
