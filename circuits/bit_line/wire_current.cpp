#include "circuits/bit_line/wire_current.h"

#include <cmath>
#include <vector>

namespace cimstat::circuits {

double wire_current(const WireResistance& wire, std::span<const double> currents) {
  const double step = wire.segment / wire.read_voltage;
  double current = 0.0;  // of the line's far part into a short circuit
  for (std::size_t i = currents.size(); i-- > 0;) {
    current = current / (1.0 + step * current) + currents[i];
  }
  return current / (1.0 + (step + wire.sense / wire.read_voltage) * current);
}

double even_wire_current(const WireResistance& wire, double sum, std::uint32_t rows) {
  const double each = sum / rows;
  const double step = wire.segment / wire.read_voltage;
  const double e = step * each;
  double current = sum;
  if (e > 0.0) {
    // y -> y / (1 + y) + e is a Moebius transform with the fixed points `high` and `low`.
    const double root = std::sqrt(e * e + 4.0 * e);
    const double high = 0.5 * (e + root);
    const double low = -2.0 * e / (e + root);
    const double log_factor = -2.0 * rows * std::log1p(high);
    current = -high * std::expm1(log_factor) / (1.0 - high / low * std::exp(log_factor)) / step;
  } else if (e < 0.0) {
    return wire_current(wire, std::vector<double>(rows, each));
  }
  return current / (1.0 + (step + wire.sense / wire.read_voltage) * current);
}

double lumped_resistance(const WireResistance& wire, std::uint32_t rows) {
  const double n = rows;
  return wire.sense + wire.segment * (n + 1.0) * (2.0 * n + 1.0) / (6.0 * n);
}

double lumped_wire_current(const WireResistance& wire, double sum, std::uint32_t rows) {
  return sum / (1.0 + sum * lumped_resistance(wire, rows) / wire.read_voltage);
}

}  // namespace cimstat::circuits
