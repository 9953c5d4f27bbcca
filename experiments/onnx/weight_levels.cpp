#include "experiments/onnx/weight_levels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "experiments/onnx/integer_layers.h"

namespace cimstat::experiments {
namespace {

constexpr int tried_ranges = 64;
constexpr double narrowest_share = 0.3;

using Weights = std::span<const double>;

double largest_of(Weights weights) {
  double largest = 0.0;
  for (const double weight : weights) largest = std::max(largest, std::abs(weight));
  return largest;
}

double level_of(double weight, double step, double top) {
  return std::clamp(std::nearbyint(weight / step), -top, top);
}

double squared_error(Weights weights, double step, double top) {
  double sum = 0.0;
  for (const double weight : weights) {
    const double error = weight - step * level_of(weight, step, top);
    sum += error * error;
  }
  return sum;
}

/// Of the magnitudes above `least`; 0 where there are none.
double mean_above(Weights weights, double least) {
  double sum = 0.0;
  std::size_t count = 0;
  for (const double weight : weights) {
    if (!(std::abs(weight) > least)) continue;
    sum += std::abs(weight);
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0.0;
}

double mean_magnitude(Weights weights) {
  double sum = 0.0;
  for (const double weight : weights) sum += std::abs(weight);
  return sum / static_cast<double>(weights.size());
}

/// Up to it ternary weights are 0.
double threshold_of(Weights weights) { return 0.7 * mean_magnitude(weights); }

/// Levels of weights whose magnitude doesn't count.
class FewLevels {
 public:
  FewLevels(Weights weights, WeightRule rule)
      : is_binary_(rule == WeightRule::binary),
        threshold_(is_binary_ ? 0.0 : threshold_of(weights)),
        step_(is_binary_ ? mean_magnitude(weights) : mean_above(weights, threshold_)) {
    if (!is_binary_ && step_ == 0.0) step_ = 1.0;
  }
  double step() const { return step_; }
  double level(double weight) const {
    if (is_binary_) return weight < 0.0 ? -1.0 : 1.0;
    if (!(std::abs(weight) > threshold_)) return 0.0;
    return weight < 0.0 ? -1.0 : 1.0;
  }

 private:
  bool is_binary_;
  double threshold_;
  double step_;
};

/// Binary or ternary; a sign is never lost to a factor of 0, since binary weights have no 0.
WeightLevels few_levels(Weights weights, std::span<const double> factor,
                        const WeightQuantiser& quantiser) {
  const std::size_t each = weights.size() / factor.size();
  const bool is_binary = quantiser.rule == WeightRule::binary;
  const FewLevels common(weights, quantiser.rule);
  WeightLevels result;
  for (std::size_t output = 0; output < factor.size(); ++output) {
    const Weights own = weights.subspan(output * each, each);
    const FewLevels levels =
        quantiser.scale == WeightScale::per_layer ? common : FewLevels(own, quantiser.rule);
    const double after = factor[output];
    const bool is_lost = after == 0.0 && !is_binary;
    const double sign = is_lost ? 0.0 : after < 0.0 ? -1.0 : 1.0;
    for (const double weight : own) result.level.push_back(sign * levels.level(weight));
    result.step.push_back(is_lost ? 1.0 : levels.step() * std::abs(after));
  }
  return result;
}

/// Of the rules that look at the weights; 1 where all are 0.
double step_of(Weights weights, WeightRule rule, double top) {
  const double largest = largest_of(weights);
  if (largest == 0.0) return 1.0;
  double best = largest / top;
  if (rule == WeightRule::largest) return best;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < tried_ranges; ++i) {
    const double share = 1.0 - (1.0 - narrowest_share) * i / (tried_ranges - 1.0);
    const double step = largest * share / top;
    const double error = squared_error(weights, step, top);
    if (error < least) {
      least = error;
      best = step;
    }
  }
  return best;
}

}  // namespace

WeightLevels weight_levels(std::vector<double> weights, std::span<const double> factor,
                           const WeightQuantiser& quantiser) {
  if (bits_of(quantiser.rule)) return few_levels(weights, factor, quantiser);
  const std::size_t outputs = factor.size();
  const std::size_t each = weights.size() / outputs;
  const double top = top_of(quantiser.bits - 1);
  if (quantiser.rule == WeightRule::dorefa) {
    for (double& weight : weights) weight = std::tanh(weight);
    const double largest = largest_of(weights);
    for (double& weight : weights) weight /= largest > 0.0 ? largest : 1.0;
  }

  double common = 0.0;  // each output has its own
  if (quantiser.rule == WeightRule::dorefa) {
    common = 1.0 / top;
  } else if (quantiser.rule == WeightRule::wage) {
    common = std::ldexp(1.0, 1 - static_cast<int>(quantiser.bits));
  } else if (quantiser.scale == WeightScale::per_layer) {
    common = step_of(weights, quantiser.rule, top);
  }

  WeightLevels result;
  result.level.reserve(weights.size());
  for (std::size_t output = 0; output < outputs; ++output) {
    const Weights own(weights.data() + output * each, each);
    const double step = common > 0.0 ? common : step_of(own, quantiser.rule, top);
    const double after = factor[output];
    // A step is above 0: a factor's sign goes into the levels, and so does a factor of 0.
    const double sign = after > 0.0 ? 1.0 : after < 0.0 ? -1.0 : 0.0;
    for (const double weight : own) result.level.push_back(sign * level_of(weight, step, top));
    result.step.push_back(after == 0.0 ? 1.0 : step * std::abs(after));
  }
  return result;
}

}  // namespace cimstat::experiments
