#pragma once

#include <functional>
#include <utility>
#include <vector>

/// Distributions of sums of up to four cells by nested Gauss-Legendre integration of densities in
/// extended precision, split at every corner, with atoms gone through one by one. Shares no code
/// and no idea with what it checks.
namespace cimstat::tests {

using Real = long double;

struct OracleCell {
  std::function<Real(Real)> density;  ///< of the part without atoms
  std::function<Real(Real)> below;    ///< its distribution function
  std::vector<Real> panels;   ///< between these, both are smooth on the scale of the spacing
  std::vector<Real> corners;  ///< where the density leaps
  std::vector<std::pair<Real, Real>> atoms;  ///< value, probability
};

/// P(sum of the cells < t).
Real below_by_nesting(const std::vector<OracleCell>& cells, Real t);

OracleCell point_cell(double value);
OracleCell normal_cell(double mean, double sd);
OracleCell lognormal_cell(double median, double sigma);
OracleCell logistic_cell(double sd);
OracleCell truncated_normal_cell(double mean, double sd, double low, double high);
OracleCell truncated_lognormal_cell(double median, double sigma, double low, double high);
OracleCell clamped_normal_cell(double mean, double sd, double low, double high);
OracleCell clamped_lognormal_cell(double median, double sigma, double low, double high);
/// Quantile function linear between the points; equal values make an atom.
OracleCell measured_cell(const std::vector<double>& probability, const std::vector<double>& value);
/// `cell` with probability 1 - weight, else stuck at `value`.
OracleCell stuck(OracleCell cell, double weight, double value);
/// One of two cells.
OracleCell either(const OracleCell& first, double weight, const OracleCell& second);
OracleCell negated(const OracleCell& cell);
OracleCell scaled(const OracleCell& cell, double factor);

}  // namespace cimstat::tests
