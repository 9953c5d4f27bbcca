#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "experiments/inference/accuracy_run.h"

/// Accuracies that are taken until they are known well enough.
///
/// Images are run in their order, and looked at after 256, 362, 512, 724, 1024 ... of them (each
/// second one twice the one before it) and at the end: a schedule that depends on nothing. The run
/// ends with the first look at which the half-width is reached, so its last image is a function of
/// configuration and seed.
///
/// The answers decide when to stop, and an interval for a fixed number of images would cover too
/// seldom: the t interval ends too early where by chance few of the first images are wrong (down to
/// 0.81 instead of 0.95, near 99 %). Therefore what is looked at, and reported, is the wider of the
/// t and the Clopper-Pearson interval, at the level 1 - 0.8 (1 - confidence). For one read of each
/// image the test stopped_accuracy_test computes its coverage exactly; it is the confidence at
/// least.
namespace cimstat::experiments {

/// Numbers of images that are looked at, the last one `images`.
std::vector<std::size_t> looks(std::size_t images);

/// The accuracy of such a run, with that interval over images.
Estimate stopped_accuracy(const AccuracyResult& result, double confidence);

/// The larger distance of an interval's ends from its value.
double half_width(const Estimate& estimate);

struct StoppingRule {
  double half_width = 0.0;
  double confidence = 0.95;
  std::size_t images = 0;  ///< at the most
};

/// `run(first, count)` gives the result of images first .. first + count - 1.
using RunImages = std::function<AccuracyResult(std::size_t first, std::size_t count)>;
AccuracyResult accuracy_until(const StoppingRule& rule, const RunImages& run);

/// The result of a's images and then b's, of the same network and options.
AccuracyResult joined(AccuracyResult a, const AccuracyResult& b);

}  // namespace cimstat::experiments
