#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "devices/cell.h"
#include "devices/fefet/fefet.h"

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr std::string_view unverified = "typical of the literature, unverified";

std::vector<double> read_thresholds(const core::SectionReader& cell) {
  if (cell.has("thresholds")) {
    for (const std::string_view key : {"levels", "lowest_threshold", "window"}) {
      if (cell.has(key)) {
        cell.fail(key, "stands beside thresholds", "thresholds lists the levels",
                  "leave one of them out");
      }
    }
    const std::vector<double> thresholds = cell.numbers("thresholds");
    if (thresholds.size() < 2 || thresholds.size() > most_levels) {
      cell.fail(
          "thresholds",
          fmt::format("lists {} level{}", thresholds.size(), thresholds.size() == 1 ? "" : "s"),
          fmt::format("a cell has 2 to {}", most_levels), "list as many");
    }
    for (std::size_t i = 1; i < thresholds.size(); ++i) {
      if (thresholds[i] < thresholds[i - 1]) continue;
      cell.fail("thresholds",
                fmt::format("{} is not below the one before it",
                            core::format_quantity(thresholds[i], Quantity::voltage)),
                "levels ascend in conductance, so thresholds descend", "sort them");
    }
    return thresholds;
  }
  const double lowest = cell.optional_number("lowest_threshold").value_or(0.4);
  const double window = cell.optional_number("window").value_or(1.2);
  const auto levels = static_cast<std::size_t>(cell.count("levels"));
  std::vector<double> thresholds;
  for (std::size_t level = levels; level-- > 0;) {
    thresholds.push_back(lowest +
                         window * static_cast<double>(level) / static_cast<double>(levels - 1));
  }
  return thresholds;
}

}  // namespace

core::Variant fefet_variant() {
  constexpr Range voltages{-10.0, 10.0};
  constexpr Range drains{1e-3, 10.0};
  return {
      .name = "fefet",
      .meaning =
          "ferroelectric transistor, alone or with a series resistor (1FeFET-1R). Frozen: its "
          "threshold, normal around one of some states, and the resistor, lognormal; the current "
          "is EKV's. Fresh: read noise. The resistor sees the transistor's conductance at "
          "drain_voltage",
      .source = "form as usual in the literature; every default is unverified",
      .parameters = {
          {.key = "levels",
           .rule = core::CountRule{2, most_levels, 2, {}},
           .meaning = "how many thresholds, evenly spaced over the window",
           .example = "4"},
          {.key = "lowest_threshold",
           .rule = NumberRule{Quantity::voltage, voltages, {}},
           .meaning = "threshold of the highest level",
           .example = "\"0.4 V\"",
           .absent = "0.4 V",
           .source = unverified},
          {.key = "window",
           .rule = NumberRule{Quantity::voltage, drains, {}},
           .meaning = "memory window: how far the threshold of level 0 lies above, 1.0 to 1.5 V",
           .example = "\"1.2 V\"",
           .absent = "1.2 V",
           .source = unverified},
          {.key = "thresholds",
           .rule = core::NumbersRule{Quantity::voltage, voltages},
           .meaning = "thresholds of the levels, descending",
           .example = "[\"1.6 V\", \"0.9 V\", \"0.4 V\"]",
           .absent = "evenly spaced over the window"},
          {.key = "threshold_sd",
           .rule = NumberRule{Quantity::voltage, Range{1e-4, 1.0}, 0.1},
           .meaning = "standard deviation of each threshold, 50 to 150 mV for small cells",
           .source = unverified},
          {.key = "gate_voltage",
           .rule = NumberRule{Quantity::voltage, voltages, 1.0},
           .meaning = "of a selected row; conditions.supply scales it"},
          {.key = "drain_voltage",
           .rule = NumberRule{Quantity::voltage, drains, 0.1},
           .meaning = "at which the conductance is taken; conditions.supply scales it"},
          {.key = "slope_factor",
           .rule = NumberRule{Quantity::ratio, Range{1.0, 5.0}, 1.3},
           .meaning = "EKV's n",
           .source = unverified},
          {.key = "specific_current",
           .rule = NumberRule{Quantity::current, Range{1e-12, 1e-2}, 1e-7},
           .meaning = "EKV's I_S = 2 n beta U_t^2 at 298.15 K; it grows with the square of the "
                      "temperature",
           .source = unverified},
          {.key = "resistance",
           .rule = NumberRule{Quantity::resistance, Range{0.0, 1e12}, 0.0},
           .meaning = "median of the series resistor of 1FeFET-1R; 0 for a transistor alone"},
          {.key = "resistance_sigma",
           .rule = NumberRule{Quantity::ratio, Range{0.0, 1.0}, 0.0},
           .meaning = "standard deviation of ln R; the current of 1FeFET-1R spreads by 0.05 to 0.1",
           .source = unverified},
          {.key = "read_noise",
           .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
           .meaning = "noise of each read, standard deviation relative to the conductance: short "
                      "retention from read to read is reported to matter more than device to "
                      "device"}}};
}

FefetCell read_fefet(const core::SectionReader& cell, const Conditions& conditions) {
  FefetCell result{.thresholds = read_thresholds(cell),
                   .threshold_sd = cell.number("threshold_sd"),
                   .gate_voltage = cell.number("gate_voltage"),
                   .drain_voltage = cell.number("drain_voltage"),
                   .slope_factor = cell.number("slope_factor"),
                   .specific_current = cell.number("specific_current"),
                   .resistance = cell.number("resistance"),
                   .resistance_sigma = cell.number("resistance_sigma"),
                   .read_noise = cell.number("read_noise"),
                   .conditions = conditions};
  if (result.resistance_sigma > 0.0 && result.resistance == 0.0) {
    cell.fail("resistance_sigma", "there is no resistor to spread", "resistance is 0",
              "give its resistance");
  }
  if (result.resistance_sigma > 0.0 && result.resistance_sigma < 1e-3) {
    cell.fail("resistance_sigma", "is too small to matter", "0, or 0.001 and above",
              "leave it out");
  }
  return result;
}

}  // namespace cimstat::devices
