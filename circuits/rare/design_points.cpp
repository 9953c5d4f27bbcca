#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <Eigen/Eigenvalues>

#include "circuits/rare/limit_state.h"
#include "circuits/rare/log_tail.h"

namespace cimstat::circuits {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double furthest = 12.0;  // sd that a search starts from
constexpr double same = 0.3;       // sd between points that count as one
constexpr double negligible = 12.0;
constexpr std::size_t most_points = 64;
constexpr double longest_step = 1.0;  // sd; further and a climb leaves one hill for another
// A step is climbed as if it were this wide in sd, narrower at each stage.
constexpr double softest = 0.2;
constexpr double least_soft = 0.02;

double squared_norm(std::span<const double> z) {
  return std::inner_product(z.begin(), z.end(), z.begin(), 0.0);
}

/// One climb. The margin is linearised at each step (Rackwitz and Fiessler 1978), and the step
/// halved until it climbs.
class Climb {
 public:
  Climb(const LimitState& limit, std::vector<double> start)
      : limit_(limit), z_(std::move(start)), gradient_(limit.dimension) {}

  DesignPoint top() {
    double softness = softest;
    for (int iteration = 0; iteration < 60; ++iteration) {
      const double margin = differentiate();
      const double slope = std::sqrt(squared_norm(gradient_));
      if (!(slope > 0.0)) break;
      const double sd = std::max(limit_.noise_sd, softness * slope);
      const double gain = step(margin, sd);
      const bool sharp = limit_.noise_sd > least_soft * slope || softness <= least_soft;
      if (gain < 1e-6 && sharp) break;
      if (gain < 1e-2) softness = std::max(0.5 * softness, least_soft);
    }
    const double margin = limit_.margin(z_);
    const double slope = std::sqrt(squared_norm(gradient_));
    const double sd = std::max(limit_.noise_sd, least_soft * slope);
    const double squared = squared_norm(z_);
    const double log_height = sd > 0.0 ? log_normal_tail(margin / sd) - 0.5 * squared : -infinity;
    return {.z = z_, .log_height = log_height, .distance = std::sqrt(squared)};
  }

 private:
  double differentiate() {
    constexpr double step = 1e-4;
    const double margin = limit_.margin(z_);
    for (std::size_t i = 0; i < z_.size(); ++i) {
      const double here = z_[i];
      z_[i] = here + step;
      const double above = limit_.margin(z_);
      z_[i] = here - step;
      gradient_[i] = (above - limit_.margin(z_)) / (2.0 * step);
      z_[i] = here;
    }
    return margin;
  }

  /// Returns how far the climb went up.
  double step(double margin, double sd) {
    const auto height = [&](double m, double squared) {
      return log_normal_tail(m / sd) - 0.5 * squared;
    };
    // Derivatives of ln P(failure) in -margin: hazard and curvature of the normal law.
    const double x = margin / sd;
    const double hazard =
        std::exp(-0.5 * x * x - 0.5 * std::log(2.0 * std::numbers::pi) - log_normal_tail(x));
    const double first = hazard / sd;
    const double second = -hazard * std::max(hazard - x, 0.0) / (sd * sd);
    std::vector<double> direction(z_.size());
    for (std::size_t i = 0; i < z_.size(); ++i) direction[i] = -first * gradient_[i] - z_[i];
    const double along =
        -std::inner_product(direction.begin(), direction.end(), gradient_.begin(), 0.0);
    const double correction = second * along / (1.0 - second * squared_norm(gradient_));
    for (std::size_t i = 0; i < z_.size(); ++i) direction[i] -= correction * gradient_[i];
    const double size = std::sqrt(squared_norm(direction));
    const double here = height(margin, squared_norm(z_));
    std::vector<double> next(z_.size());
    for (double length = std::min(1.0, longest_step / size); length > 1e-4; length *= 0.5) {
      for (std::size_t i = 0; i < z_.size(); ++i) next[i] = z_[i] + length * direction[i];
      const double there = height(limit_.margin(next), squared_norm(next));
      if (there > here) {
        z_ = next;
        return there - here;
      }
    }
    return 0.0;
  }

  const LimitState& limit_;
  std::vector<double> z_;
  std::vector<double> gradient_;
};

Eigen::VectorXd gradient_at(const LimitState& limit, std::vector<double> z) {
  constexpr double step = 1e-4;
  Eigen::VectorXd gradient(static_cast<Eigen::Index>(z.size()));
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double here = z[i];
    z[i] = here + step;
    const double above = limit.margin(z);
    z[i] = here - step;
    gradient[static_cast<Eigen::Index>(i)] = (above - limit.margin(z)) / (2.0 * step);
    z[i] = here;
  }
  return gradient;
}

/// Along the boundary the integrand falls as exp(-t A t / 2), A = 1 + distance P H P / |g|, with
/// the margin's gradient g and Hessian H and the projection P on the tangents.
std::vector<WideDirection> wide_directions(const LimitState& limit, const DesignPoint& point) {
  constexpr double step = 0.02;    // the wider, the less a kink counts
  constexpr double narrow = 0.85;  // of A; what is nearer to 1 the inflation covers
  constexpr double widest = 2.5;   // sd: further out other design points take over
  const auto size = static_cast<Eigen::Index>(point.z.size());
  const Eigen::VectorXd gradient = gradient_at(limit, point.z);
  const double slope = gradient.norm();
  if (!(slope > 0.0) || size < 2) return {};
  Eigen::MatrixXd hessian(size, size);
  std::vector<double> z = point.z;
  for (Eigen::Index i = 0; i < size; ++i) {
    const double here = z[static_cast<std::size_t>(i)];
    z[static_cast<std::size_t>(i)] = here + step;
    hessian.col(i) = gradient_at(limit, z);
    z[static_cast<std::size_t>(i)] = here - step;
    hessian.col(i) = (hessian.col(i) - gradient_at(limit, z)) / (2.0 * step);
    z[static_cast<std::size_t>(i)] = here;
  }
  if (!hessian.allFinite()) return {};
  const Eigen::MatrixXd unit = Eigen::MatrixXd::Identity(size, size);
  const Eigen::MatrixXd tangents = unit - gradient * gradient.transpose() / (slope * slope);
  const Eigen::MatrixXd bend = tangents * (0.5 * (hessian + hessian.transpose())) * tangents;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(unit +
                                                              bend * (point.distance / slope));
  std::vector<WideDirection> wide;
  for (Eigen::Index i = 0; i < size && solver.eigenvalues()[i] < narrow; ++i) {
    const Eigen::VectorXd direction = solver.eigenvectors().col(i);
    const double value = std::max(solver.eigenvalues()[i], 1.0 / (widest * widest));
    wide.push_back({{direction.begin(), direction.end()}, 1.0 / std::sqrt(value)});
  }
  return wide;
}

/// Unit vectors: both ways along the axes, then random ones.
std::vector<double> direction(const LimitState& limit, core::StreamKey key, std::size_t axes,
                              std::size_t index) {
  std::vector<double> unit(limit.dimension, 0.0);
  if (index < axes) {
    unit[index / 2] = index % 2 == 0 ? 1.0 : -1.0;
    return unit;
  }
  core::TrialRandom random(key, core::Domain::rare_event, first_pilot_sample + index);
  fill_normal(random, unit);
  const double length = std::sqrt(squared_norm(unit));
  for (double& value : unit) value /= length;
  return unit;
}

/// The point on a ray from the origin where a climb starts: the first failure, or the least margin.
std::vector<double> start_on(const LimitState& limit, const std::vector<double>& unit) {
  std::vector<double> z(unit.size());
  std::vector<double> best(unit.size(), 0.0);
  double least = infinity;
  for (double radius = 0.0; radius <= furthest; radius += 0.5) {
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = radius * unit[i];
    const double margin = limit.margin(z);
    if (margin < least) {
      least = margin;
      best = z;
    }
    if (margin <= 0.0) break;
  }
  return best;
}

bool equal(const DesignPoint& a, const DesignPoint& b) {
  double squared = 0.0;
  for (std::size_t i = 0; i < a.z.size(); ++i) squared += std::pow(a.z[i] - b.z[i], 2);
  return squared < same * same;
}

}  // namespace

std::vector<DesignPoint> find_design_points(const LimitState& limit, core::StreamKey key,
                                            core::Threads threads) {
  constexpr std::size_t many = 64;
  const bool few_variables = limit.dimension <= many;
  const std::size_t axes = few_variables ? 2 * limit.dimension : 0;
  const std::size_t starts = axes + (few_variables ? 64 : 16);
  std::vector<DesignPoint> reached(starts);
  core::for_each_block(starts, threads, [&](std::size_t start, std::size_t) {
    reached[start] = Climb(limit, start_on(limit, direction(limit, key, axes, start))).top();
  });
  std::stable_sort(reached.begin(), reached.end(), [](const DesignPoint& a, const DesignPoint& b) {
    return a.log_height > b.log_height;
  });
  std::vector<DesignPoint> distinct;
  for (DesignPoint& point : reached) {
    if (distinct.size() == most_points ||
        !(point.log_height >= reached.front().log_height - negligible)) {
      break;
    }
    const bool found = std::any_of(distinct.begin(), distinct.end(),
                                   [&](const DesignPoint& other) { return equal(point, other); });
    if (!found) distinct.push_back(std::move(point));
  }
  if (few_variables) {
    core::for_each_block(distinct.size(), threads, [&](std::size_t i, std::size_t) {
      distinct[i].wide = wide_directions(limit, distinct[i]);
    });
  }
  return distinct;
}

}  // namespace cimstat::circuits
