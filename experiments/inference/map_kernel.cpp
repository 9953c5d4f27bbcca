#include "experiments/inference/map_kernel.h"

#include <cassert>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/map_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const double* values) {
  return hn::LoadU(d, values);
}

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const std::uint8_t* values) {
  const hn::Rebind<std::uint8_t, D> d8;
  const hn::Rebind<std::int32_t, D> d32;
  return hn::PromoteTo(d, hn::PromoteTo(d32, hn::LoadU(d8, values)));
}

template <circuits::Ties, class D>
HWY_INLINE void store(D d, hn::Vec<D> values, double, double* result) {
  hn::StoreU(values, d, result);
}

/// Truncation is floor where it matters, from 0 up; rounding goes to even.
template <circuits::Ties ties, class D>
HWY_INLINE void store(D d, hn::Vec<D> values, double highest, std::uint8_t* result) {
  const hn::Rebind<std::uint8_t, D> d8;
  const hn::Rebind<std::int32_t, D> d32;
  auto above = hn::Max(hn::Add(values, hn::Set(d, 0.5)), hn::Zero(d));
  if constexpr (ties == circuits::Ties::even) above = hn::Round(hn::Max(values, hn::Zero(d)));
  const auto levels = hn::DemoteTo(d32, hn::Min(above, hn::Set(d, highest)));
  hn::StoreU(hn::DemoteTo(d8, levels), d8, result);
}

/// Calls step(tag, i) for places i .. i + lanes of the tag - 1, whole registers before single ones.
template <class Step>
HWY_INLINE void for_places(std::size_t size, const Step& step) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) step(d, i);
  const hn::CappedTag<double, 1> one;
  for (; i < size; ++i) step(one, i);
}

/// Calls action with a pointer to the values of either kind.
template <class Values, class Action>
HWY_INLINE void with_pointer(const Values& values, const Action& action) {
  if (values.index() == 0) {
    action(std::get<0>(values).data());
  } else {
    action(std::get<1>(values).data());
  }
}

template <circuits::Ties ties>
HWY_INLINE void scale_values(const MapValues& values, double scale, double bias, double highest,
                             const MapResult& result, std::size_t size) {
  with_pointer(values, [&](const auto* from) HWY_ATTR {
    with_pointer(result, [&](auto* to) HWY_ATTR {
      for_places(size, [=](auto d, std::size_t i) HWY_ATTR {
        const auto scaled = hn::Mul(load(d, from + i), hn::Set(d, scale));
        store<ties>(d, hn::Add(scaled, hn::Set(d, bias)), highest, to + i);
      });
    });
  });
}

void scale_map(const MapValues& values, double scale, double bias, double highest,
               const MapResult& result, std::size_t size, circuits::Ties ties) {
  if (ties == circuits::Ties::even) {
    scale_values<circuits::Ties::even>(values, scale, bias, highest, result, size);
  } else {
    scale_values<circuits::Ties::up>(values, scale, bias, highest, result, size);
  }
}

template <circuits::Ties ties>
HWY_INLINE void add_values(const MapValues& a, const MapValues& b, const SumScales& scales,
                           double highest, const MapResult& result, std::size_t size) {
  with_pointer(a, [&](const auto* first) HWY_ATTR {
    with_pointer(b, [&](const auto* second) HWY_ATTR {
      with_pointer(result, [&](auto* to) HWY_ATTR {
        for_places(size, [=](auto d, std::size_t i) HWY_ATTR {
          const auto sum = hn::Add(hn::Mul(load(d, first + i), hn::Set(d, scales.a)),
                                   hn::Mul(load(d, second + i), hn::Set(d, scales.b)));
          store<ties>(d, hn::Add(sum, hn::Set(d, scales.bias)), highest, to + i);
        });
      });
    });
  });
}

void add_maps(const MapValues& a, const MapValues& b, const SumScales& scales, double highest,
              const MapResult& result, std::size_t size, circuits::Ties ties) {
  if (ties == circuits::Ties::even) {
    add_values<circuits::Ties::even>(a, b, scales, highest, result, size);
  } else {
    add_values<circuits::Ties::up>(a, b, scales, highest, result, size);
  }
}

void clip_reals(const double* values, double* result, std::size_t size) {
  for_places(size, [=](auto d, std::size_t i) HWY_ATTR {
    const auto value = hn::LoadU(d, values + i);
    hn::StoreU(hn::IfThenElseZero(hn::Gt(value, hn::Zero(d)), value), d, result + i);
  });
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(scale_map);
HWY_EXPORT(add_maps);
HWY_EXPORT(clip_reals);

namespace {

std::size_t size_of(const MapResult& result) {
  return std::visit([](auto span) { return span.size(); }, result);
}

}  // namespace

void scale_map(MapValues values, double scale, double bias, double highest, MapResult result,
               circuits::Ties ties) {
  HWY_DYNAMIC_DISPATCH(scale_map)(values, scale, bias, highest, result, size_of(result), ties);
}

void add_maps(MapValues a, MapValues b, const SumScales& scales, double highest, MapResult result,
              circuits::Ties ties) {
  HWY_DYNAMIC_DISPATCH(add_maps)(a, b, scales, highest, result, size_of(result), ties);
}

void clip_reals(std::span<const double> values, std::span<double> result) {
  assert(values.size() == result.size());
  HWY_DYNAMIC_DISPATCH(clip_reals)(values.data(), result.data(), result.size());
}

}  // namespace cimstat::experiments
#endif
