#include "core/law/noisy_mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/interrupt.h"
#include "core/law/component.h"
#include "core/law/quantile_curve.h"
#include "core/law/shape.h"

namespace cimstat::core {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double reach = 9.5;         // scores of a curve: 1e-21 lies beyond
constexpr double widest_score = 1.0;  // of a panel
constexpr double widest_noise = 5.0;  // of a panel, in standard deviations of the noise
constexpr double negligible = 1e-19;  // of a panel's probability
constexpr double certain = 9.0;       // standard deviations of the noise: 1e-19 lies beyond
constexpr double least_noise = 2e-4;  // below it there would be too many nodes
constexpr std::size_t fewest_curves = 2;

double lower_normal(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

}  // namespace

std::optional<NoisyMixture> NoisyMixture::of(const Law& law) {
  NoisyMixture mixture;
  std::size_t curves = 0;
  for (const Component& c : law.components()) {
    if (atom(c) || c.relative_noise == 0.0 || std::holds_alternative<Point>(c.base)) continue;
    if (!std::holds_alternative<QuantileCurve>(c.base)) return std::nullopt;
    if (c.relative_noise < least_noise) return std::nullopt;
    ++curves;
  }
  if (curves < fewest_curves) return std::nullopt;
  for (const Component& c : law.components()) {
    if (const auto value = atom(c)) {
      mixture.atoms_.push_back({*value, c.weight});
    } else if (const auto normal = normal_component(c)) {
      mixture.quiet_.push_back({.weight = c.weight, .base = *normal});
    } else if (c.relative_noise == 0.0) {
      mixture.quiet_.push_back(c);
    } else {
      mixture.add_curve(c);
    }
  }
  std::sort(mixture.atoms_.begin(), mixture.atoms_.end(),
            [](const Node& a, const Node& b) { return a.value < b.value; });
  mixture.tabulate();
  return mixture;
}

void NoisyMixture::add_curve(const Component& c) {
  const auto& curve = std::get<QuantileCurve>(c.base);
  const double r = c.relative_noise;
  const auto value = [&](double z) { return c.scale * compressed(c, curve_value(curve, z)); };
  Run falling{.noise = r, .sign = -1.0, .magnitude = {}, .weight = {}, .before = {}, .behind = {}};
  Run rising{.noise = r, .sign = 1.0, .magnitude = {}, .weight = {}, .before = {}, .behind = {}};
  double total = 0.0;
  const auto add_panel = [&](double low, double high) {
    const double half = 0.5 * (high - low);
    for (const Node& node : gauss_legendre_16()) {
      const double z = low + half * (1.0 + node.value);
      const double weight = half * node.weight * normal_density(z);
      const double g = value(z);
      total += weight;
      Run& run = g < 0.0 ? falling : rising;
      run.magnitude.push_back(std::max(std::abs(g), 1e-300));
      run.weight.push_back(weight);
    }
  };
  const auto cut = [&](const auto& self, double low, double high) -> void {
    stop_if_requested();
    const double from = value(low);
    const double to = value(high);
    const double nearest = from * to <= 0.0 ? 0.0 : std::min(std::abs(from), std::abs(to));
    const bool is_fine =
        high - low <= widest_score && std::abs(to - from) <= widest_noise * r * nearest;
    const double most = (high - low) * normal_density(std::min(std::abs(low), std::abs(high)));
    if (is_fine || most < negligible || high - low < 1e-13) {
      add_panel(low, high);
      return;
    }
    const double centre = 0.5 * (low + high);
    self(self, low, centre);
    self(self, centre, high);
  };
  double from = std::max(curve.low, -reach);
  double to = std::min(curve.high, reach);
  if (!(to > from)) {  // all of it lies further out, within a score of its inner end
    if (curve.low > 0.0) to = std::min(curve.high, (from = curve.low) + 1.0);
    if (curve.high < 0.0) from = std::max(curve.low, (to = curve.high) - 1.0);
  }
  cut(cut, from, to);
  for (Run* run : {&falling, &rising}) {
    const std::size_t count = run->weight.size();
    if (count == 0) continue;
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < count; ++i) nodes.push_back({run->magnitude[i], run->weight[i]});
    std::sort(nodes.begin(), nodes.end(),
              [](const Node& a, const Node& b) { return a.value < b.value; });
    run->before.assign(count + 1, 0.0);
    run->behind.assign(count + 1, 0.0);
    for (std::size_t i = 0; i < count; ++i) {
      run->magnitude[i] = nodes[i].value;
      run->weight[i] = nodes[i].weight * c.weight / total;
      run->before[i + 1] = run->before[i] + run->weight[i];
    }
    for (std::size_t i = count; i-- > 0;) run->behind[i] = run->behind[i + 1] + run->weight[i];
    runs_.push_back(std::move(*run));
  }
}

void NoisyMixture::add(const Run& run, Tail side, double x, Mass& mass) const {
  // (x - g) / (r |g|) = (x / |g| - sign) / r: falls with |g| where x > 0, rises where x < 0.
  const std::vector<double>& magnitude = run.magnitude;
  const auto score = [&](double m) { return (x / m - run.sign) / run.noise; };
  const bool falls = x > 0.0;
  const auto first = std::partition_point(magnitude.begin(), magnitude.end(), [&](double m) {
    return falls ? score(m) > certain : score(m) < -certain;
  });
  const auto end = std::partition_point(first, magnitude.end(), [&](double m) {
    return falls ? score(m) >= -certain : score(m) <= certain;
  });
  const auto begin_index = static_cast<std::size_t>(first - magnitude.begin());
  const auto end_index = static_cast<std::size_t>(end - magnitude.begin());
  // Nodes of high scores lie below x.
  const bool takes_front = falls == (side == Tail::lower);
  mass.tail += takes_front ? run.before[begin_index] : run.behind[end_index];
  const double sign = side == Tail::lower ? 1.0 : -1.0;
  for (std::size_t i = begin_index; i < end_index; ++i) {
    const double z = score(magnitude[i]);
    mass.tail += run.weight[i] * lower_normal(sign * z);
    mass.density += run.weight[i] * normal_density(z) / (run.noise * magnitude[i]);
  }
}

NoisyMixture::Mass NoisyMixture::smooth_mass(Tail side, double x) const {
  Mass mass;
  for (const Run& run : runs_) add(run, side, x, mass);
  for (const Component& c : quiet_) {
    mass.tail += c.weight * component_tail(c, {}, side, x, 0.0);
    mass.density += c.weight * component_density(c, x);
  }
  return mass;
}

double NoisyMixture::atom_mass(Tail side, double x) const {
  double sum = 0.0;
  for (const Node& one : atoms_) {
    if ((one.value <= x) == (side == Tail::lower)) sum += one.weight;
  }
  return sum;
}

double NoisyMixture::tail_probability(Tail side, double x) const {
  return std::min(smooth_mass(side, x).tail + atom_mass(side, x), 1.0);
}

/// Where root searches begin. Between the nodes of the widest panels is where tails bend.
void NoisyMixture::tabulate() {
  constexpr std::size_t stride = 8;
  std::vector<double> places;
  for (const Run& run : runs_) {
    for (std::size_t i = 0; i < run.magnitude.size(); i += stride) {
      if (run.before[i + 1] < 1e-12 && run.behind[i] < 1e-12) continue;
      places.push_back(run.sign * run.magnitude[i]);
    }
    const double last = run.magnitude.back();
    for (double z = -8.0; z <= 8.0; z += 0.5) {
      places.push_back(run.sign * last * (1.0 + run.noise * z));
      places.push_back(run.sign * run.magnitude.front() * (1.0 + run.noise * z));
    }
  }
  for (const Component& c : quiet_) {
    for (double z = -8.0; z <= 8.0; z += 0.25) {
      const Tail side = z < 0.0 ? Tail::lower : Tail::upper;
      const double b =
          core::quantile(c.base, c.scale < 0.0 ? opposite(side) : side, normal_tail(side, z));
      places.push_back(c.scale * compressed(c, b));
    }
  }
  for (const Node& one : atoms_) places.push_back(one.value);
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  for (const double x : places) {
    known_.push_back({x, smooth_mass(Tail::lower, x).tail, smooth_mass(Tail::upper, x).tail});
  }
}

double NoisyMixture::quantile(Tail side, double probability) const {
  const double sign = side == Tail::lower ? 1.0 : -1.0;
  // Atoms are a constant between two of them: which ones lie on the side, or is it one of them?
  double rest = probability;  // of the smooth part
  double low = -infinity;
  double high = infinity;
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    // Outermost first, as seen from the side.
    const Node& one = side == Tail::lower ? atoms_[i] : atoms_[atoms_.size() - 1 - i];
    const double outside = smooth_mass(side, one.value).tail;
    if (outside >= rest) {
      (side == Tail::lower ? high : low) = one.value;
      break;
    }
    if (outside + one.weight >= rest) return one.value;
    rest -= one.weight;
    (side == Tail::lower ? low : high) = one.value;
  }
  const auto tail_of = [&](const Known& known) {
    return side == Tail::lower ? known.lower : known.upper;
  };
  const auto above = std::partition_point(known_.begin(), known_.end(), [&](const Known& known) {
    return side == Tail::lower ? tail_of(known) < rest : tail_of(known) > rest;
  });
  if (above != known_.end()) high = std::min(high, above->x);
  if (above != known_.begin()) low = std::max(low, std::prev(above)->x);
  const double goal = std::log(rest);
  double width = known_.back().x - known_.front().x;
  for (int i = 0; i < 60 && !(low > -infinity && high < infinity); ++i) {
    const double x = high == infinity ? std::max(low, known_.back().x) + width
                                      : std::min(high, known_.front().x) - width;
    const bool is_below = (smooth_mass(side, x).tail < rest) == (side == Tail::lower);
    (is_below ? low : high) = x;
    width *= 2.0;
  }
  // Newton's steps on the logarithm, halved where they leave the bracket.
  double x = 0.5 * (low + high);
  if (above != known_.end() && above != known_.begin()) {
    const double a = tail_of(*std::prev(above));
    const double b = tail_of(*above);
    if (a > 0.0 && b > 0.0 && a != b) {
      const double share = (goal - std::log(a)) / (std::log(b) - std::log(a));
      const double start = std::prev(above)->x + share * (above->x - std::prev(above)->x);
      if (start > low && start < high) x = start;
    }
  }
  for (int i = 0; i < 200; ++i) {
    const Mass mass = smooth_mass(side, x);
    const double excess = mass.tail > 0.0 ? std::log(mass.tail) - goal : -800.0;
    if (excess == 0.0) return x;
    (sign * excess < 0.0 ? low : high) = x;
    double better = x - sign * excess * mass.tail / mass.density;
    const bool inside = better > low && better < high;
    if (!inside) better = 0.5 * (low + high);
    if (std::abs(better - x) <= 1e-14 * std::abs(x) || (inside && std::abs(excess) < 1e-6)) {
      return better;  // convergence is quadratic: what is left is rounding
    }
    x = better;
  }
  return x;
}

}  // namespace cimstat::core
