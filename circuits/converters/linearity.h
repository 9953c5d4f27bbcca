#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "circuits/converters/code_piece.h"

/// Transition levels of a converter and what they differ by from a straight line. After IEEE Std
/// 1241; positions and results in steps (LSB).
namespace cimstat::circuits {

/// T_1 .. T_N of codes 0 .. N: below T_j lies as much of the input as has codes below j. For a
/// converter without steps back these are its transitions; for others they are what a histogram of
/// a uniform input finds.
std::vector<double> transitions(std::span<const CodePiece> pieces, std::size_t references);

enum class Line {
  ideal,      ///< where the transitions should lie
  end_point,  ///< through the first and the last transition
  best_fit,   ///< least squares over all transitions
};

struct Linearity {
  std::vector<double> dnl;   ///< of codes 1 .. N - 1: width over that of the line, less 1
  std::vector<double> inl;   ///< of transitions 1 .. N: distance from the line
  double worst_dnl() const;  ///< largest size
  double worst_inl() const;
};

/// `positions`: where transitions should lie, at least 2.
Linearity linearity(std::span<const double> transitions, std::span<const double> positions,
                    Line line);

/// Codes 1 .. N - 1 that no input has, and whether a higher input has a lower code somewhere.
std::size_t missing_codes(std::span<const CodePiece> pieces, std::size_t references);
bool steps_back(std::span<const CodePiece> pieces);

}  // namespace cimstat::circuits
