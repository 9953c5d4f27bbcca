#include "devices/rram.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

double median_of(const core::Shape& shape) {
  if (const auto* point = std::get_if<core::Point>(&shape)) return point->value;
  return core::Law({{.base = shape}}).quantile(core::Tail::lower, 0.5);
}

std::vector<Drifted> retained(const RramCell& cell, Level level) {
  if (cell.wear.retention.exponent == 0.0) return {{}};
  const double hrs = median_of(cell.hrs);
  const double lrs = median_of(cell.lrs);
  return cell.wear.retention.drifted(level == Level::lrs ? lrs : hrs,
                                     {std::min(hrs, lrs), std::max(hrs, lrs)},
                                     cell.conditions.time);
}

/// Cells of a level: one component for each thing that retention may have made of them.
void add_cells(const RramCell& cell, double weight, const core::Shape& base, Level level,
               std::vector<core::Component>& components) {
  const double all = level == Level::hrs ? cell.wear.lowest_factor(cell.conditions)
                                         : cell.wear.factor(cell.conditions);
  for (const Drifted& drifted : retained(cell, level)) {
    const double factor = all * drifted.factor;
    components.push_back({.weight = weight * drifted.probability,
                          .base = base,
                          .compression = cell.access_resistance * factor,
                          .relative_noise = cell.read_noise,
                          .scale = factor});
  }
}

/// Each component once with the trap empty, once with it occupied: then its device conducts less
/// before the transistor.
std::vector<core::Component> with_telegraph_noise(const RramCell& cell,
                                                  const std::vector<core::Component>& components) {
  const double occupied = cell.telegraph_probability;
  if (occupied == 0.0 || cell.telegraph_amplitude == 0.0) return components;
  std::vector<core::Component> result;
  for (const core::Component& component : components) {
    core::Component& empty = result.emplace_back(component);
    empty.weight *= 1.0 - occupied;
    core::Component& trapped = result.emplace_back(component);
    trapped.weight *= occupied;
    trapped.compression *= 1.0 - cell.telegraph_amplitude;
    trapped.scale *= 1.0 - cell.telegraph_amplitude;
  }
  return result;
}

core::Law mixture(const RramCell& cell, Level level) {
  std::vector<core::Component> components;
  const double worn = cell.wear.worn_out() * (1.0 - cell.stuck_at_lrs - cell.stuck_at_hrs);
  const double stuck_at_lrs = cell.stuck_at_lrs + worn;
  const double stuck = stuck_at_lrs + cell.stuck_at_hrs;
  if (stuck < 1.0) {
    add_cells(cell, 1.0 - stuck, level == Level::lrs ? cell.lrs : cell.hrs, level, components);
  }
  if (stuck_at_lrs > 0.0) {
    add_cells(cell, stuck_at_lrs, core::Point{median_of(cell.lrs)}, Level::lrs, components);
  }
  if (cell.stuck_at_hrs > 0.0) {
    add_cells(cell, cell.stuck_at_hrs, core::Point{median_of(cell.hrs)}, Level::hrs, components);
  }
  return core::Law(with_telegraph_noise(cell, components));
}

}  // namespace

std::vector<ConditionUse> RramCell::condition_uses() {
  return {{Condition::time, {"retention_loss", "retention_exponent"}},
          {Condition::temperature,
           {"temperature_coefficient", "activation_energy", "retention_energy"}},
          {Condition::supply}};
}

double RramCell::target(std::uint32_t level) const { return median_of(level == 0 ? hrs : lrs); }

core::Law RramCell::programmed(Level level) const {
  RramCell quiet = *this;
  quiet.read_noise = 0.0;
  return mixture(quiet, level);
}

core::Law RramCell::read(Level level) const { return mixture(*this, level); }

core::Law RramCell::middle() const {
  RramCell whole = *this;
  whole.stuck_at_lrs = 0.0;
  whole.stuck_at_hrs = 0.0;
  const core::Law on = whole.read(Level::lrs);
  return on.scaled(0.5 * (on.mean() + whole.read(Level::hrs).mean()) / on.mean());
}

core::Variant rram_variant() {
  constexpr double largest_resistance = 1e12;  // [ohm]
  core::Variant variant{
      .name = "rram",
      .meaning =
          "binary resistive cell: filament formed (LRS) or not (HRS), behind an access "
          "transistor. Frozen: the programmed conductance, stuck cells. Fresh: read noise",
      .parameters =
          {{.key = "access_resistance",
            .rule = NumberRule{Quantity::resistance, Range{0.0, largest_resistance}, 0.0},
            .meaning = "series resistance R of the access transistor: G becomes G / (1 + G R)",
            .example = "\"2 kohm\""},
           {.key = "read_noise",
            .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
            .meaning =
                "noise of each read, standard deviation relative to the conductance as read, "
                "behind the access transistor",
            .example = "0.01"},
           {.key = "stuck_at_lrs",
            .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
            .meaning = "fraction of cells stuck at the median of LRS",
            .example = "0.001",
            .source = "MNSIM 2.0 (Zhu et al., GLSVLSI 2020): stuck-at faults of both kinds"},
           {.key = "stuck_at_hrs",
            .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
            .meaning = "fraction of cells stuck at the median of HRS",
            .example = "0.001",
            .source = "as stuck_at_lrs"},
           {.key = "telegraph_probability",
            .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
            .meaning = "random telegraph noise of two states: probability that a cell's trap is "
                       "occupied; tau_e / (tau_c + tau_e). Slow: frozen while a column is read",
            .example = "0.3",
            .absent = "0; it needs telegraph_amplitude too",
            .source = "Ambrogio et al., IEEE TED 61, 2920 (2014)"},
           {.key = "telegraph_amplitude",
            .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
            .meaning = "share dG/G of its conductance, before the access transistor, that a cell "
                       "loses while its trap is occupied",
            .example = "0.05",
            .absent = "0; it needs telegraph_probability too",
            .source = "as telegraph_probability"}},
      .sections = {conductance_section("lrs", core::Need::required,
                                       "conductance of a cell in the low-resistance state (LRS) as "
                                       "programmed, before the access transistor"),
                   conductance_section("hrs", core::Need::required,
                                       "conductance of a cell in the high-resistance state (HRS) "
                                       "as programmed, before the access transistor")}};
  for (const core::Parameter& parameter : wear_parameters())
    variant.parameters.push_back(parameter);
  return variant;
}

RramCell read_rram(const core::SectionReader& cell, const Conditions& conditions) {
  if (cell.has("levels")) {
    cell.fail("levels", "an RRAM cell has two levels in error tables",
              "LRS and HRS; a table's classes are keyed by the LRS count",
              "describe them in [cell.lrs] and [cell.hrs]");
  }
  const core::SectionReader lrs = cell.section("lrs");
  const core::SectionReader hrs = cell.section("hrs");
  RramCell result{
      .lrs = read_conductance(lrs),
      .hrs = read_conductance(hrs),
      .access_resistance = cell.number("access_resistance"),
      .read_noise = cell.number("read_noise"),
      .stuck_at_lrs = cell.number("stuck_at_lrs"),
      .stuck_at_hrs = cell.number("stuck_at_hrs"),
      .telegraph_probability = cell.optional_number("telegraph_probability").value_or(0),
      .telegraph_amplitude = cell.optional_number("telegraph_amplitude").value_or(0),
      .conditions = conditions,
      .wear = read_wear(cell, conditions)};
  if (result.stuck_at_lrs + result.stuck_at_hrs > 1.0) {
    cell.fail("stuck_at_lrs", "stuck_at_lrs + stuck_at_hrs exceeds 1",
              "they are fractions of all cells", "lower one of them");
  }
  if (result.access_resistance > 0.0) {
    for (const auto& [section, shape] :
         {std::pair(&lrs, &result.lrs), std::pair(&hrs, &result.hrs)}) {
      const auto* normal = std::get_if<core::Normal>(shape);
      if (normal != nullptr && normal->mean < 9.0 * normal->sd) {
        section->fail("sd", "a normal law this wide reaches negative conductances",
                      "they have no meaning behind access_resistance",
                      "truncate it with low = 0, or use a lognormal");
      }
    }
  }
  return result;
}

}  // namespace cimstat::devices
