#include "experiments/inference/accuracy_run.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "core/utf8.h"

#include "experiments/counted.h"
#include "experiments/inference/cell_simulation.h"
#include "experiments/inference/image_passes.h"
#include "experiments/inference/vote.h"
#include "experiments/inference/weighted_reads.h"

namespace cimstat::experiments {
namespace {

/// Runs the images; arithmetic_of() gives each worker its own Arithmetic.
AccuracyResult run(const ForwardPass& pass, const ImageSet& image_set, std::size_t images,
                   const AccuracyOptions& options, const CodeScale& scale,
                   const std::function<Arithmetic(std::size_t slot)>& arithmetic_of,
                   core::Threads threads, const core::Progress& progress) {
  ImagePasses passes(pass, image_set, options, images, scale, core::resolved(threads));
  const auto origin_of = [&](std::uint64_t image_read) {
    return DrawOrigin{options.key, image_read};
  };
  passes.recalibrate(arithmetic_of, origin_of, threads);
  core::for_each_block(
      images, threads,
      [&](std::size_t index, std::size_t slot) {
        passes.run(index, slot, 0, arithmetic_of(slot), origin_of);
      },
      progress);
  return passes.result();
}

/// Throws UsageError where images that are recalibrated with are run, too, or layers are run that
/// the scales are not made for.
void check_recalibration(const ImageSet& image_set, std::size_t images,
                         const AccuracyOptions& options) {
  if (options.recalibration_images == 0) return;
  if (options.sensitivity) {
    throw core::UsageError(core::error_line(
        "accuracy.sensitivity", "has no place beside recalibration_images",
        "scales are those of all layers on arrays together", "leave one of them out"));
  }
  if (std::uint64_t{image_set.size()} * options.reads > most_answers) {
    throw core::UsageError(core::error_line(
        "accuracy.reads",
        fmt::format("{} reads of the set's {} images are too many", options.reads,
                    image_set.size()),
        fmt::format("{} image-reads at most beside recalibration_images", most_answers),
        "ask for fewer reads"));
  }
  const std::size_t end = options.first_image + images;
  if (options.recalibration_images > image_set.size() - end) {
    const std::size_t left =
        image_set.size() - std::min(options.recalibration_images, image_set.size());
    throw core::UsageError(core::error_line(
        "accuracy.recalibration_images",
        fmt::format("{} are wanted beside {}", options.recalibration_images,
                    counted(end, "image") + " that are classified"),
        fmt::format("{} has {}, and none may be both", image_set.name, image_set.size()),
        left == 0 ? "ask for fewer"
                  : fmt::format("classify at most {} (accuracy.images), or ask for fewer", left)));
  }
}

/// A t interval within `range`. Where all values are equal, their spread says nothing: then the
/// share of images with another value is only known to lie below its limit after none was seen.
Estimate mean_with_interval(std::uint64_t count, double mean, double standard_error,
                            double confidence, core::Interval range) {
  if (count < 2) return {mean, range};
  const double half =
      standard_error > 0.0
          ? core::student_t(confidence, static_cast<double>(count - 1)) * standard_error
          : core::clopper_pearson(0, count, confidence).upper;
  return {mean, {std::max(mean - half, range.lower), std::min(mean + half, range.upper)}};
}

/// `within`: s_i^2 / reads, added up over the images, s_i^2 the variance of the reads of one.
Estimate on_these_images(double mean, double within, std::uint64_t images, std::uint32_t reads,
                         double confidence) {
  // Where every read agreed, no probability of a read that differs, averaged over the images, is
  // likelier to show none than equal ones are: its limit is that of so many equal trials.
  const double half =
      within > 0.0 ? core::normal_z(confidence) * std::sqrt(within) / static_cast<double>(images)
                   : core::clopper_pearson(0, images * reads, confidence).upper;
  return {mean, {std::max(mean - half, 0.0), std::min(mean + half, 1.0)}};
}

/// How often an image was classified right, as a share of its answers.
double share_correct(const AccuracyResult& result, std::size_t image) {
  std::uint32_t correct = 0;
  for (std::uint32_t pass = 0; pass < result.passes(); ++pass) {
    correct += result.sampled_correct[pass * result.images() + image];
  }
  return static_cast<double>(correct) / result.passes();
}

}  // namespace

std::size_t images_to_run(const Network& network, const ImageSet& image_set,
                          const AccuracyOptions& options) {
  require_fit(network, image_set);
  if (options.reads < 1) {
    throw core::UsageError(core::error_line(
        "accuracy.reads", "is 0", "each image is read at least once", "ask for one read or more"));
  }
  const std::size_t there = image_set.size() - std::min(options.first_image, image_set.size());
  const std::size_t images = options.images == 0 ? there : options.images;
  if (images > there || images == 0) {
    throw core::UsageError(core::error_line(
        "accuracy.images", fmt::format("{} images are wanted", images),
        fmt::format("{} has {}", image_set.name, there), "ask for as many as there are"));
  }
  check_recalibration(image_set, images, options);
  if (options.chips > 0) require_plain_reads(options.array, "a frozen chip");
  static_assert(most_answers <= core::instance_limit);
  if (std::uint64_t{options.first_image + images} * options.reads > most_answers) {
    throw core::UsageError(core::error_line(
        "accuracy.reads", fmt::format("{} reads of {} images are too many", options.reads, images),
        fmt::format("{} image-reads at most", most_answers), "ask for fewer reads or images"));
  }
  if (std::uint64_t{images} * options.reads * std::max(options.chips, 1U) > most_answers) {
    throw core::UsageError(core::error_line(
        "accuracy.chips",
        fmt::format("{} chips x {} reads of {} images are too many", options.chips, options.reads,
                    images),
        fmt::format("{} answers at most", most_answers), "ask for fewer chips, reads or images"));
  }
  return images;
}

Estimate mean_with_interval(const core::Moments& moments, double confidence, core::Interval range) {
  return mean_with_interval(moments.count(), moments.mean(), moments.standard_error(), confidence,
                            range);
}

AccuracyStatistics accuracy_statistics(const AccuracyResult& result, double confidence) {
  const std::size_t images = result.images();
  AccuracyStatistics statistics;
  std::uint64_t exact = 0;
  core::Moments sampled;
  core::Moments difference;
  double within = 0.0;
  const bool reads_differ_alone = result.reads > 1 && result.chips == 0;
  for (std::size_t image = 0; image < images; ++image) {
    const double share = share_correct(result, image);
    exact += result.exact_correct[image];
    sampled.add(share);
    difference.add(share - result.exact_correct[image]);
    if (reads_differ_alone) within += share * (1.0 - share) / (result.reads - 1);
  }
  statistics.exact = {static_cast<double>(exact) / static_cast<double>(images),
                      core::clopper_pearson(exact, images, confidence)};
  statistics.sampled = mean_with_interval(sampled, confidence, {0.0, 1.0});
  statistics.difference = mean_with_interval(difference, confidence, {-1.0, 1.0});
  if (reads_differ_alone) {
    statistics.sampled_on_these_images =
        on_these_images(statistics.sampled.value, within, images, result.reads, confidence);
  }
  return statistics;
}

AccuracySums accuracy_sums(const AccuracyResult& result) {
  AccuracySums sums{.images = result.images(), .reads = result.reads};
  for (std::size_t image = 0; image < result.images(); ++image) {
    std::uint64_t right = 0;
    for (std::uint32_t read = 0; read < result.reads; ++read) {
      right += result.sampled_correct[read * result.images() + image];
    }
    sums.exact += result.exact_correct[image];
    sums.sampled += right;
    sums.squared += right * right;
    sums.sampled_exact += right * result.exact_correct[image];
  }
  return sums;
}

AccuracyStatistics accuracy_statistics(const AccuracySums& sums, double confidence) {
  const auto images = static_cast<double>(sums.images);
  const auto reads = static_cast<double>(sums.reads);
  // Sums over images of shares of reads, and of their differences to exact integers.
  const auto exact = static_cast<double>(sums.exact);
  const double sampled = static_cast<double>(sums.sampled) / reads;
  const double squared = static_cast<double>(sums.squared) / (reads * reads);
  const double difference_squared =
      squared - 2.0 * static_cast<double>(sums.sampled_exact) / reads + exact;
  const auto estimate = [&](double sum, double sum_of_squares, core::Interval range) {
    const double mean = sum / images;
    const double variance =
        std::max(sum_of_squares - sum * mean, 0.0) / std::max(images - 1.0, 1.0);
    // What is left of equal values is rounding.
    const double spread = variance > 1e-12 * sum_of_squares / images ? variance : 0.0;
    return mean_with_interval(sums.images, mean, std::sqrt(spread / images), confidence, range);
  };
  AccuracyStatistics statistics;
  statistics.exact = {exact / images, core::clopper_pearson(sums.exact, sums.images, confidence)};
  statistics.sampled = estimate(sampled, squared, {0.0, 1.0});
  statistics.difference = estimate(sampled - exact, difference_squared, {-1.0, 1.0});
  if (sums.reads > 1) {
    const double within = std::max(sampled - squared, 0.0) / (reads - 1.0);
    statistics.sampled_on_these_images =
        on_these_images(statistics.sampled.value, within, sums.images, sums.reads, confidence);
  }
  return statistics;
}

Estimate paired_difference(const AccuracyResult& a, const AccuracyResult& b, double confidence) {
  assert(a.images() == b.images());
  core::Moments difference;
  for (std::size_t image = 0; image < a.images(); ++image) {
    difference.add(share_correct(a, image) - share_correct(b, image));
  }
  return mean_with_interval(difference, confidence, {-1.0, 1.0});
}

void check_accuracy(const Network& network, const ImageSet& image_set, std::uint32_t codes,
                    const AccuracyOptions& options) {
  images_to_run(network, image_set, options);
  const ForwardPass pass(network, with_columns(options.array, options.layer_tables));
  check_layer_tables(pass, options.layer_tables, codes);
  require_layers(pass, options);
}

void require_fit(const Network& network, const ImageSet& image_set) {
  const auto refuse = [&](const std::string& set, const std::string& of_network) {
    throw core::UsageError(core::error_line(
        "accuracy.data_set", fmt::format("{} has {}", core::excerpt(image_set.name), set),
        "the network " + of_network, "name a data set and a network that go together"));
  };
  const std::array shape = {image_set.channels, image_set.rows, image_set.columns};
  if (shape != network.input_shape) {
    refuse(fmt::format("images of {} pixels", fmt::join(shape, " x ")),
           fmt::format("takes {}", fmt::join(network.input_shape, " x ")));
  }
  if (image_set.classes != network.classes) {
    refuse(fmt::format("{} classes", image_set.classes),
           fmt::format("tells {} apart", network.classes));
  }
}

AccuracyResult accuracy_with_table(const Network& network, const ImageSet& image_set,
                                   const circuits::ErrorTable& table,
                                   const AccuracyOptions& options, core::Threads threads,
                                   const core::Progress& progress) {
  require_plain_reads(options.array, options.table_name);
  const std::size_t images = images_to_run(network, image_set, options);
  const ForwardPass pass(network, with_columns(options.array, options.layer_tables));
  const TableReadings readings(pass, {table, options.table_name}, options.layer_tables,
                               options.array.diagonals, options.stream);
  const CodeSampler& sampler = readings.sampler();
  return run(
      pass, image_set, images, options, {table.codes, sampler.code_step(), sampler.code_origin()},
      [&](std::size_t) { return readings.arithmetic(); }, threads, progress);
}

AccuracyResult accuracy_by_simulation(const Network& network, const ImageSet& image_set,
                                      const circuits::ColumnDesign& design,
                                      const AccuracyOptions& options, core::Threads threads,
                                      const core::Progress& progress) {
  require_plain_reads(options.array, "the simulation of each cell");
  const std::size_t images = images_to_run(network, image_set, options);
  const ForwardPass pass(network, options.array);
  if (pass.most_active_rows() > design.rows) {
    throw core::UsageError(core::error_line(
        "column.rows", fmt::format("{} are too few", design.rows),
        fmt::format("the network reads up to {} at a time", pass.most_active_rows()),
        "simulate a column of as many rows as the array has"));
  }
  if (options.array.diagonals.count > 0 && options.array.diagonals.kind != Protection::digital) {
    throw core::UsageError(core::error_line(
        "accuracy.protection", "can only be digital where each cell is simulated",
        "columns are simulated once a read", "draw codes from a table, or from frozen chips"));
  }
  pass.check_codes(design.ladder.codes);
  const CellSimulation simulation(design);
  simulation.check_batches(pass.batches());
  std::vector<std::unique_ptr<CodeSource>> sources;
  for (unsigned slot = 0; slot < core::resolved(threads); ++slot) {
    sources.push_back(simulation.source(options.stream));
  }
  const circuits::Ladder& ladder = design.ladder;
  return run(
      pass, image_set, images, options, {ladder.codes, ladder.code_step, ladder.code_origin},
      [&](std::size_t slot) {
        return Arithmetic(
            ColumnReading(SourcedCodes{sources[slot].get(), ladder.code_step, ladder.code_origin}));
      },
      threads, progress);
}

}  // namespace cimstat::experiments
