#include "devices/rram/write_verify.h"

#include <algorithm>
#include <cmath>

#include "core/law/quantile_curve.h"
#include "core/law/shape.h"

#include "devices/calibrated_curve.h"

namespace cimstat::devices {

namespace {

using core::Tail;

double square(double x) { return x * x; }

double reading_sd(const WriteVerify& w) { return std::hypot(w.pulse_sd, w.verify_noise); }

/// What is delivered is share * (reading - target) + an independent normal of this sd.
double share_of_reading(const WriteVerify& w) { return square(w.pulse_sd / reading_sd(w)); }

double rest_sd(const WriteVerify& w, double relaxation_sd) {
  return std::hypot(w.pulse_sd * w.verify_noise / reading_sd(w), relaxation_sd);
}

/// P(low <= Z <= high) to its own digits.
double normal_between(double low, double high) {
  if (low > 0.5) return core::normal_tail(Tail::upper, low) - core::normal_tail(Tail::upper, high);
  if (high < -0.5)
    return core::normal_tail(Tail::lower, high) - core::normal_tail(Tail::lower, low);
  return 0.5 * (std::erf(high / std::sqrt(2.0)) - std::erf(low / std::sqrt(2.0)));
}

/// Of readings about 0, of which those up to `edge` are accepted: P(Z <= b), or > b, of what is
/// delivered.
class DeliveredTail {
 public:
  DeliveredTail(const WriteVerify& w, double relaxation_sd)
      : sd_(reading_sd(w)),
        share_(share_of_reading(w)),
        width_(rest_sd(w, relaxation_sd) / share_),
        edge_(std::min(w.window, 14.0 * sd_)),
        accepted_(acceptance(w)) {}

  /// The mean over the accepted readings of the tail of the independent normal, which is 1, a
  /// smooth step or 0; every term is positive.
  double operator()(Tail side, double b) const {
    constexpr double certain = 9.0;      // [sd]: 1 to rounding
    constexpr double impossible = 38.0;  // [sd]: 0 in doubles
    const double below = side == Tail::lower ? certain : impossible;
    const double above = side == Tail::lower ? impossible : certain;
    const double step = b / share_;
    const double from = std::clamp(step - below * width_, -edge_, edge_);
    const double to = std::clamp(step + above * width_, -edge_, edge_);
    double sum = side == Tail::lower ? normal_between(-edge_ / sd_, from / sd_)
                                     : normal_between(to / sd_, edge_ / sd_);
    const double panels = std::ceil((to - from) / std::min(sd_, width_));
    const double half = 0.5 * (to - from) / panels;
    for (double panel = 0.5; panel < panels; panel += 1.0) {
      for (const core::Node& node : core::gauss_legendre_16()) {
        const double u = from + half * (2.0 * panel + node.value);
        sum += node.weight * half / sd_ * core::normal_density(u / sd_) *
               core::normal_tail(side, (step - u) / width_);
      }
    }
    return sum / accepted_;
  }

 private:
  double sd_;
  double share_;
  double width_;  ///< of the step [S of reading]
  double edge_;
  double accepted_;
};

}  // namespace

double acceptance(const WriteVerify& w) {
  return std::erf(w.window / reading_sd(w) / std::sqrt(2.0));
}

double delivered_sd(const WriteVerify& w, double relaxation_sd) {
  const double a = w.window / reading_sd(w);
  // 1 - 2 a phi(a) / (2 Phi(a) - 1), which cancels for narrow windows: a^2 / 3 - 2 a^4 / 45 + ...
  const double truncated = a < 0.02
                               ? a * a * (1.0 / 3.0 - a * a * (2.0 / 45.0 - 2.0 * a * a / 945.0))
                               : 1.0 - 2.0 * a * core::normal_density(a) / acceptance(w);
  return std::hypot(share_of_reading(w) * reading_sd(w) * std::sqrt(truncated),
                    rest_sd(w, relaxation_sd));
}

core::Shape delivered_law(const WriteVerify& w, double target, double relaxation_sd) {
  constexpr double invisible = 1e-6;  // its square is below what is promised
  if (rest_sd(w, relaxation_sd) <= invisible * std::min(w.window, w.pulse_sd)) {
    return core::TruncatedNormal{target, w.pulse_sd, target - w.window, target + w.window};
  }
  const double sd = delivered_sd(w, relaxation_sd);
  // About 0, where no digits go into the target.
  core::QuantileCurve curve =
      calibrated(core::curve_of_tails(DeliveredTail(w, relaxation_sd), 0.0, sd), 0.0, sd * sd);
  for (double& value : curve.value) value += target;
  return curve;
}

}  // namespace cimstat::devices
