#include "experiments/macro/macro_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/config/config.h"

#include "devices/conductance.h"

#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

using core::Quantity;

std::string amperes(double current) { return core::format_quantity(current, Quantity::current); }

std::string percent(double fraction) { return fmt::format("{:.4g} %", 100.0 * fraction); }

/// "a, b, c" of those that are not empty.
std::string joined(std::span<const std::string> parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

/// What the cell is beyond its two levels.
std::string cell_text(const devices::RramCell& cell) {
  const auto stated = [](double value, std::string_view name, std::string text) {
    return value > 0.0 ? fmt::format("{} {}", name, text) : std::string();
  };
  const std::string parts[] = {
      stated(cell.access_resistance, "access",
             core::format_quantity(cell.access_resistance, Quantity::resistance)),
      stated(cell.read_noise, "read noise", percent(cell.read_noise)),
      stated(cell.telegraph_amplitude * cell.telegraph_probability, "telegraph noise",
             fmt::format("-{} in {} of the cells", percent(cell.telegraph_amplitude),
                         percent(cell.telegraph_probability))),
      stated(cell.stuck_at_lrs, "stuck at LRS", percent(cell.stuck_at_lrs)),
      stated(cell.stuck_at_hrs, "stuck at HRS", percent(cell.stuck_at_hrs))};
  return joined(parts);
}

std::string column_text(const Macro& macro) {
  std::string text = fmt::format("{}, read at {}", counted(macro.design.rows, "row"),
                                 core::format_quantity(macro.read_voltage, Quantity::voltage));
  if (macro.design.dummy) text += ", less a dummy column";
  if (macro.design.common_factor_sd > 0.0) {
    text += fmt::format(", common factor of sd {} (frozen per die or column)",
                        percent(macro.design.common_factor_sd));
  }
  return text;
}

std::string noise_text(const circuits::SenseAmplifier& sense) {
  if (!(sense.noise_sd > 0.0)) return {};
  std::string text =
      fmt::format("noise {} {}", amperes(sense.noise_sd),
                  sense.noise_shape == circuits::NoiseShape::gaussian ? "gaussian" : "logistic");
  if (std::isfinite(sense.noise_knee)) {
    text += fmt::format(" times sqrt(1 + I / {})", amperes(sense.noise_knee));
  }
  return text + " (fresh at each read)";
}

std::string sense_text(const circuits::SenseAmplifier& sense) {
  const std::string offset =
      sense.offset_sd > 0.0 ? fmt::format("offset {} (frozen per column)", amperes(sense.offset_sd))
                            : std::string();
  const std::string parts[] = {offset, noise_text(sense)};
  const std::string text = joined(parts);
  return text.empty() ? "ideal: no offset, no noise" : text;
}

std::string_view placement_name(circuits::Placement placement) {
  switch (placement) {
    case circuits::Placement::uniform:
      return "uniform";
    case circuits::Placement::midpoint:
      return "midpoint";
    case circuits::Placement::dual:
      return "dual";
    case circuits::Placement::listed:
      return "listed";
    case circuits::Placement::replica:
      break;
  }
  return "replica";
}

std::string_view kind_name(circuits::ConverterKind kind) {
  switch (kind) {
    case circuits::ConverterKind::flash:
      return "flash";
    case circuits::ConverterKind::flash_lowest_zero:
      return "flash, lowest zero";
    case circuits::ConverterKind::sar:
      return "SAR";
    case circuits::ConverterKind::ramp:
      break;
  }
  return "ramp";
}

std::string converter_text(const Macro& macro) {
  std::string text =
      fmt::format("{}, {} codes, {} references", kind_name(macro.design.comparator.kind),
                  macro.design.ladder.codes, placement_name(macro.placement));
  const bool placed = macro.placement != circuits::Placement::listed;
  if (placed && macro.reference_rows != macro.design.rows) {
    text += " for " + counted(macro.reference_rows, "active row");
  }
  if (macro.design.ladder.follows_active_rows) {
    text += ", which follow the number of active rows";
  }
  const circuits::Comparator& comparator = macro.design.comparator;
  if (comparator.noise_sd > 0.0) {
    text += fmt::format(", comparator noise {}", amperes(comparator.noise_sd));
    if (comparator.correlation > 0.0) {
      text += fmt::format(", correlation {:g}", comparator.correlation);
    }
    text += " (fresh at each decision)";
  }
  return text;
}

}  // namespace

std::vector<MacroLine> macro_lines(const Macro& macro) {
  const circuits::ColumnDesign& design = macro.design;
  std::vector<MacroLine> lines = {
      {"LRS", devices::describe(macro.cell.lrs)},
      {"HRS", devices::describe(macro.cell.hrs)},
      {"on/off ratio",
       fmt::format("{:.4g}, of the mean read currents", design.lrs.mean() / design.hrs.mean())},
      {"cell", cell_text(macro.cell)},
      {"column", column_text(macro)},
      {"leakage", macro.leakage
                      ? fmt::format("of each unselected row, {}", devices::describe(*macro.leakage))
                      : std::string()},
      {"sense amplifier", sense_text(design.sense)},
      {"converter", converter_text(macro)}};
  std::erase_if(lines, [](const MacroLine& line) { return line.text.empty(); });
  return lines;
}

std::string aligned_text(std::span<const MacroLine> lines) {
  std::size_t widest = 0;
  for (const MacroLine& line : lines) widest = std::max(widest, line.part.size());
  std::string text;
  for (const MacroLine& line : lines) {
    text += fmt::format("  {:<{}}  {}\n", line.part, widest, line.text);
  }
  return text;
}

}  // namespace cimstat::experiments
