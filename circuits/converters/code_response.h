#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "circuits/column.h"

namespace cimstat::circuits {

/// P(code | sensed current) of a converter whose comparators have noise of their own. With p_j =
/// Phi((x - T_j) / sd), j = 1 .. N:
///   flash              how many of N independent trials with p_1 .. p_N succeed (Poisson binomial)
///   flash_lowest_zero, p_1 .. p_c (1 - p_{c+1})
///   ramp
///   sar                the product along the path of the binary search to c
class CodeResponse {
 public:
  /// `decision_sd` > 0 [A]; comparators whose references lie further than `reach` standard
  /// deviations from the current count as certain. Refers to `references`.
  CodeResponse(ConverterKind kind, double decision_sd, std::span<const double> references,
               double reach);

  /// Codes that are possible at one current, from `first` on; all others have probability 0.
  struct Codes {
    std::size_t first = 0;
    std::vector<double> probability;
  };
  Codes at(double current) const;

  std::span<const double> references() const { return references_; }
  double sd() const { return sd_; }        ///< [A]
  double width() const { return width_; }  ///< of the reach [A]
  /// How many independent draws decide at most whether the code is above some reference, beside
  /// those that are certain. P(code >= j | x) is then a rising function smoothed by a normal of
  /// variance sd^2 / draws: the mean of the draws moves all comparisons alike, like x.
  std::size_t draws() const { return draws_; }

 private:
  ConverterKind kind_;
  double sd_;
  double width_;
  std::span<const double> references_;
  std::size_t draws_ = 1;
};

}  // namespace cimstat::circuits
