#include "circuits/wires/crossbar.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

using core::UsageError;

constexpr std::string_view place = "crossbar";
/// Below this share of a terminal's voltage at an open end, the maximum principle is too weak.
constexpr double useful_share = 1e-3;
constexpr std::size_t remembered_steps = 5;
constexpr double estimate_safety = 10.0;

[[noreturn]] void refuse(const std::string& problem, std::string_view why,
                         std::string_view remedy) {
  throw UsageError(core::error_line(place, problem, why, remedy));
}

void check_resistance(double value, std::string_view name) {
  if (std::isfinite(value) && value >= 0.0) return;
  refuse(fmt::format("{} of {:g} ohm", name, value), "a resistance is finite and not negative",
         "correct it");
}

void check_design(const CrossbarDesign& design, std::size_t conductances) {
  if (design.inputs == 0 || design.columns == 0) {
    refuse(fmt::format("{} inputs x {} columns", design.inputs, design.columns),
           "there must be a cell", "give at least 1 of each");
  }
  if (design.inputs > Crossbar::most_cells || design.columns > Crossbar::most_cells ||
      design.rows() * design.columns > Crossbar::most_cells) {
    refuse(fmt::format("{} rows x {} columns", design.rows(), design.columns),
           fmt::format("{} cells at the most", Crossbar::most_cells), "make the array smaller");
  }
  if (conductances != design.rows() * design.columns) {
    refuse(fmt::format("{} conductances", conductances),
           fmt::format("the array has {} rows x {} columns", design.rows(), design.columns),
           fmt::format("give {}", design.rows() * design.columns));
  }
  check_resistance(design.wires.supply_segment, "supply segment");
  check_resistance(design.wires.column_segment, "column segment");
  check_resistance(design.wires.driver, "driver");
  check_resistance(design.wires.sense, "sense amplifier");
  if (!std::isfinite(design.read_voltage)) {
    refuse(fmt::format("read voltage of {:g} V", design.read_voltage), "it must be finite",
           "correct it");
  }
}

[[noreturn]] void fail_to_reach(const ReadOptions& options, const CrossbarRead& read,
                                double largest) {
  throw core::Error(
      core::ExitCode::failure,
      core::error_line(place,
                       fmt::format("{} iterations left a bound of {:.1e} of the largest current",
                                   read.iterations, read.error_bound / largest),
                       fmt::format("{:.1e} is asked for", options.tolerance),
                       "raise the tolerance or the iterations"));
}

std::size_t padded_rows(const CrossbarShape& shape) { return shape.strips() * strip_rows; }

}  // namespace

/// What one read works on.
struct Crossbar::Workspace {
  explicit Workspace(const CrossbarShape& shape)
      : residual(shape.in_panels()),
        direction(shape.in_panels()),
        currents(shape.in_panels()),
        terminal(shape.panels() * panel_columns),
        gate(padded_rows(shape)),
        source(padded_rows(shape)),
        scratch(supply_scratch(shape)) {}

  Numbers residual;
  Numbers direction;
  Numbers currents;
  Numbers potential;  ///< empty, or of the column nodes
  Numbers injected;   ///< empty, or in panels
  Numbers terminal;
  Numbers gate;    ///< [row]
  Numbers source;  ///< [row] or [supply line of a column]
  Numbers scratch;
  // Where gates decide:
  Numbers column_factors;
  Numbers supply_factors;
  WireEnds column_ends;
  WireEnds supply_ends;

  /// What of a terminal's voltage reaches open ends: of supply lines, and the larger of it and that
  /// of bit lines.
  double supply_share = 0.0;
  double share = 0.0;
  double greatest_conductance = 0.0;  ///< into a bit line
};

Crossbar::Crossbar(const CrossbarDesign& design, std::span<const double> conductances)
    : design_(design) {
  check_design(design_, conductances.size());
  for (std::size_t i = 0; i < conductances.size(); ++i) {
    if (std::isfinite(conductances[i]) && conductances[i] >= 0.0) continue;
    refuse(fmt::format("conductance of {:g} S in row {}, column {}", conductances[i],
                       i / design_.columns, i % design_.columns),
           "a conductance is finite and not negative", "correct it");
  }
  shape_ = {.rows = design_.rows(), .columns = design_.columns};
  panels_.resize(shape_.in_panels());
  for (std::size_t row = 0; row < shape_.rows; ++row) {
    for (std::size_t column = 0; column < shape_.columns; ++column) {
      panels_[shape_.panel_index(row, column)] = conductances[row * shape_.columns + column];
    }
  }
  const WireResistances& wires = design_.wires;
  column_resistance_.assign(shape_.rows, wires.column_segment);
  if (design_.pairing == Pairing::interleaved) {
    for (std::size_t row = 0; row < shape_.rows; row += 2) column_resistance_[row] = 0.0;
  }
  column_resistance_.back() += wires.sense;
  if (design_.supply == Supply::column_line) {
    supply_resistance_.assign(design_.inputs, wires.supply_segment);
    supply_resistance_.back() += wires.driver;
  } else {
    strips_.resize(shape_.in_strips());
    for (std::size_t row = 0; row < shape_.rows; ++row) {
      for (std::size_t column = 0; column < shape_.columns; ++column) {
        strips_[shape_.strip_index(row, column)] = conductances[row * shape_.columns + column];
      }
    }
    supply_resistance_.assign(shape_.columns, wires.supply_segment);
    supply_resistance_.front() += wires.driver;
    row_factors_.resize(shape_.in_strips());
    factor_rows({shape_, supply_resistance_}, strips_, row_factors_, row_ends_);
  }
  if (!is_gated()) {
    column_factors_.resize(shape_.in_panels());
    const std::vector<double> open(padded_rows(shape_), 1.0);
    factor_columns(column_wires(open), panels_, column_factors_, column_ends_);
  }
}

ColumnWires Crossbar::column_wires(std::span<const double> gate) const {
  return {.shape = shape_,
          .wires = {{.first = 0, .step = 1, .resistance = column_resistance_}},
          .gate = gate};
}

ColumnWires Crossbar::supply_columns(std::span<const double> gate) const {
  ColumnWires columns{.shape = shape_, .wires = {}, .gate = gate};
  const std::size_t lines = shape_.rows / design_.inputs;
  for (std::size_t line = 0; line < lines; ++line) {
    columns.wires.push_back({.first = shape_.rows - lines + line,
                             .step = -static_cast<std::ptrdiff_t>(lines),
                             .resistance = supply_resistance_});
  }
  return columns;
}

void Crossbar::check_inputs(std::span<const double> inputs) const {
  if (inputs.size() != design_.inputs) {
    refuse(fmt::format("{} inputs", inputs.size()), fmt::format("the array has {}", design_.inputs),
           fmt::format("give {}", design_.inputs));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!is_gated() && !std::isfinite(inputs[i])) {
      refuse(fmt::format("input {} is {:g} V", i, inputs[i]), "it must be finite", "correct it");
    }
    if (is_gated() && inputs[i] != 0.0 && inputs[i] != 1.0) {
      refuse(fmt::format("input {} is {:g}", i, inputs[i]),
             "an access transistor is closed or open: 0 or 1",
             "give bits, or drive the input lines");
    }
  }
}

void Crossbar::check_injected(std::span<const double> injected) const {
  if (injected.empty()) return;
  if (injected.size() != shape_.rows * shape_.columns) {
    refuse(fmt::format("{} injected currents", injected.size()),
           fmt::format("the array has {} rows x {} columns", shape_.rows, shape_.columns),
           "give none or one for each cell");
  }
  for (const double current : injected) {
    if (!std::isfinite(current)) {
      refuse(fmt::format("injected current of {:g} A", current), "it must be finite", "correct it");
    }
  }
}

void Crossbar::apply_inputs(std::span<const double> inputs, Workspace& work) const {
  const std::size_t lines = shape_.rows / design_.inputs;
  for (std::size_t row = 0; row < shape_.rows; ++row) {
    const double sign = row % lines == 0 ? 1.0 : -1.0;
    const double input = inputs[row / lines];
    work.gate[row] = is_gated() ? input : 1.0;
    if (design_.supply != Supply::column_line) {
      work.source[row] = sign * (is_gated() ? design_.read_voltage : input);
    } else if (row < lines) {
      work.source[row] = sign * design_.read_voltage;
    }
  }
}

void Crossbar::factor(Workspace& work) const {
  const WireEnds* columns = &column_ends_;
  if (is_gated()) {
    work.column_factors.resize(shape_.in_panels());
    factor_columns(column_wires(work.gate), panels_, work.column_factors, work.column_ends);
    columns = &work.column_ends;
  }
  double supply = 1.0;
  if (design_.supply == Supply::column_line) {
    work.supply_factors.resize(shape_.in_panels());
    factor_columns(supply_columns(work.gate), panels_, work.supply_factors, work.supply_ends);
    for (const double through : work.supply_ends.through) supply = std::min(supply, through);
  } else {
    for (std::size_t row = 0; row < shape_.rows; ++row) {
      if (work.gate[row] != 0.0) supply = std::min(supply, row_ends_.through[row]);
    }
  }
  const double bit_lines = *std::min_element(columns->through.begin(), columns->through.end());
  work.supply_share = supply;
  work.share = std::max(supply, bit_lines);
  work.greatest_conductance =
      *std::max_element(columns->conductance.begin(), columns->conductance.end());
}

double Crossbar::pass_supply(SupplyPass pass, const SupplyVectors& vectors, Workspace& work) const {
  if (design_.supply == Supply::column_line) {
    return pass_columns(pass, supply_columns(work.gate), panels_, work.supply_factors, vectors,
                        work.scratch);
  }
  return pass_rows(pass, {shape_, supply_resistance_}, strips_, row_factors_, vectors,
                   work.scratch);
}

double Crossbar::bit_line_power(std::span<const double> potential, const Workspace& work) const {
  double power = 0.0;
  for (std::size_t row = 0; row < shape_.rows; ++row) {
    const double resistance = column_resistance_[row];
    for (std::size_t column = 0; column < shape_.columns; ++column) {
      const std::size_t at = shape_.panel_index(row, column);
      const double here = potential[at];
      power += work.gate[row] * panels_[at] * here * here;
      if (resistance == 0.0) continue;
      const double drop = row + 1 < shape_.rows ? here - potential[at + panel_columns] : here;
      power += drop * drop / resistance;
    }
  }
  return power;
}

CrossbarRead Crossbar::solve(std::span<const double> inputs, const ReadOptions& options,
                             std::span<const double> injected, Workspace& work) const {
  check_inputs(inputs);
  check_injected(injected);
  if (!(options.tolerance >= least_tolerance && options.tolerance < 1.0)) {
    refuse(fmt::format("tolerance {:g}", options.tolerance),
           fmt::format("rounding allows {:g} at the least", least_tolerance),
           fmt::format("give {:g} .. 1", least_tolerance));
  }
  apply_inputs(inputs, work);
  factor(work);
  work.injected.assign(injected.empty() ? 0 : shape_.in_panels(), 0.0);
  for (std::size_t i = 0; i < injected.size(); ++i) {
    work.injected[shape_.panel_index(i / shape_.columns, i % shape_.columns)] = injected[i];
  }
  std::fill(work.direction.begin(), work.direction.end(), 0.0);
  std::fill(work.currents.begin(), work.currents.end(), 0.0);
  SupplyVectors supply{.beta = 0.0,
                       .residual = work.residual,
                       .direction = work.direction,
                       .currents = work.currents,
                       .injected = work.injected,
                       .source = work.source,
                       .gate = work.gate};
  ColumnVectors columns{.alpha = 1.0,
                        .currents = work.currents,
                        .direction = work.direction,
                        .residual = work.residual,
                        .potential = work.potential,
                        .terminal = work.terminal};
  const ColumnWires wires = column_wires(work.gate);
  const std::span<const double> factors = is_gated() ? work.column_factors : column_factors_;

  pass_supply(SupplyPass::start, supply, work);
  ColumnOutcome outcome = step_columns(ColumnStep::first, wires, factors, columns, work.scratch);
  // Orthogonality gives both squares below for nothing, but rounding ends it in extreme arrays.
  const bool is_extreme = work.share < useful_share;
  double square = outcome.product;  // z M z of the residual
  double direction_square = 0.0;    // p M p of the direction
  std::deque<double> removed;       // energy, by the last steps
  CrossbarRead read;
  const std::span<const double> terminal(work.terminal.data(), shape_.columns);
  while (true) {
    double largest = 0.0;
    for (const double current : terminal) largest = std::max(largest, std::abs(current));
    const double target = options.tolerance * largest;
    const double reach = work.greatest_conductance * (1.0 - work.supply_share);
    read.error_bound = outcome.greatest == 0.0 ? 0.0
                       : work.share > 0.0      ? reach * outcome.greatest / work.share
                                               : std::numeric_limits<double>::infinity();
    read.bound_kind = BoundKind::maximum_principle;
    if (read.error_bound <= target) break;
    if (is_extreme && removed.size() == remembered_steps) {
      double energy = 0.0;
      for (const double step : removed) energy += step;
      const double estimate = estimate_safety * std::sqrt(work.greatest_conductance * energy);
      if (estimate <= target) {
        read.error_bound = std::min(read.error_bound, estimate);
        read.bound_kind = BoundKind::energy_estimate;
        break;
      }
    }
    if (read.iterations == options.iterations) fail_to_reach(options, read, largest);
    ++read.iterations;
    const double product = pass_supply(SupplyPass::iterate, supply, work);
    direction_square = is_extreme ? bit_line_power(work.direction, work)
                                  : square + supply.beta * supply.beta * direction_square;
    columns.alpha = square / (direction_square - product);
    // Only rounding gets it there.
    if (!(columns.alpha > 0.0 && std::isfinite(columns.alpha))) {
      fail_to_reach(options, read, largest);
    }
    outcome = step_columns(ColumnStep::next, wires, factors, columns, work.scratch);
    const double next =
        is_extreme ? bit_line_power(work.residual, work) : columns.alpha * outcome.product;
    removed.push_back(columns.alpha * square);
    if (removed.size() > remembered_steps) removed.pop_front();
    supply.beta = next / square;
    square = next;
  }
  read.currents.assign(terminal.begin(), terminal.end());
  return read;
}

CrossbarRead Crossbar::read(std::span<const double> inputs, const ReadOptions& options,
                            std::span<const double> injected) const {
  Workspace work(shape_);
  return solve(inputs, options, injected, work);
}

CrossbarVoltages Crossbar::voltages(std::span<const double> inputs, const ReadOptions& options,
                                    std::span<const double> injected) const {
  Workspace work(shape_);
  work.potential.resize(shape_.in_panels());
  CrossbarVoltages result{.read = solve(inputs, options, injected, work),
                          .supply = std::vector<double>(shape_.rows * shape_.columns),
                          .column = std::vector<double>(shape_.rows * shape_.columns)};
  // One more exact pass along the bit lines, which the residual holds.
  for (std::size_t i = 0; i < work.potential.size(); ++i) work.potential[i] += work.residual[i];
  pass_supply(SupplyPass::voltages,
              {.beta = 0.0,
               .residual = {},
               .direction = work.potential,
               .currents = work.currents,
               .injected = work.injected,
               .source = work.source,
               .gate = work.gate},
              work);
  for (std::size_t row = 0; row < shape_.rows; ++row) {
    for (std::size_t column = 0; column < shape_.columns; ++column) {
      const std::size_t from = shape_.panel_index(row, column);
      // Behind a closed access transistor a line along the row carries nothing.
      const bool is_idle = work.gate[row] == 0.0 && design_.supply == Supply::row_line;
      result.supply[row * shape_.columns + column] =
          is_idle ? work.source[row] : work.currents[from];
      result.column[row * shape_.columns + column] = work.potential[from];
    }
  }
  return result;
}

std::vector<CrossbarRead> Crossbar::read_all(std::span<const double> inputs,
                                             const ReadOptions& options,
                                             core::Threads threads) const {
  if (inputs.size() % design_.inputs != 0) {
    refuse(fmt::format("{} numbers as input vectors", inputs.size()),
           fmt::format("the array has {} inputs", design_.inputs), "give whole vectors");
  }
  std::vector<CrossbarRead> reads(inputs.size() / design_.inputs);
  std::vector<Workspace> rooms(
      std::min<std::size_t>(core::resolved(threads), std::max<std::size_t>(reads.size(), 1)),
      Workspace(shape_));
  core::for_each_block(reads.size(), threads, [&](std::size_t vector, std::size_t slot) {
    reads[vector] =
        solve(inputs.subspan(vector * design_.inputs, design_.inputs), options, {}, rooms[slot]);
  });
  return reads;
}

std::vector<double> Crossbar::ideal_currents(std::span<const double> inputs) const {
  check_inputs(inputs);
  const std::size_t lines = shape_.rows / design_.inputs;
  std::vector<double> currents(shape_.columns);
  for (std::size_t row = 0; row < shape_.rows; ++row) {
    const double input = inputs[row / lines] * (is_gated() ? design_.read_voltage : 1.0);
    const double voltage = row % lines == 0 ? input : -input;
    for (std::size_t column = 0; column < shape_.columns; ++column) {
      currents[column] += voltage * panels_[shape_.panel_index(row, column)];
    }
  }
  return currents;
}

std::vector<double> behind_access(std::span<const double> conductances, double resistance) {
  std::vector<double> behind(conductances.begin(), conductances.end());
  for (double& conductance : behind) conductance /= 1.0 + conductance * resistance;
  return behind;
}

}  // namespace cimstat::circuits
