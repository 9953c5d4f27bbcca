#include "devices/calibrated_curve.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <map>
#include <vector>

#include "core/law/quantile_curve.h"
#include "core/law/shape.h"

namespace cimstat::devices {

namespace {

/// The normal score of P(G <= g), from the tail on `side`.
using ScoreFunction = std::function<double(double g, core::Tail side)>;

/// Which g has a score. Remembers its answers, to begin nearby.
class ScoreInverse {
 public:
  ScoreInverse(const ScoreFunction& score_of, double mean, double sd) : score_of_(score_of) {
    known_[score_of(mean, core::Tail::lower)] = {mean, sd};
  }

  double operator()(double score) {
    for (;;) {
      auto near = known_.lower_bound(score);
      if (near == known_.end() ||
          (near != known_.begin() && score - std::prev(near)->first < near->first - score)) {
        --near;
      }
      const double distance = score - near->first;
      if (distance == 0.0) return near->second.g;
      const double goal = near->first + std::clamp(distance, -stride, stride);
      const Known found = search(goal, near->first, near->second);
      known_[goal] = found;
    }
  }

 private:
  static constexpr double stride = 0.5;  // that a secant surely takes
  struct Known {
    double g = 0.0;
    double slope = 0.0;  ///< dg / dscore
  };

  /// Secants, kept between what is known to lie on either side of the goal.
  Known search(double goal, double from_score, Known from) const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    double low = goal > from_score ? from.g : -infinity;
    double high = goal > from_score ? infinity : from.g;
    double last = from.g;
    double last_score = from_score;
    Known now{from.g + from.slope * (goal - from_score), from.slope};
    if (const auto g = cubic_between(known_, goal, [](const Known& known) { return known.g; })) {
      if (*g > low && *g < high) now.g = *g;
    }
    for (int i = 0; i < 100; ++i) {
      const double score = score_of_(now.g, goal < 0.0 ? core::Tail::lower : core::Tail::upper);
      (score < goal ? low : high) = now.g;
      const double secant = (now.g - last) / (score - last_score);
      if (std::isfinite(secant) && secant > 0.0) now.slope = secant;
      last = now.g;
      last_score = score;
      const double miss = goal - score;
      const double better = now.g + miss * now.slope;
      // Convergence is faster than linear: what is left after this step is rounding.
      if (std::abs(miss) <= 1e-10) return {better, now.slope};
      now.g = better > low && better < high ? better
              : std::isfinite(high - low)   ? 0.5 * (low + high)
                                            : better;
    }
    return now;
  }

  const ScoreFunction& score_of_;
  std::map<double, Known> known_;
};

}  // namespace

core::QuantileCurve calibrated(core::QuantileCurve curve, double mean, double variance) {
  const std::vector<core::Node> nodes = core::expectation_nodes(curve);
  double first = 0.0;
  for (const core::Node& node : nodes) first += node.weight * node.value;
  double second = 0.0;
  double third = 0.0;
  for (const core::Node& node : nodes) {
    const double deviation = node.value - first;
    second += node.weight * deviation * deviation;
    third += node.weight * deviation * deviation * deviation;
  }
  // To first order the mean moves by a E B + b E B^2, the variance by 2 a Var B + 2 b Cov(B, B^2).
  const double square = first * first + second;
  const double covariance = 2.0 * first * second + third;
  const double determinant = first * covariance - square * second;
  const double shift = mean - first;
  const double growth = 0.5 * (variance - second);
  const double a = (shift * covariance - growth * square) / determinant;
  const double b = (growth * first - shift * second) / determinant;
  for (std::size_t i = 0; i < curve.value.size(); ++i) {
    curve.slope[i] *= 1.0 + a + 2.0 * b * curve.value[i];
    curve.value[i] *= 1.0 + a + b * curve.value[i];
  }
  return curve;
}

core::QuantileCurve curve_of_two_scores(const FirstScore& first_score, double mean, double sd,
                                        double step) {
  constexpr double reach = 10.0;
  std::vector<core::Node> nodes;
  for (double score = -reach; score <= reach; score += step) {
    nodes.push_back({score, step * core::normal_density(score)});
  }
  // Tails of first scores beyond these are 0 and 1, rounded: only nodes in between are asked.
  constexpr double never = 39.5;
  constexpr double surely = 9.0;
  const ScoreFunction score_of = [&](double g, core::Tail side) {
    const auto from = [&](double score) {
      return std::partition_point(nodes.begin(), nodes.end(), [&](const core::Node& node) {
        return first_score(g, node.value) < score;
      });
    };
    const bool lower = side == core::Tail::lower;
    const auto first = from(lower ? -never : -surely);
    const auto last = from(lower ? surely : never);
    double tail = 0.0;
    if (!lower) {
      for (auto node = nodes.begin(); node != first; ++node) tail += node->weight;
    }
    for (auto node = first; node != last; ++node) {
      tail += node->weight * core::normal_tail(side, first_score(g, node->value));
    }
    if (lower) {
      for (auto node = last; node != nodes.end(); ++node) tail += node->weight;
    }
    return core::normal_quantile(side, std::clamp(tail, 1e-300, 1.0 - 1e-16));
  };
  ScoreInverse inverse(score_of, mean, sd);
  return core::curve_of_scores([&](double z) { return inverse(z); });
}

}  // namespace cimstat::devices
