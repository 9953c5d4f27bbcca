#include "devices/fefet/fefet.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/law/quantile_curve.h"
#include "core/law/shape.h"

#include "devices/calibrated_curve.h"

namespace cimstat::devices {

namespace {

/// k / q [V / K]: U_t = 25.85 mV at 300 K.
constexpr double thermal_slope = 8.617333262e-5;

/// ln^2(1 + exp(x)).
double squared_softplus(double x) {
  const double value = x > 0.0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
  return value * value;
}

/// Scores and weights: the trapezoidal rule, exact to rounding for what a cell makes of them.
std::vector<core::Node> score_nodes(double spread) {
  if (spread == 0.0) return {{0.0, 1.0}};
  constexpr double reach = 10.0;
  constexpr double step = 0.0625;
  std::vector<core::Node> nodes;
  for (double score = -reach; score <= reach; score += step) {
    nodes.push_back({score, step * core::normal_density(score)});
  }
  return nodes;
}

/// The mean of f(G) over threshold and resistor.
template <class Function>
double average(const FefetCell& cell, std::uint32_t level, const Function& f) {
  std::vector<core::Node> transistors = score_nodes(1.0);
  for (core::Node& node : transistors) {
    node.value = cell.conductance(cell.thresholds[level] - cell.threshold_sd * node.value);
  }
  double sum = 0.0;
  for (const core::Node& resistor : score_nodes(cell.resistance_sigma)) {
    const double resistance = cell.resistance * std::exp(cell.resistance_sigma * resistor.value);
    for (const core::Node& node : transistors) {
      sum += resistor.weight * node.weight * f(node.value / (1.0 + node.value * resistance));
    }
  }
  return sum;
}

core::Shape shape_of(const FefetCell& cell, std::uint32_t level) {
  const double threshold = cell.thresholds[level];
  const core::QuantileCurve transistor = core::curve_of_scores(
      [&](double z) { return cell.conductance(threshold - cell.threshold_sd * z); });
  const double mean = cell.mean(level);
  const double variance = cell.variance(level);
  if (cell.resistance == 0.0) return calibrated(transistor, mean, variance);
  if (cell.resistance_sigma == 0.0) {
    return calibrated(core::curve_of_scores([&](double z) {
                        return cell.conductance(threshold - cell.threshold_sd * z, cell.resistance);
                      }),
                      mean, variance);
  }
  constexpr double beyond = 60.0;  // a score that nothing reaches
  const auto first_score = [&](double g, double score) {
    if (g <= 0.0) return -beyond;
    const double left = 1.0 - g * cell.resistance * std::exp(cell.resistance_sigma * score);
    return left > 0.0 ? std::clamp(core::curve_score(transistor, g / left), -beyond, beyond)
                      : beyond;
  };
  // How far the resistor's score moves while that of the threshold moves by 1.
  const double alone = cell.conductance(threshold);
  const double slope = std::log(cell.conductance(threshold - cell.threshold_sd) / alone);
  const double width = slope / (alone * cell.resistance * cell.resistance_sigma);
  return calibrated(curve_of_two_scores(first_score, mean, std::sqrt(variance),
                                        0.25 * std::clamp(width, 0.01, 1.0)),
                    mean, variance);
}

core::Law law_of(const FefetCell& cell, std::uint32_t level, double noise) {
  return core::Law({{.base = shape_of(cell, level), .relative_noise = noise}});
}

}  // namespace

double FefetCell::conductance(double threshold) const {
  const double thermal = thermal_slope * conditions.temperature;
  const double drain = drain_voltage * conditions.supply;
  const double pinch_off = (gate_voltage * conditions.supply - threshold) / slope_factor;
  const double warmth = conditions.temperature / room_temperature;
  const double current = specific_current * warmth * warmth *
                         (squared_softplus(pinch_off / (2.0 * thermal)) -
                          squared_softplus((pinch_off - drain) / (2.0 * thermal)));
  return current / drain;
}

double FefetCell::conductance(double threshold, double series_resistance) const {
  const double alone = conductance(threshold);
  return alone / (1.0 + alone * series_resistance);
}

double FefetCell::target(std::uint32_t level) const {
  return conductance(thresholds[level], resistance);
}

std::vector<ConditionUse> FefetCell::condition_uses() {
  return {{Condition::temperature}, {Condition::supply}};
}

core::Law FefetCell::programmed(std::uint32_t level) const { return law_of(*this, level, 0.0); }

core::Law FefetCell::read(std::uint32_t level) const { return law_of(*this, level, read_noise); }

double FefetCell::mean(std::uint32_t level) const {
  return average(*this, level, [](double g) { return g; });
}

double FefetCell::variance(std::uint32_t level) const {
  const double centre = mean(level);
  return average(*this, level, [&](double g) { return (g - centre) * (g - centre); });
}

}  // namespace cimstat::devices
