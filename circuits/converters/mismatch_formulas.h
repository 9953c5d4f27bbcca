#pragma once

#include <cstdint>

/// Closed forms of what mismatch does to converters, to first order in the relative sd of one
/// element; positions in steps (LSB).
namespace cimstat::circuits {

/// Tap j of a string of `resistors` resistors between fixed ends: sd sqrt(j (N - j) / N).
double resistor_string_sd(double resistor_sd, std::uint32_t tap, std::uint32_t resistors);

/// Threshold of a flash comparator at that tap: its offset [steps] and the tap's error in
/// quadrature.
double flash_threshold_sd(double offset_sd, double resistor_sd, std::uint32_t tap,
                          std::uint32_t resistors);

/// Binary capacitor array of so many bits: DNL where the highest bit takes over from all others,
/// sd sqrt(2^B - 1), and INL at the middle code from the ends of the range, sd sqrt(2^B) / 2.
double carry_dnl_sd(double capacitor_sd, std::uint32_t bits);
double middle_inl_sd(double capacitor_sd, std::uint32_t bits);

/// The same DNL where the lower `split_bits` = l of the bits lie behind a bridge of 2^l / (2^l - 1)
/// units: with m = B - l, L = 2^l and q = (L - 1)^2 / L^2,
///   sd^2 (L^2 (2^m - 1) + (L - 1)^5 / L^3 + (L - 1) (1 - q)^2 + q^2):
/// the units of the upper array count L times; then the bridge, the lower units, their closing one.
double split_carry_dnl_sd(double capacitor_sd, std::uint32_t bits, std::uint32_t split_bits);

/// Level j of a ramp: sd sqrt(j).
double ramp_level_sd(double step_sd, std::uint32_t level);

/// A latch that regenerates for a time t.
struct Regeneration {
  double logic_voltage = 0.0;  ///< V_logic that the next gate needs [V]
  double gain = 1.0;           ///< A from the input to the start of regeneration
  double time = 0.0;           ///< t [s]
  double constant = 1.0;       ///< tau [s]
};

/// Inputs closer than this to a threshold stay undecided: V_logic / A exp(-t / tau) [V].
double undecided_input(const Regeneration& latch);

/// P(one comparator stays undecided) for an input that lies anywhere in a step of V_LSB alike:
/// 2 V_logic / (A V_LSB) exp(-t / tau), at most 1. (Veendrick, JSSC 15(2), 1980; van de Plassche.)
double undecided_probability(const Regeneration& latch, double step);

}  // namespace cimstat::circuits
