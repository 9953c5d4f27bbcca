#include "experiments/onnx/import_model.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/utf8.h"

#include "experiments/inference/forward_pass.h"
#include "experiments/onnx/stored_scales.h"

namespace cimstat::experiments {
namespace {

/// Exact integers need no arrays; laid out all the same, rows bound what lies ready.
constexpr std::uint32_t rows_of_a_tile = 256;

/// `Taker`: what has the shape of an image and a number of classes.
template <class Taker>
void require_fit(const Taker& taker, const OnnxModel& model, const ImageSet& images) {
  const std::array<std::uint32_t, 3> shape{images.channels, images.rows, images.columns};
  if (shape == taker.input_shape && images.classes == taker.classes) return;
  throw core::UsageError(
      core::error_line("--data-set",
                       fmt::format("{} has images of {} and {} classes", core::excerpt(images.name),
                                   fmt::join(shape, " x "), images.classes),
                       fmt::format("{} takes {} and tells {} apart", model.file(),
                                   fmt::join(taker.input_shape, " x "), taker.classes),
                       "name a data set that goes with the model"));
}

PlainGraph real_graph(const OnnxModel& model) {
  PlainGraph graph = plain_graph(model);
  if (!graph.is_quantised) return graph;
  throw core::DataError(core::error_line(model.file(), "is quantised already",
                                         "it holds scales of its own", "import it at these"));
}

}  // namespace

bool holds_scales(const OnnxModel& model) { return plain_graph(model).is_quantised; }

Network import_quantised_model(const OnnxModel& model, const ImageScale& scale) {
  return with_stored_scales(plain_graph(model), scale, model.file());
}

Network import_model(const OnnxModel& model, const QuantiseOptions& options) {
  assert(options.calibration.rule == RangeRule::image);
  return quantised(real_graph(model), {}, options, model.file());
}

Network import_model(const OnnxModel& model, const ImageSet& images, const QuantiseOptions& options,
                     core::Threads threads, const core::Progress& progress) {
  const PlainGraph graph = real_graph(model);
  require_fit(graph, model, images);
  const std::size_t count = std::min(options.calibration.images, images.size());
  if (count == 0) {
    throw core::UsageError(
        core::error_line("--data-set", "holds no images", {}, "name another one"));
  }
  const std::vector<std::string> tensors = calibrated_tensors(graph);
  const auto histograms =
      value_histograms(model, tensors, options.image, images, count, threads, progress);
  return quantised(graph, histograms, options, model.file());
}

ImportComparison compare_import(const OnnxModel& model, const Network& network,
                                const ImageSet& images, const ImageScale& scale,
                                core::Threads threads, const core::Progress& progress) {
  require_fit(network, model, images);
  const ForwardPass pass(network, {.rows = rows_of_a_tile});
  std::vector<std::unique_ptr<ForwardPass::Workspace>> workspaces(core::resolved(threads));
  struct Answers {
    std::uint32_t real = 0;
    std::uint32_t integer = 0;
  };
  std::vector<Answers> answers(images.size());
  core::for_each_block(
      images.size(), threads,
      [&](std::size_t index, std::size_t slot) {
        if (!workspaces[slot]) {
          workspaces[slot] = std::make_unique<ForwardPass::Workspace>(pass.workspace());
        }
        const OnnxTensor scores = model.run(scaled_image(model, scale, images, index));
        const auto best = std::max_element(scores.reals.begin(), scores.reals.end());
        answers[index] = {
            static_cast<std::uint32_t>(best - scores.reals.begin()),
            pass.classify(images.image(index), ExactIntegers{}, {}, *workspaces[slot])};
      },
      progress);
  ImportComparison result{.images = images.size()};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    result.real += answers[i].real == images.labels[i];
    result.integer += answers[i].integer == images.labels[i];
    result.agreeing += answers[i].real == answers[i].integer;
  }
  return result;
}

}  // namespace cimstat::experiments
