#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/config/option.h"
#include "core/law/law.h"

#include "circuits/column.h"

/// How weights lie on cells and inputs on word lines, and so what an active row may add to a column
/// (RowStates).
namespace cimstat::circuits {

/// Cells of L levels 0 .. L - 1; inputs of X steps 0 .. X - 1, a row of input 0 being unselected.
enum class WeightForm {
  /// One cell a row: weights 0 .. L - 1.
  single,
  /// The same, less a column of cells half way between the outermost levels at the same inputs,
  /// subtracted before the converter: weights of either sign, offset by half the range.
  dummy_column,
  /// The same, less a column whose cells all are at level 0: what the lowest level conducts is gone
  /// from the current, though its spread is doubled.
  unit_column,
  /// Two columns, subtracted: weight w >= 0 is level w against level 0, w < 0 level 0 against -w.
  /// Weights -(L - 1) .. L - 1.
  differential,
  /// Two columns, subtracted: level p against level L - 1 - p. Weights 2 p - (L - 1): -1 and 1 of
  /// binary cells (XNOR networks).
  complementary,
};

inline constexpr core::Option<WeightForm> weight_forms[] = {
    {WeightForm::single, {"single", "one cell a row: weights 0 .. levels - 1"}},
    {WeightForm::dummy_column,
     {"dummy_column",
      "one cell a row, less a column of cells half way between the outermost levels"}},
    {WeightForm::unit_column,
     {"unit_column", "one cell a row, less a column of cells that all are at the lowest level"}},
    {WeightForm::differential,
     {"differential",
      "two columns subtracted, one cell of a pair at the lowest level: weights -(levels - 1) .. "
      "levels - 1"}},
    {WeightForm::complementary,
     {"complementary",
      "two columns subtracted, cells of a pair at mirrored levels: weights 2 p - (levels - 1), as "
      "-1 and 1 of binary cells"}}};

enum class Subtraction {
  analog,   ///< of currents, before the one converter
  digital,  ///< of the codes of two columns
};

inline constexpr core::Option<Subtraction> subtractions[] = {
    {Subtraction::analog, {"analog", "currents, before the converter"}},
    {Subtraction::digital,
     {"digital", "codes: each of the two columns has a sense amplifier and a converter"}}};

/// What the rows are made of: currents of one cell at full input [A].
struct RowCells {
  std::span<const core::Law> levels;      ///< ascending; 2 or more
  std::optional<core::Law> middle = {};   ///< of a dummy column's cell; needed for dummy_column
  std::optional<core::Law> leakage = {};  ///< of an unselected row's cell
};

/// States of an active row, ascending in value, each once for each input step x = 1 .. X - 1 and
/// weight w: value x w, currents at x / (X - 1) of the full input. `share`: all inputs and weights
/// equally often. With digital subtraction what is subtracted is the other column's, whose
/// unselected rows leak too, and a dummy column makes weights 2 p - (L - 1), twice what lies above
/// the middle. Throws UsageError for more than row_state_limit states, and for `single` with
/// digital subtraction.
RowStates make_row_states(const RowCells& cells, WeightForm form, std::uint32_t input_steps,
                          Subtraction subtraction = Subtraction::analog);

/// Whether a column of these is binary as it is: one cell of two levels a row, inputs 0 and 1,
/// nothing subtracted from its codes.
bool is_binary(std::size_t levels, WeightForm form, std::uint32_t input_steps,
               Subtraction subtraction = Subtraction::analog);

/// A weight of `weight_bits` on cells of `cell_bits`: slices, least significant first, each 0 ..
/// 2^cell_bits - 1. Throws UsageError where cell_bits does not divide weight_bits, or the weight
/// has more bits.
std::vector<std::uint32_t> weight_slices(std::uint32_t weight, std::uint32_t weight_bits,
                                         std::uint32_t cell_bits);

}  // namespace cimstat::circuits
