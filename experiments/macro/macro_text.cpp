#include "experiments/macro/macro_text.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "core/config/config.h"

#include "devices/conductance.h"

#include "circuits/bit_line/bit_line_section.h"

#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

using core::Quantity;

/// In what the bit line delivers.
std::string reading(const circuits::ColumnDesign& design, double value) {
  return core::format_quantity(value, circuits::delivered_quantity(design.bit_line));
}

std::string percent(double fraction) { return fmt::format("{:.4g} %", 100.0 * fraction); }

/// "a, b, c" of those that are not empty.
std::string joined(std::span<const std::string> parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

std::string conditions_text(const devices::Conditions& conditions) {
  const devices::Conditions usual;
  const auto stated = [](bool is_usual, std::string text) {
    return is_usual ? std::string() : std::move(text);
  };
  const std::string parts[] = {
      stated(conditions.time == usual.time,
             core::format_quantity(conditions.time, Quantity::time) + " after programming"),
      stated(conditions.temperature == usual.temperature,
             core::format_quantity(conditions.temperature, Quantity::temperature)),
      stated(conditions.corner == usual.corner, fmt::format("corner {:+g} sd", conditions.corner)),
      stated(conditions.supply == usual.supply,
             fmt::format("supply times {:g}", conditions.supply)),
      stated(conditions.calibration == usual.calibration,
             "references placed at nominal conditions")};
  return joined(parts);
}

std::string column_text(const Macro& macro) {
  std::string text = fmt::format("{}, read at {}", counted(macro.design.rows, "row"),
                                 core::format_quantity(macro.read_voltage, Quantity::voltage));
  if (macro.mapping.form == circuits::WeightForm::dummy_column) {
    text +=
        macro.design.row_states.is_digital() ? ", beside a dummy column" : ", less a dummy column";
  }
  if (macro.design.common_factor_sd > 0.0) {
    text += fmt::format(", common factor of sd {} (frozen per die or column)",
                        percent(macro.design.common_factor_sd));
  }
  return text;
}

std::string mapping_text(const Macro& macro) {
  const circuits::Mapping& mapping = macro.mapping;
  const circuits::RowStates& rows = macro.design.row_states;
  const std::uint32_t levels = devices::levels(macro.cell);
  std::string text;
  if (!rows.empty()) {
    std::string_view name;
    for (const auto& [form, choice] : circuits::weight_forms) {
      if (form == mapping.form) name = choice.name;
    }
    text = fmt::format("{}, {} a cell, {} a row, which adds {} .. {} to the MAC value", name,
                       counted(levels, "level"), counted(rows.states.size(), "state"),
                       rows.lowest(), rows.highest());
    if (rows.is_digital()) text += ", codes of two columns subtracted";
    if (mapping.input_steps > 2) text += fmt::format(", inputs 0 .. {}", mapping.input_steps - 1);
  }
  if (mapping.weight_bits) {
    const auto bits = static_cast<std::uint32_t>(std::countr_zero(levels));
    text += fmt::format("{}{}-bit weights in {}", text.empty() ? "" : "; ", *mapping.weight_bits,
                        counted(*mapping.weight_bits / bits, "slice"));
  }
  return text;
}

std::string noise_text(const circuits::ColumnDesign& design) {
  const circuits::SenseAmplifier& sense = design.sense;
  if (!(sense.noise_sd > 0.0)) return {};
  std::string text =
      fmt::format("noise {} {}", reading(design, sense.noise_sd),
                  sense.noise_shape == circuits::NoiseShape::gaussian ? "gaussian" : "logistic");
  if (std::isfinite(sense.noise_knee)) {
    text += fmt::format(" times sqrt(1 + I / {})", reading(design, sense.noise_knee));
  }
  return text + " (fresh at each read)";
}

std::string sense_text(const circuits::ColumnDesign& design) {
  const circuits::SenseAmplifier& sense = design.sense;
  const std::string offset = sense.offset_sd > 0.0 ? fmt::format("offset {} (frozen per column)",
                                                                 reading(design, sense.offset_sd))
                                                   : std::string();
  const std::string parts[] = {offset, noise_text(design)};
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
    case circuits::Placement::calibrated:
      return "calibrated";
    case circuits::Placement::percentile:
      return "percentile";
    case circuits::Placement::neurosim:
      return "NeuroSim's floor";
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
    case circuits::ConverterKind::pipeline:
      return "pipeline";
    case circuits::ConverterKind::cyclic:
      return "cyclic";
    case circuits::ConverterKind::ramp:
      break;
  }
  return "ramp";
}

/// What differs between converters.
std::string mismatch_text(const circuits::ColumnDesign& design) {
  const circuits::ConverterMismatch& mismatch = design.comparator.mismatch;
  std::string text;
  if (mismatch.offset_sd > 0.0) {
    text += fmt::format(", comparator offset {} (frozen)", reading(design, mismatch.offset_sd));
  }
  if (mismatch.element_sd > 0.0) {
    text += fmt::format(", elements differ by {} (frozen)", percent(mismatch.element_sd));
  }
  if (std::isfinite(mismatch.amplifier_gain)) {
    text += fmt::format(", amplifier gain {:g}", mismatch.amplifier_gain);
  }
  return text;
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
    text += fmt::format(", comparator noise {}", reading(macro.design, comparator.noise_sd));
    if (comparator.correlation > 0.0) {
      text += fmt::format(", correlation {:g}", comparator.correlation);
    }
    text += " (fresh at each decision)";
  }
  return text + mismatch_text(macro.design);
}

}  // namespace

std::vector<MacroLine> macro_lines(const Macro& macro) {
  const circuits::ColumnDesign& design = macro.design;
  std::vector<MacroLine> lines;
  const std::vector<devices::CellLine> cell = devices::describe(macro.cell);
  // The ratio of the levels stands behind them, before what else the cell is.
  const bool has_levels = !std::holds_alternative<devices::UnitCapacitor>(macro.cell);
  const std::size_t level_lines =
      has_levels ? std::min<std::size_t>(cell.size(), devices::levels(macro.cell)) : 0;
  for (std::size_t i = 0; i < level_lines; ++i) lines.push_back({cell[i].part, cell[i].text});
  if (has_levels) {
    const double off = design.hrs.mean();
    lines.push_back({"on/off ratio", off > 0.0 ? fmt::format("{:.4g}, of the mean read currents",
                                                             design.lrs.mean() / off)
                                               : std::string("HRS carries no current on average")});
  }
  for (std::size_t i = level_lines; i < cell.size(); ++i) {
    lines.push_back({cell[i].part, cell[i].text});
  }
  const MacroLine others[] = {
      {"conditions", conditions_text(macro.conditions)},
      {"mapping", mapping_text(macro)},
      {"column", column_text(macro)},
      {"leakage", macro.leakage
                      ? fmt::format("of each unselected row, {}", devices::describe(*macro.leakage))
                      : std::string()},
      {"bit line",
       circuits::is_ideal(design.bit_line) ? std::string() : circuits::describe(design.bit_line)},
      {"sense amplifier", sense_text(design)},
      {"converter", converter_text(macro)}};
  lines.insert(lines.end(), std::begin(others), std::end(others));
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
