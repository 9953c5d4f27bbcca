#include "circuits/converters/mismatch_formulas.h"

#include <algorithm>
#include <cmath>

namespace cimstat::circuits {
namespace {

double power_of_two(std::uint32_t exponent) { return std::ldexp(1.0, static_cast<int>(exponent)); }

}  // namespace

double resistor_string_sd(double resistor_sd, std::uint32_t tap, std::uint32_t resistors) {
  const double share = double(tap) * (double(resistors) - double(tap)) / double(resistors);
  return resistor_sd * std::sqrt(share);
}

double flash_threshold_sd(double offset_sd, double resistor_sd, std::uint32_t tap,
                          std::uint32_t resistors) {
  return std::hypot(offset_sd, resistor_string_sd(resistor_sd, tap, resistors));
}

double carry_dnl_sd(double capacitor_sd, std::uint32_t bits) {
  return capacitor_sd * std::sqrt(power_of_two(bits) - 1.0);
}

double middle_inl_sd(double capacitor_sd, std::uint32_t bits) {
  return 0.5 * capacitor_sd * std::sqrt(power_of_two(bits));
}

double split_carry_dnl_sd(double capacitor_sd, std::uint32_t bits, std::uint32_t split_bits) {
  if (split_bits == 0) return carry_dnl_sd(capacitor_sd, bits);
  const double low = power_of_two(split_bits);
  const double below = low - 1.0;
  const double q = below * below / (low * low);
  const double variance = low * low * (power_of_two(bits - split_bits) - 1.0) +
                          std::pow(below, 5) / (low * low * low) + below * (1.0 - q) * (1.0 - q) +
                          q * q;
  return capacitor_sd * std::sqrt(variance);
}

double ramp_level_sd(double step_sd, std::uint32_t level) {
  return step_sd * std::sqrt(double(level));
}

double undecided_input(const Regeneration& latch) {
  return latch.logic_voltage / latch.gain * std::exp(-latch.time / latch.constant);
}

double undecided_probability(const Regeneration& latch, double step) {
  return std::min(1.0, 2.0 * undecided_input(latch) / step);
}

}  // namespace cimstat::circuits
