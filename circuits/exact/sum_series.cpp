#include "circuits/exact/sum_series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace cimstat::circuits {
namespace {

constexpr std::size_t lanes = 4;

/// The sums of real[k] cos(u_k x) and imaginary[k] sin(u_k x), combined by `combine`, for `lanes`
/// values of x at once; terms are added in the order of k.
template <class Combine>
std::array<double, lanes> harmonic_sums(const SumSeries& series, const std::array<double, lanes>& x,
                                        Combine&& combine) {
  std::array<double, lanes> sum{};
  std::array<double, lanes> cosine{};
  std::array<double, lanes> sine{};
  std::array<double, lanes> turn_cosine{};
  std::array<double, lanes> turn_sine{};
  for (std::size_t i = 0; i < lanes; ++i) {
    turn_cosine[i] = std::cos(series.step * x[i]);
    turn_sine[i] = std::sin(series.step * x[i]);
  }
  const std::size_t terms = series.real.size();
  for (std::size_t start = 0; start < terms; start += steps_between_fresh_starts) {
    const double u = (static_cast<double>(start) + 0.5) * series.step;
    for (std::size_t i = 0; i < lanes; ++i) {
      cosine[i] = std::cos(u * x[i]);
      sine[i] = std::sin(u * x[i]);
    }
    const std::size_t end = std::min(terms, start + steps_between_fresh_starts);
    for (std::size_t k = start; k < end; ++k) {
      for (std::size_t i = 0; i < lanes; ++i) {
        sum[i] += combine(k, cosine[i], sine[i]);
        const double next = cosine[i] * turn_cosine[i] - sine[i] * turn_sine[i];
        sine[i] = cosine[i] * turn_sine[i] + sine[i] * turn_cosine[i];
        cosine[i] = next;
      }
    }
  }
  return sum;
}

/// The same for a single x, bit for bit: here the lanes are runs of terms between fresh starts of
/// the rotation.
template <class Combine>
double harmonic_sum(const SumSeries& series, double x, Combine&& combine) {
  const double turn_cosine = std::cos(series.step * x);
  const double turn_sine = std::sin(series.step * x);
  const std::size_t terms = series.real.size();
  using Row = std::array<double, lanes>;
  std::array<Row, steps_between_fresh_starts> cosine{};  // [step][lane]
  std::array<Row, steps_between_fresh_starts> sine{};
  double sum = 0.0;
  for (std::size_t start = 0; start < terms; start += lanes * steps_between_fresh_starts) {
    const std::size_t many = std::min(terms - start, lanes * steps_between_fresh_starts);
    for (std::size_t lane = 0; lane * steps_between_fresh_starts < many; ++lane) {
      const auto first = static_cast<double>(start + lane * steps_between_fresh_starts);
      const double u = (first + 0.5) * series.step;
      cosine[0][lane] = std::cos(u * x);
      sine[0][lane] = std::sin(u * x);
    }
    for (std::size_t step = 1; step < steps_between_fresh_starts; ++step) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const double before_cosine = cosine[step - 1][lane];
        const double before_sine = sine[step - 1][lane];
        cosine[step][lane] = before_cosine * turn_cosine - before_sine * turn_sine;
        sine[step][lane] = before_sine * turn_cosine + before_cosine * turn_sine;
      }
    }
    for (std::size_t k = 0; k < many; ++k) {
      const std::size_t lane = k / steps_between_fresh_starts;
      const std::size_t step = k % steps_between_fresh_starts;
      sum += combine(start + k, cosine[step][lane], sine[step][lane]);
    }
  }
  return sum;
}

}  // namespace

double SumSeries::below(double x) const {
  const double others = closed ? closed->below(x) : 0.0;
  const double t = x - mean;
  if (low == high) return others + (t <= slack(rounding, x) ? 0.0 : mass);
  if (t <= low) return others;
  if (t > high) return others + mass;
  const double sum = harmonic_sum(*this, t, [&](std::size_t k, double cosine, double sine) {
    return imaginary[k] * cosine - real[k] * sine;
  });
  return others + std::clamp(0.5 * mass - sum, 0.0, mass);
}

std::vector<double> SumSeries::below(std::span<const double> x) const {
  std::vector<double> result(x.size());
  std::vector<std::size_t> inside;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (closed) result[i] = closed->below(x[i]);
    const double t = x[i] - mean;
    if (t <= (low == high ? slack(rounding, x[i]) : low)) continue;
    if (t > high || real.empty()) {
      result[i] += mass;
    } else {
      inside.push_back(i);
    }
  }
  for (std::size_t first = 0; first < inside.size(); first += lanes) {
    const std::size_t many = std::min(lanes, inside.size() - first);
    std::array<double, lanes> t{};
    for (std::size_t i = 0; i < many; ++i) t[i] = x[inside[first + i]] - mean;
    const auto sums = harmonic_sums(*this, t, [&](std::size_t k, double cosine, double sine) {
      return imaginary[k] * cosine - real[k] * sine;
    });
    for (std::size_t i = 0; i < many; ++i) {
      result[inside[first + i]] += std::clamp(0.5 * mass - sums[i], 0.0, mass);
    }
  }
  return result;
}

double SumSeries::at_or_below(double x) const {
  if (!closed && !real.empty()) {
    return below(std::nextafter(x, std::numeric_limits<double>::infinity()));
  }
  return below(x + 2.0 * slack(rounding, x));
}

double SumSeries::density(double x) const {
  const double others = closed ? closed->density(x) : 0.0;
  const double t = x - mean;
  if (t <= low || t >= high || real.empty()) return others;
  const double sum = harmonic_sum(*this, t, [&](std::size_t k, double cosine, double sine) {
    return (static_cast<double>(k) + 0.5) * (real[k] * cosine + imaginary[k] * sine);
  });
  return others + std::max(0.0, step * sum);
}

void SumSeries::fill_codes(std::span<const double> references, double* row) const {
  const std::vector<double> below_each = below(references);
  double last = 0.0;
  for (std::size_t code = 0; code < below_each.size(); ++code) {
    const double here = std::max(last, below_each[code]);  // errors of 1e-15 must not go negative
    row[code] = here - last;
    last = here;
  }
  row[below_each.size()] = 1.0 - last;
}

}  // namespace cimstat::circuits
