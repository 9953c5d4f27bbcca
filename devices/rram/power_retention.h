#pragma once

#include <optional>
#include <vector>

/// Retention as a power of time, as NeuroSim models it.
namespace cimstat::devices {

/// The conductances that the levels of a cell span [S].
struct LevelSpan {
  double lowest = 0.0;
  double highest = 0.0;
};

/// One thing that may have become of a cell.
struct Drifted {
  double probability = 1.0;
  double factor = 1.0;  ///< of its conductance
};

/// G(t) = G_0 (t / t_0)^(s v), kept within the span of the levels (DNN+NeuroSim V1.4, G = G_0
/// (t / t_0)^v with t_0 = 1 s). Towards `target`, a share of the span: s is the sign of where that
/// lies from the level, so a level may pass it. Without a target s is -1, 0 or 1 with equal
/// probability for each cell. Frozen: a cell keeps its s over all reads (NeuroSim draws it anew for
/// each input bit). The level's own conductance decides sign and end; the spread of its cells keeps
/// its relative size. Until t_0 nothing drifts.
struct PowerRetention {
  double exponent = 0.0;           ///< v; 0: nothing drifts
  double start = 1.0;              ///< t_0 [s]
  std::optional<double> target{};  ///< 0 .. 1

  /// What a level that aims at `conductance` may have become; the probabilities sum to 1.
  std::vector<Drifted> drifted(double conductance, LevelSpan span, double time) const;
};

}  // namespace cimstat::devices
