#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/answers.h"
#include "experiments/inference/forward_pass.h"

namespace cimstat::experiments {

/// Throws UsageError where layers are to be recorded and none is on arrays.
void require_layers(const ForwardPass& pass, const AccuracyOptions& options);

/// Sends images through a network as AccuracyOptions ask for, and keeps all that is asked of their
/// passes. Workers call it with their own slots and with different images.
class ImagePasses {
 public:
  /// Random numbers of an image-read, image * reads + read.
  using OriginOf = std::function<DrawOrigin(std::uint64_t image_read)>;

  /// Throws what require_layers throws.
  ImagePasses(const ForwardPass& pass, const ImageSet& image_set, const AccuracyOptions& options,
              std::size_t images, const CodeScale& scale, std::size_t workers);
  ~ImagePasses();

  /// Counts the scales of later runs anew, where options.recalibration_images asks for it.
  void recalibrate(const std::function<Arithmetic(std::size_t slot)>& arithmetic_of,
                   const OriginOf& origin_of, core::Threads threads);

  /// All passes of image options.first_image + index on chip `chip`; chips in turn, 0 where nothing
  /// is frozen. `arithmetic` is the worker's own.
  void run(std::size_t index, std::size_t slot, std::uint32_t chip, const Arithmetic& arithmetic,
           const OriginOf& origin_of);

  /// After the last run.
  AccuracyResult result();

 private:
  struct Worker;
  Worker& worker(std::size_t slot);

  const ForwardPass& pass_;
  const ImageSet& image_set_;
  const AccuracyOptions& options_;
  CodeScale scale_;
  std::vector<std::size_t> analog_;  ///< nodes
  NetworkScales scales_;
  std::vector<std::unique_ptr<Worker>> workers_;
  AccuracyResult result_;
};

}  // namespace cimstat::experiments
