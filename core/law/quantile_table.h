#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/law/law.h"
#include "core/parallel.h"

namespace cimstat::core {

/// Any distribution as an inverse-CDF table indexed by the bits of a 32-bit uniform word w.
/// t = float(int32(w)) + 0.5f: its sign, which is bit 31 of w, picks the side (0 lower, 1 upper),
/// |t| is the tail probability times 2^32, the exponent and the top mantissa bits of t pick a
/// segment, and the value is c0 + c1 * t: one look-up, one multiply, one add a draw. Reaches 6.3
/// sigma (tail 2^-33).
///
/// In each segment the line is the least-squares fit to the parabola through the quantile function
/// there, so that mean and variance are kept; the first octaves hold few words and are fitted to
/// these. Largest error for the standard normal: 3.4e-5 (the smallest possible with these segments
/// is 2.5e-5, but biased to one side). Where the quantile function leaps, as between the modes of a
/// mixture, a segment is cut into as many pieces as it takes.
class QuantileTable {
 public:
  using QuantileFunction = std::function<double(Tail side, double probability)>;
  static constexpr unsigned segment_bits = 5;  ///< 32 segments in each octave of tail probability
  static constexpr unsigned index_shift = 23 - segment_bits;

  QuantileTable() = default;
  /// Values are (quantile - origin) / unit before they become floats. quantile(side, p) is asked
  /// for 2^-33 <= p <= 1/2 only, with more than one thread from several at once. Throws Interrupted
  /// when the program was asked to stop.
  QuantileTable(const QuantileFunction& quantile, double unit, double origin = 0.0,
                Threads threads = {1});
  QuantileTable(const Law& law, double unit, double origin = 0.0, Threads threads = {1});

  struct alignas(8) Segment {
    float c0;  ///< NaN where the segment is cut into pieces
    float c1;  ///< then, the index of its cut
  };
  /// Indexed by the leading bits of t, sign included: 33 octaves a side, the rest is never read.
  const std::vector<Segment>& segments() const { return segments_; }

  /// Scalar reference; equals the vector code (core/law/quantile_table-inl.h) bit for bit.
  float operator()(std::uint32_t word) const {
    const float t = static_cast<float>(static_cast<std::int32_t>(word)) + 0.5f;
    const Segment segment = segments_[std::bit_cast<std::uint32_t>(t) >> index_shift];
    if (segment.c0 != segment.c0) return value_in_pieces(segment, t);
    return segment.c0 + segment.c1 * t;
  }

 private:
  class Builder;

  /// Valid for |t| < end.
  struct Piece {
    float end;
    Segment line;
  };

  /// The pieces of a segment: there may be thousands, so they are searched by halving.
  struct Cut {
    std::size_t first;
    std::size_t end;
  };

  float value_in_pieces(Segment segment, float t) const;

  std::vector<Segment> segments_;
  std::vector<Cut> cuts_;
  std::vector<Piece> pieces_;
};

}  // namespace cimstat::core
