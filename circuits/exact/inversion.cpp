#include "circuits/exact/inversion.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <utility>
#include <variant>

#include "core/interrupt.h"

#include "circuits/exact/sum_bounds.h"

namespace cimstat::circuits {
namespace {

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding
constexpr double infinity = std::numeric_limits<double>::infinity();
/// More frequencies than this would take longer than sampling.
constexpr double most_terms = 65536.0;
/// The same where a part of the sum is in closed form: while the error may be small, and else.
constexpr double most_terms_of_rest = 8192.0;
constexpr double most_terms_at_last = 131072.0;
constexpr double small_share = 1e-9;
/// The most that each approximation may err by: a row's entries stay within 1e-6.
constexpr double largest_share = 1e-7;
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
      magnitudes_.push_back(std::abs(law.mean()));
    }
    for (const core::Characteristic& transform : transforms) {
      may_be_negative_.push_back(!transform.nonnegative());
      highest_ = std::min(highest_, transform.highest());
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
      core::stop_if_requested();
      Plan& plan = plans.emplace_back();
      if (auto obstacle = make(counts, plan)) return obstacle;
    }
    return std::nullopt;
  }

  std::shared_ptr<const SplitSums> split() const { return split_; }

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
    if (sd == 0.0) {
      plan.rounding = 32.0 * unit * total(counts, magnitudes_);
      return std::nullopt;
    }
    auto obstacle = make_whole(counts, sd, plan);
    if (!obstacle || noise_.bend > 0.0 || noise_.smoothing_variance > 0.0 ||
        (noise_.gaussian_variance > 0.0 && noise_.logistic_scale > 0.0)) {
      return obstacle;
    }
    if (!split_) split_ = std::make_shared<const SplitSums>(laws_, noise_);
    const bool noisy = noise_.gaussian_variance > 0.0 || noise_.logistic_scale > 0.0;
    for (double share = share_; share <= largest_share; share *= 100.0) {
      if (make_split(counts, sd, share, SplitSums::Removed::atoms, plan) ||
          (!noisy &&
           make_split(counts, sd, share, SplitSums::Removed::atoms_and_single_cells, plan))) {
        return std::nullopt;
      }
    }
    return obstacle;
  }

  /// Where the sum lies, and the step that serves that.
  bool place(const std::vector<std::uint32_t>& counts, double sd, double share, Plan& plan) const {
    const auto extent = tails_->extent(counts, plan.mean, sd, share);
    plan.low = extent.low;
    plan.high = extent.high;
    plan.error = extent.outside;
    if (!(extent.high - extent.low < infinity)) return false;
    const double length = plan.high - plan.low + noise_.smoothing_width;
    plan.exponent = static_cast<int>(std::floor(std::log2(2.0 * std::numbers::pi / length)));
    return true;
  }

  std::optional<std::string> make_whole(const std::vector<std::uint32_t>& counts, double sd,
                                        Plan& plan) {
    if (!place(counts, sd, share_, plan)) return "no bound is known for its tails";
    const double step = std::ldexp(1.0, plan.exponent);
    double highest = std::min(most_terms * step, highest_);
    double variance = noise_.gaussian_variance;
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
    variance += noise_.smoothing_variance;
    const double start = noise_.smoothing_variance > 0.0
                             ? 1.0 / std::sqrt(sd * sd + noise_.smoothing_variance)
                             : 1.0 / sd;
    const auto cutoff = frequencies_.cutoff(counts, variance, step, start, highest, share_);
    if (!cutoff) return "too little noise smooths its currents";
    plan.terms = static_cast<std::size_t>(std::ceil(cutoff->frequency / step));
    plan.error += cutoff->error;
    return std::nullopt;
  }

  /// Whether the rest of the sum can be inverted when that much is removed.
  bool make_split(const std::vector<std::uint32_t>& counts, double sd, double share,
                  SplitSums::Removed removed, Plan& plan) {
    if (!place(counts, sd, share, plan)) return false;
    const double step = std::ldexp(1.0, plan.exponent);
    const double terms = share < small_share ? most_terms_of_rest : most_terms_at_last;
    const auto cutoff = split_->cutoff(counts, removed, step, 1.0 / sd,
                                       std::min(terms * step, split_->highest()), share);
    if (!cutoff) return false;
    auto closed = split_->closed(counts, removed, 1e-6 * share);
    if (!closed || closed->dropped > share) return false;
    plan.removed = removed;
    plan.closed = std::move(closed->part);
    plan.rounding = plan.closed->rounding();
    plan.terms = static_cast<std::size_t>(std::ceil(cutoff->frequency / step));
    plan.error += cutoff->error + closed->dropped;
    return true;
  }

  const std::vector<core::Law>& laws_;
  SumNoise noise_;
  std::vector<double> means_;
  std::vector<double> variances_;
  std::vector<double> magnitudes_;
  std::vector<bool> may_be_negative_;
  std::optional<TailBounds> tails_;
  FrequencyBounds frequencies_;
  std::shared_ptr<const SplitSums> split_;  ///< once a class needs it
  double highest_ = infinity;               ///< frequency that every transform can be computed for
  double share_;                            ///< of the error that each approximation may make
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
  split_ = planner.split();
}

void Inversion::prepare() {
  for (const Plan& plan : plans_) {
    if (plan.terms == 0 || plan.removed) continue;
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
        // 1 + relative is exp(error) at most; the logarithm only matters where little is left.
        const double relative = values.error[k] / modulus;
        entry.error.push_back((relative > 1.0 ? std::log1p(relative) : relative) +
                              unit * (3.0 + 2.0 * std::abs(entry.real[k])));
      }
    }
  }
  prepare_split();
}

void Inversion::prepare_split() {
  std::map<int, std::size_t> terms;
  for (const Plan& plan : plans_) {
    if (plan.removed) terms[plan.exponent] = std::max(terms[plan.exponent], plan.terms);
  }
  for (const auto& [exponent, count] : terms) {
    split_tables_.push_back(split_->table(std::ldexp(1.0, exponent), count));
  }
}

SumSeries Inversion::series_of_rest(const Plan& plan,
                                    const std::vector<std::uint32_t>& counts) const {
  SumSeries result;
  result.mean = plan.mean;
  result.low = plan.low;
  result.high = plan.high;
  result.mass = std::max(0.0, 1.0 - plan.closed->mass());
  result.closed = plan.closed;
  result.step = std::ldexp(1.0, plan.exponent);
  result.rounding = plan.rounding;
  result.error = plan.error;
  const SplitSums::Table& shared =
      *std::find_if(split_tables_.begin(), split_tables_.end(),
                    [&](const SplitSums::Table& table) { return table.step == result.step; });
  const double reach = std::max(-plan.low, plan.high);
  double density = 0.0;
  for (std::size_t k = 0; k < plan.terms; ++k) {
    const double order = static_cast<double>(k) + 0.5;
    const SplitSums::Value rest = split_->rest(shared, k, counts, *plan.removed);
    result.real.push_back(rest.value.real() / (std::numbers::pi * order));
    result.imaginary.push_back(rest.value.imag() / (std::numbers::pi * order));
    const double amplitude = std::abs(rest.value) / (std::numbers::pi * order);
    result.error +=
        rest.error / (std::numbers::pi * order) +
        amplitude * unit * (order * result.step * reach + 4.0 * steps_between_fresh_starts);
    density += amplitude * order * result.step;
  }
  result.error += density * (unit * 64.0 * (std::abs(plan.mean) + reach) + 2.0 * plan.rounding);
  return result;
}

const Inversion::Table& Inversion::table(int exponent) const {
  return *std::find_if(tables_.begin(), tables_.end(),
                       [&](const Table& shared) { return shared.exponent == exponent; });
}

SumSeries Inversion::series(std::size_t class_index) const {
  const Plan& plan = plans_[class_index];
  const std::vector<std::uint32_t>& counts = classes_[class_index];
  if (plan.removed) return series_of_rest(plan, counts);
  SumSeries result;
  result.mean = plan.mean;
  result.low = plan.low;
  result.high = plan.high;
  result.rounding = plan.rounding;
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
    const double smoothed = amplitude * std::exp(-0.5 * noise_.smoothing_variance * u * u);
    rounding +=
        smoothed * (relative + unit * (8.0 + 4.0 * std::abs(log_modulus) + 4.0 * std::abs(phase) +
                                       u * reach + 4.0 * steps_between_fresh_starts));
    density += smoothed * order * result.step;
  }
  result.error += rounding + density * unit * 8.0 * (std::abs(plan.mean) + reach);
  return result;
}

}  // namespace cimstat::circuits
