#pragma once

#include <cstdint>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/law/law.h"

#include "devices/conditions.h"
#include "devices/conductance.h"
#include "devices/rram/wear.h"

/// Binary resistive cells: filament formed (LRS) or not (HRS), behind an access transistor.
namespace cimstat::devices {

enum class Level : std::uint32_t { hrs, lrs };

/// One RRAM cell. Conductance in S, resistance in ohm.
///
/// frozen: G_programmed ~ the level's law, or a stuck conductance (the other level's median) with
/// the stuck-at fraction. Slow: a trap is occupied with probability `telegraph_probability` and
/// then lowers G_p by the share `telegraph_amplitude` (random telegraph noise of two states whose
/// dwell times are long against the reads of a column: drawn with the cell, frozen while the column
/// is read). Behind the access transistor: G = G_p / (1 + G_p R). fresh: times 1 + read_noise xi,
/// xi ~ N(0, 1) at each read: noise of the current as read, the transistor's included.
struct RramCell {
  core::Shape lrs;  ///< programmed conductance [S]
  core::Shape hrs;
  double access_resistance = 0.0;      ///< series resistance of the access transistor [ohm]
  double read_noise = 0.0;             ///< sd relative to the conductance
  double stuck_at_lrs = 0.0;           ///< fraction of cells stuck at the LRS median
  double stuck_at_hrs = 0.0;           ///< fraction of cells stuck at the HRS median
  double telegraph_probability = 0.0;  ///< of a cell's trap being occupied
  double telegraph_amplitude = 0.0;    ///< dG/G of an occupied trap, 0 .. 1
  Conditions conditions{};             ///< of its reads
  Wear wear{};  ///< temperature, retention, reads and cycles: a factor before the access transistor

  static std::vector<ConditionUse> condition_uses();
  std::uint32_t levels() const { return 2; }
  /// Median of the level as programmed [S].
  double target(std::uint32_t level) const;
  core::Law programmed(std::uint32_t level) const { return programmed(Level{level}); }
  core::Law read(std::uint32_t level) const { return read(Level{level}); }

  /// What is frozen while a column is read [S].
  core::Law programmed(Level level) const;
  /// One fresh read of a freshly programmed cell [S]: `programmed` with read noise.
  core::Law read(Level level) const;
  /// A cell half way between the levels' mean conductances, with the LRS cell's relative spread and
  /// read noise: what a dummy column is made of [S].
  core::Law middle() const;
};

/// The model "rram" of [cell]: its parameters, and the sections of its two levels.
core::Variant rram_variant();

/// Reads [cell] where its model is "rram". Throws UsageError.
RramCell read_rram(const core::SectionReader& cell, const Conditions& conditions = {});

}  // namespace cimstat::devices
