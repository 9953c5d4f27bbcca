#include "experiments/macro/condition_check.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"

#include "devices/sonos/sonos_time.h"

namespace cimstat::experiments {

namespace {

using core::SectionReader;
using devices::Condition;

/// The section whose thermal noise the temperature moves; empty for none.
std::string_view thermal_section(const SectionReader& root) {
  if (root.has("bit_line")) {
    const SectionReader line = root.section("bit_line");
    if (line.variant() == "charge_sharing" && line.flag("thermal_noise")) return "bit_line";
  }
  const SectionReader sense = root.section("sense_amplifier");
  if (sense.has("voltage_latch") && sense.section("voltage_latch").has("node_capacitance")) {
    return "sense_amplifier.voltage_latch";
  }
  if (sense.has("current_amplifier") && sense.section("current_amplifier").has("bandwidth")) {
    return "sense_amplifier.current_amplifier";
  }
  return {};
}

/// What the cells of the macro know, and the column for them.
std::string known_words(const Macro& macro) {
  std::string words = devices::words_of(devices::condition_uses(macro.cell));
  const bool by_column = !devices::use_of(macro.cell, Condition::corner) &&
                         !std::holds_alternative<devices::UnitCapacitor>(macro.cell);
  if (by_column) words += ", and corner through column.common_factor_sd";
  return words;
}

[[noreturn]] void refuse(const SectionReader& root, const Macro& macro, Condition condition,
                         std::string_view remedy) {
  root.section("conditions")
      .fail(devices::key_of(condition),
            fmt::format("has no effect on cells of model \"{}\"", root.section("cell").variant()),
            fmt::format("they know {}", known_words(macro)), remedy);
}

}  // namespace

void check_latest_time(const SectionReader& root, const devices::Conditions& conditions) {
  constexpr double latest = devices::sonos_latest_time;
  if (root.section("cell").variant() != "sonos" || conditions.time <= latest) return;
  constexpr double day = 86400.0;
  root.section("conditions")
      .fail(devices::key_of(Condition::time),
            fmt::format("cells of {:.4g} days are too old", conditions.time / day),
            fmt::format("SONOS was measured up to {:g} days, {:g} s", latest / day, latest),
            "choose an earlier time");
}

void check_conditions(const SectionReader& root, Macro& macro) {
  const SectionReader cell = root.section("cell");
  for (const Condition condition : {Condition::time, Condition::temperature}) {
    if (!macro.conditions.has(condition)) continue;
    const auto use = devices::use_of(macro.cell, condition);
    const bool used = use && (use->keys.empty() ||
                              std::any_of(use->keys.begin(), use->keys.end(),
                                          [&](std::string_view key) { return cell.has(key); }));
    if (used) continue;
    const std::string_view thermal =
        condition == Condition::temperature ? thermal_section(root) : std::string_view();
    if (thermal.empty()) {
      refuse(root, macro, condition,
             use ? fmt::format("give {} in [cell], or leave it out", devices::either(use->keys))
                 : std::string("leave it out"));
    }
    if (std::holds_alternative<devices::UnitCapacitor>(macro.cell)) continue;
    macro.warnings.push_back(core::error_line(
        root.section("conditions").place(devices::key_of(condition)),
        fmt::format("acts on {} alone", thermal),
        fmt::format("cells of model \"{}\" know {}", cell.variant(), known_words(macro))));
  }
  if (!macro.conditions.has(Condition::corner)) return;
  if (devices::use_of(macro.cell, Condition::corner)) return;
  if (std::holds_alternative<devices::UnitCapacitor>(macro.cell)) {
    refuse(root, macro, Condition::corner, "leave it out");
  }
  if (root.section("column").number("common_factor_sd") == 0.0) {
    refuse(root, macro, Condition::corner, "give column.common_factor_sd, or leave it out");
  }
}

}  // namespace cimstat::experiments
