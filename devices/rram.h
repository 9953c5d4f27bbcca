#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/law.h"

/// Binary resistive cells: filament formed (LRS) or not (HRS), behind an access transistor.
namespace cimstat::devices {

enum class Level { hrs, lrs };

/// A lognormal or normal given by mean and sd, or by median and sigma: the commonest error in
/// published tables is one taken for the other (mean = median exp(sigma^2/2)). Both are kept.
struct Spread {
  double median = 0.0;
  double sigma = 0.0;  ///< of the natural logarithm; sd / mean for a normal
  double mean = 0.0;
  double sd = 0.0;
};

/// lognormal: sigma^2 = ln(1 + (sd/mean)^2), median = mean exp(-sigma^2/2).
Spread lognormal_from_mean(double mean, double sd);
Spread lognormal_from_median(double median, double sigma);

/// One RRAM cell. Conductance in S, resistance in ohm.
///
/// frozen: G_programmed ~ the level's law, or a stuck conductance (the other level's median) with
/// the stuck-at fraction. Behind the access transistor: G = G_p / (1 + G_p R). fresh: times
/// 1 + read_noise xi, xi ~ N(0, 1) at each read.
struct RramCell {
  core::Shape lrs;  ///< programmed conductance [S]
  core::Shape hrs;
  double access_resistance = 0.0;  ///< series resistance of the access transistor [ohm]
  double read_noise = 0.0;         ///< sd relative to the conductance
  double stuck_at_lrs = 0.0;       ///< fraction of cells stuck at the LRS median
  double stuck_at_hrs = 0.0;       ///< fraction of cells stuck at the HRS median

  /// What is frozen when a chip is programmed [S].
  core::Law programmed(Level level) const;
  /// One fresh read of a freshly programmed cell [S]: `programmed` with read noise.
  core::Law read(Level level) const;
  /// A cell half way between the levels' mean conductances, with the LRS cell's relative spread and
  /// read noise: what a dummy column is made of [S].
  core::Law middle() const;
};

/// A parameter as the configuration knows it: the one list that parser and documentation read.
struct Parameter {
  std::string_view key;
  core::Quantity quantity;
  core::Range range;
  double fallback;
  std::string_view meaning;
};

/// The scalar parameters of RramCell, in the order of its members.
std::span<const Parameter> rram_parameters();

/// Reads [cell]: `lrs` and `hrs` tables (distribution = "normal" | "lognormal" | "empirical" |
/// "point"; median and sigma, or mean and sd; low and high truncate; values or a file of them for
/// empirical; any of conductance or resistance) and rram_parameters().
RramCell read_rram(const core::ConfigTable& cell);

/// A law given by a table of the configuration: [cell].lrs, [cell].hrs and [column].leakage alike.
core::Shape read_conductance(const core::ConfigTable& law);

/// "lognormal: median 40 uS, sigma 0.05 (mean 40.05 uS, sd 2.003 uS)": both ways to say it.
std::string describe(const core::Shape& conductance);

}  // namespace cimstat::devices
