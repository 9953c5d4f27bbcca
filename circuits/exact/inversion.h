#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/law/characteristic.h"
#include "core/law/law.h"

#include "circuits/exact/split_sums.h"
#include "circuits/exact/sum_noise.h"
#include "circuits/exact/sum_series.h"

/// Distribution functions of sums of independent parts, by inversion of their characteristic
/// function.
///
/// Gil-Pelaez on midpoints (Davies, Biometrika 60, 1973): with u_k = (k + 1/2) h,
///   P(S < t) = 1/2 - (1/pi) sum_k Im(phi(u_k) exp(-i u_k t)) / (k + 1/2),
/// wrong by at most max(P(S > t + L), P(S < t - L)), L = 2 pi / h. Each class of counts gets its
/// own L from rigorous bounds on its tails and its own last frequency from a rigorous bound on
/// |phi|, so that light-tailed classes cost a few dozen terms. Nothing is damped, so nothing
/// amplifies rounding. Where |phi| falls too slowly, what makes it do so is taken out of the sum
/// (circuits/exact/split_sums.h), and the error may grow up to 1e-6.
namespace cimstat::circuits {

/// Plans and evaluates the series of many sums that are made of the same parts.
class Inversion {
 public:
  /// classes[c][p]: how many copies of laws[p] class c adds up. `tolerance` is the aimed-at error.
  Inversion(const std::vector<core::Law>& laws, const SumNoise& noise,
            const std::vector<std::vector<std::uint32_t>>& classes, double tolerance);

  /// Why a class can't be inverted, where one can't.
  const std::optional<std::string>& obstacle() const { return obstacle_; }
  /// Whether part of a class's sum is in closed form: its distribution function may have steps, and
  /// its error may exceed the tolerance.
  bool is_split(std::size_t class_index) const { return plans_[class_index].removed.has_value(); }
  /// Computes the transforms that all series share. Needs obstacle() to be empty.
  void prepare();
  /// May be called from several threads after prepare(). The result depends on the laws, the noise,
  /// the tolerance and the class alone.
  SumSeries series(std::size_t class_index) const;

 private:
  struct Plan {
    double mean = 0.0;
    double low = 0.0;
    double high = 0.0;
    int exponent = 0;  ///< h = 2^exponent
    std::size_t terms = 0;
    double error = 0.0;                         ///< tails, aliases and truncation
    double rounding = 0.0;                      ///< of sums of atoms
    std::optional<SplitSums::Removed> removed;  ///< only the rest of the sum is inverted
    std::shared_ptr<const ClosedPart> closed;   ///< what was removed
  };
  struct Table {  ///< ln phi of each law at (k + 1/2) 2^exponent
    int exponent = 0;
    std::size_t terms = 0;
    struct Entry {
      std::vector<double> real;
      std::vector<double> imaginary;
      std::vector<double> error;  ///< relative
    };
    std::vector<Entry> laws;
  };
  class Planner;
  const Table& table(int exponent) const;
  void prepare_split();
  SumSeries series_of_rest(const Plan& plan, const std::vector<std::uint32_t>& counts) const;

  std::vector<core::Characteristic> transforms_;
  SumNoise noise_;
  std::vector<std::vector<std::uint32_t>> classes_;
  std::vector<Plan> plans_;
  std::vector<Table> tables_;
  std::shared_ptr<const SplitSums> split_;  ///< where a plan removes something
  std::vector<SplitSums::Table> split_tables_;
  std::optional<std::string> obstacle_;
};

}  // namespace cimstat::circuits
