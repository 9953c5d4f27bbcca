#include "circuits/rare/sample_tile.h"

#include <algorithm>
#include <cassert>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "circuits/rare/sample_tile.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/random/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::circuits::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace kernel = core::HWY_NAMESPACE;
using core::tile_trials;

using Lanes = hn::CappedTag<double, 8>;
using Vector = hn::Vec<Lanes>;
using Bits = hn::RebindToUnsigned<Lanes>;
using SignedBits = hn::RebindToSigned<Lanes>;

HWY_INLINE Vector constant(double value) { return hn::Set(Lanes(), value); }

/// first + x (second + x (..)), by Horner's rule.
template <class... Rest>
HWY_INLINE Vector polynomial(Vector x, double first, Rest... rest) {
  if constexpr (sizeof...(rest) == 0) {
    return constant(first);
  } else {
    return hn::Add(constant(first), hn::Mul(x, polynomial(x, rest...)));
  }
}

/// (w + 1/2) 2^-32 of each word.
HWY_INLINE Vector uniforms(const std::uint32_t* HWY_RESTRICT words) {
  const Bits bits;
  const hn::Rebind<std::uint32_t, Lanes> narrow;
  // The words as the low bits of a number at 2^52 and above.
  const auto wide = hn::PromoteTo(bits, hn::Load(narrow, words));
  const auto above = hn::BitCast(Lanes(), hn::Or(wide, hn::BitCast(bits, constant(0x1p52))));
  return hn::Mul(hn::Add(hn::Sub(above, constant(0x1p52)), constant(0.5)), constant(0x1p-32));
}

/// ln u for 2^-40 < u < 1, to about 1e-15 of it or of 1.
HWY_INLINE Vector logarithm(Vector u) {
  const SignedBits bits;
  // u = 2^e m, m between sqrt(1/2) and sqrt(2).
  const auto half_root = hn::BitCast(bits, constant(0.5 * std::numbers::sqrt2));
  const auto e = hn::ShiftRight<52>(hn::Sub(hn::BitCast(bits, u), half_root));
  const Vector m = hn::BitCast(Lanes(), hn::Sub(hn::BitCast(bits, u), hn::ShiftLeft<52>(e)));
  const Vector shifted = hn::BitCast(Lanes(), hn::Add(e, hn::BitCast(bits, constant(0x1.8p52))));
  const Vector exponent = hn::Sub(shifted, constant(0x1.8p52));
  const Vector s = hn::Div(hn::Sub(m, constant(1.0)), hn::Add(m, constant(1.0)));
  const Vector series = polynomial(hn::Mul(s, s), 2.0, 2.0 / 3.0, 2.0 / 5.0, 2.0 / 7.0, 2.0 / 9.0,
                                   2.0 / 11.0, 2.0 / 13.0, 2.0 / 15.0, 2.0 / 17.0, 2.0 / 19.0);
  return hn::Add(hn::Mul(exponent, constant(std::numbers::ln2)), hn::Mul(s, series));
}

/// One row of 64 words for the radius and one for the angle make two rows of normals.
HWY_INLINE void make_normals(const std::uint32_t* HWY_RESTRICT words,
                             double* HWY_RESTRICT normals) {
  const Lanes d;
  const Bits bits;
  for (std::size_t i = 0; i < tile_trials; i += hn::Lanes(d)) {
    const Vector radius = hn::Sqrt(hn::Mul(constant(-2.0), logarithm(uniforms(words + i))));
    // Four quarters of a turn, and what is left of the angle: -pi/4 to pi/4.
    const Vector quarters = hn::Mul(constant(4.0), uniforms(words + tile_trials + i));
    const Vector rounded = hn::Add(quarters, constant(0x1.8p52));
    const Vector rest = hn::Mul(constant(0.5 * std::numbers::pi),
                                hn::Sub(quarters, hn::Sub(rounded, constant(0x1.8p52))));
    const Vector squared = hn::Mul(rest, rest);
    const Vector sine =
        hn::Mul(rest, polynomial(squared, 1.0, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880,
                                 -1.0 / 39916800, 1.0 / 6227020800.0, -1.0 / 1307674368000.0));
    const Vector cosine =
        polynomial(squared, 1.0, -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800,
                   1.0 / 479001600, -1.0 / 87178291200.0, 1.0 / 20922789888000.0);
    const auto quarter = hn::BitCast(bits, rounded);
    const auto odd = hn::RebindMask(d, hn::TestBit(quarter, hn::Set(bits, 1)));
    const auto two = hn::Set(bits, 2);
    const auto sine_sign = hn::ShiftLeft<62>(hn::And(quarter, two));
    const auto cosine_sign = hn::ShiftLeft<62>(hn::And(hn::Add(quarter, hn::Set(bits, 1)), two));
    const auto signed_by = [d](Vector x, hn::Vec<Bits> sign)
                               HWY_ATTR { return hn::Xor(x, hn::BitCast(d, sign)); };
    const Vector x = signed_by(hn::IfThenElse(odd, sine, cosine), cosine_sign);
    const Vector y = signed_by(hn::IfThenElse(odd, cosine, sine), sine_sign);
    hn::Store(hn::Mul(radius, x), d, normals + i);
    hn::Store(hn::Mul(radius, y), d, normals + tile_trials + i);
  }
}

void fill_tile(const core::BlockSchedule& schedule, std::uint64_t first_sample,
               std::size_t uniform_blocks, std::size_t normal_blocks,
               std::uint32_t* HWY_RESTRICT words, double* HWY_RESTRICT normals) {
  kernel::PhiloxTile tile;
  kernel::begin_tile(schedule, first_sample, tile);
  kernel::fill_words(schedule, tile, 0, uniform_blocks, words);
  std::uint32_t* HWY_RESTRICT scratch = words + 4 * uniform_blocks * tile_trials;
  alignas(64) double rows[4 * tile_trials];
  for (std::size_t block = 0; block < normal_blocks; ++block) {
    kernel::fill_words(schedule, tile, uniform_blocks + block, 1, scratch);
    make_normals(scratch, rows);
    make_normals(scratch + 2 * tile_trials, rows + 2 * tile_trials);
    for (std::size_t sample = 0; sample < tile_trials; ++sample) {
      double* to = normals + 4 * (sample * normal_blocks + block);
      for (std::size_t i = 0; i < 4; ++i) to[i] = rows[i * tile_trials + sample];
    }
  }
}

}  // namespace cimstat::circuits::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::circuits {

HWY_EXPORT(fill_tile);

SampleTile::SampleTile(core::StreamKey key, std::uint64_t first_block, std::size_t uniforms,
                       std::size_t normals)
    : uniform_blocks_((uniforms + 3) / 4),
      normal_blocks_((normals + 3) / 4),
      schedule_(key, core::Domain::rare_event, first_block, uniform_blocks_ + normal_blocks_),
      words_(hwy::AllocateAligned<std::uint32_t>(4 * (uniform_blocks_ + 1) * core::tile_trials)),
      normals_(hwy::AllocateAligned<double>(4 * (normal_blocks_ + 1) * core::tile_trials)) {}

void SampleTile::fill(std::uint64_t first_sample) {
  assert(first_sample % core::tile_trials == 0);
  HWY_DYNAMIC_DISPATCH(fill_tile)
  (schedule_, first_sample, uniform_blocks_, normal_blocks_, words_.get(), normals_.get());
}

double SampleTile::uniform(std::size_t sample, std::size_t i) const {
  return (words_[i * core::tile_trials + sample] + 0.5) * 0x1p-32;
}

void SampleTile::copy_normals(std::size_t sample, std::span<double> z) const {
  std::copy_n(normals_.get() + 4 * normal_blocks_ * sample, z.size(), z.begin());
}

}  // namespace cimstat::circuits
#endif
