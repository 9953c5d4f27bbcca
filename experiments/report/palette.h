#pragma once

#include <string>

/// Colours of the page as CSS: variables for a light and a dark ground, and the classes that use
/// them. All are told apart by the colour-blind: Okabe and Ito's eight colours for series (2008),
/// ramps of steadily growing lightness, after viridis, for levels and heat maps.
namespace cimstat::experiments::report {

/// Classes h0 .. h31 (heat map, low to high) and v0 .. v15 (levels, low to high) of the style.
inline constexpr int kHeatShades = 32;
inline constexpr int kLevelShades = 16;
/// Classes s0 .. s6: colours of series.
inline constexpr int kSeries = 7;

/// Follows the reader's system unless the root element says data-theme "light" or "dark"; paper is
/// light whatever the screen.
std::string palette_rules();

}  // namespace cimstat::experiments::report
