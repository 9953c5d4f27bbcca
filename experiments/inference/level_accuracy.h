#pragma once

#include "core/parallel.h"

#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/level_chip.h"

/// What a network's accuracy becomes on chips with cells of several levels, or behind converters
/// whose range a batch of images decides.
namespace cimstat::experiments {

/// options.chips chips, from 0 on, each with all images, one read each: nothing is fresh. Where
/// ranges are observed, images number b batch .. (b + 1) batch - 1 of the set are batch b, of which
/// those that are run share their ranges, layer by layer; the answers depend on nothing else but
/// the chip. Throws UsageError for what LevelDesign, ForwardPass and the random-number contract
/// refuse, for other than offset weights, protected diagonals, several reads, and figures of
/// layers. `progress` counts images of all chips.
AccuracyResult accuracy_on_level_chips(const Network& network, const ImageSet& image_set,
                                       const LevelDesign& design, const AccuracyOptions& options,
                                       core::Threads threads, const core::Progress& progress = {});

/// Throws UsageError where accuracy_on_level_chips would before it computes anything.
void check_accuracy_on_level_chips(const Network& network, const ImageSet& image_set,
                                   const LevelDesign& design, const AccuracyOptions& options);

}  // namespace cimstat::experiments
