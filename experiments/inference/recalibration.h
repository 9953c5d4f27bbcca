#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "core/parallel.h"

#include "experiments/inference/dataset.h"
#include "experiments/inference/forward_pass.h"

namespace cimstat::experiments {

/// Images that a recalibration takes.
struct CalibrationImages {
  const ImageSet* set = nullptr;
  std::size_t first = 0;
  std::size_t count = 0;
};

/// Scales and biases [node] with which each channel of each weighted layer, but the last, has the
/// mean and the standard deviation that exact integers give it, over all pixels of the images: what
/// running the images through a BatchNorm that is folded into them, with its statistics counted
/// anew on the arrays, comes to (BN calibration: Jin, Yang and Liao, AdaBits, CVPR 2020; PIM-QAT,
/// arXiv 2209.08617). With sums a on the arrays and e in integers
///     scale' = scale sd(e) / sd(a),  bias' = bias + scale mean(e) - scale' mean(a);
/// where either deviation is 0 the scale stays. A BatchNorm that stands alone, a layer `scale`, is
/// treated alike, by what it takes. Layers follow each other: each sees what those
/// before it deliver when they are recalibrated. Labels are not used. Empty where no layer is on
/// arrays.
///
/// `arithmetic_of` is called with a worker's number, `origin_of` with that of an image in its set.
/// Memory, of each image: two sets of what the layers in use deliver, and the sums of one layer in
/// double precision.
NetworkScales recalibrated(const ForwardPass& pass, const CalibrationImages& images,
                           const std::function<Arithmetic(std::size_t slot)>& arithmetic_of,
                           const std::function<DrawOrigin(std::size_t image)>& origin_of,
                           core::Threads threads);

}  // namespace cimstat::experiments
