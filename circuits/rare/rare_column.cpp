#include "circuits/rare/rare_column.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "circuits/rare/log_tail.h"

namespace cimstat::circuits {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
// A step, where there is no noise, is searched as if this share of the whole spread were noise.
constexpr double softness = 0.02;

double log_step(double excess) { return excess > 0.0 ? 0.0 : -infinity; }

}  // namespace

SumFailure failure_of(const ColumnDesign& design, const MisreadTail& tail) {
  require_plain_sum(design, "sampling of rare tails");
  const SenseAmplifier sense = design.sense;
  const auto [k, n, states] = tail.column_class;
  SumFailure failure;
  failure.side = tail.side;
  failure.first_block = (std::uint64_t{2048} * n + k) << 16;
  double normal_variance = 0.0;
  for (const ColumnPart& part : parts_of(design, tail.column_class)) {
    if (const auto normal = part.law.as_normal()) {
      failure.constant += part.count * normal->mean;
      normal_variance += part.count * normal->sd * normal->sd;
    } else {
      failure.parts.push_back(part);
    }
  }
  double gaussian_variance = 0.0;  // integrated: independent of all else
  const bool constant_noise = sense.noise_sd == 0.0 || sense.noise_knee == infinity;
  const bool gaussian = sense.noise_sd == 0.0 || sense.noise_shape == NoiseShape::gaussian;
  const double offset_variance = sense.offset_sd * sense.offset_sd;
  if (gaussian) {
    gaussian_variance = offset_variance;
    if (constant_noise)
      gaussian_variance += normal_variance;
    else
      failure.sum_sd = std::sqrt(normal_variance);
  } else if (constant_noise) {
    failure.sum_sd = std::sqrt(normal_variance + offset_variance);
  } else {
    failure.sum_sd = std::sqrt(normal_variance);
    failure.offset_sd = sense.offset_sd;
  }
  const double sign = tail.side == core::Tail::upper ? 1.0 : -1.0;
  const double reference = tail.reference;
  const auto noise_variance = [sense](double sum) {
    const double level = sense.noise_knee == infinity ? 1.0 : 1.0 + sum / sense.noise_knee;
    return sense.noise_sd * sense.noise_sd * std::max(level, 0.0);
  };
  const double mean = mean_current(design, tail.column_class);
  const double noise_sd = std::sqrt(gaussian_variance + noise_variance(mean));
  if (!gaussian) {
    failure.log_probability = [=](double sum, double offset) {
      const double excess = sign * (sum + offset - reference);
      const double sd = std::sqrt(noise_variance(sum));
      if (sd == 0.0) return log_step(excess);
      return log_logistic_tail(-excess * std::numbers::pi / (std::numbers::sqrt3 * sd));
    };
  } else {
    failure.log_probability = [=](double sum, double offset) {
      const double excess = sign * (sum + offset - reference);
      const double variance = gaussian_variance + noise_variance(sum);
      return variance == 0.0 ? log_step(excess) : log_normal_tail(-excess / std::sqrt(variance));
    };
  }
  const double spread =
      std::sqrt(current_variance(design, tail.column_class) + noise_sd * noise_sd);
  failure.resolution = std::max(noise_sd, softness * spread);
  if (noise_sd < softness * spread) {
    failure.guide = [=, soft = failure.resolution](double sum, double offset) {
      return log_normal_tail(-sign * (sum + offset - reference) / soft);
    };
  }
  return failure;
}

RareEstimate misread_tail(const ColumnDesign& design, const MisreadTail& tail,
                          const RareOptions& options, core::Threads threads,
                          const core::Progress& progress) {
  const std::array classes{tail.column_class};
  check(design, classes);
  return rare_sum(failure_of(design, tail), options, Proposal::modes, threads, progress);
}

}  // namespace cimstat::circuits
