#pragma once

#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/error.h"

/// Probability laws of one real quantity, as mixtures of transformed shapes: the common tongue of
/// the device models, the sampling kernels (through quantiles) and the exact engine (through
/// characteristic functions).
namespace cimstat::core {

struct Point {
  double value = 0.0;
};

struct Normal {
  double mean = 0.0;
  double sd = 1.0;
};

/// exp(N(ln median, sigma^2)). mean = median exp(sigma^2 / 2), sd = mean sqrt(exp(sigma^2) - 1).
struct LogNormal {
  double median = 1.0;
  double sigma = 0.1;  ///< standard deviation of the natural logarithm
};

/// A normal renormalised on [low, high] (not clamped: no mass piles up at the ends).
/// `mean` and `sd` are those of the parent, before truncation.
struct TruncatedNormal {
  double mean = 0.0;
  double sd = 1.0;
  double low = 0.0;
  double high = 1.0;
};

/// A lognormal renormalised on [low, high]; `median` and `sigma` are the parent's.
struct TruncatedLogNormal {
  double median = 1.0;
  double sigma = 0.1;
  double low = 0.0;
  double high = 1.0;
};

/// A normal whose values beyond low and high lie at low and high: these are atoms.
struct ClampedNormal {
  double mean = 0.0;
  double sd = 1.0;
  double low = 0.0;
  double high = 1.0;
};

/// A lognormal whose values beyond low and high lie at low and high.
struct ClampedLogNormal {
  double median = 1.0;
  double sigma = 0.1;
  double low = 0.0;
  double high = 1.0;
};

/// A measured law: quantile function linear between the points (probability[i], value[i]).
/// probability is strictly increasing from 0 to 1, value is non-decreasing.
struct Empirical {
  std::vector<double> probability;
  std::vector<double> value;
};

/// Any continuous law, as what it makes of a standard normal score: B = h(Z), Z ~ N(0, 1) given
/// low <= Z <= high. h(start + i step) = value[i] with the derivative slope[i] (both strictly
/// positive in the difference), cubic in between, linear beyond the ends. Made by
/// core/law/quantile_curve.h.
struct QuantileCurve {
  double start = 0.0;
  double step = 1.0;
  std::vector<double> value;
  std::vector<double> slope;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

using Shape = std::variant<Point, Normal, LogNormal, TruncatedNormal, TruncatedLogNormal, Empirical,
                           ClampedNormal, ClampedLogNormal, QuantileCurve>;

/// One component of a mixture: X = scale * C(B) * (1 + relative_noise * xi), where B follows
/// `base`, C(b) = b / (1 + compression * b) is a conductance behind a series resistance
/// `compression`, and xi ~ N(0, 1) is independent of B (relative read noise).
struct Component {
  double weight = 1.0;
  Shape base;
  double compression = 0.0;
  double relative_noise = 0.0;
  double scale = 1.0;  ///< for example the read voltage [V]; negative for a subtracted current
};

enum class Tail { lower, upper };

/// Parameters that make no law. Whoever read them knows their place and says it with these parts.
class LawError : public UsageError {
 public:
  LawError(std::string problem, std::string why, std::string remedy = {});
  const std::string& problem() const { return problem_; }
  const std::string& why() const { return why_; }
  const std::string& remedy() const { return remedy_; }

 private:
  std::string problem_;
  std::string why_;
  std::string remedy_;
};

/// The law of one real quantity. Immutable; the weights sum to 1.
/// Tail probabilities keep their relative accuracy far out: use the nearer side.
class Law {
 public:
  Law();  ///< the point 0
  /// Throws LawError when a parameter is not finite, a spread is negative, the weights don't sum
  /// to 1 within 1e-12, or compression meets a base that can reach a pole of C (b <=
  /// -1/compression; a plain normal and a quantile curve count as reaching it when its mean is less
  /// than 9 sd above the pole).
  explicit Law(std::vector<Component> components);
  static Law point(double value);
  static Law normal(double mean, double sd);
  static Law lognormal(double median, double sigma);

  double mean() const { return mean_; }
  double variance() const { return variance_; }
  double sd() const;
  /// P(X <= x) for Tail::lower, P(X > x) for Tail::upper. Relative accuracy about 1e-12 down to
  /// 1e-300.
  double tail_probability(Tail side, double x) const;
  /// The x with tail_probability(side, x) = probability, 0 < probability < 1.
  double quantile(Tail side, double probability) const;
  /// The law of factor * X.
  Law scaled(double factor) const;
  /// The normal law (or point, as sd = 0) that this is exactly, where it is one.
  std::optional<Normal> as_normal() const;
  /// None of them is clamped: those are given as what they consist of.
  const std::vector<Component>& components() const { return components_; }

 private:
  std::vector<Component> components_;
  double mean_ = 0.0;
  double variance_ = 0.0;
};

}  // namespace cimstat::core
