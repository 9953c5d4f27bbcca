#include "experiments/macro/level_laws.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cimstat::experiments {

namespace {

using core::Quantity;
using core::SectionReader;
using devices::Condition;

constexpr Condition all_conditions[] = {Condition::time, Condition::temperature, Condition::corner,
                                        Condition::supply};

std::string siemens(double conductance) {
  return core::format_quantity(conductance, Quantity::conductance);
}

std::vector<core::Law> laws_of(const devices::AnyCell& cell) {
  std::vector<core::Law> laws;
  for (std::uint32_t level = 0; level < devices::levels(cell); ++level) {
    laws.push_back(devices::read(cell, level));
  }
  return laws;
}

bool ascend(const devices::AnyCell& cell, const std::vector<core::Law>& laws) {
  return std::holds_alternative<devices::UnitCapacitor>(cell) ||
         laws.back().mean() > laws.front().mean();
}

/// Whether the cell of the file has usable levels at these conditions.
bool works(const SectionReader& root, const devices::Conditions& conditions) {
  try {
    const devices::AnyCell cell = devices::read_cell(root.section("cell"), conditions);
    return ascend(cell, laws_of(cell));
  } catch (const core::UsageError&) {
    return false;
  }
}

/// The condition that alone ruins the cell, if one does.
std::optional<Condition> culprit(const SectionReader& root, const devices::Conditions& conditions) {
  for (const Condition condition : all_conditions) {
    if (conditions.has(condition) && works(root, conditions.without(condition))) return condition;
  }
  return std::nullopt;
}

/// Refuses the condition, where one is to blame.
void blame_conditions(const SectionReader& root, const devices::Conditions& conditions,
                      std::string_view why) {
  const std::optional<Condition> condition = culprit(root, conditions);
  if (!condition) return;
  constexpr devices::Conditions nominal;
  const auto [value, remedy] = [&]() -> std::pair<std::string, std::string> {
    switch (*condition) {
      case Condition::time:
        return {core::format_quantity(conditions.time, Quantity::time), "choose an earlier time"};
      case Condition::temperature:
        return {core::format_quantity(conditions.temperature, Quantity::temperature),
                fmt::format("choose one nearer to {}",
                            core::format_quantity(nominal.temperature, Quantity::temperature))};
      case Condition::corner:
        return {fmt::format("{:g} sd", conditions.corner), "choose a corner nearer to 0"};
      case Condition::supply:
        return {fmt::format("{:g}", conditions.supply), "choose a supply nearer to 1"};
    }
    return {};
  }();
  root.section("conditions")
      .fail(devices::key_of(*condition), fmt::format("leaves no usable cell at {}", value), why,
            remedy);
}

/// A key of [cell] that is not at its default, with what it could be.
struct Suspect {
  std::string key;
  std::string hint;
};

std::vector<Suspect> suspects(const SectionReader& cell) {
  const core::Section section = devices::cell_section();
  const auto variant =
      std::find_if(section.variants.begin(), section.variants.end(),
                   [&](const core::Variant& known) { return known.name == cell.variant(); });
  std::vector<Suspect> result;
  for (const std::string& key : cell.keys()) {
    const core::Parameter* parameter = core::find(variant->parameters, key);
    if (parameter == nullptr) continue;
    const auto* rule = std::get_if<core::NumberRule>(&parameter->rule);
    const bool lists = std::holds_alternative<core::NumbersRule>(parameter->rule);
    if (rule == nullptr && !lists) continue;
    if (rule != nullptr && rule->fallback) {
      if (cell.number(key) == *rule->fallback) continue;
      result.push_back({key, fmt::format("{} ({} by default)", key,
                                         core::format_quantity(*rule->fallback, rule->quantity))});
    } else {
      result.push_back({key, key});
    }
  }
  return result;
}

/// Refuses what [cell] says.
[[noreturn]] void blame_cell(const SectionReader& root, const std::string& problem,
                             std::string_view why) {
  const SectionReader cell = root.section("cell");
  const std::vector<Suspect> keys = suspects(cell);
  const std::string_view place = keys.size() == 1     ? std::string_view(keys.front().key)
                                 : cell.has("preset") ? std::string_view("preset")
                                                      : std::string_view("model");
  std::vector<std::string_view> hints;
  for (const Suspect& suspect : keys) hints.push_back(suspect.hint);
  cell.fail(place, problem, why,
            hints.empty()       ? std::string("take another preset or model")
            : hints.size() == 1 ? fmt::format("choose another {}", hints.front())
                                : fmt::format("check {}", devices::either(hints)));
}

/// A law that can't be made, as an error of the file.
[[noreturn]] void refuse(const SectionReader& root, const devices::Conditions& conditions,
                         const std::string& what, const core::LawError& error) {
  const std::string found =
      error.why().empty() ? error.problem() : fmt::format("{}: {}", error.problem(), error.why());
  blame_conditions(root, conditions, fmt::format("{} has no law, {}", what, found));
  blame_cell(root, fmt::format("makes no law of {}", what), found);
}

/// Of binary cells the sections of the two levels say more than their model does.
void check_rram(const SectionReader& cell, const devices::RramCell& rram,
                const std::string& found) {
  const double lrs_programmed = core::Law({{.base = rram.lrs}}).mean();
  const double hrs_programmed = core::Law({{.base = rram.hrs}}).mean();
  if (lrs_programmed <= hrs_programmed) {
    cell.fail("lrs",
              fmt::format("mean conductance {} is not above that of hrs, {}",
                          siemens(lrs_programmed), siemens(hrs_programmed)),
              "LRS is the state that conducts", "swap the two");
  }
  const double stuck = rram.stuck_at_lrs + rram.stuck_at_hrs;
  const std::string_view key = stuck >= 1.0                   ? "stuck_at_lrs"
                               : rram.access_resistance > 0.0 ? "access_resistance"
                                                              : "read_noise";
  cell.fail(key, fmt::format("leaves LRS no more conductive than HRS: {}", found),
            stuck >= 1.0 ? "every cell is stuck" : "as read, not as programmed", "lower it");
}

/// Levels that don't differ, or stand the wrong way round, as they are read.
[[noreturn]] void refuse_order(const SectionReader& root, const devices::AnyCell& model,
                               const devices::Conditions& conditions,
                               const std::vector<core::Law>& laws) {
  const SectionReader cell = root.section("cell");
  const std::string found = fmt::format("mean conductance {} in LRS, {} in HRS",
                                        siemens(laws.back().mean()), siemens(laws.front().mean()));
  blame_conditions(root, conditions, found);
  if (const auto* rram = std::get_if<devices::RramCell>(&model)) check_rram(cell, *rram, found);
  if (const auto* analog = std::get_if<devices::AnalogRram>(&model);
      analog != nullptr && analog->sinh_scale > 0.0) {
    devices::AnalogRram linear = *analog;
    linear.sinh_scale = 0.0;
    if (ascend(linear, laws_of(linear))) {
      cell.fail("voltage",
                fmt::format("makes the lowest level conduct as much as the highest: {}", found),
                "its current grows with sinh(voltage / sinh_scale)",
                "lower it, or raise sinh_scale");
    }
  }
  blame_cell(root,
             fmt::format("leaves the highest level no more conductive than the lowest: {}", found),
             "as read");
}

}  // namespace

std::vector<core::Law> level_laws(const SectionReader& root, const devices::AnyCell& cell,
                                  const devices::Conditions& conditions) {
  std::vector<core::Law> laws;
  for (std::uint32_t level = 0; level < devices::levels(cell); ++level) {
    try {
      laws.push_back(devices::read(cell, level));
    } catch (const core::LawError& error) {
      refuse(root, conditions, fmt::format("level {}", level), error);
    }
  }
  if (!ascend(cell, laws)) refuse_order(root, cell, conditions, laws);
  return laws;
}

core::Law middle_law(const SectionReader& root, const devices::AnyCell& cell,
                     const devices::Conditions& conditions) {
  try {
    return devices::middle(cell);
  } catch (const core::LawError& error) {
    refuse(root, conditions, "the dummy column's cells", error);
  }
}

}  // namespace cimstat::experiments
