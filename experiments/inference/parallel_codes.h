#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "circuits/column.h"

#include "experiments/inference/code_sampler.h"
#include "experiments/inference/column_kernel.h"
#include "experiments/inference/weighted_reads.h"

/// Codes of columns that follow from weighted counts (weighted_reads.h).
namespace cimstat::experiments {

/// P(code | weighted count) for each span of a row (circuits/weights/weighted_count.h) that occurs,
/// and draws from it: one 32-bit word a draw, by CodeSampler's slots, which hold the codes of each
/// class from the first that can occur on. With a sign, counts are classes from the least on.
class ParallelCodes {
 public:
  enum class Errors {
    drawn,
    none,  ///< each count gives the code that stands for it
  };

  /// `spans`: none of them twice; most_rows: active at a time; `array`: how weights lie, where a
  /// sum of 0 does, and ties. Throws UsageError for a column whose codes do not follow from
  /// weighted counts, and for too many classes.
  ParallelCodes(const circuits::ColumnDesign& design, std::span<const std::uint32_t> spans,
                std::uint32_t most_rows, const ArrayOptions& array, Errors errors = Errors::drawn);

  std::uint32_t codes() const { return codes_; }
  double code_step() const { return code_step_; }      ///< where a row spans 1; of other spans
  double code_origin() const { return code_origin_; }  ///< so many times as much
  /// P(code) of a count m among levels A, computed from what is sampled.
  std::vector<long double> implied(std::uint32_t span, std::int64_t value,
                                   std::uint32_t levels) const;

  /// Replaces the weighted counts [vector][lane] of a read's slices, at their first planes, by its
  /// codes times what a row spans: all then count in one unit.
  void draw(const ColumnRead& read, const ColumnGroups& groups, const WeightSlices& slices,
            const DrawOrigin& origin, std::span<const std::uint32_t> words,
            std::span<std::uint32_t> counts) const;

  /// SHA-256 of all laws and of `text`.
  std::string sha256(const std::string& text) const;

 private:
  struct OfSpan {
    std::uint32_t span;
    CodeSampler sampler;
    std::vector<std::uint32_t> first_code;  ///< [class]
    std::string sha256;                     ///< of the laws
  };
  const OfSpan& of(std::uint32_t span) const;
  /// Where the laws of a slice of a read lie.
  struct Lookup {
    const CodeSampler* sampler;
    const std::uint32_t* slots;       ///< of the first class
    const std::uint32_t* first_code;  ///< of the same
    unsigned slot_bits;
    std::uint32_t rows;  ///< n of the classes (k, n)
    std::uint32_t zero;  ///< k of a count of 0
    std::uint32_t span;
  };
  Lookup lookup(const ColumnRead& read, const WeightSlices& slices, std::uint32_t slice) const;
  /// n of the classes (k, n) that stand for counts among these levels.
  std::uint32_t class_rows(std::uint32_t span, std::uint32_t levels) const {
    return by_levels_ ? levels : most_rows_ * span;
  }
  /// k of a count of 0.
  std::uint32_t zero_class(std::uint32_t span) const {
    return has_sign_ ? most_rows_ * span / 2 : 0;
  }

  std::uint32_t codes_;
  double code_step_;
  double code_origin_;
  std::uint32_t most_rows_;
  bool by_levels_;
  bool has_sign_;
  std::vector<OfSpan> spans_;  ///< ascending
};

/// Throws UsageError where ParallelCodes would, without computing anything.
void check_parallel_codes(const circuits::ColumnDesign& design,
                          std::span<const std::uint32_t> spans, std::uint32_t most_rows,
                          const ArrayOptions& array);

}  // namespace cimstat::experiments
