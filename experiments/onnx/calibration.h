#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/parallel.h"

#include "experiments/inference/dataset.h"
#include "experiments/onnx/onnx_model.h"

/// The ranges that a model's tensors take over images, from which activations get their scales.
namespace cimstat::experiments {

enum class RangeRule {
  largest,      ///< every value seen lies within
  percentile,   ///< all but a share of the values
  mean_square,  ///< the range whose levels leave the least squared error
  /// a Clip's own end (PACT, arXiv 1805.06085), trained with the network; elsewhere as largest
  pact,
  image  ///< the largest value of each image's own map, plus 1e-7 (ASiM): nothing to calibrate
};

struct CalibrationOptions {
  RangeRule rule = RangeRule::percentile;
  double percentile = 99.99;
  std::size_t images = 256;  ///< of the training set, from its beginning
};

/// Pixels as the model takes them: p / 255, then minus `mean`, over `deviation`, channel by
/// channel.
struct ImageScale {
  std::vector<double> mean;       ///< [channel]
  std::vector<double> deviation;  ///< [channel], above 0
};

/// Values of one tensor: least and largest, and how many lie in each of equal bins between them.
struct ValueHistogram {
  double least = 0.0;
  double largest = 0.0;
  std::vector<std::uint64_t> counts;

  std::uint64_t total() const;
  double bin_width() const;
};

/// least <= 0 <= largest: a real 0 has a level of its own.
struct ValueRange {
  double least = 0.0;
  double largest = 0.0;
};

/// One image as the model takes it.
OnnxTensor scaled_image(const OnnxModel& model, const ImageScale& scale, const ImageSet& images,
                        std::size_t index);

/// Histograms of the named tensors over the first `count` images, in 2,048 bins. Same counts for
/// any number of threads. Throws DataError where values are not finite.
std::map<std::string, ValueHistogram> value_histograms(const OnnxModel& model,
                                                       std::span<const std::string> tensors,
                                                       const ImageScale& scale,
                                                       const ImageSet& images, std::size_t count,
                                                       core::Threads threads,
                                                       const core::Progress& progress = {});

/// Of the values seen, each taken as the middle of its bin; 0 where there are none.
double mean_magnitude(const ValueHistogram& histogram);

/// The range that `bits` bits are best spent on, by the rule; not wider than what was seen.
ValueRange range_of(const ValueHistogram& histogram, const CalibrationOptions& options,
                    std::uint32_t bits);

}  // namespace cimstat::experiments
