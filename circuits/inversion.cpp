#include "circuits/inversion.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include "circuits/sum_bounds.h"

namespace cimstat::circuits {
namespace {

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding
constexpr double infinity = std::numeric_limits<double>::infinity();
/// More frequencies than this would take longer than sampling.
constexpr double most_terms = 262144.0;
double total(const std::vector<std::uint32_t>& counts, const std::vector<double>& per_law) {
  double sum = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) sum += counts[i] * per_law[i];
  return sum;
}

}  // namespace

Inversion::Inversion(const std::vector<core::Law>& laws, const SumNoise& noise,
                     const std::vector<std::vector<std::uint32_t>>& classes, double tolerance)
    : noise_(noise), classes_(classes) {
  std::vector<double> means;
  std::vector<double> variances;
  std::vector<bool> may_be_negative;
  for (const core::Law& law : laws) {
    transforms_.emplace_back(law, noise.bend);
    means.push_back(law.mean());
    variances.push_back(law.variance());
    may_be_negative.push_back(!transforms_.back().nonnegative());
  }
  const double logistic_variance =
      noise.logistic_scale * noise.logistic_scale * std::numbers::pi * std::numbers::pi / 3.0;
  std::vector<double> sds;
  double narrowest = infinity;
  double widest = 0.0;
  for (const auto& counts : classes) {
    const double variance = total(counts, variances) + noise.gaussian_variance +
                            2.0 * noise.bend * total(counts, means) + logistic_variance;
    sds.push_back(std::sqrt(std::max(variance, 0.0)));
    if (sds.back() == 0.0) continue;
    narrowest = std::min(narrowest, sds.back());
    widest = std::max(widest, sds.back());
  }
  plans_.resize(classes.size());
  if (widest == 0.0) narrowest = widest = 1.0;
  const TailBounds tails(laws, noise, narrowest, widest);
  FrequencyBounds frequencies(transforms_, noise);
  const double share = 0.01 * tolerance;
  for (std::size_t c = 0; c < classes.size() && !obstacle_; ++c) {
    Plan& plan = plans_[c];
    plan.mean = total(classes[c], means);
    if (sds[c] == 0.0) continue;
    const auto extent = tails.extent(classes[c], plan.mean, sds[c], share);
    plan.low = extent.low;
    plan.high = extent.high;
    if (!(extent.high - extent.low < infinity)) {
      obstacle_ = "the tails of its currents have no bound that could be found";
      break;
    }
    plan.exponent =
        static_cast<int>(std::floor(std::log2(2.0 * std::numbers::pi / (plan.high - plan.low))));
    const double step = std::ldexp(1.0, plan.exponent);
    double variance = noise.gaussian_variance;
    plan.error = extent.outside;
    double highest = most_terms * step;
    if (noise.bend > 0.0) {
      // The noise's variance follows the current; where currents that may be negative could take it
      // to 0 it would have to be clamped there, which the transform doesn't do.
      const auto floor = tails.floor(classes[c], means, may_be_negative, share);
      variance += 2.0 * noise.bend * floor.value;
      plan.error += 4.0 * share;
      highest = std::min(highest, std::sqrt(floor.exponent / noise.bend));
      if (!(variance > 0.25 * noise.gaussian_variance) || noise.bend * highest < 0.0) {
        obstacle_ = "the current may fall so low that its noise vanishes";
        break;
      }
    }
    const auto cutoff =
        frequencies.cutoff(classes[c], variance, step, 1.0 / sds[c], highest, share);
    if (!cutoff) {
      obstacle_ = "too little noise smooths its currents";
      break;
    }
    plan.terms = static_cast<std::size_t>(std::ceil(cutoff->frequency / step));
    plan.error += cutoff->error;
  }
}

void Inversion::prepare() {
  for (const Plan& plan : plans_) {
    if (plan.terms == 0) continue;
    auto found = std::find_if(tables_.begin(), tables_.end(), [&](const Table& existing) {
      return existing.exponent == plan.exponent;
    });
    if (found == tables_.end()) {
      tables_.push_back({plan.exponent, 0, {}});
      found = tables_.end() - 1;
    }
    found->terms = std::max(found->terms, plan.terms);
  }
  for (Table& shared : tables_) {
    for (const core::Characteristic& transform : transforms_) {
      const auto values = transform.at_midpoints(std::ldexp(1.0, shared.exponent), shared.terms);
      Table::Entry& entry = shared.laws.emplace_back();
      for (std::size_t k = 0; k < shared.terms; ++k) {
        const double modulus = std::abs(values.value[k]);
        entry.real.push_back(std::log(modulus));
        entry.imaginary.push_back(std::arg(values.value[k]));
        entry.error.push_back(values.error[k] / modulus +
                              unit * (3.0 + 2.0 * std::abs(entry.real[k])));
      }
    }
  }
}

const Inversion::Table& Inversion::table(int exponent) const {
  return *std::find_if(tables_.begin(), tables_.end(),
                       [&](const Table& shared) { return shared.exponent == exponent; });
}

SumSeries Inversion::series(std::size_t class_index) const {
  const Plan& plan = plans_[class_index];
  const std::vector<std::uint32_t>& counts = classes_[class_index];
  SumSeries result;
  result.mean = plan.mean;
  result.low = plan.low;
  result.high = plan.high;
  result.error = plan.error;
  if (plan.terms == 0) return result;
  result.step = std::ldexp(1.0, plan.exponent);
  result.real.resize(plan.terms);
  result.imaginary.resize(plan.terms);
  const double variance = noise_.gaussian_variance + 2.0 * noise_.bend * plan.mean;
  const double reach = std::max(-plan.low, plan.high);
  const Table& shared = table(plan.exponent);
  double rounding = 0.0;
  double density = 0.0;
  for (std::size_t k = 0; k < plan.terms; ++k) {
    const double order = static_cast<double>(k) + 0.5;
    const double u = order * result.step;
    double log_modulus =
        log_logistic(std::numbers::pi * noise_.logistic_scale * u) - 0.5 * variance * u * u;
    double phase = 0.0;
    double relative = 0.0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      log_modulus += counts[i] * shared.laws[i].real[k];
      phase += counts[i] * shared.laws[i].imaginary[k];
      relative += counts[i] * shared.laws[i].error[k];
    }
    const double amplitude = std::exp(log_modulus) / (std::numbers::pi * order);
    result.real[k] = amplitude * std::cos(phase);
    result.imaginary[k] = amplitude * std::sin(phase);
    // prod(|phi| + error) - prod |phi|, the roundings of the exponent, and those of the rotation.
    relative = relative < 1e-4 ? 1.0001 * relative : std::expm1(relative);
    rounding +=
        amplitude * (relative + unit * (8.0 + 4.0 * std::abs(log_modulus) + 4.0 * std::abs(phase) +
                                        u * reach + 4.0 * steps_between_fresh_starts));
    density += amplitude * order * result.step;
  }
  result.error += rounding + density * unit * 8.0 * (std::abs(plan.mean) + reach);
  return result;
}

}  // namespace cimstat::circuits
