#include "circuits/arrays/pcm_array.h"

#include <vector>

namespace cimstat::circuits {

namespace {

/// Where the noise of a cell is followed, over the full scale; published forms are constant below.
constexpr double lowest_state = 1.0 / 4096.0;
constexpr double highest_state = 4.0;

}  // namespace

DriftingCells drifting_cells(const devices::PcmCell& cell, core::Threads threads) {
  const devices::PcmStatistics& statistics = cell.statistics;
  std::vector<DriftingLevel> levels;
  std::vector<float> qualities;
  for (const double target : cell.targets) {
    levels.push_back({{target, statistics.programming_sd(target)},
                      {statistics.drift_mean(target), statistics.drift_sd(target)}});
    qualities.push_back(static_cast<float>(statistics.read_noise_quality(target)));
  }
  if (statistics.noise_state == devices::PcmNoiseState::target) {
    return DriftingCells(levels, qualities, threads);
  }
  const StateNoise noise{.quality = [&](double g) { return statistics.read_noise_quality(g); },
                         .low = lowest_state * statistics.full_scale,
                         .high = highest_state * statistics.full_scale};
  return DriftingCells(levels, noise, threads);
}

DriftMoment moment_at(const devices::PcmStatistics& statistics, double time) {
  return {statistics.drift_logarithm(time), statistics.time_factor(time)};
}

}  // namespace cimstat::circuits
