#include "circuits/converters/sense_latch.h"

#include <cmath>

namespace cimstat::circuits {
namespace {

constexpr double boltzmann = 1.380649e-23;             // [J/K], exact
constexpr double elementary_charge = 1.602176634e-19;  // [C], exact

}  // namespace

double pair_mismatch(double matching, const PairGeometry& pair) {
  return matching / std::sqrt(pair.width * pair.length);
}

double offset_sd(const VoltageLatch& latch) {
  const double input = pair_mismatch(latch.threshold_matching, latch.input);
  const double regenerating =
      latch.transconductance_ratio == 0.0
          ? 0.0
          : latch.transconductance_ratio * pair_mismatch(latch.threshold_matching, latch.latch);
  const double half = 0.5 * latch.overdrive;
  const double factor = half * pair_mismatch(latch.current_matching, latch.input);
  const double capacitors = half * latch.capacitor_mismatch;
  return latch.residue * std::sqrt(input * input + regenerating * regenerating + factor * factor +
                                   capacitors * capacitors);
}

double noise_sd(const VoltageLatch& latch, double temperature) {
  if (latch.node_capacitance == 0.0) return 0.0;
  return std::sqrt(4.0 * boltzmann * temperature * latch.noise_factor / latch.node_capacitance);
}

double offset_sd(const CurrentAmplifier& amplifier) {
  const double threshold =
      amplifier.transconductance * pair_mismatch(amplifier.threshold_matching, amplifier.pair);
  const double factor =
      amplifier.bias_current * pair_mismatch(amplifier.current_matching, amplifier.pair);
  return amplifier.residue * std::hypot(threshold, factor);
}

double gain_sd(const CurrentAmplifier& amplifier) {
  return amplifier.residue * pair_mismatch(amplifier.current_matching, amplifier.pair);
}

double offset_sd_at(const CurrentAmplifier& amplifier, double current) {
  return std::hypot(offset_sd(amplifier), gain_sd(amplifier) * current);
}

double current_noise_sd(double current, double conductance, double bandwidth, double temperature) {
  const double shot = 2.0 * elementary_charge * current;
  const double thermal = 4.0 * boltzmann * temperature * conductance;
  return std::sqrt((shot + thermal) * bandwidth);
}

SenseAmplifier sense_amplifier(const CurrentAmplifier& amplifier, double temperature) {
  SenseAmplifier sense;
  sense.offset_sd = offset_sd(amplifier);
  sense.gain_sd = gain_sd(amplifier);
  sense.noise_sd = current_noise_sd(amplifier.bias_current, amplifier.conductance,
                                    amplifier.bandwidth, temperature);
  if (sense.noise_sd > 0.0) {
    sense.noise_knee = amplifier.bias_current +
                       2.0 * boltzmann * temperature * amplifier.conductance / elementary_charge;
  }
  return sense;
}

SenseAmplifier sense_amplifier(const VoltageLatch& latch, double transresistance,
                               double temperature) {
  SenseAmplifier sense;
  sense.offset_sd = offset_sd(latch) / transresistance;
  sense.noise_sd = noise_sd(latch, temperature) / transresistance;
  return sense;
}

}  // namespace cimstat::circuits
