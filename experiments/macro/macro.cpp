#include "experiments/macro/macro.h"

#include <cmath>

#include <fmt/format.h>

#include "circuits/column_sections.h"

#include "experiments/macro/plausibility.h"

namespace cimstat::experiments {

namespace {

using core::Quantity;
using core::SectionReader;

/// Cell models: one line here for each, and one in read_cell.
core::Section cell_section() {
  return {.key = "cell",
          .need = core::Need::required,
          .meaning = "one memory cell",
          .selector = "model",
          .selector_meaning = "kind of cell",
          .variants = {devices::rram_variant()}};
}

std::string siemens(double conductance) {
  return core::format_quantity(conductance, Quantity::conductance);
}

/// The levels must differ as they are read, and as they are described before that.
void check_levels(const SectionReader& cell, const Macro& macro) {
  const double lrs = macro.design.lrs.mean() / macro.read_voltage;
  const double hrs = macro.design.hrs.mean() / macro.read_voltage;
  if (lrs > hrs) return;
  const double lrs_programmed = core::Law({{.base = macro.cell.lrs}}).mean();
  const double hrs_programmed = core::Law({{.base = macro.cell.hrs}}).mean();
  if (lrs_programmed <= hrs_programmed) {
    cell.fail("lrs",
              fmt::format("mean conductance {} is not above that of hrs, {}",
                          siemens(lrs_programmed), siemens(hrs_programmed)),
              "LRS is the state that conducts", "swap the two");
  }
  const double stuck = macro.cell.stuck_at_lrs + macro.cell.stuck_at_hrs;
  const std::string_view key = stuck >= 1.0                         ? "stuck_at_lrs"
                               : macro.cell.access_resistance > 0.0 ? "access_resistance"
                                                                    : "read_noise";
  cell.fail(key,
            fmt::format("leaves LRS no more conductive than HRS: mean conductance {} in LRS, {} "
                        "in HRS",
                        siemens(lrs), siemens(hrs)),
            stuck >= 1.0 ? "every cell is stuck" : "as read, not as programmed", "lower it");
}

void read_cell(const SectionReader& cell, Macro& macro) {
  macro.cell = devices::read_rram(cell);
  macro.design.lrs = macro.cell.read(devices::Level::lrs).scaled(macro.read_voltage);
  macro.design.hrs = macro.cell.read(devices::Level::hrs).scaled(macro.read_voltage);
  check_levels(cell, macro);
  for (const auto& [level, shape] : {std::pair("lrs", &macro.cell.lrs), {"hrs", &macro.cell.hrs}}) {
    if (auto warning = devices::negative_warning(cell.section(level), *shape)) {
      macro.warnings.push_back(*warning);
    }
  }
}

void read_leakage(const SectionReader& column, Macro& macro) {
  if (!column.has("leakage")) return;
  const SectionReader leakage = column.section("leakage");
  macro.leakage = devices::read_conductance(leakage);
  macro.design.leakage = core::Law({{.base = *macro.leakage, .scale = macro.read_voltage}});
  if (auto warning = devices::negative_warning(leakage, *macro.leakage)) {
    macro.warnings.push_back(*warning);
  }
}

/// Noise far above all currents: an exponent of noise_sd or noise_knee is wrong.
void check_noise(const SectionReader& section, const circuits::ColumnDesign& design) {
  constexpr double most = 10.0;
  const circuits::SenseAmplifier& sense = design.sense;
  const double current = design.rows * design.lrs.mean();
  const double noise = sense.noise_sd * std::sqrt(1.0 + current / sense.noise_knee);
  if (noise <= most * current) return;
  const bool by_knee = sense.noise_sd <= most * current;
  section.fail(by_knee ? "noise_knee" : "noise_sd",
               fmt::format("makes a noise of {} at a current of {}",
                           core::format_quantity(noise, Quantity::current),
                           core::format_quantity(current, Quantity::current)),
               fmt::format("all rows in LRS; above {:g} times that it hides every MAC value", most),
               by_knee ? "raise it" : "lower it");
}

}  // namespace

std::vector<core::Section> macro_sections() {
  return {cell_section(), circuits::column_section(), circuits::sense_amplifier_section(),
          circuits::converter_section()};
}

Macro read_macro(const SectionReader& root) {
  Macro macro;
  const SectionReader cell = root.section("cell");
  const SectionReader column = root.section("column");
  macro.read_voltage = column.number("read_voltage");
  macro.design.rows = static_cast<std::uint32_t>(column.count("rows"));
  read_cell(cell, macro);
  read_leakage(column, macro);
  macro.design.common_factor_sd = column.number("common_factor_sd");
  if (column.flag("dummy_column")) {
    macro.design.dummy = macro.cell.middle().scaled(macro.read_voltage);
  }
  const SectionReader sense_amplifier = root.section("sense_amplifier");
  macro.design.sense = circuits::read_sense_amplifier(sense_amplifier);
  check_noise(sense_amplifier, macro.design);
  circuits::Converter converter = circuits::read_converter(root.section("converter"), macro.design);
  macro.design.comparator = converter.comparator;
  macro.placement = converter.placement;
  macro.reference_rows = converter.reference_rows;
  macro.design.ladder = std::move(converter.ladder);
  for (std::string& line : implausible_magnitudes(root, macro)) {
    macro.warnings.push_back(std::move(line));
  }
  return macro;
}

}  // namespace cimstat::experiments
