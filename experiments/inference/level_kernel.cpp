#include "experiments/inference/level_kernel.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/level_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "experiments/inference/bit_planes.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, 8>;
inline constexpr std::size_t width = hn::MaxLanes(Doubles());

void add_rows(const double* HWY_RESTRICT cells, const std::uint32_t* HWY_RESTRICT rows,
              std::size_t count, std::size_t columns, double* HWY_RESTRICT sums) {
  const Doubles d;
  for (std::size_t first = 0; first < columns; first += 4 * width) {
    const std::size_t second = std::min(first + width, columns - width);
    const std::size_t third = std::min(first + 2 * width, columns - width);
    const std::size_t fourth = std::min(first + 3 * width, columns - width);
    auto a = hn::Zero(d);
    auto b = hn::Zero(d);
    auto c = hn::Zero(d);
    auto e = hn::Zero(d);
    for (std::size_t i = 0; i < count; ++i) {
      const double* HWY_RESTRICT row = cells + rows[i] * columns;
      a = hn::Add(a, hn::LoadU(d, row + first));
      b = hn::Add(b, hn::LoadU(d, row + second));
      c = hn::Add(c, hn::LoadU(d, row + third));
      e = hn::Add(e, hn::LoadU(d, row + fourth));
    }
    // Beyond the last column the same ones are added up once more.
    hn::StoreU(a, d, sums + first);
    hn::StoreU(b, d, sums + second);
    hn::StoreU(c, d, sums + third);
    hn::StoreU(e, d, sums + fourth);
  }
}

void widen(const double* HWY_RESTRICT sums, std::size_t columns, double* HWY_RESTRICT low,
           double* HWY_RESTRICT high) {
  const Doubles d;
  for (std::size_t at = 0; at < columns; at += width) {
    const auto sum = hn::LoadU(d, sums + at);
    hn::StoreU(hn::Min(sum, hn::LoadU(d, low + at)), d, low + at);
    hn::StoreU(hn::Max(sum, hn::LoadU(d, high + at)), d, high + at);
  }
}

void add_converted(const double* HWY_RESTRICT sums, std::size_t columns, const EvenCodes& codes,
                   double subtracted, double weight, double* HWY_RESTRICT to) {
  const Doubles d;
  const auto low = hn::Set(d, codes.low);
  const auto first = hn::Set(d, codes.first_value);
  const auto step = hn::Set(d, codes.step);
  const auto last = hn::Set(d, codes.last);
  const auto less = hn::Set(d, subtracted);
  const auto times = hn::Set(d, weight);
  for (std::size_t at = 0; at < columns; at += width) {
    const auto above = hn::Div(hn::Sub(hn::LoadU(d, sums + at), low), step);
    const auto code = hn::Min(hn::Max(hn::Floor(above), hn::Zero(d)), last);
    const auto value = hn::Add(first, hn::Mul(step, code));
    hn::StoreU(hn::Add(hn::LoadU(d, to + at), hn::Mul(times, hn::Sub(value, less))), d, to + at);
  }
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(add_rows);
HWY_EXPORT(widen);
HWY_EXPORT(add_converted);

void add_rows(const double* cells, std::span<const std::uint32_t> rows, std::span<double> sums) {
  assert(sums.size() % group_channels == 0);
  HWY_DYNAMIC_DISPATCH(add_rows)(cells, rows.data(), rows.size(), sums.size(), sums.data());
}

void widen(std::span<const double> sums, std::span<double> low, std::span<double> high) {
  HWY_DYNAMIC_DISPATCH(widen)(sums.data(), sums.size(), low.data(), high.data());
}

double EvenCodes::operator()(double sum) const {
  if (!(step > 0.0)) return low;
  return first_value + step * std::clamp(std::floor((sum - low) / step), 0.0, last);
}

void add_converted(std::span<const double> sums, const EvenCodes& codes, double subtracted,
                   double weight, std::span<double> to) {
  if (!(codes.step > 0.0)) {
    for (double& value : to) value += weight * (codes.low - subtracted);
    return;
  }
  HWY_DYNAMIC_DISPATCH(add_converted)
  (sums.data(), sums.size(), codes, subtracted, weight, to.data());
}

}  // namespace cimstat::experiments
#endif
