#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"
#include "core/statistics/statistics.h"

#include "circuits/column.h"
#include "circuits/error_table.h"

#include "experiments/inference/answers.h"
#include "experiments/inference/column_layer.h"
#include "experiments/inference/dataset.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/layer_tables.h"
#include "experiments/inference/network.h"

/// What a network's accuracy becomes on arrays whose columns misread.
namespace cimstat::experiments {

struct AccuracyOptions {
  ArrayOptions array;
  core::StreamKey key;
  core::Stream stream = core::Stream::philox;
  std::uint32_t reads = 1;  ///< passes of each image, all noise fresh
  std::size_t images = 0;   ///< so many, from first_image on; 0 means all
  std::size_t first_image = 0;
  std::string table_name = "error table";         ///< the table's place in messages: its file
  std::span<const LayerTable> layer_tables = {};  ///< of layers with tables of their own
  std::uint32_t chips = 0;               ///< frozen ones (chip_accuracy.h); 0: nothing is frozen
  std::size_t recalibration_images = 0;  ///< the last ones of the set, by which scales are counted
                                         ///< anew (recalibration.h); 0: they stay
  bool layers = false;                   ///< record what each layer on arrays reads and delivers
  bool sensitivity = false;  ///< run each layer on columns alone, and all but each: two passes more
                             ///< for each layer and read
};

/// Images x reads of one result, x chips where there are any.
constexpr std::uint64_t most_answers = std::uint64_t{1} << 28;

/// Right or wrong, for each image from options.first_image on: the truth from which all figures
/// follow. What is drawn for an image depends on its place in the set alone.
struct AccuracyResult {
  std::uint32_t reads = 0;
  std::vector<std::uint8_t> exact_correct;    ///< [image]: exact integer arithmetic
  std::vector<std::uint8_t> sampled_correct;  ///< [read][image]; with chips [chip][read][image]
  std::uint64_t partial_sums = 0;             ///< columns read per image and read
  std::uint32_t chips = 0;                    ///< 0: nothing is frozen
  ClassAnswers answers = {};
  LayerRecord layers = {};
  SensitivityRecord sensitivity = {};

  std::size_t images() const { return exact_correct.size(); }
  /// Answers to each image.
  std::uint32_t passes() const { return chips == 0 ? reads : chips * reads; }
};

/// A mean and its interval.
struct Estimate {
  double value = 0.0;
  core::Interval interval;
};

struct AccuracyStatistics {
  Estimate exact;       ///< of the population of images; Clopper-Pearson
  Estimate sampled;     ///< of the population, a t interval: images are independent, the reads of
                        ///< an image are averaged first; with chips, what these chips would reach
  Estimate difference;  ///< sampled - exact, paired by image; a t interval over images
  /// The expected accuracy on these very images. Reads are independent (nothing is frozen), so the
  /// variance is that within images: s_i^2 / (reads images^2), added up. Nothing with fewer than
  /// two reads, or with chips (chip_statistics has theirs).
  std::optional<Estimate> sampled_on_these_images;
};

AccuracyStatistics accuracy_statistics(const AccuracyResult& result, double confidence);

/// A t interval within `range`. Where all values are equal, their spread says nothing: then the
/// share of others is only known to lie below its limit after none was seen.
Estimate mean_with_interval(const core::Moments& moments, double confidence, core::Interval range);

/// What the figures of many images need of them, in numbers that add up exactly.
struct AccuracySums {
  std::uint64_t images = 0;
  std::uint32_t reads = 0;
  std::uint64_t exact = 0;          ///< images that exact integers classify right
  std::uint64_t sampled = 0;        ///< sum over images of c, how many of its reads are right
  std::uint64_t squared = 0;        ///< ... of c^2
  std::uint64_t sampled_exact = 0;  ///< ... of c where exact integers are right too
};
AccuracySums accuracy_sums(const AccuracyResult& result);
/// The same figures as those of the images themselves, but for the order of their sums.
AccuracyStatistics accuracy_statistics(const AccuracySums& sums, double confidence);

/// sampled(a) - sampled(b), paired by image, with a t interval over images. Equal image counts.
Estimate paired_difference(const AccuracyResult& a, const AccuracyResult& b, double confidence);

/// Throws what accuracy_with_table would before it computes anything, for a table of every class
/// that has so many codes.
void check_accuracy(const Network& network, const ImageSet& image_set, std::uint32_t codes,
                    const AccuracyOptions& options);

/// How many images are run. Throws UsageError for options that the set or the random-number
/// contract has no room for, and unless network and images fit together.
std::size_t images_to_run(const Network& network, const ImageSet& image_set,
                          const AccuracyOptions& options);

/// Throws UsageError unless the images have the channels, rows and columns that the network takes.
void require_fit(const Network& network, const ImageSet& image_set);

/// Codes are drawn from the table, those of options.layer_tables from theirs. Throws UsageError
/// when a table lacks a class that can occur, when images and network don't fit together, and what
/// check_layer_tables throws. `progress` counts images.
AccuracyResult accuracy_with_table(const Network& network, const ImageSet& image_set,
                                   const circuits::ErrorTable& table,
                                   const AccuracyOptions& options, core::Threads threads,
                                   const core::Progress& progress = {});

/// Each column is simulated at each read: every cell, the offset and the noise drawn afresh.
AccuracyResult accuracy_by_simulation(const Network& network, const ImageSet& image_set,
                                      const circuits::ColumnDesign& design,
                                      const AccuracyOptions& options, core::Threads threads,
                                      const core::Progress& progress = {});

}  // namespace cimstat::experiments
