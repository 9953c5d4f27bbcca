#pragma once

#include <span>
#include <vector>

/// Random telegraph noise: a trap that a carrier enters and leaves. While it is occupied the
/// conductance is lower by a share dG/G.
namespace cimstat::devices {

/// Two states with exponential dwell times.
struct TelegraphNoise {
  double capture_time = 1.0;   ///< tau_c, mean dwell time of the empty trap (high current) [s]
  double emission_time = 1.0;  ///< tau_e, mean dwell time of the occupied trap [s]

  double occupied() const;                   ///< p = tau_e / (tau_c + tau_e)
  double rate() const;                       ///< L = 1 / tau_c + 1 / tau_e [1/s]
  double autocorrelation(double lag) const;  ///< exp(-L lag)
  /// Sd of the state (0 or 1) averaged over a window: sqrt(p (1 - p) 2 (x - 1 + exp(-x))) / x,
  /// x = L window.
  double averaged_sd(double window) const;
  /// P(occupied a time `lag` later), given whether it is occupied (1) or empty (0) now.
  double occupied_after(double lag, double state) const;
};

/// The state (0 empty, 1 occupied) at ascending times, from as many uniform draws in (0, 1).
std::vector<int> telegraph_path(const TelegraphNoise& noise, std::span<const double> times,
                                std::span<const double> uniforms);

/// dG/G = min(largest, at_reference (reference / G)^exponent): it grows with the resistance while
/// the filament is wider than what the trap depletes, then saturates (form after Ambrogio et al.,
/// IEEE TED 61, 2920 (2014)). Numbers are unverified: 1 % to 3 % at 100 uS, exponent about 1,
/// largest 0.3 to 1.
struct TelegraphAmplitude {
  double at_reference = 0.0;
  double reference = 100e-6;  ///< [S]
  double exponent = 1.0;
  double largest = 1.0;
  double operator()(double conductance) const;
};

}  // namespace cimstat::devices
