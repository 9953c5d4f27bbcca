#include "circuits/converters/code_waves.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace cimstat::circuits {
namespace {

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding

/// exp(-i u_k x) for u_k = (k + 1/2) step.
struct Wave {
  std::vector<double> cosine;
  std::vector<double> sine;

  void turn_to(double x, double step) {
    const double turn_cosine = std::cos(step * x);
    const double turn_sine = std::sin(step * x);
    for (std::size_t k = 0; k < cosine.size(); ++k) {
      if (k % steps_between_fresh_starts == 0) {
        const double phase = (static_cast<double>(k) + 0.5) * step * x;
        cosine[k] = std::cos(phase);
        sine[k] = -std::sin(phase);
        continue;
      }
      cosine[k] = cosine[k - 1] * turn_cosine + sine[k - 1] * turn_sine;
      sine[k] = sine[k - 1] * turn_cosine - cosine[k - 1] * turn_sine;
    }
  }
};

/// P(code >= j) at one point of the grid.
class Exceedance {
 public:
  /// `sure` codes lie below for certain, nothing above is possible.
  explicit Exceedance(std::size_t sure) : sure_(sure) {}
  explicit Exceedance(CodeResponse::Codes codes)
      : sure_(codes.first), above_(std::move(codes.probability)) {
    // Sums from the top: entry c becomes P(code >= sure + c).
    for (std::size_t c = above_.size() - 1; c-- > 0;) above_[c] += above_[c + 1];
  }
  double operator()(std::size_t code) const {
    if (code <= sure_) return 1.0;
    return code - sure_ < above_.size() ? above_[code - sure_] : 0.0;
  }
  std::size_t sure() const { return sure_; }
  std::size_t possible() const { return sure_ + (above_.empty() ? 0 : above_.size() - 1); }

 private:
  std::size_t sure_;
  std::vector<double> above_;
};

}  // namespace

CodeWaves::CodeWaves(const CodeResponse& response, double smoothing_variance, double step,
                     std::size_t terms, double share)
    : response_(response),
      variance_(smoothing_variance),
      step_(step),
      terms_(terms),
      origin_(response.references().front()),
      share_(share) {
  if (terms == 0) return;  // currents without a spread
  const double highest = std::sqrt(-2.0 * std::log(share) / variance_);
  // No series that the same noise cuts off has more terms: their ends lie on a grid of 2^(1/8).
  const double most = std::ceil(1.1 * highest / step) + 2.0;
  points_ = std::max(static_cast<std::size_t>(2.0 * most), 2 * terms + 2);
  add_transforms();
}

void CodeWaves::add_transforms() {
  const std::span<const double> references = response_.references();
  const double spacing = 2.0 * std::numbers::pi / (step_ * static_cast<double>(points_));
  const double start = references.front() - response_.width();
  window_ = static_cast<std::size_t>(2.0 * response_.width() / spacing) + 2;
  correction_.resize(terms_);
  for (std::size_t k = 0; k < terms_; ++k) {
    const double half =
        (static_cast<double>(k) + 0.5) * std::numbers::pi / static_cast<double>(points_);
    correction_[k] = half / std::sin(half);
  }
  real_.assign(references.size() * terms_, 0.0);
  imaginary_.assign(references.size() * terms_, 0.0);
  Wave wave{std::vector<double>(terms_), std::vector<double>(terms_)};
  Exceedance before(0);
  for (double point = 0.0; before.sure() < references.size(); point += 1.0) {
    if (before.sure() == before.possible()) {  // nothing rises before the next reference is near
      const double near = references[before.sure()] - response_.width() - start;
      point = std::max(point, std::floor(near / spacing));
    }
    const double current = start + point * spacing;
    Exceedance here(response_.at(current));
    if (here.possible() > before.sure()) {
      wave.turn_to(current - 0.5 * spacing - origin_, step_);
      for (std::size_t code = before.sure() + 1; code <= here.possible(); ++code) {
        add_wave(code - 1, here(code) - before(code), wave.cosine, wave.sine);
      }
    }
    before = std::move(here);
  }
}

/// What stands for P(code >= j | current) is wrong by, met by series of so many terms.
double CodeWaves::error(std::size_t terms) const {
  // Comparators out of reach count as certain, at all points of the grid, which the waves take
  // together with weights that add up to 2 terms at most.
  const double references = static_cast<double>(response_.references().size());
  const double out_of_reach =
      0.5 * std::erfc(response_.width() / (response_.sd() * std::numbers::sqrt2));
  const double certain = references * out_of_reach * (4.0 + 4.0 * static_cast<double>(terms));
  if (terms == 0) return certain;
  // The interpolant's waves stand for those of frequencies beyond `points` - terms as well:
  // (1 / pi) sum of exp(-variance u^2 / 2) / i over i >= points - terms, twice for both signs.
  const auto free = static_cast<double>(points_ - terms);
  const double u = free * step_;
  return certain + 1.01 * std::exp(-0.5 * variance_ * u * u) * std::numbers::inv_pi *
                       (1.0 / free + 1.0 / (variance_ * u * u));
}

void CodeWaves::add_wave(std::size_t reference, double rise, const std::vector<double>& cosine,
                         const std::vector<double>& sine) {
  if (rise == 0.0) return;
  double* real = real_.data() + reference * terms_;
  double* imaginary = imaginary_.data() + reference * terms_;
  for (std::size_t k = 0; k < terms_; ++k) real[k] += rise * cosine[k];
  for (std::size_t k = 0; k < terms_; ++k) imaginary[k] += rise * sine[k];
}

double CodeWaves::fill(const SumSeries& series, double* row) const {
  const std::span<const double> references = response_.references();
  if (series.real.empty()) {
    std::fill_n(row, references.size() + 1, 0.0);
    const CodeResponse::Codes codes = response_.at(series.mean);
    std::copy(codes.probability.begin(), codes.probability.end(), row + codes.first);
    return series.error + share_ + error(0) +
           unit * (16.0 + 8.0 * static_cast<double>(codes.probability.size()) +
                   std::abs(series.mean) / response_.sd());
  }
  // The series, seen from the waves' origin.
  const std::size_t terms = series.real.size();
  Wave wave{std::vector<double>(terms), std::vector<double>(terms)};
  wave.turn_to(origin_ - series.mean, step_);
  std::vector<double> real(terms);
  std::vector<double> imaginary(terms);
  const double reach = std::abs(series.mean - origin_) + (references.back() - references.front()) +
                       response_.width();
  double moduli = 0.0;
  double rounding = 0.0;
  for (std::size_t k = 0; k < terms; ++k) {
    const double re = series.real[k] * correction_[k];
    const double im = series.imaginary[k] * correction_[k];
    real[k] = re * wave.cosine[k] - im * wave.sine[k];
    imaginary[k] = re * wave.sine[k] + im * wave.cosine[k];
    const double order = static_cast<double>(k) + 0.5;
    const double u = order * step_;
    const double modulus = std::hypot(series.real[k], series.imaginary[k]);
    moduli += modulus * std::numbers::pi * order;
    rounding += modulus * std::exp(-0.5 * variance_ * u * u) * unit *
                (16.0 + 8.0 * steps_between_fresh_starts + 2.0 * u * reach);
  }
  // Roundings of G_j at the points where it rises; each is met by 2 / points of all moduli.
  const auto points = static_cast<double>(points_);
  rounding += 2.0 * moduli / points * static_cast<double>(std::min(window_, points_)) * unit * 8.0 *
              static_cast<double>(response_.draws() + 2);

  double last = 1.0;
  for (std::size_t j = 0; j < references.size(); ++j) {
    double above = 1.0;
    if (references[j] - response_.width() > series.mean + series.high) {
      above = 0.0;
    } else if (references[j] + response_.width() >= series.mean + series.low) {
      const double* wave_real = real_.data() + j * terms_;
      const double* wave_imaginary = imaginary_.data() + j * terms_;
      double sum = 0.0;
      for (std::size_t k = 0; k < terms; ++k) {
        sum += real[k] * wave_imaginary[k] + imaginary[k] * wave_real[k];
      }
      above = std::clamp(0.5 + sum, 0.0, 1.0);
    }
    above = std::min(above, last);  // errors of 1e-15 must not go negative
    row[j] = last - above;
    last = above;
  }
  row[references.size()] = last;
  return 2.0 * (series.error + share_ + error(terms) + rounding);
}

}  // namespace cimstat::circuits
