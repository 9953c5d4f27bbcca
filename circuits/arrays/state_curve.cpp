#include "circuits/arrays/state_curve.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>

namespace cimstat::circuits {

namespace {

constexpr double tolerance = 1e-6;

float float_at(std::uint32_t bits) { return std::bit_cast<float>(bits); }

}  // namespace

/// Floats of one sign are ordered as their bits are: ranges of bits are ranges of values.
class StateCurve::Builder {
 public:
  explicit Builder(const std::function<double(double)>& function) : function_(function) {}

  /// For the floats with bits in [first, end).
  std::vector<Piece> pieces(std::uint32_t first, std::uint32_t end) const {
    const Segment line = fit(first, end);
    if (end - first <= 2 || fits(line, first, end)) return {{float_at(end), line}};
    const std::uint32_t middle = first + (end - first) / 2;
    std::vector<Piece> both = pieces(first, middle);
    const std::vector<Piece> rest = pieces(middle, end);
    both.insert(both.end(), rest.begin(), rest.end());
    return both;
  }

 private:
  double value(std::uint32_t bits) const { return function_(double(float_at(bits))); }

  /// Through the Chebyshev nodes, which spread the error evenly.
  Segment fit(std::uint32_t first, std::uint32_t end) const {
    if (end - first == 1) return {static_cast<float>(value(first)), 0.0f};
    const double low = double(float_at(first));
    const double high = double(float_at(end - 1));
    const double reach = end - first <= 2 ? 0.5 * (high - low) : std::sqrt(0.125) * (high - low);
    const double middle = 0.5 * (low + high);
    const double left = function_(middle - reach);
    const double right = function_(middle + reach);
    const auto c1 = static_cast<float>((right - left) / (2.0 * reach));
    return {static_cast<float>(0.5 * (left + right) - double(c1) * middle), c1};
  }

  bool fits(Segment line, std::uint32_t first, std::uint32_t end) const {
    const std::uint32_t last = end - 1 - first;
    for (const std::uint32_t part : {0U, 1U, 2U, 3U, 4U}) {
      const std::uint32_t bits = first + last / 4 * part + (part == 4 ? last % 4 : 0);
      const double exact = value(bits);
      const double found = double(line.c0) + double(line.c1) * double(float_at(bits));
      if (!(std::abs(found - exact) <= tolerance * std::abs(exact))) return false;
    }
    return true;
  }

  const std::function<double(double)>& function_;
};

StateCurve::StateCurve(const std::function<double(double)>& function, double low, double high) {
  assert(low > 0.0 && low < high && high <= 65536.0 * low);
  const auto index_of = [](double x) {
    return std::bit_cast<std::uint32_t>(static_cast<float>(x)) >> index_shift;
  };
  first_index_ = index_of(low);
  const std::uint32_t last_index = index_of(high);
  low_ = float_at(first_index_ << index_shift);
  high_ = float_at(((last_index + 1) << index_shift) - 1);
  const std::function<double(double)> inside = [&](double x) {
    return function(std::clamp(x, low, high));
  };
  const Builder builder(inside);
  for (std::uint32_t index = first_index_; index <= last_index; ++index) {
    const std::vector<Piece> pieces =
        builder.pieces(index << index_shift, (index + 1) << index_shift);
    if (pieces.size() == 1) {
      segments_.push_back(pieces.front().line);
      continue;
    }
    segments_.push_back(
        {std::numeric_limits<float>::quiet_NaN(), static_cast<float>(cuts_.size())});
    cuts_.push_back({pieces_.size(), pieces_.size() + pieces.size()});
    pieces_.insert(pieces_.end(), pieces.begin(), pieces.end());
  }
}

float StateCurve::operator()(float x) const {
  const float inside = std::min(std::max(x, low_), high_);
  const Segment segment =
      segments_[(std::bit_cast<std::uint32_t>(inside) >> index_shift) - first_index_];
  if (segment.c0 == segment.c0) return segment.c0 + segment.c1 * inside;
  const Cut cut = cuts_[static_cast<std::size_t>(segment.c1)];
  const Piece& piece =
      *std::partition_point(pieces_.begin() + static_cast<std::ptrdiff_t>(cut.first),
                            pieces_.begin() + static_cast<std::ptrdiff_t>(cut.end) - 1,
                            [inside](const Piece& candidate) { return inside >= candidate.end; });
  return piece.line.c0 + piece.line.c1 * inside;
}

}  // namespace cimstat::circuits
