#include "tests/support/sum_oracle.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace cimstat::tests {
namespace {

using Real = long double;
using Complex = std::complex<Real>;

Complex product(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// Radix-2, in place; `sign` -1 forward, +1 backward, unscaled.
void transform(std::vector<Complex>& data, int sign) {
  const std::size_t n = data.size();
  for (std::size_t i = 1, j = 0; i < n; ++i) {
    std::size_t bit = n >> 1;
    for (; (j & bit) != 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(data[i], data[j]);
  }
  std::vector<Complex> roots(n / 2);
  for (std::size_t i = 0; i < n / 2; ++i) {
    const Real angle =
        sign * 2 * std::numbers::pi_v<Real> * static_cast<Real>(i) / static_cast<Real>(n);
    roots[i] = {std::cos(angle), std::sin(angle)};
  }
  for (std::size_t half = 1; half < n; half *= 2) {
    const std::size_t stride = n / (2 * half);
    for (std::size_t start = 0; start < n; start += 2 * half) {
      for (std::size_t i = 0; i < half; ++i) {
        const Complex odd = product(data[start + half + i], roots[i * stride]);
        const Complex even = data[start + i];
        data[start + i] = even + odd;
        data[start + half + i] = even - odd;
      }
    }
  }
}

Complex power(Complex base, std::uint32_t exponent) {
  Complex result(1);
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result = product(result, base);
    base = product(base, base);
  }
  return result;
}

}  // namespace

SumOracle::SumOracle(const std::vector<Function>& densities, long double step, unsigned log2_points)
    : step_(step) {
  for (const Function& f : densities) {
    std::vector<Complex>& spectrum = spectra_.emplace_back(std::size_t{1} << log2_points);
    for (std::size_t j = 0; j < spectrum.size(); ++j) {
      spectrum[j] = step * f(step * static_cast<Real>(j));
    }
    transform(spectrum, -1);
  }
}

std::vector<long double> SumOracle::density(std::span<const std::uint32_t> counts) const {
  std::vector<Complex> data(spectra_.front().size(), Complex(1));
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (std::size_t j = 0; j < data.size(); ++j) {
      data[j] = product(data[j], power(spectra_[i][j], counts[i]));
    }
  }
  transform(data, 1);
  std::vector<Real> result(data.size());
  for (std::size_t j = 0; j < data.size(); ++j) {
    result[j] = data[j].real() / (static_cast<Real>(data.size()) * step_);
  }
  return result;
}

std::vector<long double> SumOracle::below(std::span<const std::uint32_t> counts,
                                          std::span<const double> thresholds, const Function& noise,
                                          long double reach) const {
  const std::vector<Real> f = density(counts);
  std::vector<Real> cumulated(f.size() + 1, 0);
  for (std::size_t j = 0; j < f.size(); ++j) cumulated[j + 1] = cumulated[j] + step_ * f[j];
  std::vector<Real> result;
  for (const double t : thresholds) {
    const auto index = [&](Real x) {
      return static_cast<std::size_t>(
          std::clamp(std::ceil(x / step_), Real(0), static_cast<Real>(f.size())));
    };
    const std::size_t first = index(t - reach);
    const std::size_t last = index(t + reach);
    Real sum = cumulated[first];
    for (std::size_t j = first; j < last; ++j) {
      sum += step_ * f[j] * noise(t - step_ * static_cast<Real>(j));
    }
    result.push_back(sum);
  }
  return result;
}

SumOracle::Function normal_density(double mean, double sd) {
  return [=](Real x) {
    const Real z = (x - mean) / sd;
    return std::exp(-z * z / 2) / (sd * std::sqrt(2 * std::numbers::pi_v<Real>));
  };
}

SumOracle::Function lognormal_density(double median, double sigma) {
  return [=](Real x) {
    if (x <= 0) return Real(0);
    const Real z = std::log(x / median) / sigma;
    return std::exp(-z * z / 2) / (x * sigma * std::sqrt(2 * std::numbers::pi_v<Real>));
  };
}

SumOracle::Function logistic_cdf(double sd) {
  return [scale = sd * std::sqrt(Real(3)) / std::numbers::pi_v<Real>](Real x) {
    return 1 / (1 + std::exp(-x / scale));
  };
}

SumOracle::Function normal_cdf(double sd) {
  return [=](Real x) { return std::erfc(-x / (sd * std::numbers::sqrt2_v<Real>)) / 2; };
}

}  // namespace cimstat::tests
