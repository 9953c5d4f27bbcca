#include "core/law/law.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <boost/math/tools/toms748_solve.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/law/clamped.h"
#include "core/law/component.h"
#include "core/law/shape.h"

namespace cimstat::core {

LawError::LawError(std::string problem, std::string why, std::string remedy)
    : UsageError(error_line("law", problem, why, remedy)),
      problem_(std::move(problem)),
      why_(std::move(why)),
      remedy_(std::move(remedy)) {}

Law::Law() : Law(std::vector<Component>{Component{.base = Point{0.0}}}) {}

Law::Law(std::vector<Component> components) {
  double total = 0.0;
  for (Component& c : components) {
    if (!std::isfinite(c.weight) || c.weight < 0.0) {
      throw LawError(fmt::format("weight {:g}", c.weight), "must not be negative");
    }
    total += c.weight;
    check_component(c);
    if (c.weight == 0.0) continue;
    for (Component& part : without_clamps(c)) {
      part.base = simplified(part.base);
      components_.push_back(std::move(part));
    }
  }
  if (!(std::abs(total - 1.0) <= 1e-12)) {
    throw LawError(fmt::format("weights sum to {:.15g}", total), "must be 1");
  }
  std::vector<double> means;
  for (const Component& c : components_) {
    means.push_back(component_mean(c));
    mean_ += c.weight * means.back();
  }
  for (std::size_t i = 0; i < components_.size(); ++i) {
    const double shift = means[i] - mean_;
    variance_ +=
        components_[i].weight * (component_variance(components_[i], means[i]) + shift * shift);
  }
  if (!std::isfinite(mean_) || !std::isfinite(variance_)) {
    throw LawError("mean or variance is not finite", "the spread is too large", "lower it");
  }
}

Law Law::point(double value) { return Law({Component{.base = Point{value}}}); }

Law Law::normal(double mean, double sd) { return Law({Component{.base = Normal{mean, sd}}}); }

Law Law::lognormal(double median, double sigma) {
  return Law({Component{.base = LogNormal{median, sigma}}});
}

double Law::sd() const { return std::sqrt(variance_); }

double Law::tail_probability(Tail side, double x) const {
  double sum = 0.0;
  for (const Component& c : components_) {
    const auto base_knots = c.relative_noise > 0.0 ? knots(c.base) : std::vector<double>();
    sum += c.weight * component_tail(c, base_knots, side, x, 0.0);
  }
  return std::min(sum, 1.0);
}

double Law::quantile(Tail side, double probability) const {
  if (!(probability > 0.0 && probability < 1.0)) {
    throw UsageError(error_line("quantile", fmt::format("probability {:g}", probability),
                                "must lie between 0 and 1"));
  }
  if (const auto normal = as_normal()) {
    return normal->sd == 0.0 ? normal->mean
                             : normal->mean + normal->sd * normal_quantile(side, probability);
  }
  if (components_.size() == 1 && components_.front().relative_noise == 0.0) {
    const Component& c = components_.front();
    const Tail base_side = c.scale > 0.0 ? side : opposite(side);
    return c.scale * compressed(c, core::quantile(c.base, base_side, probability));
  }
  std::vector<std::vector<double>> base_knots;
  for (const Component& c : components_) {
    base_knots.push_back(c.relative_noise > 0.0 ? knots(c.base) : std::vector<double>());
  }
  const double sign = side == Tail::lower ? 1.0 : -1.0;
  const double goal = std::log(probability);
  // Increasing in x, zero at the quantile.
  const auto excess = [&](double x) {
    double sum = 0.0;
    for (std::size_t i = 0; i < components_.size(); ++i) {
      sum += components_[i].weight *
             component_tail(components_[i], base_knots[i], side, x, probability);
    }
    return sign * ((sum > 0.0 ? std::log(sum) : -800.0) - goal);
  };
  double low = mean_;
  double high = mean_;
  double step = sd();
  while (excess(low) >= 0.0) {
    high = low;
    low -= step;
    step *= 2.0;
  }
  step = sd();
  while (excess(high) < 0.0) {
    low = high;
    high += step;
    step *= 2.0;
  }
  if (excess(high) == 0.0) return high;
  std::uintmax_t iterations = 200;
  return boost::math::tools::toms748_solve(
             excess, low, high, boost::math::tools::eps_tolerance<double>(50), iterations)
      .second;
}

Law Law::scaled(double factor) const {
  std::vector<Component> components = components_;
  for (Component& c : components) c.scale *= factor;
  return Law(std::move(components));
}

std::optional<Normal> Law::as_normal() const {
  if (components_.size() != 1) return std::nullopt;
  return normal_component(components_.front());
}

}  // namespace cimstat::core
