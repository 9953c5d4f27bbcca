#include "circuits/inversion.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <variant>

#include "circuits/sum_bounds.h"

namespace cimstat::circuits {
namespace {

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding
constexpr double infinity = std::numeric_limits<double>::infinity();
/// More frequencies than this would take longer than sampling.
constexpr double most_terms = 65536.0;
/// bend * u stays below this, where every bent transform still falls.
constexpr double largest_bend = 0.4;
/// Whether a law reaches down without end along a lognormal's tail.
bool has_subtracted_tail(const core::Law& law) {
  return std::any_of(law.components().begin(), law.components().end(),
                     [](const core::Component& component) {
                       return component.scale < 0.0 && component.compression == 0.0 &&
                              std::holds_alternative<core::LogNormal>(component.base);
                     });
}

double total(const std::vector<std::uint32_t>& counts, const std::vector<double>& per_law) {
  double sum = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) sum += counts[i] * per_law[i];
  return sum;
}

}  // namespace

/// What all plans share.
class Inversion::Planner {
 public:
  Planner(const std::vector<core::Law>& laws, const SumNoise& noise,
          const std::vector<core::Characteristic>& transforms, double tolerance)
      : laws_(laws), noise_(noise), frequencies_(transforms, noise), share_(0.01 * tolerance) {
    for (const core::Law& law : laws) {
      means_.push_back(law.mean());
      variances_.push_back(law.variance());
    }
    for (const core::Characteristic& transform : transforms) {
      may_be_negative_.push_back(!transform.nonnegative());
    }
  }

  /// Adds a plan for each class, or says why one has none.
  std::optional<std::string> make(const std::vector<std::vector<std::uint32_t>>& classes,
                                  std::vector<Plan>& plans) {
    double narrowest = infinity;
    double widest = 0.0;
    for (const auto& counts : classes) {
      const double sd = deviation(counts);
      if (sd == 0.0) continue;
      narrowest = std::min(narrowest, sd);
      widest = std::max(widest, sd);
    }
    if (widest > 0.0) tails_.emplace(laws_, noise_, narrowest, widest);
    for (const auto& counts : classes) {
      Plan& plan = plans.emplace_back();
      if (auto obstacle = make(counts, plan)) return obstacle;
    }
    return std::nullopt;
  }

 private:
  double deviation(const std::vector<std::uint32_t>& counts) const {
    const double logistic = std::pow(noise_.logistic_scale * std::numbers::pi, 2) / 3.0;
    const double variance = total(counts, variances_) + noise_.gaussian_variance + logistic +
                            2.0 * noise_.bend * total(counts, means_);
    return std::sqrt(std::max(variance, 0.0));
  }

  std::optional<std::string> make(const std::vector<std::uint32_t>& counts, Plan& plan) {
    plan.mean = total(counts, means_);
    const double sd = deviation(counts);
    if (sd == 0.0) return std::nullopt;
    const auto extent = tails_->extent(counts, plan.mean, sd, share_);
    plan.low = extent.low;
    plan.high = extent.high;
    if (!(extent.high - extent.low < infinity)) return "no bound is known for its tails";
    const double length = plan.high - plan.low;
    plan.exponent = static_cast<int>(std::floor(std::log2(2.0 * std::numbers::pi / length)));
    const double step = std::ldexp(1.0, plan.exponent);
    double highest = most_terms * step;
    double variance = noise_.gaussian_variance;
    plan.error = extent.outside;
    if (noise_.bend > 0.0) {
      // The noise's variance follows the current. Where it would be negative the amplifier has no
      // noise, but the transform knows nothing of that: the current may only go so low.
      const auto floor = tails_->floor(counts, means_, may_be_negative_, sd, share_);
      variance += 2.0 * noise_.bend * floor.value;
      if (!(variance > 0.25 * noise_.gaussian_variance)) return "a low current may have no noise";
      // S above the floor and below it: 2 shares each for what the two transforms differ by.
      plan.error += 4.0 * share_;
      highest =
          std::min({highest, std::sqrt(floor.exponent / noise_.bend), largest_bend / noise_.bend});
    }
    const auto cutoff = frequencies_.cutoff(counts, variance, step, 1.0 / sd, highest, share_);
    if (!cutoff) return "too little noise smooths its currents";
    plan.terms = static_cast<std::size_t>(std::ceil(cutoff->frequency / step));
    plan.error += cutoff->error;
    return std::nullopt;
  }

  const std::vector<core::Law>& laws_;
  SumNoise noise_;
  std::vector<double> means_;
  std::vector<double> variances_;
  std::vector<bool> may_be_negative_;
  std::optional<TailBounds> tails_;
  FrequencyBounds frequencies_;
  double share_;  ///< of the error that each approximation may make
};

Inversion::Inversion(const std::vector<core::Law>& laws, const SumNoise& noise,
                     const std::vector<std::vector<std::uint32_t>>& classes, double tolerance)
    : noise_(noise), classes_(classes) {
  for (const core::Law& law : laws) transforms_.emplace_back(law, noise.bend);
  if (noise.bend > 0.0 && std::any_of(laws.begin(), laws.end(), has_subtracted_tail)) {
    obstacle_ = "a subtracted lognormal current may take the noise away";
    return;
  }
  Planner planner(laws, noise, transforms_, tolerance);
  obstacle_ = planner.make(classes, plans_);
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
