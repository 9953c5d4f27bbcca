#include "circuits/exact/column_sum.h"

#include <numbers>

namespace cimstat::circuits {

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
