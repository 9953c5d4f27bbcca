#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "circuits/error_table.h"

#include "experiments/inference/accuracy_run.h"

/// Two error tables, class by class: do they say the same, and if not, how far apart are they?
namespace cimstat::experiments {

/// Codes whose expected count is below this are counted together in the test of all codes.
inline constexpr double smallest_expectation = 10.0;

enum class ComparisonBasis {
  exact,              ///< both exact: a difference beyond the sum of the two error bounds is one
  exact_and_sampled,  ///< G test of the codes and exact binomial test of the misreads
  sampled,            ///< G test of homogeneity and Fisher's exact test of the misreads
};

struct ClassComparison {
  circuits::ColumnClass column_class;
  std::string label = {};  ///< ErrorTable::label
  Estimate misread_a;
  Estimate misread_b;
  Estimate misread_difference;  ///< b - a
  Estimate total_variation;     ///< largest difference in the probability of any set of codes
  /// Largest |P_a - P_b| of a code as a multiple of the sum of the bounds; both exact only.
  double beyond_bounds = 0.0;
  // Both tests' p-values, adjusted by Holm over all tests of the comparison; else 1.
  double codes_p_value = 1.0;
  double misread_p_value = 1.0;
  bool differs = false;

  double p_value() const {
    return codes_p_value < misread_p_value ? codes_p_value : misread_p_value;
  }
};

/// The misreads of all classes together: a shift of one sign that no class shows on its own.
struct PooledMisread {
  double a = 0.0;  ///< mean over the classes
  double b = 0.0;
  double p_value = 1.0;  ///< adjusted as those of the classes; 1 where both are exact
  bool differs = false;
};

struct TableComparison {
  ComparisonBasis basis = ComparisonBasis::exact;
  std::vector<ClassComparison> classes;  ///< in both tables, ascending
  std::vector<circuits::ColumnClass> only_in_a;
  std::vector<circuits::ColumnClass> only_in_b;
  /// Of both tables; empty where rows have two states.
  std::vector<std::int32_t> state_values;
  bool same_codes = true;  ///< as many codes, standing for the same MAC values
  PooledMisread pooled;
  std::size_t differing = 0;  ///< classes

  bool differ() const { return !same_codes || differing > 0 || pooled.differs; }
  /// Indices into `classes`, the most different first: by p-value or excess over the bounds, then
  /// by total variation, then in their order.
  std::vector<std::size_t> by_difference() const;
};

/// `level` bounds the chance that any difference is reported where there is none (both tables drawn
/// from the same probabilities, independently). Intervals hold at `confidence`, for each class on
/// its own. Where the codes are not the same, only the misreads are compared. Throws UsageError
/// when no class is in both, or rows have other states.
TableComparison compare_tables(const circuits::ErrorTable& a, const circuits::ErrorTable& b,
                               double level, double confidence);

}  // namespace cimstat::experiments
