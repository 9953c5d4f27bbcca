#include "devices/rram/current_voltage.h"

#include <algorithm>
#include <cmath>

namespace cimstat::devices {

double milo_conductance(double conductance, double voltage) {
  const double l = std::log10(std::max(conductance, 1e-6));
  const double a = ((0.0001388 * l + 0.001541) * l + 0.005711) * l + 0.007063;
  const double b = (8.871e-5 * l + 6.7919e-4) * l + 1.2968e-3;
  return conductance + voltage * (a + voltage * b);
}

double sinh_conductance(double conductance, double voltage, double scale) {
  const double x = voltage / scale;
  return conductance * (x == 0.0 ? 1.0 : std::sinh(x) / x);
}

}  // namespace cimstat::devices
