#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "core/law/characteristic.h"
#include "core/law/exponential_moment.h"
#include "core/law/law.h"

#include "circuits/exact/sum_noise.h"
#include "circuits/exact/sum_series.h"

namespace cimstat::circuits {

/// A tail probability and a bound on its absolute error.
struct BoundedTail {
  double value = 0.0;
  double error = 1.0;
};

/// One tail of a sum with its relative accuracy, by integrating along Re s = tilt, near the saddle
/// point of tails of about 1e-20:
///   P(S > t) = (h / pi) sum_k Re M(s_k) exp(-s_k t) / s_k,  s_k = tilt + i (k + 1/2) h,
/// wrong by at most exp(-tilt L) + exp(tilt L) P(S > t + L), L = 2 pi / h, and by the terms left
/// out.
class TiltedTail {
 public:
  /// P(S + noise > x), or for the lower tail P(S + noise < x).
  BoundedTail operator()(double x) const;

 private:
  friend class TiltedSums;
  SumSeries series_;  ///< its density() is the sum over k, mirrored for a lower tail
  bool mirrored_ = false;
  double tilt_ = 0.0;
  double log_scale_ = 0.0;  ///< of the terms
  double relative_ = 0.0;   ///< error of the sum over k in units of the scale
  double length_ = 0.0;     ///< L
  std::vector<std::pair<double, double>> moments_;  ///< larger tilts and ln M there, centred
};

/// Plans and evaluates the tails of many sums that are made of the same parts. A side of a sum has
/// them where every part has exponential moments there and Gaussian or logistic noise, or normal
/// cells, smooth it; right tails of sums with lognormal cells have none.
class TiltedSums {
 public:
  TiltedSums(const std::vector<core::Law>& laws, const SumNoise& noise);

  /// Plans the tails of a class. The index serves tail().
  std::size_t add(std::span<const std::uint32_t> counts);
  /// Computes what tails share.
  void prepare();
  /// Nothing where a side has none. May be called from several threads after prepare().
  std::optional<TiltedTail> tail(std::size_t index, core::Tail side) const;
  bool has_tail(std::size_t index, core::Tail side) const {
    return classes_[index].sides[side == core::Tail::lower ? 0 : 1].has_value();
  }
  /// Chernoff's bound on a tail; 1 where a side has none.
  double bound(std::size_t index, core::Tail side, double x) const;

 private:
  struct Plan {
    int tilt = 0;  ///< index on the grid 2^(i/4); negated parts for the lower side
    int exponent = 0;
    std::size_t terms = 0;
    double left_out = 0.0;  ///< relative to the moment
    std::vector<std::pair<double, double>> moments;
  };
  struct Class {
    std::vector<std::uint32_t> counts;
    double mean = 0.0;
    std::array<std::optional<Plan>, 2> sides;
  };
  using Key = std::tuple<std::size_t, int, int>;  ///< side, tilt, exponent
  struct Shared {
    struct Entry {
      std::vector<double> log_modulus;
      std::vector<double> phase;
      std::vector<double> error;  ///< ln of one plus the relative one
    };
    std::size_t terms = 0;
    std::vector<double> noise_log_modulus;
    std::vector<double> noise_phase;
    std::vector<Entry> laws;
  };
  std::optional<Plan> plan(std::span<const std::uint32_t> counts, double sd, std::size_t side);
  /// ln E exp(+-2^(i/4) (X - mean)) of each law; infinite where it has none that can be used.
  const std::vector<double>& log_moments(std::size_t side, int tilt);
  double log_moment(std::span<const std::uint32_t> counts, std::size_t side, int tilt);

  std::vector<core::Characteristic> transforms_;
  std::vector<core::ExponentialMoment> moments_;
  std::vector<double> means_;
  std::vector<double> variances_;
  std::vector<double> normal_variances_;  ///< of laws that are normal
  SumNoise noise_;
  std::map<std::pair<std::size_t, int>, std::vector<double>> log_moments_;  ///< by side and tilt
  std::vector<Class> classes_;
  std::map<Key, Shared> shared_;
};

/// Replaces the entries of a row P(code), and the bounds on their errors, by differences of tails
/// where these are surer. `mean`: of the sum.
void refine_row(const TiltedSums& sums, std::size_t index, double mean,
                std::span<const double> references, std::span<double> row, std::span<double> error);

}  // namespace cimstat::circuits
