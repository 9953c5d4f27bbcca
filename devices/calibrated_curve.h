#pragma once

#include <functional>

#include "core/law/law.h"

/// Curves of conductances that no shape is exactly, with moments that are known better.
namespace cimstat::devices {

/// A curve made to have this mean and variance, by B -> B (1 + a + b B), which keeps 0 where it is:
/// cubics lack some 1e-11 of them.
core::QuantileCurve calibrated(core::QuantileCurve curve, double mean, double variance);

/// The first score at which a conductance g is reached, given the second one; increasing in g.
using FirstScore = std::function<double(double g, double second_score)>;

/// The law of G(Z_1, Z_2), two independent standard normal scores, G increasing in the first.
/// `mean` and `sd` are about those of G; `step` is that of the second score, over which it is
/// averaged: well below what moves the first score by 1.
core::QuantileCurve curve_of_two_scores(const FirstScore& first_score, double mean, double sd,
                                        double step);

}  // namespace cimstat::devices
