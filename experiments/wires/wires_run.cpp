#include "experiments/wires/wires_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/random/random.h"

#include "devices/any_cell.h"

#include "circuits/wires/crossbar.h"

#include "experiments/macro/die_factor.h"
#include "experiments/wires/level_cells.h"

namespace cimstat::experiments {

namespace {

using circuits::Pairing;
using circuits::Supply;

constexpr std::size_t map_rows = 16;
constexpr std::size_t map_columns = 32;

/// What one array gives, and the sums of its map.
struct ArrayRead {
  std::vector<double> ideal;
  std::vector<double> real;
  std::vector<double> lost;
  std::vector<double> active;
  std::uint32_t iterations = 0;
  std::uint64_t negative_cells = 0;
};

class Simulation {
 public:
  explicit Simulation(const Experiment& experiment)
      : macro_(experiment.macro), settings_(experiment.wires), key_(experiment.key()) {
    const Macro& macro = experiment.macro;
    design_ = {.inputs = macro.design.rows,
               .columns = settings_.columns,
               .supply = settings_.supply,
               .pairing = settings_.pairing,
               .wires = settings_.wires,
               .read_voltage = macro.read_voltage};
    for (std::uint32_t level = 0; level < devices::levels(macro.cell); ++level) {
      levels_.push_back(
          level_cells(devices::programmed(macro.cell, level).scaled(macro.corner_factor)));
    }
    map_ = {.rows = std::min<std::size_t>(map_rows, design_.inputs),
            .columns = std::min<std::size_t>(map_columns, design_.columns),
            .lost = {}};
  }

  const circuits::CrossbarDesign& design() const { return design_; }
  const DropMap& empty_map() const { return map_; }
  double step() const {
    const double top = levels_.back().law_mean - levels_.front().law_mean;
    return design_.read_voltage * top / static_cast<double>(levels_.size() - 1);
  }
  /// Of the current of a column without wire resistance, exactly: of cells that are open below 0.
  double ideal_mean() const {
    const double share = settings_.highest_share;
    double cell = 0.0;
    if (settings_.pairing == Pairing::interleaved) {
      cell = (2.0 * share - 1.0) * (levels_.back().mean - levels_.front().mean);
    } else {
      cell = share * levels_.back().mean;
      const double lower = (1.0 - share) / static_cast<double>(levels_.size() - 1);
      for (std::size_t i = 0; i + 1 < levels_.size(); ++i) cell += lower * levels_[i].mean;
    }
    return design_.read_voltage * settings_.active_rows * cell;
  }

  ArrayRead read(std::uint64_t array) const {
    ArrayRead result;
    const std::vector<double> cells = draw_cells(array, result);
    const std::vector<double> inputs = draw_inputs(array);
    const circuits::Crossbar crossbar(design_, cells);
    circuits::CrossbarVoltages all = crossbar.voltages(inputs, {.tolerance = settings_.tolerance});
    result.ideal = crossbar.ideal_currents(inputs);
    result.real = std::move(all.read.currents);
    result.iterations = all.read.iterations;
    add_to_map(all, inputs, result);
    return result;
  }

 private:
  std::size_t lower_level(core::TrialRandom& random) const {
    return std::min(
        static_cast<std::size_t>(random.uniform() * static_cast<double>(levels_.size() - 1)),
        levels_.size() - 2);
  }

  std::vector<double> draw_cells(std::uint64_t array, ArrayRead& result) const {
    core::TrialRandom data(key_, core::Domain::column_pattern, array);
    core::TrialRandom words(key_, core::Domain::programming, array);
    std::vector<double> cells(design_.rows() * design_.columns);
    // Each array is a die of its own.
    const double factor = die_factor(macro_, key_, array) / macro_.corner_factor;
    const auto draw = [&](std::size_t level) {
      const LevelCells& from = levels_[level];
      const double value = factor * from.unit * static_cast<double>(from.table(words()));
      if (value < 0.0) ++result.negative_cells;
      return std::max(value, 0.0);
    };
    for (std::size_t input = 0; input < design_.inputs; ++input) {
      for (std::size_t column = 0; column < design_.columns; ++column) {
        const bool is_highest = data.uniform() < settings_.highest_share;
        if (settings_.pairing == Pairing::interleaved) {
          const std::size_t at = 2 * input * design_.columns + column;
          cells[at] = draw(is_highest ? levels_.size() - 1 : 0);
          cells[at + design_.columns] = draw(is_highest ? 0 : levels_.size() - 1);
        } else {
          const std::size_t level = is_highest ? levels_.size() - 1 : lower_level(data);
          cells[input * design_.columns + column] = draw(level);
        }
      }
    }
    return cells;
  }

  std::vector<double> draw_inputs(std::uint64_t array) const {
    core::TrialRandom random(key_, core::Domain::input_pattern, array);
    std::vector<std::size_t> order(design_.inputs);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::vector<double> inputs(design_.inputs, 0.0);
    for (std::size_t i = 0; i < settings_.active_rows; ++i) {
      const std::size_t left = design_.inputs - i;
      const auto other = static_cast<std::size_t>(random.uniform() * static_cast<double>(left));
      std::swap(order[i], order[i + std::min(other, left - 1)]);
      inputs[order[i]] = settings_.supply == Supply::input_line ? design_.read_voltage : 1.0;
    }
    return inputs;
  }

  void add_to_map(const circuits::CrossbarVoltages& all, std::span<const double> inputs,
                  ArrayRead& result) const {
    result.lost.assign(map_.rows * map_.columns, 0.0);
    result.active.assign(map_.rows * map_.columns, 0.0);
    const std::size_t lines = design_.rows() / design_.inputs;
    for (std::size_t row = 0; row < design_.rows(); ++row) {
      if (inputs[row / lines] == 0.0) continue;
      for (std::size_t column = 0; column < design_.columns; ++column) {
        const std::size_t cell = row * design_.columns + column;
        const std::size_t at = row / lines * map_.rows / design_.inputs * map_.columns +
                               column * map_.columns / design_.columns;
        const double voltage = std::abs(all.supply[cell] - all.column[cell]);
        result.lost[at] += 1.0 - voltage / design_.read_voltage;
        result.active[at] += 1.0;
      }
    }
  }

  const Macro& macro_;
  const WiresSettings& settings_;
  core::StreamKey key_;
  circuits::CrossbarDesign design_;
  std::vector<LevelCells> levels_;
  DropMap map_;
};

ColumnReads reads_of(const std::vector<ArrayRead>& arrays, std::size_t column) {
  ColumnReads reads;
  for (const ArrayRead& array : arrays) {
    reads.real.push_back(array.real[column]);
    reads.ideal.push_back(array.ideal[column]);
  }
  return reads;
}

/// The estimates of all columns, and what a common gain leaves over.
void add_columns(const std::vector<ArrayRead>& arrays, double ideal_mean, WiresResult& result) {
  const std::size_t columns = result.settings.columns;
  std::vector<double> variances;  // where they are needed
  if (mean_method(arrays.size()) == MeanMethod::paired_difference) {
    for (std::size_t column = 0; column < columns; ++column) {
      variances.push_back(difference_variance(reads_of(arrays, column)));
    }
  }
  DropScale scale{.ideal_mean = ideal_mean,
                  .step = result.step,
                  .gain = result.gain,
                  .confidence = result.confidence};
  double squares = 0.0;
  for (std::size_t column = 0; column < columns; ++column) {
    if (!variances.empty()) add_neighbours(variances, column, scale);
    result.columns.push_back(column_drop(reads_of(arrays, column), scale));
    squares += result.columns.back().left_over * result.columns.back().left_over;
  }
  result.left_over = std::sqrt(squares / static_cast<double>(columns));
}

/// The gain, and how far the arrays' currents are off without and with it.
void compare_all(const std::vector<ArrayRead>& arrays, WiresResult& result) {
  double products = 0.0;
  double squares = 0.0;
  for (const ArrayRead& array : arrays) {
    for (std::size_t j = 0; j < array.real.size(); ++j) {
      products += array.ideal[j] * array.real[j];
      squares += array.real[j] * array.real[j];
      result.worst_error =
          std::max(result.worst_error, std::abs(array.real[j] - array.ideal[j]) / result.step);
    }
    result.iterations += array.iterations;
    result.negative_cells += array.negative_cells;
  }
  if (squares > 0.0) result.gain = products / squares;
  result.iterations /= static_cast<double>(arrays.size());
}

DropMap mean_map(const std::vector<ArrayRead>& arrays, DropMap map) {
  for (std::size_t i = 0; i < map.rows * map.columns; ++i) {
    double lost = 0.0;
    double active = 0.0;
    for (const ArrayRead& array : arrays) {
      lost += array.lost[i];
      active += array.active[i];
    }
    map.lost.push_back(active > 0.0 ? lost / active : std::numeric_limits<double>::quiet_NaN());
  }
  return map;
}

}  // namespace

WiresResult run_wires(const Experiment& experiment, core::Threads threads,
                      const core::Progress& progress) {
  const WiresSettings& settings = experiment.wires;
  if (std::holds_alternative<devices::UnitCapacitor>(experiment.macro.cell)) {
    throw core::UsageError(core::error_line(
        "cell.model", "no current flows in the wires of capacitors", "this array shares charge",
        "choose cells that conduct, or use cimstat table"));
  }
  refuse_field(experiment.macro, "an array with wires");
  const Simulation simulation(experiment);
  std::vector<ArrayRead> arrays(settings.arrays);
  core::for_each_block(
      arrays.size(), threads,
      [&](std::size_t array, std::size_t) { arrays[array] = simulation.read(array); }, progress);
  const bool flows = std::any_of(arrays.begin(), arrays.end(), [](const ArrayRead& array) {
    return std::any_of(array.ideal.begin(), array.ideal.end(),
                       [](double current) { return current != 0.0; });
  });
  if (!flows) {
    throw core::UsageError(core::error_line(
        "wires", "no cell conducts in any of the arrays", "without current there is no drop",
        "raise the share of the highest level, or of active rows"));
  }
  WiresResult result{.name = experiment.name,
                     .settings = settings,
                     .inputs = experiment.macro.design.rows,
                     .read_voltage = experiment.macro.read_voltage,
                     .step = simulation.step(),
                     .confidence = experiment.table.confidence,
                     .columns = {},
                     .map = mean_map(arrays, simulation.empty_map())};
  compare_all(arrays, result);
  add_columns(arrays, simulation.ideal_mean(), result);
  return result;
}

}  // namespace cimstat::experiments
