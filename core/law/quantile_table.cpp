#include "core/law/quantile_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "core/interrupt.h"
#include "core/law/noisy_mixture.h"
#include "core/law/quantile_interpolant.h"

namespace cimstat::core {

namespace {

constexpr std::uint32_t segment_of(float t) {
  return std::bit_cast<std::uint32_t>(t) >> QuantileTable::index_shift;
}

constexpr std::uint32_t first_segment = segment_of(0.5f);
constexpr std::uint32_t last_segment = segment_of(0x1p31f);
constexpr std::uint32_t upper_side = segment_of(-0.0f);

/// Neighbouring lines that miss each other by more than this fraction of their rises show that the
/// quantile function bends or leaps there; smooth laws stay below a fifth of it.
constexpr double leap = 5e-3;
/// Pieces are cut until their lines are as good as this fraction of their rise.
constexpr double piece_error = 2e-3;
/// What is small against the law's spread, or the distance from its median, needs no cut.
constexpr double negligible = 2e-5;

/// Equally spaced magnitudes |t|: `count` of them, `step` apart, from `low` + step / 2 on.
struct Magnitudes {
  double low;
  double step;
  double count;
  double middle() const { return low + 0.5 * count * step; }
  double high() const { return low + count * step; }
  double width() const { return count * step; }
};

/// The magnitudes that words give in a segment: half-integers; further out what floats can tell.
Magnitudes magnitudes_in(std::uint32_t segment) {
  if (segment == last_segment) return {0x1p31 - 0.5, 1.0, 1.0};  // the median alone, by rounding
  const double low = double(std::bit_cast<float>(segment << QuantileTable::index_shift));
  const double high = double(std::bit_cast<float>((segment + 1) << QuantileTable::index_shift));
  const double step = std::max(1.0, std::exp2(std::ilogb(low) - 23));
  const double first = std::ceil((low - 0.5) / step) * step;
  const double end = std::ceil((high - 0.5) / step) * step;
  return {first, step, (end - first) / step};
}

}  // namespace

class QuantileTable::Builder {
 public:
  Builder(QuantileTable& table, const QuantileFunction& quantile, double unit, double origin,
          Threads threads)
      : table_(table), quantile_(quantile), unit_(unit), origin_(origin), threads_(threads) {}

  void build(Tail side) {
    side_ = side;
    const std::uint32_t offset = side == Tail::lower ? 0 : upper_side;
    for_each_block(last_segment - first_segment + 1, threads_, [&](std::size_t block, std::size_t) {
      const std::size_t i = first_segment + block;
      const Magnitudes magnitudes = magnitudes_in(static_cast<std::uint32_t>(i));
      if (magnitudes.count >= 1.0) table_.segments_[offset + i] = fit(magnitudes);
    });
    std::vector<bool> suspect(last_segment + 2, false);
    median_ = value(0x1p31);
    spread_ = std::abs(value(0x1p30) - median_);
    for (std::uint32_t i = first_segment; i < last_segment; ++i) {
      const Magnitudes here = magnitudes_in(i);
      if (here.count <= 2.0) continue;  // fitted to its words
      const Segment left = table_.segments_[offset + i];
      const Segment right = table_.segments_[offset + i + 1];
      const double end = line_value(left, here.high());
      const double rise = here.width() * std::abs(double(left.c1)) +
                          magnitudes_in(i + 1).width() * std::abs(double(right.c1));
      const double miss = std::abs(end - line_value(right, here.high()));
      if (miss > std::max(leap * rise, negligible * scale(end))) {
        suspect[i] = suspect[i + 1] = true;
      }
    }
    std::vector<std::uint32_t> cut;
    for (std::uint32_t i = first_segment; i <= last_segment; ++i) {
      if (suspect[i]) cut.push_back(i);
    }
    std::vector<std::vector<Piece>> pieces(cut.size());
    for_each_block(cut.size(), threads_, [&](std::size_t i, std::size_t) {
      pieces[i] = pieces_of(magnitudes_in(cut[i]));
    });
    for (std::size_t i = 0; i < cut.size(); ++i) {
      if (pieces[i].size() > 1) add_pieces(pieces[i], table_.segments_[offset + cut[i]]);
    }
  }

 private:
  double sign() const { return side_ == Tail::lower ? 1.0 : -1.0; }

  double value(double magnitude) const {
    stop_if_requested();  // a value may cost as much as a block of trials
    return (quantile_(side_, std::min(magnitude * 0x1p-32, 0.5)) - origin_) / unit_;
  }

  double line_value(Segment line, double magnitude) const {
    return double(line.c0) + double(line.c1) * sign() * magnitude;
  }

  double scale(double at) const { return std::max(spread_, std::abs(at - median_)); }

  /// Half of the law is one value: what differs from it by a float's rounding needs no cut, which
  /// could not mend it. (Elsewhere `negligible` is more.)
  double rounding(double at) const { return spread_ == 0.0 ? 0x1p-22 * std::abs(at) : 0.0; }

  /// A parabola and its least-squares line over equally spaced points meet `reach` from the middle.
  Segment fit(const Magnitudes& magnitudes) const {
    const double count = magnitudes.count;
    const double middle = magnitudes.middle();
    const double reach = std::sqrt((count * count - 1.0) / 12.0) * magnitudes.step;
    if (!(reach > 0.0)) return {static_cast<float>(value(middle)), 0.0f};
    const double low = value(middle - reach);
    const double high = value(middle + reach);
    const auto c1 = static_cast<float>(sign() * (high - low) / (2.0 * reach));
    return {static_cast<float>(0.5 * (low + high) - double(c1) * sign() * middle), c1};
  }

  void add_pieces(const std::vector<Piece>& pieces, Segment& segment) {
    segment = {std::numeric_limits<float>::quiet_NaN(), static_cast<float>(table_.cuts_.size())};
    const std::size_t first = table_.pieces_.size();
    table_.pieces_.insert(table_.pieces_.end(), pieces.begin(), pieces.end());
    table_.cuts_.push_back({first, table_.pieces_.size()});
    table_.pieces_.back().end = std::numeric_limits<float>::infinity();
  }

  std::vector<Piece> pieces_of(const Magnitudes& magnitudes) const {
    const auto& [low, step, count] = magnitudes;
    const Segment line = fit(magnitudes);
    if (count <= 2.0 || fits(line, magnitudes)) {
      return {{static_cast<float>(magnitudes.high()), line}};
    }
    const double half = std::floor(0.5 * count);
    std::vector<Piece> pieces = pieces_of({low, step, half});
    const std::vector<Piece> rest = pieces_of({low + half * step, step, count - half});
    pieces.insert(pieces.end(), rest.begin(), rest.end());
    return pieces;
  }

  bool fits(Segment line, const Magnitudes& magnitudes) const {
    const double half_step = 0.5 * magnitudes.step;
    const double rise = magnitudes.width() * std::abs(double(line.c1));
    for (const double magnitude :
         {magnitudes.low + half_step, magnitudes.middle(), magnitudes.high() - half_step}) {
      const double exact = value(magnitude);
      const double error = std::abs(line_value(line, magnitude) - exact);
      if (error > std::max({piece_error * rise, negligible * scale(exact), rounding(exact)})) {
        return false;
      }
    }
    return true;
  }

  QuantileTable& table_;
  const QuantileFunction& quantile_;
  double unit_;
  double origin_;
  Threads threads_;
  Tail side_ = Tail::lower;
  double median_ = 0.0;
  double spread_ = 0.0;
};

QuantileTable::QuantileTable(const QuantileFunction& quantile, double unit, double origin,
                             Threads threads)
    : segments_(upper_side + last_segment + 1, Segment{0.0f, 0.0f}) {
  Builder builder(*this, quantile, unit, origin, threads);
  builder.build(Tail::lower);
  builder.build(Tail::upper);
}

namespace {

/// Laws with read noise are integrals, too dear to be asked thousands of times.
QuantileTable::QuantileFunction quantile_function(const Law& law, Threads threads) {
  if (auto mixture = NoisyMixture::of(law)) {
    return [mixture = std::make_shared<const NoisyMixture>(std::move(*mixture))](
               Tail side, double p) { return mixture->quantile(side, p); };
  }
  const auto direct = [law](Tail side, double p) { return law.quantile(side, p); };
  for (const Component& component : law.components()) {
    if (component.relative_noise > 0.0 && !law.as_normal()) {
      return QuantileInterpolant(direct, 0.0, threads);
    }
  }
  return direct;
}

}  // namespace

QuantileTable::QuantileTable(const Law& law, double unit, double origin, Threads threads)
    : QuantileTable(quantile_function(law, threads), unit, origin, threads) {}

float QuantileTable::value_in_pieces(Segment segment, float t) const {
  const float magnitude = std::abs(t);
  const Cut cut = cuts_[static_cast<std::size_t>(segment.c1)];
  const Piece& piece = *std::partition_point(
      pieces_.begin() + static_cast<std::ptrdiff_t>(cut.first),
      pieces_.begin() + static_cast<std::ptrdiff_t>(cut.end),
      [magnitude](const Piece& candidate) { return magnitude >= candidate.end; });
  return piece.line.c0 + piece.line.c1 * t;
}

}  // namespace cimstat::core
