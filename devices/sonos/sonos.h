#pragma once

#include <cstdint>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/law/law.h"

#include "devices/conditions.h"

/// Charge-trap (SONOS) transistors of 40 nm (Agrawal et al., IEDM 2022, paper 21.7), with the fits
/// that CrossSim carries, of the cell's current. CrossSim's polynomials for the shift of its mean
/// are left out here, only the spread grows, though the shift is as large: -13, -25 and -34 nA at
/// 400, 800 and 1200 nA after 1 day, -17, -38 and -53 nA after 5, against sd of 23 to 34 nA.
namespace cimstat::devices {

/// sd of the current of cells that aim at `current` [A], `time` [s] after programming:
/// A (1 - exp(-I / B)), A and B measured at 0 to 5 days, linear in between.
double sonos_programming_sd(double current, double time);
/// sd of a read of a cell that conducts `current` [A].
double sonos_read_sd(double current);

/// One cell, at a constant voltage: a conductance is a current over it. frozen: the current,
/// clamped at 0. fresh: read noise, in slices of the law.
struct SonosCell {
  std::vector<double> targets;  ///< ascending [S]
  double voltage = 0.1;         ///< at which currents are [V]
  Conditions conditions;

  static std::vector<ConditionUse> condition_uses();
  std::uint32_t levels() const { return static_cast<std::uint32_t>(targets.size()); }
  double target(std::uint32_t level) const { return targets[level]; }
  core::Law programmed(std::uint32_t level) const;
  core::Law read(std::uint32_t level) const;
};

/// The model "sonos" of [cell].
core::Variant sonos_variant();

/// Reads [cell] where its model is "sonos". Throws UsageError, also for a time beyond 5 days.
SonosCell read_sonos(const core::SectionReader& cell, const Conditions& conditions);

}  // namespace cimstat::devices
