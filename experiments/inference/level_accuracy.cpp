#include "experiments/inference/level_accuracy.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/inference/level_reader.h"

namespace cimstat::experiments {
namespace {

/// Images at a time where nothing ties them together.
constexpr std::size_t free_batch = 64;

void require_plain(const AccuracyOptions& options) {
  const auto refuse = [](std::string_view key, std::string_view problem, std::string_view why) {
    throw core::UsageError(core::error_line(fmt::format("accuracy.{}", key), problem, why,
                                            "leave it out, or leave cell_bits, converter_range and "
                                            "subtraction out"));
  };
  if (options.array.diagonals.count > 0) {
    refuse("protected_diagonals", "protects pairs of binary planes",
           "slices of several bits aren't such");
  }
  if (options.reads > 1) {
    refuse("reads", fmt::format("is {}", options.reads), "nothing is fresh: each read is the same");
  }
  if (options.recalibration_images > 0) {
    refuse("recalibration_images", "counts one image at a time", "batches run through all layers");
  }
  if (options.layers) {
    refuse("layers", "counts codes of binary columns", "sums of levels have others");
  }
  if (options.sensitivity) {
    refuse("sensitivity", "runs layers in turn", "batches run through all of them");
  }
  if (options.array.weights != WeightMapping::offset) {
    refuse("weights", "is not \"offset\"", "slices are those of offset weights");
  }
  if (options.chips < 1 || options.chips > chip_limit) {
    throw core::UsageError(core::error_line("accuracy.chips",
                                            fmt::format("{} chips", options.chips),
                                            fmt::format("1 to {}", chip_limit)));
  }
}

/// Batches that are run have numbers below batch_limit.
void require_batches(const LevelDesign& design, const AccuracyOptions& options,
                     std::size_t images) {
  if (design.options.spread == CellSpread::frozen) return;
  if ((options.first_image + images - 1) / design.options.batch < batch_limit) return;
  throw core::UsageError(core::error_line(
      "accuracy.converter_batch",
      fmt::format("{} images make too many batches", design.options.batch),
      fmt::format("cells are redrawn for at most {}", batch_limit), "make it larger"));
}

ForwardPass checked_pass(const Network& network, const LevelDesign& design,
                         const AccuracyOptions& options) {
  require_plain(options);
  ForwardPass pass(network, options.array);
  if (pass.writes_arrays()) {
    throw core::UsageError(core::error_line("accuracy.attention", "is \"analog\" on frozen chips",
                                            written_cells_are_no_chips, "leave it digital"));
  }
  if (pass.most_active_rows() > design.chip.rows) {
    throw core::UsageError(core::error_line(
        "column", fmt::format("has {} rows", design.chip.rows),
        fmt::format("the network reads up to {} at a time", pass.most_active_rows()),
        "take a column of as many rows as the array has"));
  }
  for (std::size_t node = 0; node < pass.nodes(); ++node) {
    for (const ColumnLayer& layer : pass.analog(node)) check_chip_layer(design.chip, layer);
  }
  return pass;
}

/// What one image's layers have delivered; a worker's memory takes it on and gives it back.
struct ImageState {
  std::vector<std::vector<std::uint8_t>> maps;
  std::vector<std::vector<double>> reals;

  void swap_with(ForwardPass::Workspace& workspace) {
    std::swap(maps, workspace.maps);
    std::swap(reals, workspace.reals);
  }
};

/// Sends batches of images through one chip, a layer at a time.
class BatchPass {
 public:
  BatchPass(const ForwardPass& pass, const LevelDesign& design, core::StreamKey key,
            core::Threads threads)
      : pass_(pass), design_(design), key_(key), threads_(threads) {
    for (unsigned slot = 0; slot < core::resolved(threads); ++slot) {
      workers_.push_back(std::make_unique<Worker>(Worker{pass.workspace(), LevelReader(design)}));
    }
  }

  void draw_chip(std::uint32_t chip) {
    draw_ = {.chip = chip};
    cells_.clear();
    if (design_.options.spread == CellSpread::frozen) {
      for (std::size_t node = 0; node < pass_.nodes(); ++node) draw(node);
    }
    for (const auto& worker : workers_) worker->reader.use(cells_);
  }

  /// The classes of images first .. first + count - 1, batch `batch`.
  std::vector<std::uint32_t> classify(const ImageSet& images, std::size_t first, std::size_t count,
                                      std::uint32_t batch) {
    draw_.batch = batch;
    grow(count);
    on_all(count, [&](std::size_t image, Worker& worker) {
      pass_.start(images.image(first + image), worker.workspace);
    });
    for (std::size_t node = 1; node < pass_.nodes(); ++node) run_node(node, count);
    std::vector<std::uint32_t> classes(count);
    on_all(count, [&](std::size_t image, Worker& worker) {
      classes[image] = pass_.answer(worker.workspace);
    });
    return classes;
  }

 private:
  struct Worker {
    ForwardPass::Workspace workspace;
    LevelReader reader;
  };

  void draw(std::size_t node) {
    draw_level_node(design_, pass_, node, key_, draw_, threads_, cells_);
  }

  void grow(std::size_t count) {
    const ForwardPass::Workspace empty = pass_.workspace();
    while (images_.size() < count) images_.push_back({empty.maps, empty.reals});
  }

  template <class Body>
  void on_all(std::size_t count, const Body& body) {
    core::for_each_block(count, threads_, [&](std::size_t image, std::size_t slot) {
      Worker& worker = *workers_[slot];
      images_[image].swap_with(worker.workspace);
      body(image, worker);
      images_[image].swap_with(worker.workspace);
    });
  }

  void run_node(std::size_t node, std::size_t count) {
    const auto run = [&] {
      on_all(count, [&](std::size_t, Worker& worker) {
        pass_.run_node(node, Arithmetic(static_cast<LayerSource*>(&worker.reader)), {},
                       worker.workspace);
      });
    };
    if (design_.options.spread == CellSpread::redrawn) {
      cells_.clear();
      draw(node);
    }
    LevelReader::Converters converters;
    if (design_.options.range == ConverterRange::observed && !pass_.analog(node).empty()) {
      for (const auto& worker : workers_) worker->reader.look();
      run();
      converters = observed(node);
    }
    for (const auto& worker : workers_) worker->reader.convert(&converters);
    run();
  }

  /// Of all that the workers have seen: least and largest don't depend on who saw what.
  LevelReader::Converters observed(std::size_t node) const {
    LevelReader::Converters converters;
    for (const ColumnLayer& layer : pass_.analog(node)) {
      SeenRange all;
      for (const auto& worker : workers_) {
        const auto found = worker->reader.seen().find(layer.index());
        if (found == worker->reader.seen().end()) continue;
        if (all.low.empty()) {
          all = found->second;
        } else {
          all.add(found->second);
        }
      }
      converters[layer.index()] = observed_codes(design_, layer, cells_.at(layer.index()), all);
    }
    return converters;
  }

  const ForwardPass& pass_;
  const LevelDesign& design_;
  core::StreamKey key_;
  core::Threads threads_;
  LevelDraw draw_;
  LevelNetwork cells_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<ImageState> images_;
};

AccuracyResult empty_result(const ForwardPass& pass, const ImageSet& image_set,
                            const LevelDesign& design, const AccuracyOptions& options,
                            std::size_t images) {
  AccuracyResult result;
  result.reads = 1;
  result.chips = options.chips;
  result.partial_sums = level_partial_sums(pass, design.options.cell_bits);
  result.exact_correct.resize(images);
  result.sampled_correct.resize(images * result.passes());
  const auto first = image_set.labels.begin() + static_cast<std::ptrdiff_t>(options.first_image);
  result.answers = {.classes = image_set.classes,
                    .labels = {first, first + static_cast<std::ptrdiff_t>(images)},
                    .exact = std::vector<std::uint8_t>(images),
                    .sampled = std::vector<std::uint8_t>(images * result.passes())};
  return result;
}

}  // namespace

void check_accuracy_on_level_chips(const Network& network, const ImageSet& image_set,
                                   const LevelDesign& design, const AccuracyOptions& options) {
  require_batches(design, options, images_to_run(network, image_set, options));
  checked_pass(network, design, options);
}

AccuracyResult accuracy_on_level_chips(const Network& network, const ImageSet& image_set,
                                       const LevelDesign& design, const AccuracyOptions& options,
                                       core::Threads threads, const core::Progress& progress) {
  const std::size_t images = images_to_run(network, image_set, options);
  require_batches(design, options, images);
  const ForwardPass pass = checked_pass(network, design, options);
  AccuracyResult result = empty_result(pass, image_set, design, options, images);
  const auto right = [&](std::size_t index, std::uint32_t answer) {
    return static_cast<std::uint8_t>(answer == image_set.labels[options.first_image + index]);
  };
  std::vector<ForwardPass::Workspace> workspaces(core::resolved(threads));
  core::for_each_block(images, threads, [&](std::size_t index, std::size_t slot) {
    if (workspaces[slot].maps.empty()) workspaces[slot] = pass.workspace();
    const std::uint32_t answer = pass.classify(image_set.image(options.first_image + index),
                                               ExactIntegers{}, {}, workspaces[slot]);
    result.exact_correct[index] = right(index, answer);
    result.answers.exact[index] = static_cast<std::uint8_t>(answer);
  });

  const bool observed = design.options.range == ConverterRange::observed;
  const std::size_t batch = observed ? design.options.batch : free_batch;
  const std::size_t end = options.first_image + images;
  BatchPass batches(pass, design, options.key, threads);
  for (std::uint32_t chip = 0; chip < options.chips; ++chip) {
    batches.draw_chip(chip);
    for (std::size_t image = options.first_image; image < end;) {
      const std::size_t next = std::min(end, (image / batch + 1) * batch);
      const std::vector<std::uint32_t> classes = batches.classify(
          image_set, image, next - image, static_cast<std::uint32_t>(image / batch));
      for (; image < next; ++image) {
        const std::size_t index = image - options.first_image;
        const std::uint32_t answer = classes[classes.size() - (next - image)];
        result.sampled_correct[chip * images + index] = right(index, answer);
        result.answers.sampled[chip * images + index] = static_cast<std::uint8_t>(answer);
      }
      if (progress) progress(chip * images + (next - options.first_image), options.chips * images);
    }
  }
  return result;
}

}  // namespace cimstat::experiments
