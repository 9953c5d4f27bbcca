#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "circuits/converters/code_piece.h"

namespace cimstat::circuits {

/// Weights of successive approximation for codes 0 .. `references`, from the highest down, whole
/// multiples of the last, which is 1. Radix 2: the powers of 2. Below 2, each weight is
/// floor(radix times the next one), at least 1 more than it, and never above 1 + the sum of those
/// that follow: every code is reached, and decisions overlap, so that later ones make good a wrong
/// one. 1 < radix <= 2, references < 2^16.
std::vector<std::uint32_t> search_weights(std::uint32_t references, double radix);

struct ArrayMismatch {
  double capacitor_sd = 0.0;     ///< of a unit capacitor, relative
  double offset_sd = 0.0;        ///< of the comparator, in steps
  double noise_sd = 0.0;         ///< of each decision, in steps
  std::uint32_t split_bits = 0;  ///< radix 2 only; less than the weights there are
  double radix = 2.0;
};

/// Successive approximation against a capacitor array.
///
/// A weight W is W unit capacitors; one more closes the array. The level of kept weights is their
/// share of all capacitance, so that codes 0 and 2^B have no error. With split_bits = l the lower l
/// bits are an array of their own behind a bridge of 2^l / (2^l - 1) units:
///   level = (C_kept + a c_kept) / (C + a c),  a = C_bridge / (C_bridge + c),
/// C of the upper array, c of the lower one with its closing unit.
/// Where weights overlap, each is compared in the middle of the overlap. The code is the sum of the
/// nominal weights kept, N at the most; a weight that would lead beyond N is not tried.
/// Draws of an instance: the capacitors from the highest down, the closing one, the bridge; then
/// the offset. Its values: each weight in steps, then the offset.
class CapacitorArray {
 public:
  CapacitorArray(std::vector<double> positions, const ArrayMismatch& mismatch);

  std::size_t frozen_draws() const;
  std::size_t fresh_draws() const { return mismatch_.noise_sd > 0.0 ? weights_.size() : 0; }
  void freeze(NormalDraws draws, std::vector<double>& values) const;
  std::uint32_t code(std::span<const double> values, double position, NormalDraws noise) const;
  std::vector<CodePiece> pieces(std::span<const double> values) const;

 private:
  struct Search;
  void split(std::vector<double>& capacitors, double closing, double bridge) const;
  /// Where weight k is compared after weights that nominally make `kept`, in truth `level`.
  double threshold(std::span<const double> values, std::size_t k, std::uint32_t kept,
                   double level) const;

  std::vector<double> positions_;
  ArrayMismatch mismatch_;
  std::vector<std::uint32_t> weights_;
  std::vector<double> shifts_;  ///< to the middle of the overlap
};

}  // namespace cimstat::circuits
