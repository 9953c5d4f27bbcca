#include "experiments/inference/image_passes.h"

#include <optional>
#include <variant>

#include "core/error.h"

#include "experiments/inference/layer_recorder.h"
#include "experiments/inference/recalibration.h"
#include "experiments/inference/weighted_reads.h"

namespace cimstat::experiments {

void require_layers(const ForwardPass& pass, const AccuracyOptions& options) {
  const ProtectedDiagonals& diagonals = options.array.diagonals;
  if (options.layers && diagonals.count > 0 && diagonals.kind == Protection::vote &&
      diagonals.rule == VoteRule::mean) {
    throw core::UsageError(core::error_line("accuracy.layers", "can't count codes of a mean",
                                            "it lies between codes",
                                            "leave it out, or vote by median"));
  }
  if (options.layers) require_plain_reads(options.array, "accuracy.layers");
  if ((!options.layers && !options.sensitivity) || !analog_nodes(pass).empty()) return;
  throw core::UsageError(core::error_line(
      options.layers ? "accuracy.layers" : "accuracy.sensitivity", "finds no layer on arrays",
      "every layer is computed in exact integers", "leave it out, or make a layer analog"));
}

struct ImagePasses::Worker {
  ForwardPass::Workspace workspace;
  std::optional<LayerRecorder> recorder;

  /// Shows what follows to the recorder, or no more.
  void observe(const Arithmetic& arithmetic, LayerObserver* observer) {
    ForwardPass::observe(workspace, observer);
    if (auto* const* source = std::get_if<LayerSource*>(&arithmetic)) (*source)->observe(observer);
  }
};

ImagePasses::ImagePasses(const ForwardPass& pass, const ImageSet& image_set,
                         const AccuracyOptions& options, std::size_t images, const CodeScale& scale,
                         std::size_t workers)
    : pass_(pass),
      image_set_(image_set),
      options_(options),
      scale_(scale),
      analog_(analog_nodes(pass)),
      workers_(workers) {
  require_layers(pass, options);
  result_.reads = options.reads;
  result_.chips = options.chips;
  result_.partial_sums = pass.partial_sums();
  result_.exact_correct.resize(images);
  result_.sampled_correct.resize(images * result_.passes());
  const auto first = image_set.labels.begin() + static_cast<std::ptrdiff_t>(options.first_image);
  result_.answers = {
      .classes = image_set.classes,
      .labels = {first, first + static_cast<std::ptrdiff_t>(images)},
      .exact = std::vector<std::uint8_t>(images),
      .sampled = std::vector<std::uint8_t>(images * result_.passes()),
  };
  if (options.layers) result_.layers.powers.resize(images * analog_.size());
  if (options.sensitivity) {
    for (const std::size_t node : analog_) result_.sensitivity.layers.push_back(pass.name(node));
    result_.sensitivity.alone.resize(images * analog_.size());
    result_.sensitivity.spared.resize(images * analog_.size());
  }
}

ImagePasses::~ImagePasses() = default;

ImagePasses::Worker& ImagePasses::worker(std::size_t slot) {
  std::unique_ptr<Worker>& worker = workers_[slot];
  if (!worker) {
    worker = std::make_unique<Worker>(Worker{pass_.workspace(), {}});
    worker->workspace.scales = &scales_;
    if (options_.layers) worker->recorder.emplace(pass_, scale_.codes);
  }
  return *worker;
}

void ImagePasses::recalibrate(const std::function<Arithmetic(std::size_t slot)>& arithmetic_of,
                              const OriginOf& origin_of, core::Threads threads) {
  const std::size_t count = options_.recalibration_images;
  if (count == 0) return;
  const auto origin = [&](std::size_t image) {
    return origin_of(std::uint64_t{image} * options_.reads);
  };
  scales_ = recalibrated(pass_, {&image_set_, image_set_.size() - count, count}, arithmetic_of,
                         origin, threads);
}

void ImagePasses::run(std::size_t index, std::size_t slot, std::uint32_t chip,
                      const Arithmetic& arithmetic, const OriginOf& origin_of) {
  Worker& worker = this->worker(slot);
  ForwardPass::Workspace& workspace = worker.workspace;
  const std::size_t images = result_.images();
  const std::size_t image = options_.first_image + index;
  const std::span<const std::uint8_t> pixels = image_set_.image(image);
  const std::uint32_t label = image_set_.labels[image];
  if (worker.recorder) {
    worker.recorder->start(
        std::span(result_.layers.powers).subspan(index * analog_.size(), analog_.size()));
    worker.observe(arithmetic, &*worker.recorder);
  }
  // What is recorded of other chips is held against exact integers as well.
  if (chip == 0 || worker.recorder) {
    const std::uint32_t answer = pass_.classify(pixels, ExactIntegers{}, {}, workspace);
    if (chip == 0) {
      result_.exact_correct[index] = answer == label;
      result_.answers.exact[index] = static_cast<std::uint8_t>(answer);
    }
  }
  for (std::uint32_t read = 0; read < options_.reads; ++read) {
    const DrawOrigin origin = origin_of(std::uint64_t{image} * options_.reads + read);
    const std::uint32_t answer = pass_.classify(pixels, arithmetic, origin, workspace);
    const std::size_t at = (std::size_t{chip} * options_.reads + read) * images + index;
    result_.sampled_correct[at] = answer == label;
    result_.answers.sampled[at] = static_cast<std::uint8_t>(answer);
  }
  if (worker.recorder) worker.observe(arithmetic, nullptr);
  if (!options_.sensitivity) return;
  const auto count_right = [&](std::uint32_t& right) {
    for (std::uint32_t read = 0; read < options_.reads; ++read) {
      const DrawOrigin origin = origin_of(std::uint64_t{image} * options_.reads + read);
      right += pass_.classify(pixels, arithmetic, origin, workspace) == label;
    }
  };
  for (std::size_t layer = 0; layer < analog_.size(); ++layer) {
    const std::size_t at = index * analog_.size() + layer;
    workspace.in_integers.assign(pass_.nodes(), 1);
    workspace.in_integers[analog_[layer]] = 0;
    count_right(result_.sensitivity.alone[at]);
    workspace.in_integers.assign(pass_.nodes(), 0);
    workspace.in_integers[analog_[layer]] = 1;
    count_right(result_.sensitivity.spared[at]);
  }
  workspace.in_integers.clear();
}

AccuracyResult ImagePasses::result() {
  if (options_.layers) {
    result_.layers.scale = scale_;
    // Layers without reads, should no image have been run.
    LayerRecorder(pass_, scale_.codes).add_to(result_.layers.layers);
  }
  for (const std::unique_ptr<Worker>& worker : workers_) {
    if (worker && worker->recorder) worker->recorder->add_to(result_.layers.layers);
  }
  return std::move(result_);
}

}  // namespace cimstat::experiments
