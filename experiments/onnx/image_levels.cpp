#include "experiments/onnx/image_levels.h"

#include <algorithm>
#include <cmath>

namespace cimstat::experiments {

double level_next_to(double real, const LevelRule& rule) {
  return std::floor(real / rule.step + static_cast<double>(rule.zero) + 0.5);
}

std::optional<ScaledMap> pixel_levels(const LevelRule& rule, const ScaledMap& image,
                                      std::uint32_t bits) {
  constexpr std::uint32_t brightest = 255;
  ScaledMap map{.layer = image.layer, .bits = bits, .scale = {}, .zero = {}};
  for (std::size_t channel = 0; channel < image.scale.size(); ++channel) {
    const auto level_of = [&](std::uint32_t pixel) {
      const double real = image.scale[channel] * (pixel - image.zero[channel]);
      return std::clamp(level_next_to(real, rule), static_cast<double>(rule.lowest),
                        static_cast<double>(rule.highest));
    };
    const double first = level_of(0);
    for (std::uint32_t pixel = 0; pixel <= brightest; ++pixel) {
      // As the network file has it.
      const std::uint32_t level = (pixel * ((1U << bits) - 1) + brightest / 2) / brightest;
      if (level_of(pixel) != first + level) return std::nullopt;
    }
    map.scale.push_back(rule.step);
    map.zero.push_back(static_cast<double>(rule.zero) - first);
  }
  return map;
}

}  // namespace cimstat::experiments
