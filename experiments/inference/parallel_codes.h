#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "circuits/column.h"

#include "experiments/inference/code_sampler.h"
#include "experiments/inference/column_kernel.h"

/// Codes of columns whose rows are driven at the levels of several activation bits.
namespace cimstat::experiments {

/// P(code | weighted count) for each number of bits that a cycle has, and draws from it: one 32-bit
/// word a draw, as CodeSampler does, which holds the codes of each class from the first that can
/// occur on.
class ParallelCodes {
 public:
  enum class Errors {
    drawn,
    none,  ///< each count gives the code that stands for it
  };

  /// `widths`: bits of the cycles, none of them twice; most_rows: active at a time. Throws
  /// UsageError for a column whose codes do not follow from weighted counts, and for too many
  /// classes.
  ParallelCodes(const circuits::ColumnDesign& design, std::span<const std::uint32_t> widths,
                std::uint32_t most_rows, Errors errors = Errors::drawn);

  std::uint32_t codes() const { return codes_; }
  double code_step() const { return code_step_; }      ///< of a cycle of one bit; of b bits
  double code_origin() const { return code_origin_; }  ///< 2^b - 1 times as much
  /// P(code) of a count m among levels A, computed from what is sampled.
  std::vector<long double> implied(std::uint32_t bits, std::uint32_t value,
                                   std::uint32_t levels) const;

  /// Replaces the weighted counts [vector][lane] of a read's planes by its codes, times 2^b - 1:
  /// all cycles then count in one unit.
  void draw(const ColumnRead& read, const ColumnGroups& groups, const DrawOrigin& origin,
            std::span<const std::uint32_t> words, std::span<std::uint32_t> counts) const;

  /// SHA-256 of all laws and of `text`.
  std::string sha256(const std::string& text) const;

 private:
  struct Width {
    CodeSampler sampler;
    std::vector<std::uint32_t> first_code;  ///< [class]
    std::string sha256;                     ///< of the laws
  };
  const Width& width(std::uint32_t bits) const { return *widths_[bits]; }
  /// n of the classes (k, n) that stand for counts among these levels.
  std::uint32_t class_rows(std::uint32_t bits, std::uint32_t levels) const {
    return by_levels_ ? levels : most_rows_ * ((1U << bits) - 1);
  }

  std::uint32_t codes_;
  double code_step_;
  double code_origin_;
  std::uint32_t most_rows_;
  bool by_levels_;
  std::vector<std::optional<Width>> widths_;  ///< [bits]
};

/// Throws UsageError where ParallelCodes would, without computing anything.
void check_parallel_codes(const circuits::ColumnDesign& design,
                          std::span<const std::uint32_t> widths, std::uint32_t most_rows);

}  // namespace cimstat::experiments
