#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/parallel.h"

#include "experiments/inference/dataset.h"
#include "experiments/inference/network.h"
#include "experiments/onnx/onnx_model.h"
#include "experiments/onnx/quantise.h"

/// From an ONNX model to a network of integers, and what the step cost in accuracy.
namespace cimstat::experiments {

/// Whether the model is quantised already, so that nothing is left to calibrate.
bool holds_scales(const OnnxModel& model);

/// Calibrates on the first images of `images`, quantises and checks. Throws UsageError for images
/// that don't fit the model, DataError for models that can't be laid out, or hold scales already.
Network import_model(const OnnxModel& model, const ImageSet& images, const QuantiseOptions& options,
                     core::Threads threads, const core::Progress& progress = {});

/// The same by RangeRule::image, which needs no images.
Network import_model(const OnnxModel& model, const QuantiseOptions& options);

/// The network of a model that holds scales, at these. Throws DataError for models that can't be
/// laid out.
Network import_quantised_model(const OnnxModel& model, const ImageScale& scale);

/// Right answers among the images, in real numbers and in integers, and how often both agree.
struct ImportComparison {
  std::uint64_t images = 0;
  std::uint64_t real = 0;
  std::uint64_t integer = 0;
  std::uint64_t agreeing = 0;
};

/// Throws UsageError for images that don't fit the network.
ImportComparison compare_import(const OnnxModel& model, const Network& network,
                                const ImageSet& images, const ImageScale& scale,
                                core::Threads threads, const core::Progress& progress = {});

}  // namespace cimstat::experiments
