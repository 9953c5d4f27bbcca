#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "core/law/law.h"
#include "core/law/shape.h"

/// Laws that no formula of core::Shape is exactly, as curves over the normal score:
///
///   const core::QuantileCurve curve = core::curve_of_scores([](double z) {
///     return saturation_current(threshold - sigma * z);  // any increasing function
///   });
///   const core::Law law({{.base = curve, .relative_noise = 0.01}});
///
/// An atom has no place on a curve: give it a component of its own, and the rest as
/// restricted(curve, curve_score(curve, atom), infinity).
namespace cimstat::core {

/// How a curve is laid through a function.
struct CurveGrid {
  double reach = 8.5;  ///< scores from -reach to reach (beyond 8.5 lies 1e-17 of a law)
  /// The grid is halved, from 1/4 on, until no probability P(B <= b) is off by more than this
  /// (estimated half way between grid points) ...
  double probability_error = 1e-12;
  double finest = 0.015625;  ///< ... or the step is this.
  /// Further out than so many standard deviations values may stand still, as doubles near the end
  /// of a bounded law do; the curve ends there.
  double continuous = 7.0;
};

/// The law of value(Z), `value` increasing. Slopes come from differences of sixth order on half the
/// grid. A curve whose values are all >= 0 ends where it would become negative. Throws LawError
/// when `value` is not finite, decreases, or stands still within `continuous`.
QuantileCurve curve_of_scores(const std::function<double(double)>& value, CurveGrid grid = {});

/// The law with the quantile function quantile(side, probability), which must be good for
/// probabilities down to that beyond `reach`. Errors as above.
QuantileCurve curve_of_quantiles(const std::function<double(Tail, double)>& quantile,
                                 CurveGrid grid = {});

/// The law with tail(side, b) = P(B <= b) or P(B > b), continuous, in relative accuracy down to the
/// probability beyond `reach`; `centre` and `spread` are about its mean and standard deviation.
QuantileCurve curve_of_tails(const std::function<double(Tail, double)>& tail, double centre,
                             double spread, CurveGrid grid = {});

/// The law given that the score lies between `low` and `high` too: a slice of a law, by quantiles.
/// Throws LawError when nothing would be left.
QuantileCurve restricted(QuantileCurve curve, double low, double high);

/// P(low <= Z <= high): how much of the whole law a curve holds.
double curve_mass(const QuantileCurve& curve);

/// h(z), h'(z), and the z with h(z) = b; low and high are not looked at.
double curve_value(const QuantileCurve& curve, double z);
double curve_slope(const QuantileCurve& curve, double z);
double curve_score(const QuantileCurve& curve, double b);

/// h on one cell of the grid, or beyond its ends: value + slope x + square x^2 + cube x^3, x = z -
/// origin. The first piece reaches down to -infinity, the last one up.
struct CurvePiece {
  double low = 0.0;
  double high = 0.0;
  double origin = 0.0;
  double value = 0.0;
  double slope = 0.0;
  double square = 0.0;
  double cube = 0.0;
};
/// Those that meet [low, high], cut to it; scores beyond 38 are left out.
std::vector<CurvePiece> curve_pieces(const QuantileCurve& curve);

// What the functions of shape.h without `curve_` mean.
double curve_tail(const QuantileCurve& curve, Tail side, double b);
double curve_density(const QuantileCurve& curve, double b);
double curve_quantile(const QuantileCurve& curve, Tail side, double probability);
std::pair<double, double> curve_support(const QuantileCurve& curve);
std::vector<double> curve_knots(const QuantileCurve& curve);
std::vector<Node> curve_nodes(const QuantileCurve& curve, double widest);
void check_curve(const QuantileCurve& curve);

/// Many tails and densities of one curve, bit for bit those above: what does not depend on the
/// value is worked out once, and values beyond the curve's scores cost nothing. Refers to the
/// curve.
class CurveTails {
 public:
  explicit CurveTails(const QuantileCurve& curve);
  double tail(Tail side, double b) const;
  double density(double b) const;

 private:
  const QuantileCurve& curve_;
  bool is_cut_;
  TruncatedNormal scores_;
  double mass_ = 1.0;
  double
      below_;  ///< at or below it, and at or above `above_`, lies nothing, as far as is easily told
  double above_;
};

}  // namespace cimstat::core
