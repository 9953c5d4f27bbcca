#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"

#include "circuits/rare/rare_estimate.h"

/// Rare failures of any circuit that is a function of independent standard normal variables.
namespace cimstat::circuits {

/// Fails where margin(z) + e <= 0; e ~ N(0, noise_sd^2) is fresh noise, which is integrated. Any
/// probability of failure h(z) can be given as margin = -Phi^-1(h), noise_sd = 1.
struct LimitState {
  std::size_t dimension = 0;
  std::function<double(std::span<const double> z)> margin;  ///< called from several threads
  double noise_sd = 0.0;

  /// ln P(failure | z), for a margin.
  double log_probability(double margin_at_z) const;
};

/// A direction in which the boundary of failure bends towards the origin around a design point, so
/// that failures lie further out than the variables' own spread (second-order reliability:
/// Breitung, J. Eng. Mech. 110, 1984).
struct WideDirection {
  std::vector<double> unit;
  double sd = 1.0;  ///< of the weighted integrand along it; > 1
};

/// A point of largest P(failure | z) exp(-|z|^2 / 2): without noise the failure nearest to the
/// origin (Hasofer and Lind 1974).
struct DesignPoint {
  std::vector<double> z;
  double log_height = 0.0;
  double distance = 0.0;
  std::vector<WideDirection> wide = {};  ///< orthogonal; looked for up to 64 variables
};

/// All different design points that climbs reach from rays along all axes, both ways (up to 64
/// variables), and random ones (64, or 16 where there are more variables), the highest first; those
/// that hold a negligible share (12 nats lower) are left out.
std::vector<DesignPoint> find_design_points(const LimitState& limit, core::StreamKey key,
                                            core::Threads threads);

/// The probability of failure by sampling around `points` (a mixture of normals there, sd inflated
/// as much as the dimension bears, more along wide directions) and, for 5 % of the samples, around
/// the origin. Points that are known (all that find_design_points gave) but not among `points`
/// count against the estimate.
RareEstimate sample_around(const LimitState& limit, std::span<const DesignPoint> points,
                           std::span<const DesignPoint> known, const RareOptions& options,
                           core::Threads threads, const core::Progress& progress = {});

/// Searches, then samples around all that was found.
RareEstimate failure_probability(const LimitState& limit, const RareOptions& options,
                                 core::Threads threads, const core::Progress& progress = {});

}  // namespace cimstat::circuits
