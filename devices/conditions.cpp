#include "devices/conditions.h"

#include <cstddef>

#include "core/config/option.h"

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr double longest_time = 1e10;        // [s], some 300 years
constexpr Range temperatures{200.0, 500.0};  // [K]
constexpr Range corners{-6.0, 6.0};          // [sd]
constexpr Range supplies{0.5, 1.5};

constexpr core::Option<Calibration> calibrations[] = {
    {Calibration::follow,
     {"follow", "placed for the conditions of the read, as replicas or a recalibration would"}},
    {Calibration::nominal,
     {"nominal",
      "placed for time 0, 25 degC, the typical corner and the nominal supply, and left there"}}};

}  // namespace

std::string_view key_of(Condition condition) {
  switch (condition) {
    case Condition::time:
      return "time";
    case Condition::temperature:
      return "temperature";
    case Condition::corner:
      return "corner";
    case Condition::supply:
      return "supply";
  }
  return {};
}

std::string either(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string words_of(const std::vector<ConditionUse>& uses) {
  std::string text;
  for (const ConditionUse& use : uses) {
    if (!text.empty()) text += ", ";
    text += key_of(use.condition);
    if (!use.how.empty()) {
      text += " " + std::string(use.how);
    } else if (!use.keys.empty()) {
      text += " with " + either(use.keys);
    }
  }
  return text;
}

Conditions Conditions::without(Condition condition) const {
  constexpr Conditions nominal;
  Conditions result = *this;
  switch (condition) {
    case Condition::time:
      result.time = nominal.time;
      break;
    case Condition::temperature:
      result.temperature = nominal.temperature;
      break;
    case Condition::corner:
      result.corner = nominal.corner;
      break;
    case Condition::supply:
      result.supply = nominal.supply;
      break;
  }
  return result;
}

bool Conditions::has(Condition condition) const {
  const Conditions other = without(condition);
  return time != other.time || temperature != other.temperature || corner != other.corner ||
         supply != other.supply;
}

core::Section conditions_section() {
  return {
      .key = "conditions",
      .need = core::Need::optional,
      .meaning = "when and where the cells are read",
      .parameters = {
          {.key = "time",
           .rule = NumberRule{Quantity::time, Range{0.0, longest_time}, 0.0},
           .meaning = "since the cells were programmed: relaxation, drift, retention; refused for "
                      "cells that don't know it",
           .example = "\"1 h\""},
          {.key = "temperature",
           .rule = NumberRule{Quantity::temperature, temperatures, room_temperature},
           .meaning =
               "of the die while it is read (and kept); refused for cells that don't know it",
           .example = "\"85 degC\""},
          {.key = "corner",
           .rule = NumberRule{Quantity::ratio, corners, 0.0},
           .meaning = "process corner of the die, in standard deviations of what its cells have "
                      "in common (column.common_factor_sd, or what the model has): -3 slow, 0 "
                      "typical, 3 fast",
           .example = "-3"},
          {.key = "supply",
           .rule = NumberRule{Quantity::ratio, supplies, 1.0},
           .meaning = "all supply and read voltages times this",
           .example = "0.9"},
          {.key = "references",
           .rule = core::option_rule(calibrations, "follow"),
           .meaning = "conditions that the converter's references were placed for"}}};
}

Conditions read_conditions(const core::SectionReader& section) {
  return {.time = section.number("time"),
          .temperature = section.number("temperature"),
          .corner = section.number("corner"),
          .supply = section.number("supply"),
          .calibration = core::read_option(section, "references", calibrations)};
}

}  // namespace cimstat::devices
