#include "core/law/clamped.h"

#include <utility>

#include "core/law/shape.h"

namespace cimstat::core {
namespace {

std::vector<WeightedShape> parts(const Shape& parent, Shape inside, double low, double high) {
  const double below = tail_probability(parent, Tail::lower, low);
  const double above = tail_probability(parent, Tail::upper, high);
  std::vector<WeightedShape> result;
  const auto add = [&](double weight, Shape shape) {
    if (weight > 0.0) result.push_back({weight, std::move(shape)});
  };
  add(below, Point{low});
  add(1.0 - below - above, std::move(inside));
  add(above, Point{high});
  return result;
}

}  // namespace

std::vector<WeightedShape> parts_of(const ClampedNormal& s) {
  return parts(Normal{s.mean, s.sd}, TruncatedNormal{s.mean, s.sd, s.low, s.high}, s.low, s.high);
}

std::vector<WeightedShape> parts_of(const ClampedLogNormal& s) {
  return parts(LogNormal{s.median, s.sigma}, TruncatedLogNormal{s.median, s.sigma, s.low, s.high},
               s.low, s.high);
}

std::vector<Component> without_clamps(const Component& component) {
  std::vector<WeightedShape> parts;
  if (const auto* normal = std::get_if<ClampedNormal>(&component.base)) {
    parts = parts_of(*normal);
  } else if (const auto* lognormal = std::get_if<ClampedLogNormal>(&component.base)) {
    parts = parts_of(*lognormal);
  } else {
    return {component};
  }
  std::vector<Component> result;
  for (WeightedShape& part : parts) {
    Component& own = result.emplace_back(component);
    own.weight *= part.weight;
    own.base = std::move(part.shape);
  }
  return result;
}

}  // namespace cimstat::core
