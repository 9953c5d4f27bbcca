#include "circuits/exact/tilted_sums.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/interrupt.h"

namespace cimstat::circuits {
namespace {

using Complex = std::complex<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding
/// The saddle point of this tail (natural log) serves those between about 1e-12 and 1e-28.
constexpr double aimed_at = 42.0;
constexpr double least_aimed_at = 3.0;
/// tilt L: the first alias is exp(-this).
constexpr double digits_of_alias = 90.0;
/// The same with logistic noise, beyond whose strip there is no larger tilt to bound an alias with.
constexpr double digits_in_strip = 120.0;
constexpr double digits_of_cutoff = 38.0;
constexpr double most_terms = 16384.0;
/// Terms so far below the first (natural log) are not computed but counted as errors.
constexpr double negligible = 42.0;
/// Tails above this are right already; tails below that are nothing.
constexpr double small_tail = 1e-8;
constexpr double nothing = 1e-32;

double sign_of(std::size_t side) { return side == 0 ? -1.0 : 1.0; }
double tilt_of(int index) { return std::exp2(0.25 * index); }

/// ln |z / sin z| at z = x + iy, 0 <= x < pi, y >= 0: the logistic's moments.
double log_logistic_modulus(double x, double y) {
  const double s = std::sin(x);
  // sinh(y) may overflow: ln(sin^2 x + sinh^2 y) = 2 y + ln(...).
  const double decay = std::exp(-2.0 * y);
  const double sinh_scaled = 0.5 * (1.0 - decay);
  const double square = s * s * decay + sinh_scaled * sinh_scaled;
  if (x * x + y * y < 1e-20) return 0.0;
  return 0.5 * std::log((x * x + y * y) / square) - y;
}

Complex logistic_moment(Complex z) {
  if (std::abs(z) < 1e-6) return 1.0 + z * z / 6.0;
  return z / std::sin(z);
}

}  // namespace

BoundedTail TiltedTail::operator()(double x) const {
  const double t = mirrored_ ? series_.mean - x : x - series_.mean;
  const double scale = std::exp(log_scale_ - tilt_ * t);
  BoundedTail result;
  result.value = scale * series_.density(series_.mean + t);
  double alias = infinity;  // natural log
  for (const auto& [tilt, log_moment] : moments_) {
    alias = std::min(alias, log_moment - tilt * t - (tilt - tilt_) * length_);
  }
  result.error = scale * (relative_ + 4.0 * unit * (std::abs(log_scale_) + tilt_ * std::abs(t))) +
                 1.01 * std::exp(-tilt_ * length_) + 1.01 * std::exp(alias);
  return result;
}

TiltedSums::TiltedSums(const std::vector<core::Law>& laws, const SumNoise& noise) : noise_(noise) {
  for (const core::Law& law : laws) {
    transforms_.emplace_back(law);
    moments_.emplace_back(law);
    means_.push_back(law.mean());
    variances_.push_back(law.variance());
    normal_variances_.push_back(law.as_normal() ? law.variance() : 0.0);
  }
}

const std::vector<double>& TiltedSums::log_moments(std::size_t side, int tilt) {
  auto [place, is_new] = log_moments_.try_emplace({side, tilt});
  if (is_new) {
    const double theta = sign_of(side) * tilt_of(tilt);
    for (std::size_t l = 0; l < transforms_.size(); ++l) {
      place->second.push_back(transforms_[l].can_tilt(theta) ? moments_[l].log_moment(theta)
                                                             : infinity);
    }
  }
  return place->second;
}

double TiltedSums::log_moment(std::span<const std::uint32_t> counts, std::size_t side, int tilt) {
  const double theta = tilt_of(tilt);
  const double x = std::numbers::pi * noise_.logistic_scale * theta;
  if (x >= 0.97 * std::numbers::pi) return infinity;
  double sum = 0.5 * theta * theta * noise_.gaussian_variance + log_logistic_modulus(x, 0.0);
  const std::vector<double>& per_law = log_moments(side, tilt);
  for (std::size_t l = 0; l < counts.size(); ++l) {
    if (counts[l] > 0) sum += counts[l] * per_law[l];
  }
  return sum;
}

std::optional<TiltedSums::Plan> TiltedSums::plan(std::span<const std::uint32_t> counts, double sd,
                                                 std::size_t side) {
  double variance = noise_.gaussian_variance;
  for (std::size_t l = 0; l < counts.size(); ++l) variance += counts[l] * normal_variances_[l];
  if (variance == 0.0 && noise_.logistic_scale == 0.0) return std::nullopt;
  // Tails fall along the grid: theta K'(theta) - K(theta) rises.
  Plan best;
  double found = 0.0;
  for (int i = static_cast<int>(std::floor(4.0 * std::log2(1.0 / sd)));; ++i) {
    const double before = log_moment(counts, side, i - 1);
    const double after = log_moment(counts, side, i + 1);
    if (!(after < infinity) || tilt_of(i) * sd > 64.0) break;
    const double slope = (after - before) / (tilt_of(i + 1) - tilt_of(i - 1));
    best.tilt = i;
    found = tilt_of(i) * slope - log_moment(counts, side, i);
    if (found >= aimed_at) break;
  }
  if (found < least_aimed_at) return std::nullopt;
  const double theta = tilt_of(best.tilt);
  const double digits = noise_.logistic_scale > 0.0 ? digits_in_strip : digits_of_alias;
  best.exponent = static_cast<int>(std::floor(std::log2(2.0 * std::numbers::pi * theta / digits)));
  const double step = std::ldexp(1.0, best.exponent);
  // |M(theta + iu)| / M(theta) is at most what noise and normal cells make of it.
  const double x = std::numbers::pi * noise_.logistic_scale * theta;
  const double whole = log_logistic_modulus(x, 0.0);
  for (double u = 1.0 / sd;; u *= std::exp2(0.125)) {
    if (u > most_terms * step) return std::nullopt;
    const double y = std::numbers::pi * noise_.logistic_scale * u;
    const double log_ratio = -0.5 * variance * u * u + log_logistic_modulus(x, y) - whole;
    if (log_ratio > -digits_of_cutoff) continue;
    best.terms = static_cast<std::size_t>(std::ceil(u / step));
    // From here on it falls as u^-2 at the least; 4: what scales the terms may be below M(theta).
    best.left_out = 4.0 * std::exp(log_ratio) * (step / u + 1.0);
    break;
  }
  for (int i = best.tilt + 1; i <= best.tilt + 8; ++i) {
    const double moment = log_moment(counts, side, i);
    if (moment < infinity) best.moments.emplace_back(tilt_of(i), moment);
  }
  return best;
}

std::size_t TiltedSums::add(std::span<const std::uint32_t> counts) {
  core::stop_if_requested();
  Class& added = classes_.emplace_back();
  added.counts.assign(counts.begin(), counts.end());
  double variance =
      noise_.gaussian_variance + std::pow(noise_.logistic_scale * std::numbers::pi, 2) / 3.0;
  for (std::size_t l = 0; l < counts.size(); ++l) {
    added.mean += counts[l] * means_[l];
    variance += counts[l] * variances_[l];
  }
  if (variance > 0.0 && noise_.bend == 0.0) {
    for (std::size_t side : {0U, 1U}) added.sides[side] = plan(counts, std::sqrt(variance), side);
  }
  return classes_.size() - 1;
}

void TiltedSums::prepare() {
  for (const Class& planned : classes_) {
    for (std::size_t side : {0U, 1U}) {
      if (const auto& plan = planned.sides[side]) {
        Shared& shared = shared_[{side, plan->tilt, plan->exponent}];
        shared.terms = std::max(shared.terms, plan->terms);
      }
    }
  }
  for (auto& [key, shared] : shared_) {
    const double theta = tilt_of(std::get<1>(key));
    const double step = std::ldexp(1.0, std::get<2>(key));
    for (std::size_t k = 0; k < shared.terms; ++k) {
      const double u = (static_cast<double>(k) + 0.5) * step;
      const Complex logistic =
          logistic_moment(std::numbers::pi * noise_.logistic_scale * Complex(theta, u));
      const double variance = noise_.gaussian_variance;
      shared.noise_log_modulus.push_back(0.5 * variance * (theta * theta - u * u) +
                                         std::log(std::abs(logistic)));
      shared.noise_phase.push_back(variance * theta * u + std::arg(logistic));
    }
    for (const core::Characteristic& transform : transforms_) {
      const double tilt = sign_of(std::get<0>(key)) * tilt_of(std::get<1>(key));
      Shared::Entry& entry = shared.laws.emplace_back();
      if (!transform.can_tilt(tilt)) continue;
      const auto values =
          transform.at_midpoints(std::ldexp(1.0, std::get<2>(key)), shared.terms, tilt);
      for (std::size_t k = 0; k < shared.terms; ++k) {
        const double modulus = std::abs(values.value[k]);
        entry.log_modulus.push_back(std::log(modulus));
        entry.phase.push_back(std::arg(values.value[k]));
        entry.error.push_back(std::log1p(values.error[k] / modulus) + 4.0 * unit);
      }
    }
  }
}

std::optional<TiltedTail> TiltedSums::tail(std::size_t index, core::Tail side) const {
  const Class& planned = classes_[index];
  const std::size_t s = side == core::Tail::lower ? 0 : 1;
  if (!planned.sides[s]) return std::nullopt;
  const Plan& plan = *planned.sides[s];
  const Shared& shared = shared_.at({s, plan.tilt, plan.exponent});
  const double theta = tilt_of(plan.tilt);
  const double step = std::ldexp(1.0, plan.exponent);
  TiltedTail result;
  result.mirrored_ = s == 0;
  result.tilt_ = theta;
  result.length_ = 2.0 * std::numbers::pi / step;
  result.moments_ = plan.moments;
  result.series_.mean = planned.mean;
  result.series_.low = -infinity;
  result.series_.high = infinity;
  result.series_.step = step;
  double total = 0.0;
  std::size_t last = 0;
  for (std::size_t k = 0; k < plan.terms; ++k) {
    const double order = static_cast<double>(k) + 0.5;
    const Complex tilted(theta, order * step);
    double log_modulus = 0.0;
    double phase = 0.0;
    double relative = 0.0;
    for (std::size_t l = 0; l < planned.counts.size(); ++l) {
      const double count = planned.counts[l];
      if (count == 0.0) continue;
      const Shared::Entry& entry = shared.laws[l];
      log_modulus += count * entry.log_modulus[k];
      phase += count * entry.phase[k];
      relative += count * entry.error[k];
    }
    if (s == 0) phase = -phase;  // S mirrored
    log_modulus += shared.noise_log_modulus[k];
    phase += shared.noise_phase[k];
    if (k == 0) result.log_scale_ = log_modulus;
    const double upper = log_modulus - result.log_scale_ + relative;
    if (upper < -negligible) {
      result.relative_ += step * std::exp(upper) / (std::numbers::pi * std::abs(tilted));
      result.series_.real.push_back(0.0);
      result.series_.imaginary.push_back(0.0);
      continue;
    }
    last = k;
    const Complex term = std::exp(log_modulus - result.log_scale_) * std::polar(1.0, phase) /
                         (std::numbers::pi * tilted);
    // The series multiplies by (k + 1/2) step.
    result.series_.real.push_back(term.real() / order);
    result.series_.imaginary.push_back(term.imag() / order);
    const double size = step * std::abs(term);
    // prod (|phi| + error) - prod |phi|; |phi| may be far below what its error is.
    const double transforms = relative < 1.0
                                  ? size * std::expm1(relative)
                                  : step * std::exp(log_modulus - result.log_scale_ + relative) /
                                        (std::numbers::pi * std::abs(tilted));
    result.relative_ +=
        transforms + size * unit *
                         (16.0 + 4.0 * std::abs(log_modulus) + 8.0 * std::abs(phase) +
                          4.0 * steps_between_fresh_starts + tilted.imag() * result.length_);
    total += size;
  }
  result.series_.real.resize(last + 1);
  result.series_.imaginary.resize(last + 1);
  result.relative_ += plan.left_out + 4.0 * unit * total;
  return result;
}

namespace {

/// The same for one side. `code_at(i)` is the i-th code counted from that end of the row, and
/// `reference_at(i)` the reference between the codes i and i + 1.
template <class CodeAt, class ReferenceAt, class IsBeyond>
void refine_side(const TiltedSums& sums, std::size_t index, core::Tail side, std::size_t references,
                 const CodeAt& code_at, const ReferenceAt& reference_at, const IsBeyond& is_beyond,
                 std::span<double> row, std::span<double> error) {
  // Codes whose outer reference is computed, from the end of the row inwards.
  std::size_t first = 0;
  BoundedTail outer{0.0, 0.0};
  while (first + 1 < references && is_beyond(reference_at(first + 1)) &&
         sums.bound(index, side, reference_at(first + 1)) < nothing) {
    ++first;
  }
  if (first > 0) outer = {0.0, nothing};
  double plain = 0.0;
  std::optional<TiltedTail> tail;
  for (std::size_t i = 0; i < first; ++i) {
    if (error[code_at(i)] > nothing) {
      row[code_at(i)] = 0.0;
      error[code_at(i)] = nothing;
    }
  }
  for (std::size_t i = first; i < references && is_beyond(reference_at(i)); ++i) {
    plain += row[code_at(i)];
    if (plain > small_tail) return;
    if (!tail) tail = sums.tail(index, side);
    const BoundedTail inner = (*tail)(reference_at(i));
    const double bound = inner.error + outer.error;
    if (bound < error[code_at(i)]) {
      row[code_at(i)] = std::max(0.0, inner.value - outer.value);
      error[code_at(i)] = bound;
    }
    outer = inner;
  }
}

}  // namespace

double TiltedSums::bound(std::size_t index, core::Tail side, double x) const {
  const Class& planned = classes_[index];
  const bool lower = side == core::Tail::lower;
  const double t = lower ? planned.mean - x : x - planned.mean;
  double log_bound = 0.0;
  if (const auto& plan = planned.sides[lower ? 0 : 1]) {
    for (const auto& [tilt, log_moment] : plan->moments) {
      log_bound = std::min(log_bound, log_moment - tilt * t);
    }
  }
  return std::exp(log_bound);
}

void refine_row(const TiltedSums& sums, std::size_t index, double mean,
                std::span<const double> references, std::span<double> row,
                std::span<double> error) {
  const std::size_t last = references.size();
  if (sums.has_tail(index, core::Tail::upper)) {
    refine_side(
        sums, index, core::Tail::upper, last, [&](std::size_t i) { return last - i; },
        [&](std::size_t i) { return references[last - 1 - i]; }, [&](double x) { return x > mean; },
        row, error);
  }
  if (sums.has_tail(index, core::Tail::lower)) {
    refine_side(
        sums, index, core::Tail::lower, last, [](std::size_t i) { return i; },
        [&](std::size_t i) { return references[i]; }, [&](double x) { return x < mean; }, row,
        error);
  }
}

}  // namespace cimstat::circuits
