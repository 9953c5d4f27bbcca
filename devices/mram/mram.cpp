#include "devices/mram/mram.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/law/shape.h"

#include "devices/calibrated_curve.h"

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr std::string_view unverified = "typical of the literature, unverified";

/// Mean and variance of 1 / (1 + tmr exp(sigma xi)).
struct Divisor {
  double mean = 0.0;
  double variance = 0.0;
};

Divisor divisor_of(const MramCell& cell) {
  const double tmr = cell.biased_tmr();
  const auto value = [&](double xi) { return 1.0 / (1.0 + tmr * std::exp(cell.tmr_sigma * xi)); };
  if (cell.tmr_sigma == 0.0) return {value(0.0), 0.0};
  constexpr double reach = 10.0;
  constexpr double step = 0.125;  // the trapezoidal rule is exact to rounding here
  Divisor result;
  for (double xi = -reach; xi <= reach; xi += step) {
    result.mean += step * core::normal_density(xi) * value(xi);
  }
  for (double xi = -reach; xi <= reach; xi += step) {
    const double deviation = value(xi) - result.mean;
    result.variance += step * core::normal_density(xi) * deviation * deviation;
  }
  return result;
}

core::Shape shape_of(const MramCell& cell, std::uint32_t level) {
  const double parallel = 1.0 / cell.resistance;
  const double tmr = cell.biased_tmr();
  if (level == 1) return core::LogNormal{parallel, cell.resistance_sigma};
  if (cell.tmr_sigma == 0.0) {
    return core::LogNormal{parallel / (1.0 + tmr), cell.resistance_sigma};
  }
  const auto first_score = [&](double g, double xi) {
    return g > 0.0 ? std::log(g / parallel * (1.0 + tmr * std::exp(cell.tmr_sigma * xi))) /
                         cell.resistance_sigma
                   : -40.0;
  };
  // How far xi moves while the score of R_P moves by 1.
  const double width = cell.resistance_sigma * (1.0 + tmr) / (cell.tmr_sigma * tmr);
  const double mean = cell.mean(level);
  const double variance = cell.variance(level);
  return calibrated(
      curve_of_two_scores(first_score, mean, std::sqrt(variance), 0.25 * std::min(1.0, width)),
      mean, variance);
}

core::Law law_of(const MramCell& cell, std::uint32_t level, double noise) {
  return core::Law({{.base = shape_of(cell, level), .relative_noise = noise}});
}

}  // namespace

double MramCell::biased_tmr() const {
  const double bias = voltage * conditions.supply / half_voltage;
  return tmr / (1.0 + bias * bias);
}

double MramCell::target(std::uint32_t level) const {
  return 1.0 / (resistance * (level == 1 ? 1.0 : 1.0 + biased_tmr()));
}

std::vector<ConditionUse> MramCell::condition_uses() { return {{Condition::supply}}; }

core::Law MramCell::programmed(std::uint32_t level) const { return law_of(*this, level, 0.0); }

core::Law MramCell::read(std::uint32_t level) const { return law_of(*this, level, read_noise); }

double MramCell::mean(std::uint32_t level) const {
  const double square = resistance_sigma * resistance_sigma;
  const double parallel = std::exp(0.5 * square) / resistance;
  return level == 1 ? parallel : parallel * divisor_of(*this).mean;
}

double MramCell::variance(std::uint32_t level) const {
  const double square = resistance_sigma * resistance_sigma;
  const double parallel = std::exp(square) / (resistance * resistance);  // mean squared
  const double spread = std::expm1(square);
  if (level == 1) return parallel * spread;
  const Divisor divisor = divisor_of(*this);
  return parallel * (spread * divisor.mean * divisor.mean + (1.0 + spread) * divisor.variance);
}

core::Variant mram_variant() {
  return {.name = "mram",
          .meaning =
              "magnetic tunnel junction (STT-MRAM), two levels: parallel (LRS) and antiparallel "
              "(HRS), R_AP = R_P (1 + TMR). Frozen: R_P and TMR, both lognormal. Fresh: read noise",
          .source = "form as usual in the literature; every default is unverified",
          .parameters = {
              {.key = "resistance",
               .rule = NumberRule{Quantity::resistance, Range{1.0, 1e9}, 5e3},
               .meaning = "median resistance of the parallel state, 3 to 10 kohm",
               .source = unverified},
              {.key = "resistance_sigma",
               .rule = NumberRule{Quantity::ratio, Range{1e-3, 1.0}, 0.06},
               .meaning = "standard deviation of ln R_P, 0.04 to 0.08",
               .source = unverified},
              {.key = "tmr",
               .rule = NumberRule{Quantity::ratio, Range{0.01, 20.0}, 1.5},
               .meaning = "median tunnel magnetoresistance (R_AP - R_P) / R_P at no bias, 1 to 2",
               .source = unverified},
              {.key = "tmr_sigma",
               .rule = NumberRule{Quantity::ratio, Range{0.0, 0.5}, 0.04},
               .meaning = "standard deviation of ln TMR, 0.03 to 0.05",
               .source = unverified},
              {.key = "half_voltage",
               .rule = NumberRule{Quantity::voltage, Range{1e-3, 100.0}, 0.5},
               .meaning = "bias at which TMR has fallen to a half, 0.4 to 0.6 V: TMR(V) = tmr / (1 "
                          "+ (V / half_voltage)^2)",
               .source = unverified},
              {.key = "voltage",
               .rule = NumberRule{Quantity::voltage, Range{0.0, 10.0}, 0.1},
               .meaning = "bias V across the junction while it is read; conditions.supply scales "
                          "it"},
              {.key = "read_noise",
               .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
               .meaning = "noise of each read, standard deviation relative to the conductance"}}};
}

MramCell read_mram(const core::SectionReader& cell, const Conditions& conditions) {
  return {.resistance = cell.number("resistance"),
          .resistance_sigma = cell.number("resistance_sigma"),
          .tmr = cell.number("tmr"),
          .tmr_sigma = cell.number("tmr_sigma"),
          .half_voltage = cell.number("half_voltage"),
          .voltage = cell.number("voltage"),
          .read_noise = cell.number("read_noise"),
          .conditions = conditions};
}

}  // namespace cimstat::devices
