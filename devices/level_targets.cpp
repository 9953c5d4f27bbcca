#include "devices/level_targets.h"

#include <cstdint>

#include <fmt/format.h>

#include "devices/cell.h"

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr Range conductances{0.0, 1e3};  // [S]

std::string siemens(double conductance) {
  return core::format_quantity(conductance, Quantity::conductance);
}

}  // namespace

std::vector<core::Parameter> target_parameters() {
  return {{.key = "levels",
           .rule = core::CountRule{2, most_levels, 2, {}},
           .meaning = "how many conductances a cell is programmed to, evenly spaced",
           .example = "4"},
          {.key = "lowest",
           .rule = NumberRule{Quantity::conductance, conductances, {}},
           .meaning = "conductance that level 0 aims at",
           .example = "\"5 uS\"",
           .absent = "the lowest one that the model is valid for"},
          {.key = "highest",
           .rule = NumberRule{Quantity::conductance, conductances, {}},
           .meaning = "conductance that the highest level aims at",
           .example = "\"35 uS\"",
           .absent = "the highest one that the model is valid for"},
          {.key = "targets",
           .rule = core::NumbersRule{Quantity::conductance, conductances},
           .meaning = "conductances that the levels aim at, ascending",
           .example = "[\"2 uS\", \"10 uS\", \"35 uS\"]",
           .absent = "evenly spaced from lowest to highest"}};
}

std::vector<double> read_targets(const core::SectionReader& cell, TargetRange range) {
  const auto check = [&](std::string_view key, double target) {
    if (target >= range.lowest && target <= range.highest) return;
    cell.fail(key, fmt::format("{} is outside of what the model was fitted to", siemens(target)),
              fmt::format("{} to {}", siemens(range.lowest), siemens(range.highest)),
              "choose a conductance in between");
  };
  std::vector<double> targets;
  if (cell.has("targets")) {
    for (const std::string_view key : {"levels", "lowest", "highest"}) {
      if (cell.has(key)) {
        cell.fail(key, "stands beside targets", "targets lists the levels",
                  "leave one of them out");
      }
    }
    targets = cell.numbers("targets");
    if (targets.size() < 2 || targets.size() > most_levels) {
      cell.fail("targets",
                fmt::format("lists {} level{}", targets.size(), targets.size() == 1 ? "" : "s"),
                fmt::format("a cell has 2 to {}", most_levels), "list as many");
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
      check("targets", targets[i]);
      if (i > 0 && targets[i] <= targets[i - 1]) {
        cell.fail("targets", fmt::format("{} is not above the one before it", siemens(targets[i])),
                  "levels ascend", "sort them");
      }
    }
    return targets;
  }
  const double lowest = cell.optional_number("lowest").value_or(range.lowest);
  const double highest = cell.optional_number("highest").value_or(range.highest);
  check("lowest", lowest);
  check("highest", highest);
  if (!(highest > lowest)) {
    cell.fail(cell.has("highest") ? "highest" : "lowest", "highest is not above lowest",
              fmt::format("{} and {}", siemens(highest), siemens(lowest)), "swap the two");
  }
  const auto levels = static_cast<std::uint32_t>(cell.count("levels"));
  for (std::uint32_t level = 0; level < levels; ++level) {
    targets.push_back(level + 1 == levels ? highest
                                          : lowest + (highest - lowest) * level / (levels - 1.0));
  }
  return targets;
}

}  // namespace cimstat::devices
