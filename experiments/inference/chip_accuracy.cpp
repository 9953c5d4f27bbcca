#include "experiments/inference/chip_accuracy.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/inference/chip_interval.h"
#include "experiments/inference/image_passes.h"

namespace cimstat::experiments {
namespace {

ForwardPass checked_pass(const Network& network, const ChipDesign& design,
                         const AccuracyOptions& options) {
  if (options.chips < 1 || options.chips > chip_limit) {
    throw core::UsageError(core::error_line("accuracy.chips",
                                            fmt::format("{} chips", options.chips),
                                            fmt::format("1 to {}", chip_limit)));
  }
  ForwardPass pass(network, options.array);
  if (pass.writes_arrays()) {
    throw core::UsageError(core::error_line("accuracy.attention", "is \"analog\" on frozen chips",
                                            written_cells_are_no_chips, "leave it digital"));
  }
  if (pass.most_active_rows() > design.rows) {
    throw core::UsageError(core::error_line(
        "column", fmt::format("has {} rows", design.rows),
        fmt::format("the network reads up to {} at a time", pass.most_active_rows()),
        "take a column of as many rows as the array has"));
  }
  if (options.array.diagonals.count > 0 && options.array.diagonals.kind == Protection::converter) {
    throw core::UsageError(core::error_line(
        "accuracy.protection", "\"converter\" has no place on a frozen chip",
        "each converter has errors of its own there", "protect by \"digital\" or \"vote\""));
  }
  pass.check_codes(design.codes);
  check_chip_network(design, pass);
  require_layers(pass, options);
  return pass;
}

/// Variance that the fresh noise of `reads` reads gives the accuracy of one chip, averaged over
/// chips.
double noise_variance(const AccuracyResult& result) {
  const std::size_t images = result.images();
  double within = 0.0;
  for (std::uint32_t chip = 0; chip < result.chips; ++chip) {
    for (std::size_t image = 0; image < images; ++image) {
      std::uint32_t right = 0;
      for (std::uint32_t read = 0; read < result.reads; ++read) {
        right += result.sampled_correct[(chip * result.reads + read) * images + image];
      }
      const double share = static_cast<double>(right) / result.reads;
      within += share * (1.0 - share) / (result.reads - 1);
    }
  }
  const auto count = static_cast<double>(images);
  return within / (count * count * result.chips);
}

}  // namespace

void check_accuracy_on_chips(const Network& network, const ImageSet& image_set,
                             const ChipDesign& design, const AccuracyOptions& options) {
  images_to_run(network, image_set, options);
  checked_pass(network, design, options);
}

AccuracyResult accuracy_on_chips(const Network& network, const ImageSet& image_set,
                                 const ChipDesign& design, const AccuracyOptions& options,
                                 core::Threads threads, const core::Progress& progress) {
  const std::size_t images = images_to_run(network, image_set, options);
  const ForwardPass pass = checked_pass(network, design, options);
  ImagePasses passes(pass, image_set, options, images,
                     {design.codes, design.code_step, design.code_origin}, core::resolved(threads));
  std::vector<std::unique_ptr<ChipReader>> readers(core::resolved(threads));
  for (std::uint32_t chip = 0; chip < options.chips; ++chip) {
    const ChipNetwork cells = draw_chip(design, pass, options.key, chip, threads);
    const std::size_t before = chip * images;
    const auto origin_of = [&](std::uint64_t image_read) {
      return DrawOrigin{options.key, chip_read_instance(chip, image_read)};
    };
    const auto reader_of = [&](std::size_t slot) {
      if (!readers[slot]) readers[slot] = std::make_unique<ChipReader>(design, options.stream);
      readers[slot]->use(cells);
      return Arithmetic(readers[slot].get());
    };
    passes.recalibrate(reader_of, origin_of, threads);
    core::for_each_block(
        images, threads,
        [&](std::size_t index, std::size_t slot) {
          passes.run(index, slot, chip, reader_of(slot), origin_of);
        },
        progress ? [&](std::size_t done,
                       std::size_t) { progress(before + done, options.chips * images); }
                 : core::Progress());
  }
  return passes.result();
}

ChipStatistics chip_statistics(const AccuracyResult& result, double confidence) {
  assert(result.chips > 0);
  const std::size_t answers = result.images() * result.reads;
  ChipStatistics statistics;
  core::Moments moments;
  for (std::uint32_t chip = 0; chip < result.chips; ++chip) {
    const std::uint8_t* first = result.sampled_correct.data() + chip * answers;
    const auto right = std::count(first, first + answers, std::uint8_t{1});
    statistics.of_chip.push_back(static_cast<double>(right) / static_cast<double>(answers));
    moments.add(statistics.of_chip.back());
  }
  statistics.over_chips = mean_with_interval(moments, confidence, {0.0, 1.0});
  if (moments.variance() > 0.0) {
    const core::Interval interval = mean_of_chips(statistics.of_chip, confidence);
    statistics.over_chips.interval = {std::max(interval.lower, 0.0), std::min(interval.upper, 1.0)};
  }
  const auto exact_right =
      std::count(result.exact_correct.begin(), result.exact_correct.end(), std::uint8_t{1});
  const double exact = static_cast<double>(exact_right) / static_cast<double>(result.images());
  statistics.difference_over_chips = {
      statistics.over_chips.value - exact,
      {statistics.over_chips.interval.lower - exact, statistics.over_chips.interval.upper - exact}};
  if (result.chips > 1) {
    statistics.spread = {std::sqrt(moments.variance()),
                         spread_of_chips(statistics.of_chip, confidence)};
    if (result.reads > 1) statistics.noise_spread = std::sqrt(noise_variance(result));
  }
  return statistics;
}

}  // namespace cimstat::experiments
