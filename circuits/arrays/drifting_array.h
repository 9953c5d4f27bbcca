#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/law/law.h"
#include "core/parallel.h"

#include "circuits/arrays/array_plane.h"
#include "circuits/arrays/array_product.h"
#include "circuits/arrays/level_tables.h"
#include "circuits/arrays/state_curve.h"

/// Arrays of cells that drift: each cell keeps what it was programmed to and how fast it drifts, so
/// that reads at several times are of the same devices.
namespace cimstat::circuits {

/// The cells of one level, programmed to max(0, N(programmed)), drift by (t / t_0)^-nu with nu =
/// |N(exponent)|.
struct DriftingLevel {
  core::Normal programmed;
  core::Normal exponent;
};

/// Read noise of a cell, relative to its conductance, before time has its part.
struct StateNoise {
  /// Of the programmed conductance, between `low` and `high`; its value at the nearer end beyond.
  std::function<double(double)> quality;
  double low = 0.0;
  double high = 0.0;
};

/// The quantile tables and the noise of a cell model, made once.
class DriftingCells {
 public:
  DriftingCells(const std::vector<DriftingLevel>& levels, const StateNoise& noise,
                core::Threads threads = {1});
  /// The noise of a level, not of a state.
  DriftingCells(const std::vector<DriftingLevel>& levels, std::vector<float> quality_of_levels,
                core::Threads threads = {1});

  const LevelTables& programmed() const { return programmed_; }
  const LevelTables& exponents() const { return exponents_; }
  const StateCurve& quality() const { return quality_; }
  /// [level]; empty where the noise depends on the state.
  const std::vector<float>& quality_of_levels() const { return quality_of_levels_; }

 private:
  LevelTables programmed_;
  LevelTables exponents_;
  StateCurve quality_;
  std::vector<float> quality_of_levels_;
};

/// What is frozen in an array.
struct DriftingArray {
  ArrayPlace place = {};
  ArrayPlane programmed;  ///< conductance at t_0
  ArrayPlane exponent;
  ArrayPlane quality;  ///< of the read noise
};

/// Draws the array: Domain::programming and Domain::drift, word `row` of the cell's instance.
/// Planes that have the shape already are used again.
void program(const DriftingCells& cells, const LevelPlane& levels, const ArrayPlace& place,
             core::Threads threads, DriftingArray& array);

/// A time in a cell model's terms.
struct DriftMoment {
  double logarithm = 0.0;     ///< ln(t / t_0)
  double noise_factor = 0.0;  ///< sd of a read = conductance * quality * this
};

/// The array as it stands at that time, for products. Shape of the array.
void drift(const DriftingArray& array, DriftMoment moment, core::Threads threads, NoisyArray& now);

/// One read of every cell, clamped at 0: read number `read` (below product_limit) takes word `row`
/// of the cell's instance in Domain::array_read from block 2^10 `read` on, so that reads and
/// products (Domain::read_noise) of one chip share no noise.
void read(const DriftingArray& array, DriftMoment moment, std::uint64_t read, core::Threads threads,
          ArrayPlane& values);

}  // namespace cimstat::circuits
