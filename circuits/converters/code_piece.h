#pragma once

#include <cstddef>
#include <cstdint>

/// What the converters of this folder have in common.
namespace cimstat::circuits {

/// Standard normal draws, `stride` apart: those of one trial of a tile lie across its rows.
struct NormalDraws {
  const float* first = nullptr;
  std::size_t stride = 1;

  double operator[](std::size_t i) const { return double{first[i * stride]}; }
  NormalDraws from(std::size_t i) const { return {first + i * stride, stride}; }
};

/// A code, from this position on to that of the next piece.
struct CodePiece {
  double from = 0.0;  ///< -infinity for the first
  std::uint32_t code = 0;
};

}  // namespace cimstat::circuits
