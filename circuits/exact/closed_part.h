#pragma once

#include <memory>
#include <vector>

#include "core/law/law.h"
#include "core/law/split_law.h"

#include "circuits/exact/sum_noise.h"

namespace cimstat::circuits {

/// How far x may be from an atom that it counts as equal to, where sums of atoms are off by
/// `rounding` at most.
double slack(double rounding, double x);

/// What of a sum's distribution needs no inversion: the cases in which all cells sit at atoms, and
/// (without noise) those in which all but one do.
class ClosedPart {
 public:
  /// All cells but one sit at atoms, which add up to `shift`; that one follows `law`, which has no
  /// atom.
  struct OneCell {
    double shift = 0.0;
    double weight = 0.0;
    std::shared_ptr<const core::Law> law;
  };

  /// `rounding`: values closer to each other count as equal. Noise has no bend, and is Gaussian,
  /// logistic or nothing; with noise `cells` is empty.
  ClosedPart(std::vector<core::Atom> sums, std::vector<OneCell> cells, const SumNoise& noise,
             double rounding);

  /// P(S < x, and S is in this part).
  double below(double x) const;
  double density(double x) const;  ///< of what has one
  double mass() const { return mass_; }
  double rounding() const { return rounding_; }

 private:
  std::vector<core::Atom> sums_;
  std::vector<double> cumulated_;  ///< weights of the sums before
  std::vector<OneCell> cells_;
  SumNoise noise_;
  double rounding_;
  double mass_ = 0.0;
};

}  // namespace cimstat::circuits
