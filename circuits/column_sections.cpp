#include "circuits/column_sections.h"

#include "devices/conductance.h"

namespace cimstat::circuits {

namespace {

using core::CountRule;
using core::FlagRule;
using core::Need;
using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr double largest_voltage = 100.0;  // [V], keeps a mistyped exponent out

}  // namespace

core::Section column_section() {
  return {
      .key = "column",
      .need = Need::required,
      .meaning = "one bit line: the cells of the active rows add their currents",
      .parameters =
          {{.key = "rows",
            .rule = CountRule{1, row_limit, std::nullopt, {}},
            .meaning = "word lines, and so cells in the column",
            .example = "128"},
           {.key = "read_voltage",
            .rule = NumberRule{Quantity::voltage, Range{0.0, largest_voltage, true, false}, {}},
            .meaning = "voltage across a selected cell; its current is conductance times this",
            .example = "\"0.2 V\""},
           {.key = "dummy_column",
            .rule = FlagRule{false},
            .meaning = "subtract the current of a column of cells half way between the levels "
                       "in the active rows"},
           {.key = "common_factor_sd",
            .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
            .meaning = "all currents of the column (cells, leakage, dummy) times 1 + this * N(0, "
                       "1): what a column or its die has in common, frozen; references don't "
                       "follow it",
            .example = "0.02"}},
      .sections = {devices::conductance_section(
          "leakage", Need::optional,
          "conductance of each unselected row at the read voltage; none where it is left out")}};
}

}  // namespace cimstat::circuits
