#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "circuits/column.h"
#include "circuits/converters/code_piece.h"

namespace cimstat::circuits {

/// Converters that compare with each reference once: flash, flash_lowest_zero, ramp.
///
/// References of a flash converter are tapped from a string of N + 1 resistors between fixed ends:
/// tap j lies at (N + 1) (r_1 + ... + r_j) / (r_1 + ... + r_{N+1}), so that its variance is
/// j (N + 1 - j) / (N + 1) element_sd^2 to first order. Level j of a ramp has gathered j steps of
/// 1 + element_sd z each: variance j element_sd^2.
/// Draws of an instance: the resistors or steps, in ascending order; then the offset of each
/// comparator (flash) or of the only one (ramp). Its values: the levels.
class ReferenceLevels {
 public:
  /// Standard deviations in steps.
  ReferenceLevels(ConverterKind kind, std::vector<double> positions, double element_sd,
                  double offset_sd, double noise_sd);

  std::size_t frozen_draws() const;
  std::size_t fresh_draws() const { return noise_sd_ > 0.0 ? positions_.size() : 0; }
  void freeze(NormalDraws draws, std::vector<double>& values) const;
  std::uint32_t code(std::span<const double> values, double position, NormalDraws noise) const;
  std::vector<CodePiece> pieces(std::span<const double> values) const;

 private:
  bool is_ramp() const { return kind_ == ConverterKind::ramp; }
  std::size_t elements() const;

  ConverterKind kind_;
  std::vector<double> positions_;
  double element_sd_;
  double offset_sd_;
  double noise_sd_;
};

}  // namespace cimstat::circuits
