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

/// Calibrates on the first images of `images`, quantises and checks. Throws UsageError for images
/// that don't fit the model, DataError for models that can't be laid out.
Network import_model(const OnnxModel& model, const ImageSet& images, const QuantiseOptions& options,
                     core::Threads threads, const core::Progress& progress = {});

/// Right answers among the images, in real numbers and in integers, and how often both agree.
struct ImportComparison {
  std::uint64_t images = 0;
  std::uint64_t real = 0;
  std::uint64_t integer = 0;
  std::uint64_t agreeing = 0;
};

ImportComparison compare_import(const OnnxModel& model, const Network& network,
                                const ImageSet& images, const ImageScale& scale,
                                core::Threads threads, const core::Progress& progress = {});

}  // namespace cimstat::experiments
