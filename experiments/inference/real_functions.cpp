#include "experiments/inference/real_functions.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

namespace cimstat::experiments {
namespace {

constexpr double largest_exponent = 700.0;

/// 1 / n!
constexpr auto inverse_factorials = [] {
  std::array<double, 14> result{};
  double factorial = 1.0;
  for (std::size_t n = 0; n < result.size(); ++n) {
    factorial *= n == 0 ? 1.0 : static_cast<double>(n);
    result[n] = 1.0 / factorial;
  }
  return result;
}();

constexpr double error_function_end = 6.0;
constexpr double nodes_to_one = 16.0;
constexpr std::size_t nodes = 97;
constexpr std::size_t terms = 10;

/// Taylor's coefficients of erf about x: erf' is g e^(-x^2), and each further derivative a Hermite
/// polynomial times it, H_0 = 1, H_1 = 2 x, H_n = 2 x H_(n-1) - 2 (n - 1) H_(n-2).
std::array<double, terms> coefficients_about(double x) {
  const double slope = 2.0 * std::numbers::inv_sqrtpi * exponential(-x * x);
  // erf = slope * sum of 2^n x^(2n + 1) / (1 * 3 * ... (2n + 1)): all of one sign.
  double sum = 0.0;
  double term = x;
  for (int n = 1; term > 1e-18 * sum; ++n) {
    sum += term;
    term *= 2.0 * x * x / (2.0 * n + 1.0);
  }
  std::array<double, terms> result{};
  result[0] = slope * sum;
  double before = 0.0;
  double hermite = 1.0;
  double sign = 1.0;
  for (std::size_t n = 1; n < terms; ++n) {
    result[n] = sign * slope * hermite * inverse_factorials[n];
    const double next = 2.0 * x * hermite - 2.0 * static_cast<double>(n - 1) * before;
    before = hermite;
    hermite = next;
    sign = -sign;
  }
  return result;
}

using Expansions = std::array<std::array<double, terms>, nodes>;

Expansions expansions() {
  Expansions result;
  for (std::size_t node = 0; node < nodes; ++node) {
    result[node] = coefficients_about(static_cast<double>(node) / nodes_to_one);
  }
  return result;
}

/// From the highest power down.
template <std::size_t count>
double polynomial(const std::array<double, count>& coefficients, double x) {
  double result = coefficients[count - 1];
  for (std::size_t n = count - 1; n-- > 0;) result = result * x + coefficients[n];
  return result;
}

}  // namespace

double exponential(double x) {
  if (x < -largest_exponent) return 0.0;
  if (x > largest_exponent) x = largest_exponent;
  // ln 2 in two parts, the first with so many zeros at its end that its multiples are exact.
  constexpr double ln2_high = 0x1.62e42feep-1;
  constexpr double ln2_low = 0x1.a39ef35793c76p-33;
  const double halves = x * std::numbers::log2e;
  const auto power = static_cast<std::int64_t>(halves + (halves < 0.0 ? -0.5 : 0.5));
  const auto count = static_cast<double>(power);
  const double rest = (x - count * ln2_high) - count * ln2_low;
  const auto scale = std::bit_cast<double>(static_cast<std::uint64_t>(power + 1023) << 52);
  return scale * polynomial(inverse_factorials, rest);
}

double error_function(double x) {
  static const Expansions about = expansions();
  const double size = std::abs(x);
  if (!(size < error_function_end)) return x < 0.0 ? -1.0 : 1.0;
  const auto node = static_cast<std::size_t>(size * nodes_to_one + 0.5);
  const double value = polynomial(about[node], size - static_cast<double>(node) / nodes_to_one);
  return x < 0.0 ? -value : value;
}

}  // namespace cimstat::experiments
