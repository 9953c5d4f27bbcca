#include "circuits/exact/column_sum.h"

#include <numbers>

namespace cimstat::circuits {

std::vector<core::Law> laws_of(const ColumnDesign& design) {
  std::vector<core::Law> laws{design.lrs, design.hrs};
  if (design.leakage) laws.push_back(*design.leakage);
  if (design.dummy) laws.push_back(design.dummy->scaled(-1.0));
  return laws;
}

std::vector<std::uint32_t> counts_of(const ColumnDesign& design, ColumnClass column_class) {
  const auto [k, n] = column_class;
  std::vector<std::uint32_t> counts{k, n - k};
  if (design.leakage) counts.push_back(design.rows - n);
  if (design.dummy) counts.push_back(n);
  return counts;
}

SumNoise noise_of(const SenseAmplifier& sense) {
  SumNoise noise;
  noise.gaussian_variance = sense.offset_sd * sense.offset_sd;
  if (sense.noise_shape == NoiseShape::logistic) {
    noise.logistic_scale = sense.noise_sd * std::numbers::sqrt3 * std::numbers::inv_pi;
  } else {
    noise.gaussian_variance += sense.noise_sd * sense.noise_sd;
    noise.bend = sense.noise_sd * sense.noise_sd / (2.0 * sense.noise_knee);
  }
  return noise;
}

}  // namespace cimstat::circuits
