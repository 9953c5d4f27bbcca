#include "core/statistics/shape_fit.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "core/law/shape.h"
#include "core/statistics/statistics.h"

namespace cimstat::core {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Beyond so many sd a tail is 0 in double.
constexpr double no_tail = 40.0;

/// A normal cut off at low and high, in the variable that is normal (x or ln x).
struct Parent {
  double mean = 0.0;
  double sd = 1.0;
  double mean_error = 0.0;  ///< standard errors for one value; divide by sqrt(n)
  double sd_error = 0.0;
  double log_likelihood = 0.0;  ///< for one value
};

/// exp(e1 t + e2 t^2) between two ends.
struct Exponential {
  double log_mass = 0.0;
  std::array<double, 5> moment{};  ///< E t^k
};

Exponential exponential(double e1, double e2, double low, double high) {
  const double centre = -0.5 * e1 / e2;
  const double spread = 1.0 / std::sqrt(-2.0 * e2);
  constexpr double reach = 12.0;  // beyond it a normal has 1e-33 of its mass
  double from = std::max(low, centre - reach * spread);
  double to = std::min(high, centre + reach * spread);
  if (!(from < to)) {  // all of it lies in a tail that is cut off: what is left decays from the end
    from = centre < low ? low : high - 40.0 * spread * spread / (centre - high + spread);
    to = centre < low ? low + 40.0 * spread * spread / (low - centre + spread) : high;
    from = std::max(from, low);
    to = std::min(to, high);
  }
  const double peak = std::clamp(centre, from, to);
  const double at_peak = e1 * peak + e2 * peak * peak;
  const double panels = std::ceil((to - from) / std::min(spread, to - from) * 2.0);
  const double half = 0.5 * (to - from) / panels;
  Exponential result;
  double mass = 0.0;
  for (double panel = 0.5; panel < panels; panel += 1.0) {
    for (const Node& node : gauss_legendre_16()) {
      const double t = from + half * (2.0 * panel + node.value);
      double w = half * node.weight * std::exp(e1 * t + e2 * t * t - at_peak);
      mass += w;
      for (double& moment : result.moment) {
        moment += w;
        w *= t;
      }
    }
  }
  for (double& moment : result.moment) moment /= mass;
  result.log_mass = std::log(mass) + at_peak;
  return result;
}

Parent uncut(double mean, double variance) {
  const double sd = std::sqrt(variance);
  return {.mean = mean,
          .sd = sd,
          .mean_error = sd,
          .sd_error = sd / std::numbers::sqrt2,
          .log_likelihood = -0.5 * std::log(2.0 * std::numbers::pi * variance) - 0.5};
}

/// Newton's method in the natural parameters, where the likelihood is concave. Nothing where no
/// normal fits: the sample is as flat as a uniform one, or flatter.
std::optional<Parent> fit_parent(double mean, double variance, const Cut& cut) {
  if (!cut.cuts()) return uncut(mean, variance);
  const double scale = std::sqrt(variance);
  const double low = (cut.low - mean) / scale;
  const double high = (cut.high - mean) / scale;
  constexpr double flattest = -1e-4;  // a parent 70 times as wide as the sample
  double e1 = 0.0;
  double e2 = -0.5;
  Exponential now = exponential(e1, e2, low, high);
  double likelihood = e2 - now.log_mass;  // the sample has mean 0 and mean square 1
  double v11 = 0.0;
  double v12 = 0.0;
  double v22 = 0.0;
  for (int iteration = 0; iteration < 200; ++iteration) {
    const auto& m = now.moment;
    v11 = m[2] - m[1] * m[1];
    v12 = m[3] - m[1] * m[2];
    v22 = m[4] - m[2] * m[2];
    const double g1 = -m[1];
    const double g2 = 1.0 - m[2];
    if (std::abs(g1) + std::abs(g2) < 1e-11) break;
    const double determinant = v11 * v22 - v12 * v12;
    if (!(determinant > 0.0)) return std::nullopt;
    const double d1 = (v22 * g1 - v12 * g2) / determinant;
    const double d2 = (v11 * g2 - v12 * g1) / determinant;
    double step = 1.0;
    while (e2 + step * d2 >= 0.5 * e2) step *= 0.5;
    bool better = false;
    for (; step > 1e-9 && !better; step *= 0.5) {
      const Exponential next = exponential(e1 + step * d1, e2 + step * d2, low, high);
      const double there = e2 + step * d2 - next.log_mass;
      if (!(there >= likelihood - 1e-14)) continue;
      e1 += step * d1;
      e2 += step * d2;
      now = next;
      likelihood = there;
      better = true;
    }
    if (!better) break;
    if (e2 > flattest) return std::nullopt;
  }
  const double determinant = v11 * v22 - v12 * v12;
  const double spread = 1.0 / std::sqrt(-2.0 * e2);
  // The delta method on centre = -e1 / (2 e2) and spread = (-2 e2)^(-1/2).
  const double a = -0.5 / e2;
  const double b = 0.5 * e1 / (e2 * e2);
  const double c = spread * spread * spread;
  const double centre_variance = (a * a * v22 - 2.0 * a * b * v12 + b * b * v11) / determinant;
  return Parent{.mean = mean - 0.5 * scale * e1 / e2,
                .sd = scale * spread,
                .mean_error = scale * std::sqrt(centre_variance),
                .sd_error = scale * c * std::sqrt(v11 / determinant),
                .log_likelihood = likelihood - std::log(scale)};
}

Cut logarithm(const Cut& cut) {
  return {cut.low > 0.0 ? std::log(cut.low) : -infinity, std::log(cut.high)};
}

Parent parent_of(const ShapeFit& fit) {
  const double first = fit.parameters[0].value;
  return {.mean = fit.family == Family::normal ? first : std::log(first),
          .sd = fit.parameters[1].value};
}

/// P(a < N(0,1) < b).
double mass_between(double a, double b) {
  if (a > 0.0) return normal_tail(Tail::upper, a) - normal_tail(Tail::upper, b);
  if (b < 0.0) return normal_tail(Tail::lower, b) - normal_tail(Tail::lower, a);
  return 1.0 - normal_tail(Tail::lower, a) - normal_tail(Tail::upper, b);
}

/// A^2 of sorted values of the variable that is normal, its parent cut off.
double statistic_of(std::span<const double> sorted, const Parent& parent, const Cut& cut) {
  const double low = (cut.low - parent.mean) / parent.sd;
  const double high = (cut.high - parent.mean) / parent.sd;
  const double all = mass_between(low, high);
  constexpr double least = 1e-300;
  const std::size_t n = sorted.size();
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double z = (sorted[i] - parent.mean) / parent.sd;
    const double below = std::max(mass_between(low, z) / all, least);
    const double above = std::max(mass_between(z, high) / all, least);
    const double rank = static_cast<double>(2 * i + 1);
    sum += rank * std::log(below) + (2.0 * static_cast<double>(n) - rank) * std::log(above);
  }
  return -static_cast<double>(n) - sum / static_cast<double>(n);
}

/// One value of a standard normal cut off at low and high.
double draw(double low, double high, double all, double uniform) {
  if (low + high < 0.0 || low == -infinity) {
    const double p = normal_tail(Tail::lower, low) + uniform * all;
    if (p <= 0.5) return std::clamp(normal_quantile(Tail::lower, p), low, high);
  }
  const double p = normal_tail(Tail::upper, high) + (1.0 - uniform) * all;
  return std::clamp(normal_quantile(Tail::upper, p), low, high);
}

}  // namespace

bool Cut::cuts() const { return low != -infinity || high != infinity; }

double ShapeFit::aic() const { return 4.0 - 2.0 * log_likelihood; }

double ShapeFit::bic() const {
  return 2.0 * std::log(static_cast<double>(count)) - 2.0 * log_likelihood;
}

ShapeFitResult fit_shape(std::span<const double> values, Family family, const Cut& cut) {
  const bool logarithmic = family == Family::lognormal;
  if (values.size() < 2) return {{}, "fewer than two values"};
  Moments moments;
  for (const double value : values) {
    if (logarithmic && !(value > 0.0)) return {{}, "a value is not positive"};
    moments.add(logarithmic ? std::log(value) : value);
  }
  const double n = static_cast<double>(values.size());
  const double mean = moments.mean();
  const double variance = moments.variance() * (n - 1.0) / n;
  if (!(variance > 1e-24 * mean * mean)) return {{}, "all values are equal"};
  const Cut parent_cut = logarithmic ? logarithm(cut) : cut;
  const auto parent = fit_parent(mean, variance, parent_cut);
  if (!parent) return {{}, "the values are too flat between the ends: no parent law is that wide"};
  ShapeFit fit{.family = family,
               .cut = cut,
               .shape = {},
               .parameters = {},
               .log_likelihood = n * parent->log_likelihood,
               .count = values.size()};
  const double root = std::sqrt(n);
  if (!logarithmic) {
    fit.parameters = {FittedParameter{"mean", parent->mean, parent->mean_error / root},
                      FittedParameter{"sd", parent->sd, parent->sd_error / root}};
    fit.shape = Normal{parent->mean, parent->sd};
    if (cut.cuts()) {
      const double reach = no_tail * parent->sd;
      fit.shape = TruncatedNormal{parent->mean, parent->sd, std::max(cut.low, parent->mean - reach),
                                  std::min(cut.high, parent->mean + reach)};
    }
    return {std::move(fit), {}};
  }
  fit.log_likelihood -= n * mean;  // the sum of ln x: from ln x back to x
  const double median = std::exp(parent->mean);
  fit.parameters = {FittedParameter{"median", median, median * parent->mean_error / root},
                    FittedParameter{"sigma", parent->sd, parent->sd_error / root}};
  fit.shape = LogNormal{median, parent->sd};
  if (cut.cuts()) {
    fit.shape = TruncatedLogNormal{median, parent->sd, std::max(cut.low, 0.0),
                                   std::min(cut.high, median * std::exp(no_tail * parent->sd))};
  }
  return {std::move(fit), {}};
}

double anderson_darling(std::span<const double> sorted, const ShapeFit& fit) {
  if (fit.family == Family::normal) return statistic_of(sorted, parent_of(fit), fit.cut);
  std::vector<double> logs(sorted.begin(), sorted.end());
  for (double& value : logs) value = std::log(value);
  return statistic_of(logs, parent_of(fit), logarithm(fit.cut));
}

GoodnessOfFit goodness_of_fit(std::span<const double> sorted, const ShapeFit& fit, StreamKey key,
                              std::uint64_t replicates, Threads threads) {
  constexpr std::size_t most_values = 2048;
  const std::size_t n = std::min(sorted.size(), most_values);
  const double statistic = anderson_darling(sorted, fit);
  const Parent truth = parent_of(fit);
  Cut cut = fit.family == Family::normal ? fit.cut : logarithm(fit.cut);
  cut = {(cut.low - truth.mean) / truth.sd, (cut.high - truth.mean) / truth.sd};
  const double all = mass_between(cut.low, cut.high);
  const auto reached = sum_over_blocks(
      replicates, threads, std::uint64_t{0}, [&](std::size_t replicate, std::uint64_t& count) {
        TrialRandom random(key, Domain::bootstrap, replicate);
        std::vector<double> values(n);
        Moments moments;
        for (double& value : values) {
          value = draw(cut.low, cut.high, all, random.uniform());
          moments.add(value);
        }
        std::sort(values.begin(), values.end());
        const double size = static_cast<double>(n);
        const auto again =
            fit_parent(moments.mean(), moments.variance() * (size - 1.0) / size, cut);
        // Where even that fails the replicate speaks for nothing; counted against the fit's doubt.
        if (!again || statistic_of(values, *again, cut) >= statistic) ++count;
      });
  return {statistic, (1.0 + static_cast<double>(reached)) / (1.0 + static_cast<double>(replicates)),
          replicates};
}

}  // namespace cimstat::core
