#pragma once

#include <cstdint>

/// Weights on cells of several levels, and converters whose range a batch of images decides.
namespace cimstat::experiments {

/// Where a converter's codes lie.
enum class ConverterRange {
  column,    ///< at the macro's references
  observed,  ///< between the least and the largest partial sum of a batch of images (NeuroSim)
};

/// How the dummy column of offset weights is taken off.
enum class DummySubtraction {
  analog,   ///< its current, before the converter
  digital,  ///< its code: it is converted by itself (NeuroSim)
};

/// What a code of an observed range stands for.
enum class CodeValue {
  lower,   ///< the least sum that it is given for (NeuroSim)
  middle,  ///< the middle between that and the next code's; reads without an active row are skipped
};

/// When cells with a spread are drawn.
enum class CellSpread {
  frozen,   ///< once for a chip
  redrawn,  ///< for each batch of images and bit of their inputs; dummy columns have none
            ///< (NeuroSim)
};

struct LevelOptions {
  std::uint32_t cell_bits = 1;  ///< of a weight in each cell; levels evenly spaced from HRS to LRS
  ConverterRange range = ConverterRange::column;
  std::uint32_t batch = 0;  ///< images that share a range, where it is observed
  DummySubtraction subtraction = DummySubtraction::analog;
  CodeValue value = CodeValue::lower;      ///< where the range is observed
  CellSpread spread = CellSpread::frozen;  ///< redrawn: where the range is observed

  /// Whether it asks for more than binary cells behind converters of the macro.
  bool any() const {
    return cell_bits > 1 || range != ConverterRange::column ||
           subtraction != DummySubtraction::analog;
  }
};

}  // namespace cimstat::experiments
