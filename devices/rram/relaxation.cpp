#include "devices/rram/relaxation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace cimstat::devices {

double LogTimeRelaxation::shift(double t) const { return -loss_per_fold * std::log1p(t / time); }

double LogTimeRelaxation::variance(double t) const {
  return initial_sd * initial_sd + sd_per_fold * sd_per_fold * std::log1p(t / time);
}

double LogTimeRelaxation::covariance(double t1, double t2) const {
  return variance(std::min(t1, t2));
}

std::vector<double> relaxation_path(const std::function<double(double)>& mean,
                                    const std::function<double(double)>& variance,
                                    std::span<const double> times,
                                    std::span<const double> normals) {
  std::vector<double> path;
  double deviation = 0.0;
  double before = 0.0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double now = variance(times[i]);
    deviation += std::sqrt(std::max(0.0, now - before)) * normals[i];
    before = std::max(before, now);
    path.push_back(mean(times[i]) + deviation);
  }
  return path;
}

}  // namespace cimstat::devices
