#include "experiments/report/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

namespace cimstat::experiments::report {
namespace {

struct Colour {
  double red = 0.0, green = 0.0, blue = 0.0;  ///< 0 .. 255
};

Colour mixed(const Colour& from, const Colour& to, double part) {
  return {from.red + part * (to.red - from.red), from.green + part * (to.green - from.green),
          from.blue + part * (to.blue - from.blue)};
}

/// Violet over teal to yellow, with lightness that only grows: readable in grey and by the
/// colour-blind.
Colour ramp(double position) {
  constexpr std::array<Colour, 6> kStops = {
      {{68, 1, 84}, {65, 68, 135}, {42, 120, 142}, {34, 168, 132}, {122, 209, 81}, {253, 231, 37}}};
  const double place = position * static_cast<double>(kStops.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), kStops.size() - 2);
  return mixed(kStops[below], kStops[below + 1], place - static_cast<double>(below));
}

std::string hex(const Colour& colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", std::lround(colour.red), std::lround(colour.green),
                     std::lround(colour.blue));
}

enum class Theme { light, dark };

/// The shades as variables. What is strong is dark on a light page and bright on a dark one; the
/// end of the ramp that the page's ground would swallow is left out.
std::string shade_variables(Theme theme) {
  std::string result;
  for (int shade = 0; shade < kHeatShades; ++shade) {
    const double strength = shade / (kHeatShades - 1.0);
    Colour colour = ramp(0.06 + 0.94 * strength);
    if (theme == Theme::light) {
      constexpr double kPaleBelow = 0.4;
      const double pale = std::max(0.0, 1.0 - strength / kPaleBelow);
      colour = mixed(ramp(0.93 * (1.0 - strength)), {255, 255, 255}, 0.72 * pale);
    }
    result += fmt::format("--h{}:{};", shade, hex(colour));
  }
  for (int shade = 0; shade < kLevelShades; ++shade) {
    const double place = shade / (kLevelShades - 1.0);
    result += fmt::format("--v{}:{};", shade,
                          hex(ramp(theme == Theme::light ? 0.78 * place : 0.34 + 0.66 * place)));
  }
  return result;
}

// Okabe and Ito's colours; on a dark page the two darkest are lightened.
constexpr std::string_view kLight =
    "--ground:#f7f8f9;--card:#fff;--ink:#1a2027;--soft:#55606c;--edge:#dde2e7;--grid:#e9edf1;"
    "--strong-text:#fff;--weak-text:#1a2027;--key:#b34700;--link:#005a8f;--limit:#d9dee3;"
    "--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#cc79a7;--s4:#e69f00;--s5:#56b4e9;--s6:#8a7a00;";
constexpr std::string_view kDark =
    "--ground:#0f1317;--card:#171c21;--ink:#e7ebef;--soft:#a0abb6;--edge:#2d353d;--grid:#252c33;"
    "--strong-text:#11161b;--weak-text:#e7ebef;--key:#ff9d5c;--link:#7cc4f0;--limit:#39424b;"
    "--s0:#56b4e9;--s1:#f0803c;--s2:#2fc49a;--s3:#e09cc4;--s4:#e69f00;--s5:#8fb8ff;--s6:#f0e442;";

std::string class_rules() {
  std::string result;
  for (int shade = 0; shade < kHeatShades; ++shade) {
    result += fmt::format(".h{0}{{fill:var(--h{0});shape-rendering:crispEdges}}", shade);
  }
  for (int shade = 0; shade < kLevelShades; ++shade) {
    result += fmt::format(".v{0}{{--c:var(--v{0})}}", shade);
  }
  for (int series = 0; series < kSeries; ++series) {
    result += fmt::format(".s{0}{{--c:var(--s{0})}}", series);
  }
  return result;
}

}  // namespace

std::string palette_rules() {
  const std::string light = std::string(kLight) + shade_variables(Theme::light);
  const std::string dark = std::string(kDark) + shade_variables(Theme::dark);
  return fmt::format(
      ":root{{color-scheme:light;{0}}}\n"
      "@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light])"
      "{{color-scheme:dark;{1}}}}}\n"
      "@media screen{{:root[data-theme=dark]{{color-scheme:dark;{1}}}}}\n{2}\n",
      light, dark, class_rules());
}

}  // namespace cimstat::experiments::report
