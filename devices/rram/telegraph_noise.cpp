#include "devices/rram/telegraph_noise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace cimstat::devices {

double TelegraphNoise::occupied() const { return emission_time / (capture_time + emission_time); }

double TelegraphNoise::rate() const { return 1.0 / capture_time + 1.0 / emission_time; }

double TelegraphNoise::autocorrelation(double lag) const { return std::exp(-rate() * lag); }

double TelegraphNoise::averaged_sd(double window) const {
  const double p = occupied();
  const double x = rate() * window;
  // 2 (x - 1 + exp(-x)) / x^2, whose parts cancel where x is small.
  const double kept =
      x < 1e-2
          ? 1.0 - x / 3.0 * (1.0 - x / 4.0 * (1.0 - x / 5.0 * (1.0 - x / 6.0 * (1.0 - x / 7.0))))
          : 2.0 * (x + std::expm1(-x)) / (x * x);
  return std::sqrt(p * (1.0 - p) * kept);
}

double TelegraphNoise::occupied_after(double lag, double state) const {
  return occupied() + (state - occupied()) * autocorrelation(lag);
}

std::vector<int> telegraph_path(const TelegraphNoise& noise, std::span<const double> times,
                                std::span<const double> uniforms) {
  std::vector<int> path;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double probability =
        i == 0 ? noise.occupied() : noise.occupied_after(times[i] - times[i - 1], path.back());
    path.push_back(uniforms[i] < probability ? 1 : 0);
  }
  return path;
}

double TelegraphAmplitude::operator()(double conductance) const {
  if (at_reference == 0.0) return 0.0;
  if (!(conductance > 0.0)) return largest;
  return std::min(largest, at_reference * std::pow(reference / conductance, exponent));
}

}  // namespace cimstat::devices
