#pragma once

#include <variant>

#include "experiments/inference/array_options.h"
#include "experiments/inference/level_options.h"
#include "experiments/macro/macro.h"

namespace cimstat::experiments {

/// Why a column's codes can't hold the weights of a mapping.
enum class ZeroObstacle {
  biased_beside_dummy,   ///< its dummy column takes off what digital logic would
  offset_beside_dummy,   ///< ... where DummySubtraction::digital is asked for
  offset_without_dummy,  ///< half of the range is to be taken off
  offset_follows_rows,   ///< references that follow the active rows: codes are LRS counts already
};

/// The MAC value that codes of a column without current stand for (ArrayOptions::zero_value): half
/// of the range with native weights and behind a dummy column whose references are fixed, or 0.
std::variant<double, ZeroObstacle> zero_value(const Macro& macro, WeightMapping weights,
                                              DummySubtraction subtraction);

}  // namespace cimstat::experiments
