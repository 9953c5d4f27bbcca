#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/parallel.h"

#include "experiments/experiment.h"
#include "experiments/wires/column_drop.h"

/// What the resistance of wires costs: arrays with random cells, data and inputs, each read once
/// with and without it. Currents compare the same cells, so that the differences are the wires'.
namespace cimstat::experiments {

/// Mean share of its voltage that a cell loses, over regions of the array (only cells of active
/// rows): [row of the map][column of the map], from the first row and column on.
struct DropMap {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> lost;  ///< NaN where no row was active
};

struct WiresResult {
  std::string name;
  WiresSettings settings;
  std::uint32_t inputs = 0;
  double read_voltage = 0.0;  ///< [V]
  double step = 0.0;          ///< of a MAC value: between neighbouring levels, on average [A]
  double confidence = 0.95;
  std::vector<ColumnDrop> columns;
  double gain = 1.0;         ///< common to all columns: ideal = gain x real fits best
  double left_over = 0.0;    ///< rms error in steps after it, over columns and arrays
  double worst_error = 0.0;  ///< largest |real - ideal| in steps
  DropMap map;
  double iterations = 0.0;           ///< of the solver, on average
  std::uint64_t negative_cells = 0;  ///< drawn below 0 and taken as open
};

/// The same bits for any number of threads and instruction set. Throws UsageError where the levels
/// don't conduct, Error where the solver doesn't reach the tolerance.
WiresResult run_wires(const Experiment& experiment, core::Threads threads,
                      const core::Progress& progress = {});

enum class Listing { some, all };

/// For people, for scripts, and a line for each column.
std::string wires_as_text(const WiresResult& result, Listing listing = Listing::some);
std::string wires_as_json(const WiresResult& result);
std::string wires_as_csv(const WiresResult& result);

}  // namespace cimstat::experiments
