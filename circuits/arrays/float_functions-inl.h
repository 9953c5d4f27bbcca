// Functions of floats in vector lanes, the same bits on every instruction set. Included once for
// each instruction set, after hwy/highway.h.
#if defined(CIMSTAT_CIRCUITS_FLOAT_FUNCTIONS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CIMSTAT_CIRCUITS_FLOAT_FUNCTIONS_INL_H
#undef CIMSTAT_CIRCUITS_FLOAT_FUNCTIONS_INL_H
#else
#define CIMSTAT_CIRCUITS_FLOAT_FUNCTIONS_INL_H
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace cimstat::circuits::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// 2^x for -126 <= x <= 127 (beyond, that of the nearer end), within 3e-7 of itself: the power of
/// the nearest whole number, and the Taylor series of the rest, which ends at (ln 2 / 2)^7 / 7!.
template <class D, class V>
HWY_INLINE V exp2_values(D df, V x) {
  const hn::RebindToSigned<D> di;
  const V inside = hn::Min(hn::Max(x, hn::Set(df, -126.0f)), hn::Set(df, 127.0f));
  const V whole = hn::Floor(hn::Add(inside, hn::Set(df, 0.5f)));
  const V rest = hn::Sub(inside, whole);
  V sum = hn::Set(df, 1.540353039338161e-4f);
  sum = hn::Add(hn::Mul(sum, rest), hn::Set(df, 1.333355814642844e-3f));
  sum = hn::Add(hn::Mul(sum, rest), hn::Set(df, 9.618129107628477e-3f));
  sum = hn::Add(hn::Mul(sum, rest), hn::Set(df, 5.550410866482158e-2f));
  sum = hn::Add(hn::Mul(sum, rest), hn::Set(df, 2.402265069591007e-1f));
  sum = hn::Add(hn::Mul(sum, rest), hn::Set(df, 6.931471805599453e-1f));
  sum = hn::Add(hn::Mul(sum, rest), hn::Set(df, 1.0f));
  const auto exponent = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, whole), hn::Set(di, 127)));
  return hn::Mul(sum, hn::BitCast(df, exponent));
}

}  // namespace cimstat::circuits::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
