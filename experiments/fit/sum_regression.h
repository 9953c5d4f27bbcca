#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

/// Two kinds of cells from sums of some of each: I = sum of k LRS and m HRS cells + constant +
/// noise, all independent. E I = k mu_L + m mu_H + b; Var I = k v_L + m v_H + v_noise.
namespace cimstat::experiments {

/// Count, mean and sums of powers of the deviations from it (Pebay, Sandia report 2008-6212).
class PowerSums {
 public:
  void add(double value);
  std::uint64_t count() const { return count_; }
  double mean() const { return mean_; }
  /// Sum over the values of (value - centre)^power, power 2, 3 or 4.
  double about(double centre, int power) const;

 private:
  std::uint64_t count_ = 0;
  double mean_ = 0.0;
  double second_ = 0.0;
  double third_ = 0.0;
  double fourth_ = 0.0;
};

/// All that the regression needs of any number of vectors: currents [A] by (LRS, HRS cells that
/// were active).
using SumGroups = std::map<std::pair<std::uint32_t, std::uint32_t>, PowerSums>;

enum class Constant { none, fitted };

struct SumModel {
  Constant constant = Constant::none;
  std::optional<double> noise_variance = {};  ///< where it is known; else it is fitted
};

struct FittedValue {
  double value = 0.0;
  /// From the information matrix: right where the sums are normal.
  double standard_error = 0.0;
  /// From the residuals themselves (Huber and White): right for any shape.
  double robust_error = 0.0;
};

/// A chi-square statistic and P(chi^2 as large).
struct ChiSquare {
  double statistic = 0.0;
  double degrees = 0.0;
  double p_value = 1.0;
};

struct SumFit {
  std::uint64_t vectors = 0;
  std::uint64_t groups = 0;
  FittedValue lrs_mean;  ///< [A]
  FittedValue hrs_mean;
  std::optional<FittedValue> constant;
  FittedValue lrs_variance;  ///< [A^2]; 0 where the likelihood is largest there
  FittedValue hrs_variance;
  std::optional<FittedValue> noise_variance;  ///< where it was fitted
  double log_likelihood = 0.0;
  ChiSquare means;        ///< of group means about the straight line
  ChiSquare spreads;      ///< of group variances about theirs, by the kurtosis of the residuals
  double skewness = 0.0;  ///< of the residuals, each over its own sd
  double excess_kurtosis = 0.0;
};

/// Why these vectors can't tell the parameters apart, and what to do; nothing where they can.
struct Unidentified {
  std::string why;
  std::string remedy;
};
std::optional<Unidentified> unidentified(const SumGroups& groups, const SumModel& model);

/// Restricted maximum likelihood (Patterson and Thompson, Biometrika 58, 1971, 545) for normal
/// sums: means by weighted least squares, variances (none negative) by Fisher scoring, in turns.
/// `groups` must be identified. Throws DataError where it does not settle.
SumFit fit_sums(const SumGroups& groups, const SumModel& model);

}  // namespace cimstat::experiments
