#pragma once

#include <string>

#include "experiments/sweep/sweep_file.h"

namespace cimstat::experiments {

/// The result of a sweep as one self-contained HTML page, as render_report makes it of an error
/// table: quantity, axes and slices are chosen on the page, which holds the numbers of every point,
/// or of as many as keep it at a few megabytes, and says so. Without JavaScript it shows a first
/// choice. The same record gives the same bytes. Throws std::invalid_argument where lengths
/// contradict each other.
std::string render_sweep_report(const SweepRecord& record);

}  // namespace cimstat::experiments
