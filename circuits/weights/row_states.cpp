#include "circuits/weights/row_states.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

/// Collects the laws of cells: each level, input step and sign once.
class CellLaws {
 public:
  explicit CellLaws(std::vector<core::Law>& laws) : laws_(laws) {}

  /// `name` is the caller's for the law; equal names have equal laws.
  std::uint32_t index(int name, double factor, const core::Law& law) {
    const auto [place, is_new] =
        known_.emplace(std::pair(name, factor), static_cast<std::uint32_t>(laws_.size()));
    if (is_new) laws_.push_back(law.scaled(factor));
    return place->second;
  }

 private:
  std::vector<core::Law>& laws_;
  std::map<std::pair<int, double>, std::uint32_t> known_;
};

constexpr int middle_cell = -1;
constexpr int leaking_cell = -2;

}  // namespace

RowStates make_row_states(const RowCells& cells, WeightForm form, std::uint32_t input_steps,
                          Subtraction subtraction) {
  const bool digital = subtraction == Subtraction::digital;
  if (digital && form == WeightForm::single) {
    throw core::UsageError(core::error_line("mapping.subtraction", "there is nothing to subtract",
                                            "weights = \"single\" has one column",
                                            "leave it out, or choose other weights"));
  }
  const auto levels = static_cast<std::int32_t>(cells.levels.size());
  const std::int32_t top = levels - 1;
  const bool two_columns = form == WeightForm::differential || form == WeightForm::complementary;
  RowStates rows;
  if (digital) rows.difference_value = form == WeightForm::dummy_column ? 2 : 1;
  const double minus = digital ? 1.0 : -1.0;
  CellLaws laws(rows.laws);
  const auto level = [&](std::int32_t number, double factor) {
    return laws.index(number, factor, cells.levels[static_cast<std::size_t>(number)]);
  };
  for (std::uint32_t step = 1; step < input_steps; ++step) {
    const double input = double(step) / (input_steps - 1);
    // `cells_of_row`: the row's own, then what is subtracted. In braces: laws are numbered from
    // left to right, and their numbers decide bytes.
    const auto add = [&](std::int32_t weight, std::vector<std::uint32_t> cells_of_row) {
      RowStates::State& state = rows.states.emplace_back();
      state.value = static_cast<std::int32_t>(step) * weight;
      state.cells = std::move(cells_of_row);
      if (!digital) return;
      state.subtracted = {state.cells.back()};
      state.cells.pop_back();
    };
    for (std::int32_t p = 0; p < levels; ++p) {
      switch (form) {
        case WeightForm::single:
          add(p, {level(p, input)});
          break;
        case WeightForm::dummy_column:
          add(digital ? 2 * p - top : p,
              {level(p, input), laws.index(middle_cell, minus * input, cells.middle.value())});
          break;
        case WeightForm::unit_column:
          add(p, {level(p, input), level(0, minus * input)});
          break;
        case WeightForm::complementary:
          add(2 * p - top, {level(p, input), level(top - p, minus * input)});
          break;
        case WeightForm::differential:
          add(p, {level(p, input), level(0, minus * input)});
          if (p > 0) add(-p, {level(0, input), level(p, minus * input)});
          break;
      }
    }
  }
  if (rows.states.size() > row_state_limit) {
    throw core::UsageError(
        core::error_line("mapping", fmt::format("{} states of a row", rows.states.size()),
                         fmt::format("input steps times weights; {} at the most", row_state_limit),
                         "lower input_steps, or the levels of the cell"));
  }
  std::stable_sort(rows.states.begin(), rows.states.end(),
                   [](const auto& a, const auto& b) { return a.value < b.value; });
  for (RowStates::State& state : rows.states) {
    state.share = 1.0 / static_cast<double>(rows.states.size());
  }
  if (cells.leakage) {
    rows.idle.push_back(laws.index(leaking_cell, 1.0, *cells.leakage));
    if (two_columns && !digital)
      rows.idle.push_back(laws.index(leaking_cell, -1.0, *cells.leakage));
  }
  return rows;
}

bool is_binary(std::size_t levels, WeightForm form, std::uint32_t input_steps,
               Subtraction subtraction) {
  return levels == 2 && input_steps == 2 && subtraction == Subtraction::analog &&
         (form == WeightForm::single || form == WeightForm::dummy_column);
}

std::vector<std::uint32_t> weight_slices(std::uint32_t weight, std::uint32_t weight_bits,
                                         std::uint32_t cell_bits) {
  if (cell_bits == 0 || weight_bits > 31 || weight_bits % cell_bits != 0) {
    throw core::UsageError(core::error_line(
        "mapping.weight_bits",
        fmt::format("{}-bit weights don't lie on {}-bit cells", weight_bits, cell_bits),
        "slices hold equally many bits", "choose a multiple of the bits of a cell"));
  }
  if (weight >> weight_bits != 0) {
    throw core::UsageError(core::error_line(
        "mapping.weight_bits", fmt::format("{} does not fit {} bits", weight, weight_bits)));
  }
  std::vector<std::uint32_t> slices;
  for (std::uint32_t bit = 0; bit < weight_bits; bit += cell_bits) {
    slices.push_back((weight >> bit) & ((1U << cell_bits) - 1));
  }
  return slices;
}

}  // namespace cimstat::circuits
