#pragma once

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

/// When and where cells are read.
namespace cimstat::devices {

/// Room temperature of the presets [K].
inline constexpr double room_temperature = 298.15;

/// Which conditions the references of the converter were placed for.
enum class Calibration {
  follow,   ///< those of the read: they are placed anew, or replicas follow
  nominal,  ///< time 0, room temperature, typical corner, nominal supply: they stay where they were
};

struct Conditions {
  double time = 0.0;                      ///< since the cells were programmed [s]
  double temperature = room_temperature;  ///< [K]
  double corner = 0.0;  ///< of the die, in standard deviations of what its cells have in common
  double supply = 1.0;  ///< all supply and read voltages times this
  Calibration calibration = Calibration::follow;
};

/// The optional section [conditions] of an experiment.
core::Section conditions_section();

/// Throws UsageError.
Conditions read_conditions(const core::SectionReader& section);

}  // namespace cimstat::devices
