#include "circuits/converters/factored_sums.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/law/shape.h"

#include "circuits/exact/sum_bounds.h"

namespace cimstat::circuits {
namespace {

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding
constexpr double infinity = std::numeric_limits<double>::infinity();
/// More points than this would take longer than sampling.
constexpr double most_terms = 65536.0;
constexpr double most_points = 1048576.0;
/// Factors below this are not followed by the bounds on the cells' transforms.
constexpr double smallest_factor = 0.1;

double total(const std::vector<std::uint32_t>& counts, const std::vector<double>& per_law) {
  double sum = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) sum += counts[i] * per_law[i];
  return sum;
}

/// Twice the normal tail beyond it is `probability`.
double two_sided(double probability) {
  return core::normal_quantile(core::Tail::upper, 0.5 * probability);
}

/// Factors of all frequencies: as if the sums shrank, and their noise grew, by 1 / factor.
SumNoise stretched(SumNoise noise, double factor) {
  noise.logistic_scale /= factor;
  return noise;
}

}  // namespace

class FactoredSums::Planner {
 public:
  Planner(FactoredSums& sums, const std::vector<core::Law>& laws)
      : sums_(sums),
        laws_(laws),
        zeta_(std::sqrt(-2.0 * std::log(sums.share_ / 2.1))),
        // The cells' transforms at u (1 + s Z) are smallest, and their bounds largest, at the
        // smallest factor.
        factor_(1.0 - sums.factor_sd_ * sums.reach_),
        follows_cells_(factor_ >= smallest_factor),
        frequencies_(sums.transforms_,
                     follows_cells_ ? stretched(sums.noise_, factor_) : sums.noise_) {
    if (!follows_cells_) factor_ = 1.0;
    double narrowest = infinity;
    double widest = 0.0;
    for (const core::Law& law : laws) {
      means_.push_back(law.mean());
      variances_.push_back(law.variance());
    }
    for (const core::Characteristic& transform : sums.transforms_) {
      highest_ = std::min(highest_, transform.highest() / (1.0 + sums.factor_sd_ * sums.reach_));
    }
    for (const auto& counts : sums.classes_) {
      const double sd = std::sqrt(total(counts, variances_));
      if (sd == 0.0) continue;
      narrowest = std::min(narrowest, sd);
      widest = std::max(widest, sd);
    }
    if (widest > 0.0) tails_.emplace(laws, SumNoise{}, narrowest, widest);
  }

  std::optional<std::string> make(const std::vector<std::uint32_t>& counts, Plan& plan) {
    const SumNoise& noise = sums_.noise_;
    const double s = sums_.factor_sd_;
    const double share = sums_.share_;
    plan.mean = total(counts, means_);
    const double cells = total(counts, variances_);
    TailBounds::Extent extent;
    if (cells > 0.0) extent = tails_->extent(counts, plan.mean, std::sqrt(cells), share);
    if (!(extent.high - extent.low < infinity)) return "no bound is known for its tails";
    plan.largest = std::max(std::abs(plan.mean + extent.low), std::abs(plan.mean + extent.high));
    for (const double z : {-sums_.reach_, sums_.reach_}) {
      for (const double cell : {extent.low, extent.high}) {
        const double deviation = s * z * plan.mean + (1.0 + s * z) * cell;
        plan.low = std::min(plan.low, deviation);
        plan.high = std::max(plan.high, deviation);
      }
    }
    const double reach = two_sided(share) * std::sqrt(noise.gaussian_variance) +
                         noise.logistic_scale * std::log(2.0 / share);
    plan.low -= reach;
    plan.high += reach;
    if (plan.high == plan.low) return std::nullopt;
    // The cells, Z, Gaussian and logistic noise stay inside on either side, and where they don't
    // the quadrature and the series are wrong by less than 2.
    plan.error = 2.0 * (2.0 * extent.outside + 3.0 * share);
    return cut(counts, plan);
  }

 private:
  std::optional<std::string> cut(const std::vector<std::uint32_t>& counts, Plan& plan) {
    const SumNoise& noise = sums_.noise_;
    const double s = sums_.factor_sd_;
    const double length = plan.high - plan.low + noise.smoothing_width;
    plan.exponent = static_cast<int>(std::floor(std::log2(2.0 * std::numbers::pi / length)));
    const double step = std::ldexp(1.0, plan.exponent);
    const double logistic = std::pow(noise.logistic_scale * std::numbers::pi, 2) / 3.0;
    const double sd =
        std::sqrt((1.0 + s * s) * total(counts, variances_) + s * s * plan.mean * plan.mean +
                  noise.gaussian_variance + noise.smoothing_variance + logistic);
    const std::vector<std::uint32_t> none(counts.size(), 0);
    const double f = factor_;
    const double variance = (noise.gaussian_variance + noise.smoothing_variance) / (f * f);
    const auto cutoff =
        frequencies_.cutoff(follows_cells_ ? counts : none, variance, f * step, f / sd,
                            f * std::min(most_terms * step, highest_), sums_.share_);
    if (!cutoff) return "too little noise smooths its currents";
    const double highest = cutoff->frequency / f;
    plan.terms = static_cast<std::size_t>(std::ceil(highest / step));
    plan.error += cutoff->error;
    const std::size_t octaves = sums_.octave_of(plan, plan.terms - 1) + 1;
    for (std::size_t octave = 0; octave < octaves; ++octave) {
      const double u = std::ldexp(1.0, plan.exponent - 1 + static_cast<int>(octave));
      const double spacing = 2.0 * std::numbers::pi * s * u / (u * s * plan.largest + zeta_);
      const int grid = static_cast<int>(std::floor(std::log2(spacing)));
      if (2.0 * u * (1.0 + s * sums_.reach_) > most_points * std::ldexp(1.0, grid)) {
        return "its common factor takes too many points";
      }
      plan.grids.push_back(grid);
    }
    return std::nullopt;
  }

  FactoredSums& sums_;
  const std::vector<core::Law>& laws_;
  double zeta_;
  double factor_;
  bool follows_cells_;
  FrequencyBounds frequencies_;
  std::vector<double> means_;
  std::vector<double> variances_;
  std::optional<TailBounds> tails_;
  double highest_ = infinity;  ///< frequency that every transform can be computed for
};

FactoredSums::FactoredSums(const std::vector<core::Law>& laws, const SumNoise& noise,
                           double factor_sd, const std::vector<std::vector<std::uint32_t>>& classes,
                           double tolerance)
    : noise_(noise),
      factor_sd_(factor_sd),
      share_(0.01 * tolerance),
      reach_(two_sided(share_)),
      classes_(classes) {
  for (const core::Law& law : laws) transforms_.emplace_back(law);
  Planner planner(*this, laws);
  for (const auto& counts : classes_) {
    obstacle_ = planner.make(counts, plans_.emplace_back());
    if (obstacle_) return;
  }
}

/// Octaves of u, counted from that of u_0 = step / 2.
std::size_t FactoredSums::octave_of(const Plan& plan, std::size_t term) const {
  const double u = (static_cast<double>(term) + 0.5) * std::ldexp(1.0, plan.exponent);
  return static_cast<std::size_t>(std::ilogb(u) - (plan.exponent - 1));
}

FactoredSums::Mixture FactoredSums::mixture(const Plan& plan, std::size_t term) const {
  const double u = (static_cast<double>(term) + 0.5) * std::ldexp(1.0, plan.exponent);
  Mixture mixture;
  const double spacing = std::ldexp(1.0, plan.grids[octave_of(plan, term)]);
  const double width = factor_sd_ * reach_;
  const double scale = factor_sd_ * u;
  mixture.first = static_cast<std::int64_t>(std::ceil(u * (1.0 - width) / spacing - 0.5));
  const auto last = static_cast<std::int64_t>(std::floor(u * (1.0 + width) / spacing - 0.5));
  for (std::int64_t i = mixture.first; i <= last; ++i) {
    const double z = ((static_cast<double>(i) + 0.5) * spacing - u) / scale;
    mixture.weight.push_back(spacing / scale * std::exp(-0.5 * z * z) /
                             std::sqrt(2.0 * std::numbers::pi));
  }
  return mixture;
}

std::size_t FactoredSums::Mixture::points() const {
  const std::int64_t end = first + static_cast<std::int64_t>(weight.size());
  return static_cast<std::size_t>(std::max({end, -first, std::int64_t{0}}));
}

/// The mixtures of all plans of one step and the same grids, as far as both have them.
const std::vector<FactoredSums::Mixture>& FactoredSums::mixtures_of(const Plan& plan) const {
  return std::find_if(mixtures_.begin(), mixtures_.end(),
                      [&](const Mixtures& one) {
                        return one.exponent == plan.exponent && one.grids == plan.grids;
                      })
      ->terms;
}

void FactoredSums::prepare() {
  for (const Plan& plan : plans_) {
    if (plan.terms == 0) continue;
    auto known = std::find_if(mixtures_.begin(), mixtures_.end(), [&](const Mixtures& one) {
      return one.exponent == plan.exponent && one.grids == plan.grids;
    });
    if (known == mixtures_.end()) {
      known = mixtures_.insert(known, {plan.exponent, plan.grids, {}});
    }
    for (std::size_t term = known->terms.size(); term < plan.terms; ++term) {
      known->terms.push_back(mixture(plan, term));
      const Mixture& added = known->terms.back();
      const int grid = plan.grids[octave_of(plan, term)];
      auto found = std::find_if(tables_.begin(), tables_.end(),
                                [&](const Table& one) { return one.exponent == grid; });
      if (found == tables_.end()) found = tables_.insert(found, {grid, 0, {}});
      found->points = std::max(found->points, added.points());
    }
  }
  for (Table& shared : tables_) {
    for (const core::Characteristic& transform : transforms_) {
      const auto values = transform.at_midpoints(std::ldexp(1.0, shared.exponent), shared.points);
      Table::Entry& entry = shared.laws.emplace_back();
      for (std::size_t i = 0; i < shared.points; ++i) {
        const double modulus = std::max(std::abs(values.value[i]), 1e-300);
        entry.log_modulus.push_back(std::log(modulus));
        entry.phase.push_back(std::arg(values.value[i]));
        entry.log_upper.push_back(std::log(modulus + values.error[i]));
      }
    }
  }
}

const FactoredSums::Table& FactoredSums::table(int exponent) const {
  return *std::find_if(tables_.begin(), tables_.end(),
                       [&](const Table& shared) { return shared.exponent == exponent; });
}

FactoredSums::Points FactoredSums::points(const std::vector<std::uint32_t>& counts, double mean,
                                          int exponent, std::size_t count) const {
  const Table& shared = table(exponent);
  Points points;
  for (std::size_t i = 0; i < count; ++i) {
    const double v = (static_cast<double>(i) + 0.5) * std::ldexp(1.0, exponent);
    double log_modulus = 0.0;
    double log_upper = 0.0;
    double phase = v * mean;
    double size = 8.0 + 2.0 * std::abs(phase);
    for (std::size_t law = 0; law < counts.size(); ++law) {
      if (counts[law] == 0) continue;
      log_modulus += counts[law] * shared.laws[law].log_modulus[i];
      log_upper += counts[law] * shared.laws[law].log_upper[i];
      phase += counts[law] * shared.laws[law].phase[i];
      size += 4.0 * counts[law] * std::abs(shared.laws[law].phase[i]);
    }
    size += 8.0 * std::abs(log_upper);
    const double modulus = std::exp(log_modulus);
    points.real.push_back(modulus * std::cos(phase));
    points.imaginary.push_back(modulus * std::sin(phase));
    points.error.push_back(std::exp(log_upper) - modulus + std::exp(log_upper) * unit * size);
  }
  return points;
}

SumSeries FactoredSums::series(std::size_t class_index) const {
  const Plan& plan = plans_[class_index];
  SumSeries result;
  result.mean = plan.mean;
  result.low = plan.low;
  result.high = plan.high;
  result.error = plan.error;
  if (plan.terms == 0) return result;
  result.step = std::ldexp(1.0, plan.exponent);
  result.real.resize(plan.terms);
  result.imaginary.resize(plan.terms);
  const std::vector<Mixture>& mixtures = mixtures_of(plan);
  const double reach = std::max(-plan.low, plan.high);
  double rounding = 0.0;
  double density = 0.0;
  for (std::size_t k = 0; k < plan.terms;) {
    const std::size_t first = k;
    const std::size_t octave = octave_of(plan, first);
    std::size_t end = first;
    std::size_t count = 0;
    for (; end < plan.terms && octave_of(plan, end) == octave; ++end) {
      count = std::max(count, mixtures[end].points());
    }
    const Points cells = points(classes_[class_index], plan.mean, plan.grids[octave], count);
    for (; k < end; ++k) {
      double real = 0.0;
      double imaginary = 0.0;
      double error = 2.5 * share_;  // of the quadrature: its points and its ends
      for (std::size_t j = 0; j < mixtures[k].weight.size(); ++j) {
        const double weight = mixtures[k].weight[j];
        const std::int64_t at = mixtures[k].first + static_cast<std::int64_t>(j);
        const auto i = static_cast<std::size_t>(at >= 0 ? at : -at - 1);  // phi(-v) = conj phi(v)
        real += weight * cells.real[i];
        imaginary += weight * (at >= 0 ? cells.imaginary[i] : -cells.imaginary[i]);
        error += weight * (cells.error[i] + 200.0 * unit * std::abs(cells.real[i]) +
                           200.0 * unit * std::abs(cells.imaginary[i]));
      }
      const double order = static_cast<double>(k) + 0.5;
      const double u = order * result.step;
      const double log_noise = log_logistic(std::numbers::pi * noise_.logistic_scale * u) -
                               0.5 * noise_.gaussian_variance * u * u;
      const double noise = std::exp(log_noise) / (std::numbers::pi * order);
      const double turn_cosine = std::cos(u * plan.mean);
      const double turn_sine = std::sin(u * plan.mean);
      result.real[k] = noise * (real * turn_cosine + imaginary * turn_sine);
      result.imaginary[k] = noise * (imaginary * turn_cosine - real * turn_sine);
      const double smoothed = noise * std::exp(-0.5 * noise_.smoothing_variance * u * u);
      const double modulus = std::hypot(real, imaginary);
      rounding += smoothed *
                  (error + modulus * unit *
                               (16.0 + 4.0 * std::abs(log_noise) + 2.0 * u * std::abs(plan.mean) +
                                u * reach + 4.0 * steps_between_fresh_starts));
      density += smoothed * modulus * order * result.step;
    }
  }
  result.error += rounding + density * unit * 8.0 * (std::abs(plan.mean) + reach);
  return result;
}

}  // namespace cimstat::circuits
