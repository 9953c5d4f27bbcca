#pragma once

#include <optional>
#include <vector>

#include "core/parallel.h"

#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/chip_reader.h"

/// What a network's accuracy becomes on chips: each has cells, offsets and converters of its own,
/// which all images meet.
namespace cimstat::experiments {

/// options.chips chips, from 0 on, each with all images and reads. Throws what ChipDesign's checks
/// throw, and UsageError when the network makes more rows active than a column has. `progress`
/// counts images of all chips. Chips are drawn one after another: memory is that of one.
AccuracyResult accuracy_on_chips(const Network& network, const ImageSet& image_set,
                                 const ChipDesign& design, const AccuracyOptions& options,
                                 core::Threads threads, const core::Progress& progress = {});

/// Throws UsageError where accuracy_on_chips would before it computes anything.
void check_accuracy_on_chips(const Network& network, const ImageSet& image_set,
                             const ChipDesign& design, const AccuracyOptions& options);

/// Chips are independent of each other, the answers of one chip are not: its cells are in all of
/// them. Intervals over images say nothing about other chips, nor those over chips about other
/// images.
struct ChipStatistics {
  std::vector<double> of_chip;     ///< share of right answers
  Estimate over_chips;             ///< their mean, with mean_of_chips(); on these very images
  Estimate difference_over_chips;  ///< ... less what exact integers get right of these images
  /// Standard deviation over chips, with spread_of_chips(); nothing of one.
  std::optional<Estimate> spread;
  /// What of the spread fresh noise alone makes: with two reads or more.
  std::optional<double> noise_spread;
};

ChipStatistics chip_statistics(const AccuracyResult& result, double confidence);

}  // namespace cimstat::experiments
