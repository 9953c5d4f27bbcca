#pragma once

#include <cstddef>
#include <cstdint>

#include "experiments/accuracy_file.h"

namespace cimstat::experiments {

/// Two accuracy results on macros.
struct AccuracyComparison {
  /// The same network on the same images: image by image, over what both have. The p-value is that
  /// of the exact sign test on the images which one of them reads right more often, over as many
  /// reads as both have; the difference has a t interval over images.
  bool paired = false;
  std::size_t images = 0;    ///< compared, when paired
  std::uint32_t reads = 0;   ///< compared, when paired
  std::size_t better_a = 0;  ///< images that a reads right more often, when paired
  std::size_t better_b = 0;
  Estimate a;
  Estimate b;
  /// b - a. Not paired: from the intervals of both, each at (1 + confidence) / 2; the p-value then
  /// is that of Fisher's exact test on the first read of each.
  Estimate difference;
  double p_value = 1.0;
};

AccuracyComparison compare_accuracy(const AccuracyRecord& a, const AccuracyRecord& b,
                                    double confidence);

}  // namespace cimstat::experiments
