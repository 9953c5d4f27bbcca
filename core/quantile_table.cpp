#include "core/quantile_table.h"

#include <algorithm>
#include <cmath>

namespace cimstat::core {

namespace {

constexpr std::uint32_t segment_of(float t) {
  return std::bit_cast<std::uint32_t>(t) >> QuantileTable::index_shift;
}

constexpr std::uint32_t first_segment = segment_of(0.5f);
constexpr std::uint32_t last_segment = segment_of(0x1p31f);
constexpr std::uint32_t upper_side = segment_of(-0.0f);

/// The magnitudes |t| that fall into a segment are equally spaced half-integers.
struct Magnitudes {
  double middle;
  double count;
};

Magnitudes magnitudes_in(std::uint32_t segment) {
  if (segment == last_segment) return {0x1p31, 1.0};  // the median alone, by rounding
  const double low = std::bit_cast<float>(segment << QuantileTable::index_shift);
  const double high = std::bit_cast<float>((segment + 1) << QuantileTable::index_shift);
  const double first = std::ceil(low - 0.5) + 0.5;
  const double end = std::ceil(high - 0.5) + 0.5;
  return {0.5 * (first + end - 1.0), end - first};
}

}  // namespace

QuantileTable::QuantileTable(const QuantileFunction& quantile, double unit, double origin)
    : segments_(upper_side + last_segment + 1, Segment{0.0f, 0.0f}) {
  for (const Tail side : {Tail::lower, Tail::upper}) {
    const double sign = side == Tail::lower ? 1.0 : -1.0;
    const auto value = [&](double magnitude) {
      return (quantile(side, std::min(magnitude * 0x1p-32, 0.5)) - origin) / unit;
    };
    for (std::uint32_t index = first_segment; index <= last_segment; ++index) {
      const auto [middle, count] = magnitudes_in(index);
      if (count < 1.0) continue;
      // A parabola and its least-squares line over `count` equally spaced points meet here.
      const double reach = std::sqrt((count * count - 1.0) / 12.0);
      Segment& segment = segments_[index + (side == Tail::lower ? 0 : upper_side)];
      if (reach == 0.0) {
        segment = {static_cast<float>(value(middle)), 0.0f};
        continue;
      }
      const double low = value(middle - reach);
      const double high = value(middle + reach);
      segment.c1 = static_cast<float>(sign * (high - low) / (2.0 * reach));
      segment.c0 =
          static_cast<float>(0.5 * (low + high) - static_cast<double>(segment.c1) * sign * middle);
    }
  }
}

QuantileTable::QuantileTable(const Law& law, double unit, double origin)
    : QuantileTable([&law](Tail side, double p) { return law.quantile(side, p); }, unit, origin) {}

}  // namespace cimstat::core
