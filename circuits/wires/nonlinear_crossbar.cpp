#include "circuits/wires/nonlinear_crossbar.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

constexpr std::string_view place = "non-linear crossbar";
/// A step of length s lowers what is missed to 1 - s of it at first order; this share of it will
/// do.
constexpr double accepted_share = 0.25;
constexpr int most_halvings = 40;

/// The numbers of cells, [row][column].
struct CellValues {
  explicit CellValues(std::size_t cells) : voltage(cells), current(cells) {}
  std::vector<double> voltage;
  std::vector<double> current;  ///< which obeys Kirchhoff's laws
};

class NewtonRead {
 public:
  NewtonRead(const CrossbarDesign& design, const CellCurves& curves, std::span<const double> inputs,
             const NonlinearOptions& options)
      : design_(design),
        curves_(curves),
        inputs_(inputs),
        options_(options),
        cells_(design.rows() * design.columns),
        curve_(cells_),
        slope_(cells_),
        state_(cells_) {}

  NonlinearRead run() {
    const std::vector<double> nothing(cells_, 0.0);
    evaluate(nothing);
    CellValues next(cells_);
    const CrossbarRead first = solve(nothing, next);
    state_ = std::move(next);
    NonlinearRead result{.currents = first.currents, .error_bound = 0.0, .steps = 0};
    double linear_bound = first.error_bound;
    double missed = evaluate_and_miss(state_);
    while (true) {
      double largest = 0.0;
      for (const double current : result.currents) largest = std::max(largest, std::abs(current));
      result.error_bound = linear_bound + missed;
      if (result.error_bound <= options_.tolerance * largest) return result;
      if (result.steps == options_.steps) fail(result, largest);
      ++result.steps;
      CellValues goal(cells_);
      const CrossbarRead read = solve(state_.voltage, goal);
      double length = 1.0;
      CellValues trial(cells_);
      int halvings = 0;
      while (true) {
        for (std::size_t i = 0; i < cells_; ++i) {
          trial.voltage[i] = between(state_.voltage[i], goal.voltage[i], length);
          trial.current[i] = between(state_.current[i], goal.current[i], length);
        }
        const double now = evaluate_and_miss(trial);
        const bool is_at_rounding = length == 1.0 && now <= options_.tolerance * 0.1 * largest;
        if (now <= (1.0 - accepted_share * length) * missed || is_at_rounding) {
          missed = now;
          break;
        }
        if (++halvings > most_halvings) fail(result, largest);
        length *= 0.5;
      }
      state_ = std::move(trial);
      for (std::size_t j = 0; j < result.currents.size(); ++j) {
        result.currents[j] = between(result.currents[j], read.currents[j], length);
      }
      linear_bound = between(linear_bound, read.error_bound, length);
    }
  }

 private:
  static double between(double from, double to, double length) {
    return length == 1.0 ? to : from + length * (to - from);
  }

  bool is_connected(std::size_t cell) const {
    if (design_.supply == Supply::input_line) return true;
    const std::size_t lines = design_.rows() / design_.inputs;
    return inputs_[cell / design_.columns / lines] != 0.0;
  }

  void evaluate(std::span<const double> voltages) {
    curves_(voltages, curve_, slope_);
    for (std::size_t i = 0; i < cells_; ++i) {
      if (slope_[i] >= 0.0 && std::isfinite(slope_[i]) && std::isfinite(curve_[i])) continue;
      throw core::Error(
          core::ExitCode::failure,
          core::error_line(
              place,
              fmt::format("the cell in row {}, column {} has a slope of {:g} S at "
                          "{:g} V",
                          i / design_.columns, i % design_.columns, slope_[i], voltages[i]),
              "its current must rise with the voltage", "lower the voltage, or use another curve"));
    }
  }

  double evaluate_and_miss(const CellValues& state) {
    evaluate(state.voltage);
    double missed = 0.0;
    for (std::size_t i = 0; i < cells_; ++i) {
      if (is_connected(i)) missed += std::abs(curve_[i] - state.current[i]);
    }
    return missed;
  }

  /// The array of the slopes at `voltages`, where the curves were evaluated.
  CrossbarRead solve(std::span<const double> voltages, CellValues& to) {
    // Of the state, not of a trial that was evaluated after it.
    evaluate(voltages);
    std::vector<double> injected(cells_);
    for (std::size_t i = 0; i < cells_; ++i) injected[i] = curve_[i] - slope_[i] * voltages[i];
    const Crossbar crossbar(design_, slope_);
    const double tolerance = std::max(0.1 * options_.tolerance, Crossbar::least_tolerance);
    CrossbarVoltages all = crossbar.voltages(inputs_, {.tolerance = tolerance}, injected);
    for (std::size_t i = 0; i < cells_; ++i) {
      to.voltage[i] = is_connected(i) ? all.supply[i] - all.column[i] : 0.0;
      to.current[i] = is_connected(i) ? slope_[i] * to.voltage[i] + injected[i] : 0.0;
    }
    return std::move(all.read);
  }

  [[noreturn]] void fail(const NonlinearRead& result, double largest) const {
    throw core::Error(
        core::ExitCode::failure,
        core::error_line(
            place,
            fmt::format("{} Newton steps left a bound of {:.1e} of the largest current",
                        result.steps, result.error_bound / largest),
            fmt::format("{:.1e} is asked for", options_.tolerance),
            "raise the tolerance or the steps, or lower the voltage"));
  }

  const CrossbarDesign& design_;
  const CellCurves& curves_;
  std::span<const double> inputs_;
  NonlinearOptions options_;
  std::size_t cells_;
  std::vector<double> curve_;  ///< at the voltages evaluated last
  std::vector<double> slope_;
  CellValues state_;
};

}  // namespace

CellCurves polynomial_cells(std::vector<double> linear, std::vector<double> quadratic,
                            std::vector<double> cubic) {
  if (linear.size() != quadratic.size() || linear.size() != cubic.size()) {
    throw core::UsageError(
        core::error_line(place,
                         fmt::format("{} linear, {} quadratic and {} cubic coefficients",
                                     linear.size(), quadratic.size(), cubic.size()),
                         "each cell has one of each", "give as many of each"));
  }
  return
      [linear = std::move(linear), quadratic = std::move(quadratic), cubic = std::move(cubic)](
          std::span<const double> voltages, std::span<double> currents, std::span<double> slopes) {
        for (std::size_t i = 0; i < voltages.size(); ++i) {
          const double v = voltages[i];
          currents[i] = v * (linear[i] + v * (quadratic[i] + v * cubic[i]));
          slopes[i] = linear[i] + v * (2.0 * quadratic[i] + v * 3.0 * cubic[i]);
        }
      };
}

CellCurves sinh_cells(std::vector<double> conductances, double voltage) {
  if (!(std::isfinite(voltage) && voltage > 0.0)) {
    throw core::UsageError(core::error_line(place, fmt::format("V0 of {:g} V", voltage),
                                            "it must be above 0", "correct it"));
  }
  return
      [conductances = std::move(conductances), voltage](
          std::span<const double> voltages, std::span<double> currents, std::span<double> slopes) {
        for (std::size_t i = 0; i < voltages.size(); ++i) {
          const double x = voltages[i] / voltage;
          currents[i] = conductances[i] * voltage * std::sinh(x);
          slopes[i] = conductances[i] * std::cosh(x);
        }
      };
}

NonlinearRead read_nonlinear(const CrossbarDesign& design, const CellCurves& curves,
                             std::span<const double> inputs, const NonlinearOptions& options) {
  // Refuses what makes no array, before any curve is asked.
  if (inputs.size() != design.inputs || design.inputs == 0 || design.columns == 0) {
    const std::size_t cells = std::max<std::size_t>(design.rows() * design.columns, 1);
    (void)Crossbar(design, std::vector<double>(cells, 0.0)).read(inputs);
  }
  return NewtonRead(design, curves, inputs, options).run();
}

}  // namespace cimstat::circuits
