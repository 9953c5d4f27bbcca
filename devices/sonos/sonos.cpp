#include "devices/sonos/sonos.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "devices/level_targets.h"
#include "devices/pcm/drifted_law.h"
#include "devices/sonos/sonos_time.h"

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr double nano = 1e-9;
constexpr double day = 86400.0;  // [s]
constexpr double largest_current = 3200.0 * nano;
constexpr double largest_kept_current = 1800.0 * nano;  // where the spread over days was measured

/// A and B of sd = A (1 - exp(-I / B)) [nA].
struct Saturation {
  double height = 0.0;
  double current = 0.0;
};
constexpr Saturation programming[] = {{19.88665, 176.3115},  {25.59102, 186.85544},
                                      {28.72753, 193.56834}, {31.04318, 198.90332},
                                      {33.76214, 204.77023}, {34.57909, 207.34309}};  // 0 .. 5 days
constexpr Saturation reading{12.58037, 215.36557};
constexpr std::size_t last_day = std::size(programming) - 1;

double spread(Saturation saturation, double current) {
  return -saturation.height * nano * std::expm1(-current / (saturation.current * nano));
}

DriftedNormal current_of(const SonosCell& cell, std::uint32_t level) {
  const double current = cell.target(level) * cell.voltage;
  return {.mean = current, .sd = sonos_programming_sd(current, cell.conditions.time)};
}

}  // namespace

double sonos_programming_sd(double current, double time) {
  const double days = std::clamp(time / day, 0.0, static_cast<double>(last_day));
  const auto before = std::min(static_cast<std::size_t>(days), last_day - 1);
  const double part = days - static_cast<double>(before);
  const Saturation& from = programming[before];
  const Saturation& to = programming[before + 1];
  return spread({from.height + part * (to.height - from.height),
                 from.current + part * (to.current - from.current)},
                current);
}

double sonos_read_sd(double current) { return spread(reading, current); }

std::vector<ConditionUse> SonosCell::condition_uses() {
  return {{Condition::time, {}, "up to 5 days"}, {Condition::supply}};
}

core::Law SonosCell::programmed(std::uint32_t level) const {
  if (target(level) == 0.0) return core::Law::point(0.0);
  return frozen_law(current_of(*this, level)).scaled(1.0 / voltage);
}

core::Law SonosCell::read(std::uint32_t level) const {
  if (target(level) == 0.0) return core::Law::point(0.0);
  return noisy_law(
             current_of(*this, level),
             [](double current) { return current > 0.0 ? sonos_read_sd(current) / current : 0.0; },
             {})
      .scaled(1.0 / voltage);
}

core::Variant sonos_variant() {
  core::Variant variant{
      .name = "sonos",
      .meaning =
          "charge-trap transistor of 40 nm. Frozen: its current, sd A (1 - exp(-I / B)), which "
          "grows over 5 days. Fresh: read noise of the same form. The drift of the mean over days, "
          "as large as the spread, is left out. Up to 3200 nA, up to 1800 nA where conditions.time "
          "is not 0",
      .source = "Agrawal et al., IEDM (2022), 21.7, SONOS of 40 nm; fits of CrossSim 3.2",
      .parameters = {{.key = "voltage",
                      .rule = NumberRule{Quantity::voltage, Range{1e-3, 10.0}, 0.1},
                      .meaning = "voltage across the cell at which the fitted currents flow: the "
                                 "conductance of a cell is its current over this"}}};
  for (core::Parameter& parameter : target_parameters()) {
    if (parameter.key == "highest") parameter.example = "\"18 uS\"";
    if (parameter.key == "targets") parameter.example = "[\"0 S\", \"6 uS\", \"18 uS\"]";
    variant.parameters.push_back(std::move(parameter));
  }
  return variant;
}

SonosCell read_sonos(const core::SectionReader& cell, const Conditions& conditions) {
  static_assert(sonos_latest_time == static_cast<double>(last_day) * day);
  if (conditions.time > sonos_latest_time) {
    cell.fail("model", fmt::format("cells of {:.4g} days", conditions.time / day),
              fmt::format("SONOS was measured up to {} days", last_day), "lower conditions.time");
  }
  SonosCell result{.targets = {}, .voltage = cell.number("voltage"), .conditions = conditions};
  const double largest = conditions.time > 0.0 ? largest_kept_current : largest_current;
  result.targets = read_targets(cell, {.lowest = 0.0, .highest = largest / result.voltage});
  return result;
}

}  // namespace cimstat::devices
