#include "circuits/converters/code_response.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace cimstat::circuits {
namespace {

/// P(above) and P(not above) of the uncertain comparators, first .. end - 1.
struct Comparisons {
  std::size_t first = 0;
  std::size_t end = 0;
  std::vector<double> above;
  std::vector<double> below;
};

/// How many of the comparators say "above".
std::vector<double> ones(const Comparisons& comparisons) {
  std::vector<double> probability{1.0};
  for (std::size_t i = 0; i < comparisons.above.size(); ++i) {
    probability.push_back(0.0);
    for (std::size_t c = probability.size(); c-- > 0;) {
      probability[c] = probability[c] * comparisons.below[i] +
                       (c > 0 ? probability[c - 1] * comparisons.above[i] : 0.0);
    }
  }
  return probability;
}

/// How many say "above" before the first one that does not.
std::vector<double> ones_before_a_zero(const Comparisons& comparisons) {
  std::vector<double> probability;
  double all = 1.0;
  for (std::size_t i = 0; i < comparisons.above.size(); ++i) {
    probability.push_back(all * comparisons.below[i]);
    all *= comparisons.above[i];
  }
  probability.push_back(all);
  return probability;
}

/// Where a binary search among codes 0 .. codes - 1 ends.
std::vector<double> search_ends(const Comparisons& comparisons, std::size_t codes) {
  std::vector<double> probability;
  for (std::size_t code = comparisons.first; code <= comparisons.end; ++code) {
    double product = 1.0;
    std::size_t so_far = 0;
    for (std::size_t bit = std::bit_floor(codes - 1); bit > 0; bit /= 2) {
      const std::size_t trial = so_far | bit;  // meets reference trial - 1
      const bool kept = (code & bit) != 0;
      if (trial <= comparisons.first) {
        product *= kept ? 1.0 : 0.0;
      } else if (trial > comparisons.end) {
        product *= kept ? 0.0 : 1.0;
      } else {
        const std::size_t i = trial - 1 - comparisons.first;
        product *= kept ? comparisons.above[i] : comparisons.below[i];
      }
      if (kept) so_far = trial;
    }
    probability.push_back(product);
  }
  return probability;
}

}  // namespace

CodeResponse::CodeResponse(ConverterKind kind, double decision_sd,
                           std::span<const double> references, double reach)
    : kind_(kind), sd_(decision_sd), width_(reach * decision_sd), references_(references) {
  for (std::size_t j = 0; j < references.size(); ++j) {
    // Where the code's place relative to reference j is not certain, the current lies within one
    // width of it, and within another one lie the references that matter there.
    const auto first =
        std::lower_bound(references.begin(), references.end(), references[j] - 2.0 * width_);
    const auto end = std::upper_bound(first, references.end(), references[j] + 2.0 * width_);
    draws_ = std::max(draws_, static_cast<std::size_t>(end - first));
  }
  if (kind == ConverterKind::sar) {
    draws_ = std::min(draws_, static_cast<std::size_t>(std::bit_width(references.size())));
  }
}

CodeResponse::Codes CodeResponse::at(double current) const {
  const auto first = std::lower_bound(references_.begin(), references_.end(), current - width_);
  const auto end = std::upper_bound(first, references_.end(), current + width_);
  Comparisons comparisons{static_cast<std::size_t>(first - references_.begin()),
                          static_cast<std::size_t>(end - references_.begin()),
                          {},
                          {}};
  for (auto reference = first; reference != end; ++reference) {
    const double z = (current - *reference) / (sd_ * std::numbers::sqrt2);
    comparisons.above.push_back(0.5 * std::erfc(-z));
    comparisons.below.push_back(0.5 * std::erfc(z));
  }
  switch (kind_) {
    case ConverterKind::flash:
      return {comparisons.first, ones(comparisons)};
    case ConverterKind::flash_lowest_zero:
    case ConverterKind::ramp:
      return {comparisons.first, ones_before_a_zero(comparisons)};
    case ConverterKind::sar:
    case ConverterKind::pipeline:  // these two are never asked: circuit_reason
    case ConverterKind::cyclic:
      break;
  }
  return {comparisons.first, search_ends(comparisons, references_.size() + 1)};
}

}  // namespace cimstat::circuits
