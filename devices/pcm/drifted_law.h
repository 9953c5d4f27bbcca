#pragma once

#include <functional>
#include <vector>

#include "core/law/law.h"

/// The law of a normal conductance, clamped at 0, times a random power of time.
namespace cimstat::devices {

/// S = max(0, X) exp(-logarithm |drift_mean + drift_sd xi|), X ~ N(mean, sd).
struct DriftedNormal {
  double mean = 0.0;
  double sd = 0.0;  ///< > 0
  double drift_mean = 0.0;
  double drift_sd = 0.0;
  double logarithm = 0.0;  ///< ln(t / t_0), >= 0

  double atom() const;  ///< P(S = 0)
  // In closed form:
  double programmed_mean() const;      ///< E max(0, X)
  double programmed_variance() const;  ///< Var max(0, X)
  double mean_of_all() const;          ///< E S
  double variance() const;             ///< Var S
};

/// The law of S: its atom as a component of its own, the rest as a curve that has the moments of
/// the closed form.
core::Law frozen_law(const DriftedNormal& cell);

/// The law of S (1 + r xi) with fresh noise r = relative_noise(X), in slices of S each with its
/// root mean square. `corners`: values of X where relative_noise bends.
core::Law noisy_law(const DriftedNormal& cell, const std::function<double(double)>& relative_noise,
                    const std::vector<double>& corners);

/// E S^2 r(X)^2: the variance that this noise adds.
double noise_variance(const DriftedNormal& cell,
                      const std::function<double(double)>& relative_noise,
                      const std::vector<double>& corners);

}  // namespace cimstat::devices
