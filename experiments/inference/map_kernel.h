#pragma once

#include <cstdint>
#include <span>
#include <variant>

#include "circuits/weights/weighted_count.h"

/// The vector code of digital_layer: one multiplication and one addition after the other in IEEE
/// double, so that every instruction set gives the same bits.
namespace cimstat::experiments {

/// A map's values, levels or reals.
using MapValues = std::variant<std::span<const std::uint8_t>, std::span<const double>>;
/// Where those of a layer go. With output_bits > 0, or without scales of its own, levels.
using MapResult = std::variant<std::span<std::uint8_t>, std::span<double>>;

/// result = value * scale + bias of each value; levels are clamp(floor(result + 0.5), 0, highest),
/// with even ties the even one of two equally near. No result is a NaN: check() (network.h) refuses
/// scales and biases that could make one.
void scale_map(MapValues values, double scale, double bias, double highest, MapResult result,
               circuits::Ties ties = circuits::Ties::up);

/// result = a * scale_a + b * scale_b + bias, likewise.
struct SumScales {
  double a = 1.0;
  double b = 1.0;
  double bias = 0.0;
};
void add_maps(MapValues a, MapValues b, const SumScales& scales, double highest, MapResult result,
              circuits::Ties ties = circuits::Ties::up);

/// max(0, value), and 0 for -0.
void clip_reals(std::span<const double> values, std::span<double> result);

}  // namespace cimstat::experiments
