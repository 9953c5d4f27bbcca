#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "core/law/characteristic.h"
#include "core/law/exponential_moment.h"
#include "core/law/law.h"

#include "circuits/exact/sum_noise.h"

namespace cimstat::circuits {

using Counts = std::span<const std::uint32_t>;

/// Where the tails of sums begin: Chernoff's bound over a logarithmic grid of exponents that is the
/// same for every sum.
class TailBounds {
 public:
  /// `narrowest` and `widest`: standard deviations of the sums that will be asked about.
  TailBounds(const std::vector<core::Law>& laws, const SumNoise& noise, double narrowest,
             double widest);

  struct Extent {
    double low = 0.0;  ///< P(S + noise - mean < low) <= outside, the same above high
    double high = 0.0;
    double outside = 0.0;
  };
  Extent extent(Counts counts, double mean, double sd, double probability) const;
  /// A number that the sum of the parts that `chosen` marks, without noise, stays above but for
  /// `probability` (0 where it marks none), and the exponent that the bound used. `sd`: of the
  /// whole sum.
  struct Floor {
    double value = 0.0;
    double exponent = std::numeric_limits<double>::infinity();
  };
  Floor floor(Counts counts, std::span<const double> means, const std::vector<bool>& chosen,
              double sd, double probability) const;

 private:
  struct Exponent {
    double theta = 0.0;
    double logistic = 0.0;      ///< ln E exp(theta N) of the logistic noise
    std::vector<double> upper;  ///< per law, ln E exp((theta + bend theta^2)(X - mean))
    std::vector<double> lower;  ///< ... -theta + bend theta^2
    std::vector<double> plain;  ///< ... -theta
  };
  SumNoise noise_;
  std::vector<double> discarded_;
  std::vector<Exponent> exponents_;
};

/// Where the characteristic functions of sums may be cut off.
class FrequencyBounds {
 public:
  FrequencyBounds(const std::vector<core::Characteristic>& transforms, const SumNoise& noise);

  struct Cutoff {
    double frequency = 0.0;
    double error = 0.0;  ///< of what is left out, in units of probability
  };
  /// The lowest frequency on the grid 2^(i/8) beyond which the series of step `step` holds less
  /// than `error`; nothing where there is none up to `highest`. `variance`: of the Gaussian noise.
  std::optional<Cutoff> cutoff(Counts counts, double variance, double step, double start,
                               double highest, double error);

 private:
  struct Point {
    std::vector<double> log_value;  ///< per law
    std::vector<double> slope;
    std::vector<double> tail;
    double logistic = 0.0;
    double logistic_slope = 0.0;
  };
  const Point& point(int index);

  const std::vector<core::Characteristic>& transforms_;
  SumNoise noise_;
  int first_ = 0;
  std::vector<std::optional<Point>> points_;
};

/// ln(x / sinh(x)), x >= 0: the logistic's transform at x = pi scale u.
double log_logistic(double x);

}  // namespace cimstat::circuits
