#include "devices/any_cell.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "devices/cell_remarks.h"
#include "devices/conductance.h"

namespace cimstat::devices {

namespace {

static_assert(CellModel<RramCell> && CellModel<PcmCell> && CellModel<SonosCell> &&
              CellModel<FefetCell> && CellModel<MramCell> && CellModel<AnalogRram> &&
              CellModel<SramCell> && CellModel<UnitCapacitor>);

/// The models with what they know of the conditions, which outlives what refers to it.
const std::vector<std::pair<core::Variant (*)(), std::string>>& noted_variants() {
  static const auto note = [](const std::vector<ConditionUse>& uses) {
    return "of [conditions] it knows " + words_of(uses);
  };
  static const std::vector<std::pair<core::Variant (*)(), std::string>> variants = {
      {rram_variant, note(RramCell::condition_uses())},
      {analog_rram_variant, note(AnalogRram::condition_uses())},
      {pcm_variant, note(PcmCell::condition_uses())},
      {sram_variant, note(SramCell::condition_uses())},
      {sonos_variant, note(SonosCell::condition_uses())},
      {fefet_variant, note(FefetCell::condition_uses())},
      {mram_variant, note(MramCell::condition_uses())},
      {unit_capacitor_variant, note(UnitCapacitor::condition_uses())}};
  return variants;
}

std::string siemens(double conductance) {
  return core::format_quantity(conductance, core::Quantity::conductance);
}

std::string percent(double fraction) { return fmt::format("{:.4g} %", 100.0 * fraction); }

std::vector<CellLine> remarks_of(const RramCell& cell) {
  std::string beyond;
  const auto add = [&](double value, std::string_view name, const std::string& text) {
    if (!(value > 0.0)) return;
    beyond += fmt::format("{}{} {}", beyond.empty() ? "" : ", ", name, text);
  };
  add(cell.access_resistance, "access",
      core::format_quantity(cell.access_resistance, core::Quantity::resistance));
  add(cell.read_noise, "read noise", percent(cell.read_noise));
  add(cell.telegraph_amplitude * cell.telegraph_probability, "telegraph noise",
      fmt::format("-{} in {} of the cells", percent(cell.telegraph_amplitude),
                  percent(cell.telegraph_probability)));
  add(cell.stuck_at_lrs, "stuck at LRS", percent(cell.stuck_at_lrs));
  add(cell.stuck_at_hrs, "stuck at HRS", percent(cell.stuck_at_hrs));
  return {{"cell", std::move(beyond)}};
}

std::vector<CellLine> remarks_of(const UnitCapacitor& cell) {
  const std::string nominal = core::format_quantity(cell.nominal, core::Quantity::capacitance);
  return {{"cell", fmt::format("unit capacitor of {}, sd {} (frozen)", nominal,
                               percent(cell.relative_sd()))}};
}

std::vector<CellLine> remarks_of(const AnalogRram& cell) {
  return {{"preset", fmt::format("{} ({})", cell.preset->name, cell.preset->source)},
          {"validity", std::string(cell.preset->remark)}};
}

/// Models that say nothing of their own.
template <CellModel Model>
std::vector<CellLine> remarks_of(const Model&) {
  return {};
}

std::vector<CellLine> levels_of(const RramCell& cell) {
  return {{"LRS", describe(cell.lrs)}, {"HRS", describe(cell.hrs)}};
}

std::vector<CellLine> levels_of(const UnitCapacitor&) { return {}; }

template <CellModel Model>
std::vector<CellLine> levels_of(const Model& cell) {
  std::vector<CellLine> lines;
  const std::uint32_t levels = cell.levels();
  for (std::uint32_t level = 0; level < levels; ++level) {
    const core::Law law = cell.read(level);
    const std::string part = level == 0            ? "HRS"
                             : level + 1 == levels ? "LRS"
                                                   : fmt::format("level {}", level);
    lines.push_back(
        {part, fmt::format("aims at {}, read as {} (sd {})", siemens(cell.target(level)),
                           siemens(law.mean()), siemens(law.sd()))});
  }
  return lines;
}

template <class Model>
std::vector<CellLine> lines_of(const Model& cell) {
  std::vector<CellLine> lines = levels_of(cell);
  for (CellLine& line : remarks_of(cell)) lines.push_back(std::move(line));
  return lines;
}

/// Of models that know no levels between their own.
template <CellModel Model>
core::Law scaled_to_middle(const Model& cell) {
  const core::Law on = cell.read(cell.levels() - 1);
  return on.scaled(0.5 * (on.mean() + cell.read(0).mean()) / on.mean());
}

/// A level half way between the outer two, as the model programs and reads it.
template <CellModel Model>
core::Law middle_level(Model cell) {
  const double lowest = cell.targets.front();
  const double highest = cell.targets.back();
  cell.targets = {lowest, 0.5 * (lowest + highest), highest};
  return cell.read(1);
}

template <CellModel Model>
core::Law middle_of(const Model& cell) {
  return scaled_to_middle(cell);
}

core::Law middle_of(const RramCell& cell) { return cell.middle(); }
core::Law middle_of(const PcmCell& cell) { return middle_level(cell); }
core::Law middle_of(const SonosCell& cell) { return middle_level(cell); }

core::Law middle_of(const AnalogRram& cell) {
  AnalogRram whole = cell;
  whole.stuck_at_lrs = 0.0;
  whole.stuck_at_hrs = 0.0;
  whole.wear.cycles = 0.0;
  return whole.preset->binary ? scaled_to_middle(whole) : middle_level(std::move(whole));
}

}  // namespace

core::Section cell_section() {
  core::Section section{.key = "cell",
                        .need = core::Need::required,
                        .meaning = "one memory cell",
                        .selector = "model",
                        .selector_meaning = "kind of cell"};
  for (const auto& [variant, note] : noted_variants()) {
    section.variants.push_back(variant());
    section.variants.back().note = note;
  }
  return section;
}

AnyCell read_cell(const core::SectionReader& cell, const Conditions& conditions) {
  if (cell.variant() == "analog_rram") return read_analog_rram(cell, conditions);
  if (cell.variant() == "pcm") return read_pcm(cell, conditions);
  if (cell.variant() == "sonos") return read_sonos(cell, conditions);
  if (cell.variant() == "fefet") return read_fefet(cell, conditions);
  if (cell.variant() == "mram") return read_mram(cell, conditions);
  if (cell.variant() == "unit_capacitor") return read_unit_capacitor(cell);
  if (cell.variant() == "sram") return read_sram(cell, conditions);
  return read_rram(cell, conditions);
}

std::uint32_t levels(const AnyCell& cell) {
  return std::visit([](const auto& model) { return model.levels(); }, cell);
}

double target(const AnyCell& cell, std::uint32_t level) {
  return std::visit([&](const auto& model) { return model.target(level); }, cell);
}

core::Law programmed(const AnyCell& cell, std::uint32_t level) {
  return std::visit([&](const auto& model) { return model.programmed(level); }, cell);
}

core::Law read(const AnyCell& cell, std::uint32_t level) {
  return std::visit([&](const auto& model) { return model.read(level); }, cell);
}

std::vector<ConditionUse> condition_uses(const AnyCell& cell) {
  return std::visit([]<class Model>(const Model&) { return Model::condition_uses(); }, cell);
}

std::optional<ConditionUse> use_of(const AnyCell& cell, Condition condition) {
  for (const ConditionUse& use : condition_uses(cell)) {
    if (use.condition == condition) return use;
  }
  return std::nullopt;
}

core::Law middle(const AnyCell& cell) {
  return std::visit([](const auto& model) { return middle_of(model); }, cell);
}

std::vector<CellLine> describe(const AnyCell& cell) {
  return std::visit([](const auto& model) { return lines_of(model); }, cell);
}

std::vector<CellLine> remarks(const AnyCell& cell) {
  return std::visit([](const auto& model) { return remarks_of(model); }, cell);
}

}  // namespace cimstat::devices
