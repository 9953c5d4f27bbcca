#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "circuits/converters/code_piece.h"

namespace cimstat::circuits {

struct StageMismatch {
  double capacitor_sd = 0.0;  ///< of each of a stage's two capacitors, relative
  double offset_sd = 0.0;     ///< of each comparator, in steps at the input of its stage
  double noise_sd = 0.0;      ///< of each decision, in steps at the input of its stage
  double amplifier_gain = std::numeric_limits<double>::infinity();
  bool same_stage = false;  ///< cyclic: all stages are one
};

/// Pipelined and cyclic converters of B bits: B - 1 stages of 1.5 bits, then one comparator.
///
/// With v = -1 .. 1 the input of a stage, d = -1, 0 or 1 by its comparators at -1/4 and 1/4,
///   residue = ((1 + g) v - g d) / (1 + 1 / (A beta)),  g = C_2 / C_1, beta = C_1 / (C_1 + C_2),
/// (flip-around doubling stage; C_1 = C_2 and A = infinity: 2 v - d), and the code is
///   2^(B-1) + sum d_i 2^(B-1-i) - [last residue < 0], N at the most.
/// Comparators may be wrong by up to 1/4: the next stages make it good.
/// Draws of an instance: C_1 and C_2 of each stage, then the two comparators of each stage and the
/// last one. Its values, for each stage: gain, step, lower and upper threshold; then the last
/// threshold.
class ResidueStages {
 public:
  /// For codes 0 .. `references`, 2 or more.
  ResidueStages(std::uint32_t references, const StageMismatch& mismatch);

  std::size_t frozen_draws() const;
  std::size_t fresh_draws() const { return mismatch_.noise_sd > 0.0 ? 2 * stages() + 1 : 0; }
  void freeze(NormalDraws draws, std::vector<double>& values) const;
  std::uint32_t code(std::span<const double> values, double position, NormalDraws noise) const;
  std::vector<CodePiece> pieces(std::span<const double> values) const;

 private:
  struct Walk;
  std::size_t stages() const { return bits_ - 1; }
  std::size_t built_stages() const { return mismatch_.same_stage ? 1 : stages(); }
  /// The four values of stage i.
  std::span<const double> stage(std::span<const double> values, std::size_t i) const;
  std::uint32_t clamped(std::int64_t code) const;

  std::uint32_t references_;
  std::uint32_t bits_;
  double half_range_;  ///< in steps
  StageMismatch mismatch_;
};

}  // namespace cimstat::circuits
