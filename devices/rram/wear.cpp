#include "devices/rram/wear.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr double boltzmann = 8.617333262e-5;  // [eV/K]
constexpr Range energies{0.0, 5.0};           // [eV]
constexpr Range counts{0.0, 1e18};
constexpr Range positive_counts{0.0, 1e18, true, false};

}  // namespace

double low_frequency_noise(double amount, double time, double read_time) {
  if (!(time > read_time)) return 0.0;
  return amount * std::sqrt(std::log((time + read_time) / (2.0 * read_time)));
}

double arrhenius(double energy, double temperature) {
  return std::exp(energy / boltzmann * (1.0 / temperature - 1.0 / room_temperature));
}

double Wear::lowest_factor(const Conditions& conditions) const {
  return std::pow(1.0 + reads / disturb_reads, disturb_exponent) /
         arrhenius(activation_energy, conditions.temperature);
}

double Wear::factor(const Conditions& conditions) const {
  const double metallic =
      1.0 + temperature_coefficient * (conditions.temperature - room_temperature);
  const double tau = retention_time * arrhenius(retention_energy, conditions.temperature);
  return metallic * std::max(0.0, 1.0 - retention_loss * std::log1p(conditions.time / tau));
}

double Wear::worn_out() const {
  return cycles == 0.0 ? 0.0 : -std::expm1(-std::pow(cycles / lifetime_cycles, lifetime_shape));
}

std::vector<core::Parameter> wear_parameters() {
  constexpr std::string_view nothing = "no such effect";
  return {
      {.key = "temperature_coefficient",
       .rule = NumberRule{Quantity::ratio, Range{-0.005, 0.005}, {}},
       .meaning = "metallic levels (all but the lowest): share of the conductance gained for each "
                  "kelvin above 25 degC",
       .example = "-0.001",
       .absent = nothing,
       .source = "-0.0005 to -0.002; unverified"},
      {.key = "activation_energy",
       .rule = NumberRule{Quantity::ratio, energies, {}},
       .meaning = "of reading the lowest level, in eV: G exp(-E/k (1/T - 1/298.15 K))",
       .example = "0.05",
       .absent = nothing,
       .source = "0.03 to 0.1 eV; unverified"},
      {.key = "retention_loss",
       .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
       .meaning = "share that all levels but the lowest lose for each factor e of conditions.time "
                  "beyond retention_time: G (1 - loss ln(1 + t / tau))",
       .example = "0.01",
       .absent = nothing,
       .source = "form: logarithm of time; unverified"},
      {.key = "retention_time",
       .rule = NumberRule{Quantity::time, Range{0.0, 1e15, true, false}, {}},
       .meaning = "tau of retention_loss at 25 degC",
       .example = "\"3600 s\"",
       .absent = "required with retention_loss"},
      {.key = "retention_energy",
       .rule = NumberRule{Quantity::ratio, energies, {}},
       .meaning = "activation energy of tau in eV: tau exp(E/k (1/T - 1/298.15 K))",
       .example = "1.2",
       .absent = "tau is the same at every temperature",
       .source = "1.0 to 1.6 eV; unverified"},
      {.key = "retention_exponent",
       .rule = NumberRule{Quantity::ratio, Range{0.0, 1.0}, {}},
       .meaning = "v of G (t / retention_start)^(s v) at t = conditions.time, in place of "
                  "retention_loss: all levels drift, within the conductances that they span",
       .example = "0.01",
       .absent = nothing,
       .source = "DNN+NeuroSim V1.4: G(t) = G0 (t / t0)^v, t0 = 1 s"},
      {.key = "retention_start",
       .rule = NumberRule{Quantity::time, Range{1e-12, 1e10}, {}},
       .meaning = "t0 of retention_exponent; nothing drifts before",
       .example = "\"1 s\"",
       .absent = "1 s",
       .source = "as retention_exponent"},
      {.key = "retention_target",
       .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
       .meaning = "where retention_exponent leads, as a share of the span from the lowest to the "
                  "highest level: s = 1 for levels below, -1 for those above",
       .example = "0.5",
       .absent = "each cell has an s of its own, -1, 0 or 1 alike; frozen",
       .source = "as retention_exponent"},
      {.key = "reads",
       .rule = NumberRule{Quantity::ratio, counts, {}},
       .meaning = "reads since programming, which disturb the lowest level: G (1 + reads / "
                  "disturb_reads)^disturb_exponent",
       .example = "1e6",
       .absent = nothing,
       .source = "form: power law; unverified"},
      {.key = "disturb_reads",
       .rule = NumberRule{Quantity::ratio, positive_counts, {}},
       .meaning = "reads at the read voltage from which on the lowest level moves",
       .example = "1e5",
       .absent = "required with reads"},
      {.key = "disturb_exponent",
       .rule = NumberRule{Quantity::ratio, Range{-1.0, 1.0}, {}},
       .meaning = "power of the disturbance by reads",
       .example = "0.02",
       .absent = "required with reads"},
      {.key = "cycles",
       .rule = NumberRule{Quantity::ratio, counts, {}},
       .meaning = "write cycles behind the cells; 1 - exp(-(cycles / lifetime_cycles)^"
                  "lifetime_shape) of them are stuck at the highest level",
       .example = "1e4",
       .absent = nothing,
       .source = "form: Weibull's law of lifetimes; unverified"},
      {.key = "lifetime_cycles",
       .rule = NumberRule{Quantity::ratio, positive_counts, {}},
       .meaning = "write cycles after which 63 % of the cells are stuck",
       .example = "1e6",
       .absent = "required with cycles"},
      {.key = "lifetime_shape",
       .rule = NumberRule{Quantity::ratio, Range{0.1, 20.0}, {}},
       .meaning = "shape of Weibull's law",
       .example = "1.5",
       .absent = "1"}};
}

Wear read_wear(const core::SectionReader& cell, const Conditions& conditions) {
  const auto needs = [&](std::string_view key, std::initializer_list<std::string_view> partners) {
    for (const std::string_view partner : partners) {
      if (cell.has(key) && !cell.has(partner)) {
        cell.fail(key, fmt::format("needs {} too", partner), {}, "set both, or leave both out");
      }
      if (cell.has(partner) && !cell.has(key)) {
        cell.fail(partner, fmt::format("has no effect without {}", key), {},
                  "set both, or leave both out");
      }
    }
  };
  needs("retention_loss", {"retention_time"});
  needs("reads", {"disturb_reads", "disturb_exponent"});
  needs("cycles", {"lifetime_cycles"});
  for (const auto& [key, owner] :
       {std::pair<std::string_view, std::string_view>("retention_energy", "retention_loss"),
        {"lifetime_shape", "cycles"},
        {"retention_start", "retention_exponent"},
        {"retention_target", "retention_exponent"}}) {
    if (cell.has(key) && !cell.has(owner)) {
      cell.fail(key, fmt::format("has no effect without {}", owner), {},
                "set both, or leave both out");
    }
  }
  if (cell.has("retention_exponent") && cell.has("retention_loss")) {
    cell.fail("retention_exponent", "stands beside retention_loss",
              "both say what time does to the cells", "keep one of them");
  }
  const auto number = [&](std::string_view key, double otherwise) {
    return cell.optional_number(key).value_or(otherwise);
  };
  const Wear wear{.temperature_coefficient = number("temperature_coefficient", 0.0),
                  .activation_energy = number("activation_energy", 0.0),
                  .retention_loss = number("retention_loss", 0.0),
                  .retention_time = number("retention_time", 1.0),
                  .retention_energy = number("retention_energy", 0.0),
                  .retention = {.exponent = number("retention_exponent", 0.0),
                                .start = number("retention_start", 1.0),
                                .target = cell.optional_number("retention_target")},
                  .reads = number("reads", 0.0),
                  .disturb_reads = number("disturb_reads", 1.0),
                  .disturb_exponent = number("disturb_exponent", 0.0),
                  .cycles = number("cycles", 0.0),
                  .lifetime_cycles = number("lifetime_cycles", 1.0),
                  .lifetime_shape = number("lifetime_shape", 1.0)};
  if (!(wear.factor(conditions) > 0.0)) {
    cell.fail(cell.has("retention_loss") ? "retention_loss" : "temperature_coefficient",
              "nothing is left of the conductance",
              fmt::format("at {:g} s and {:g} K", conditions.time, conditions.temperature),
              "lower it");
  }
  return wear;
}

}  // namespace cimstat::devices
