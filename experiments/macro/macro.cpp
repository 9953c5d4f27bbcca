#include "experiments/macro/macro.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "devices/field.h"

#include "circuits/bit_line/bit_line_section.h"
#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/line_reading.h"
#include "circuits/column_sections.h"
#include "circuits/weights/code_difference.h"

#include "experiments/macro/condition_check.h"
#include "experiments/macro/level_laws.h"
#include "experiments/macro/plausibility.h"

namespace cimstat::experiments {

namespace {

using core::Quantity;
using core::SectionReader;

/// Laws of single cells that lie on negative conductances.
void warn_of_negatives(const SectionReader& root, Macro& macro) {
  const SectionReader cell = root.section("cell");
  if (const auto* rram = std::get_if<devices::RramCell>(&macro.cell)) {
    for (const auto& [level, shape] : {std::pair("lrs", &rram->lrs), {"hrs", &rram->hrs}}) {
      if (auto warning = devices::negative_warning(cell.section(level), *shape)) {
        macro.warnings.push_back(*warning);
      }
    }
  }
  if (!macro.leakage) return;
  if (auto warning =
          devices::negative_warning(root.section("column").section("leakage"), *macro.leakage)) {
    macro.warnings.push_back(*warning);
  }
}

circuits::Mapping read_mapping(const SectionReader& root) {
  const bool has_dummy = root.section("column").flag("dummy_column");
  circuits::Mapping mapping;
  if (root.has("mapping")) {
    const SectionReader section = root.section("mapping");
    mapping = circuits::read_mapping(section);
    if (has_dummy && section.has("weights") && mapping.form != circuits::WeightForm::dummy_column) {
      section.fail("weights", "stands beside column.dummy_column",
                   "one of them says what is subtracted", "leave column.dummy_column out");
    }
  }
  if (has_dummy) mapping.form = circuits::WeightForm::dummy_column;
  return mapping;
}

/// Slices of a whole weight must fill the cells.
void check_weight_bits(const SectionReader& root, const Macro& macro) {
  if (!macro.mapping.weight_bits) return;
  const std::uint32_t levels = devices::levels(macro.cell);
  const SectionReader section = root.section("mapping");
  if (!std::has_single_bit(levels)) {
    section.fail("weight_bits", fmt::format("{} levels hold no whole number of bits", levels),
                 "slices are 2, 4 or 8 levels", "leave it out, or change the levels of [cell]");
  }
  const auto bits = static_cast<std::uint32_t>(std::countr_zero(levels));
  if (*macro.mapping.weight_bits % bits != 0) {
    section.fail(
        "weight_bits",
        fmt::format("{}-bit weights don't lie on {}-bit cells", *macro.mapping.weight_bits, bits),
        "all slices hold equally many bits", "choose a multiple of the bits of a cell");
  }
}

/// Rows of more than two states add up to one current, which a line may bend. Currents that are
/// subtracted flow on a line of their own, which bends them by itself.
void check_mapped_line(const SectionReader& root, const Macro& macro) {
  const circuits::ColumnDesign& design = macro.design;
  if (design.row_states.empty() || circuits::is_ideal(design.bit_line)) return;
  const SectionReader section = root.section("bit_line");
  if (!circuits::curve_of(design.bit_line)) {
    section.fail(
        "kind", "has no place beside this mapping",
        fmt::format("the line ({}) knows cells of two levels, one a row, and inputs of one "
                    "bit",
                    circuits::name_of(design.bit_line)),
        "choose discharge, compression or lumped_wire, or leave the mapping out");
  }
  const bool is_digital = macro.mapping.subtraction == circuits::Subtraction::digital;
  if (macro.mapping.form != circuits::WeightForm::single && !is_digital) {
    section.fail("kind", "has no place beside weights that are subtracted",
                 "the two columns have a line each, and each line is bent by itself",
                 "write mapping.weights = \"single\", mapping.subtraction = \"digital\", or leave "
                 "bit_line out");
  }
}

/// [bit_line]: capacitors share their charge, and only they do.
void read_line(const SectionReader& root, const devices::Conditions& conditions, Macro& macro) {
  circuits::ColumnDesign& design = macro.design;
  const auto* capacitor = std::get_if<devices::UnitCapacitor>(&macro.cell);
  const SectionReader cell = root.section("cell");
  if (root.has("bit_line")) {
    design.bit_line = circuits::read_bit_line(
        root.section("bit_line"),
        {.rows = design.rows,
         .read_voltage = macro.read_voltage,
         .parasitic = capacitor == nullptr ? 0.0 : capacitor->parasitic(design.rows),
         .conditions = conditions});
  }
  check_mapped_line(root, macro);
  const bool shares = std::holds_alternative<circuits::ChargeSharing>(design.bit_line);
  const bool is_asim = std::holds_alternative<circuits::AsimNoise>(design.bit_line);
  if ((shares || is_asim) != (capacitor != nullptr)) {
    cell.fail("model", capacitor == nullptr ? "has no capacitors" : "has capacitors",
              fmt::format("the bit line ({}) {}", circuits::name_of(design.bit_line),
                          capacitor == nullptr ? "shares charge" : "adds currents"),
              capacitor == nullptr ? "write model = \"unit_capacitor\", or another bit_line.kind"
                                   : "write bit_line.kind = \"charge_sharing\"");
  }
  if (capacitor == nullptr) {
    if (root.has("bit_line")) check_saturation(root.section("bit_line"), design);
    return;
  }
  if (is_asim && capacitor->mismatch > 0.0) {
    cell.fail("relative_sd", "has no place here",
              "the bit line (asim) has the noise that stands for it", "leave it and preset out");
  }
  if (root.section("column").has("leakage")) {
    root.section("column").fail("leakage", "has no place here",
                                "unselected capacitors are grounded and share their charge too",
                                "leave it out");
  }
  design.leakage = design.lrs;
  if (root.has("bit_line")) check_injection(root.section("bit_line"), design);
}

/// The key of the voltage at which a cell's current holds; empty where it is proportional to any. A
/// transistor behind a resistor sees only a part of the column's voltage.
std::string_view voltage_key(const SectionReader& cell, const devices::AnyCell& model) {
  if (std::holds_alternative<devices::SramCell>(model)) return "read_voltage";
  if (std::holds_alternative<devices::SonosCell>(model)) return "voltage";
  if (std::holds_alternative<devices::MramCell>(model)) return "voltage";
  if (std::holds_alternative<devices::AnalogRram>(model) && cell.has("voltage")) return "voltage";
  const auto* fefet = std::get_if<devices::FefetCell>(&model);
  return fefet != nullptr && fefet->resistance == 0.0 ? "drain_voltage" : "";
}

/// A cell that states its currents at a voltage is read at that one.
void check_read_voltage(const SectionReader& root, const Macro& macro) {
  const SectionReader cell = root.section("cell");
  const std::string_view key = voltage_key(cell, macro.cell);
  if (key.empty()) return;
  const double own = cell.number(key);
  const double voltage = root.section("column").number("read_voltage");
  if (std::abs(own - voltage) <= 1e-12 * std::abs(voltage)) return;  // rounding of units
  cell.fail(key,
            fmt::format("{} differs from column.read_voltage, {}",
                        core::format_quantity(own, Quantity::voltage),
                        core::format_quantity(voltage, Quantity::voltage)),
            "the cell's currents hold at the voltage of the column", "set both to the same");
}

/// A field over a die, as a column whose active rows lie anywhere in it sees it.
struct FieldShare {
  double common = 0.0;  ///< relative sd of what all its cells have in common
  double own = 0.0;     ///< of what each cell has for itself
};

/// Two of n rows correlate by (v n - 1) / (n - 1) on average, v the variance of the mean over all n
/// relative to that of one cell: with this common share and the rest in each cell, the variance of
/// the sum of any number of equal cells at random rows is the field's to second order: the two
/// factors multiply, which adds common^2 own^2 for each cell.
FieldShare read_field(const SectionReader& root, std::uint32_t rows) {
  if (!root.has("spatial_field")) return {};
  const devices::SpatialField field = devices::read_spatial_field(root.section("spatial_field"));
  if (rows < 2 || field.sd == 0.0) return {.own = field.sd};
  const double n = rows;
  const double mean = field.column_mean_covariance(rows, 0) / (field.sd * field.sd);
  const double pair = std::clamp((mean * n - 1.0) / (n - 1.0), 0.0, 1.0);
  return {.common = field.sd * std::sqrt(pair), .own = field.sd * std::sqrt(1.0 - pair)};
}

/// The law times 1 + sd N(0, 1).
core::Law varied(const core::Law& law, double sd) {
  if (sd == 0.0) return law;
  std::vector<core::Component> components = law.components();
  for (core::Component& component : components) {
    const double noise = component.relative_noise;
    component.relative_noise = std::sqrt(noise * noise * (1.0 + sd * sd) + sd * sd);
  }
  return core::Law(std::move(components));
}

/// What a row may be. Where codes are subtracted `design` gets one of the two columns, with one
/// cell a row, which is what its converter sees and references are placed for, and the states of
/// pairs are returned.
circuits::RowStates read_rows(const SectionReader& root, const circuits::Mapping& mapping,
                              const circuits::RowCells& cells, circuits::ColumnDesign& design) {
  const bool is_digital = mapping.subtraction == circuits::Subtraction::digital;
  const circuits::WeightForm form = is_digital ? circuits::WeightForm::single : mapping.form;
  if (circuits::is_binary(cells.levels.size(), form, mapping.input_steps)) {
    design.leakage = cells.leakage;
    if (!is_digital) design.dummy = cells.middle;
  } else {
    design.row_states = circuits::make_row_states(cells, form, mapping.input_steps);
  }
  if (!is_digital) return {};
  if (mapping.form == circuits::WeightForm::dummy_column &&
      root.section("cell").variant() == "unit_capacitor") {
    root.section("mapping").fail("subtraction", "\"digital\" has no dummy column here",
                                 "capacitors hold no level between 0 and 1",
                                 "choose weights = \"differential\" or \"complementary\"");
  }
  return circuits::make_row_states(cells, mapping.form, mapping.input_steps, mapping.subtraction);
}

/// Cells and what flows through them at these conditions: all that references are placed from.
/// Returns the states of two columns whose codes are subtracted, where they are.
circuits::RowStates read_currents(const SectionReader& root, const devices::Conditions& conditions,
                                  Macro& macro) {
  const SectionReader cell = root.section("cell");
  const SectionReader column = root.section("column");
  circuits::ColumnDesign& design = macro.design;
  design.rows = static_cast<std::uint32_t>(column.count("rows"));
  design.common_factor_sd = column.number("common_factor_sd");
  macro.read_voltage = column.number("read_voltage") * conditions.supply;
  macro.cell = devices::read_cell(cell, conditions);
  check_read_voltage(root, macro);
  if (column.has("leakage")) macro.leakage = devices::read_conductance(column.section("leakage"));
  double scale = macro.read_voltage;
  if (conditions.has(devices::Condition::corner) &&
      !devices::use_of(macro.cell, devices::Condition::corner)) {
    // The die is known: what its cells have in common is no longer random.
    macro.corner_factor = 1.0 + conditions.corner * design.common_factor_sd;
    scale *= macro.corner_factor;
    design.common_factor_sd = 0.0;
  }
  if (!(scale > 0.0)) {
    root.section("conditions")
        .fail("corner", "leaves no current",
              fmt::format("1 + {:g} times column.common_factor_sd", conditions.corner),
              "choose a corner nearer to 0");
  }
  const FieldShare field = read_field(root, design.rows);
  design.common_factor_sd = std::hypot(design.common_factor_sd, field.common);
  const bool has_capacitors = std::holds_alternative<devices::UnitCapacitor>(macro.cell);
  std::vector<core::Law> levels;
  for (const core::Law& law : level_laws(root, macro.cell, conditions)) {
    levels.push_back(varied(law.scaled(has_capacitors ? 1.0 : scale), field.own));
  }
  design.hrs = levels.front();
  design.lrs = levels.back();
  circuits::RowCells cells{.levels = levels};
  if (macro.leakage) {
    cells.leakage = varied(core::Law({{.base = *macro.leakage, .scale = scale}}), field.own);
  }
  const circuits::Mapping& mapping = macro.mapping;
  if (mapping.form == circuits::WeightForm::dummy_column) {
    cells.middle = varied(middle_law(root, macro.cell, conditions).scaled(scale), field.own);
  }
  circuits::RowStates pairs = read_rows(root, mapping, cells, design);
  read_line(root, conditions, macro);
  return pairs;
}

/// All rows active, at the highest current of a cell.
circuits::ColumnClass highest_class(const circuits::ColumnDesign& design) {
  circuits::ColumnClass one{.lrs_count = 0, .active_rows = design.rows};
  const std::size_t states = design.row_states.states.size();
  if (states == 0) {
    one.lrs_count = design.rows;
  } else {
    one.states[states - 1] = static_cast<std::uint16_t>(design.rows);
  }
  return one;
}

/// Noise far above all currents: an exponent of noise_sd or noise_knee is wrong.
void check_noise(const SectionReader& section, const circuits::ColumnDesign& design) {
  constexpr double most = 10.0;
  const circuits::SenseAmplifier& sense = design.sense;
  const core::Quantity delivered = circuits::delivered_quantity(design.bit_line);
  const double current = circuits::is_ideal(design.bit_line)
                             ? design.rows * design.lrs.mean()
                             : mean_reading(design, highest_class(design));
  const double noise = sense.noise_sd * std::sqrt(1.0 + current / sense.noise_knee);
  if (noise <= most * current) return;
  const bool by_knee = sense.noise_sd <= most * current;
  const bool is_current = delivered == Quantity::current;
  section.fail(
      by_knee      ? "noise_knee"
      : is_current ? "noise_sd"
                   : "noise_voltage_sd",
      fmt::format("makes a noise of {} at a {} of {}", core::format_quantity(noise, delivered),
                  is_current ? "current" : "voltage", core::format_quantity(current, delivered)),
      fmt::format("all rows in LRS; above {:g} times that it hides every MAC value", most),
      by_knee ? "raise it" : "lower it");
}

/// The design that the references were placed for.
circuits::ColumnDesign reference_design(const SectionReader& root, const Macro& macro) {
  devices::Conditions conditions = macro.conditions;
  const auto* pcm = std::get_if<devices::PcmCell>(&macro.cell);
  if (conditions.calibration == devices::Calibration::nominal) {
    conditions = {};
  } else if (pcm != nullptr && pcm->compensation != devices::DriftCompensation::recalibrated) {
    conditions.time = 0.0;  // and scaled by what the compensation knows of the drift
  } else {
    return macro.design;
  }
  Macro placed = macro;
  read_currents(root, conditions, placed);
  return placed.design;
}

/// References that were placed before the cells drifted follow as their compensation does.
void compensate_drift(const Macro& macro, circuits::Ladder& ladder) {
  const auto* pcm = std::get_if<devices::PcmCell>(&macro.cell);
  if (pcm == nullptr || macro.conditions.calibration == devices::Calibration::nominal) return;
  const double factor = pcm->reference_factor();
  if (factor == 1.0) return;
  for (double& reference : ladder.references) reference *= factor;
}

}  // namespace

std::vector<core::Section> macro_sections() {
  return {devices::cell_section(),
          circuits::column_section(),
          circuits::sense_amplifier_section(),
          circuits::converter_section(),
          circuits::bit_line_section(),
          devices::conditions_section(),
          devices::spatial_field_section(),
          circuits::mapping_section()};
}

Macro read_macro(const SectionReader& root) {
  Macro macro;
  static_cast<void>(root.section("cell"));  // a file without it is told of it, its first section
  if (root.has("conditions")) {
    macro.conditions = devices::read_conditions(root.section("conditions"));
  }
  macro.mapping = read_mapping(root);
  macro.has_field = root.has("spatial_field");
  check_latest_time(root, macro.conditions);
  circuits::RowStates pairs = read_currents(root, macro.conditions, macro);
  check_conditions(root, macro);
  check_weight_bits(root, macro);
  warn_of_negatives(root, macro);
  const SectionReader sense_amplifier = root.section("sense_amplifier");
  macro.design.sense = circuits::read_sense_amplifier(sense_amplifier, macro.conditions);
  circuits::read_voltages(sense_amplifier, macro.design);
  macro.design.common_factor_sd = circuits::common_factor(sense_amplifier, macro.design);
  circuits::check_line(macro.design);
  check_noise(sense_amplifier, macro.design);
  circuits::Converter converter =
      circuits::read_converter(root.section("converter"), reference_design(root, macro));
  macro.design.comparator = converter.comparator;
  macro.placement = converter.placement;
  macro.reference_rows = converter.reference_rows;
  compensate_drift(macro, converter.ladder);
  macro.design.ladder = std::move(converter.ladder);
  for (std::string& line : implausible_magnitudes(root, macro)) {
    macro.warnings.push_back(std::move(line));
  }
  if (pairs.is_digital()) {
    macro.design.row_states = std::move(pairs);
    circuits::check_columns(macro.design, {});
  }
  return macro;
}

}  // namespace cimstat::experiments
