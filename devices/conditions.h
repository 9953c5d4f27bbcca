#pragma once

#include <string>
#include <string_view>
#include <vector>

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

/// One of the conditions that cells may know.
enum class Condition { time, temperature, corner, supply };

/// How the cells of a model know a condition: always, or where one of these keys of [cell] is
/// given.
struct ConditionUse {
  Condition condition = Condition::supply;
  std::vector<std::string_view> keys{};
  std::string_view how{};  ///< in words, where keys alone don't say it
};

/// "time with retention_loss or retention_exponent, temperature, supply".
std::string words_of(const std::vector<ConditionUse>& uses);
/// "a, b or c".
std::string either(const std::vector<std::string_view>& words);

/// The key of [conditions].
std::string_view key_of(Condition condition);

struct Conditions {
  double time = 0.0;                      ///< since the cells were programmed [s]
  double temperature = room_temperature;  ///< [K]
  double corner = 0.0;  ///< of the die, in standard deviations of what its cells have in common
  double supply = 1.0;  ///< all supply and read voltages times this
  Calibration calibration = Calibration::follow;

  /// The same with this one as it is where nobody says anything.
  Conditions without(Condition condition) const;
  bool has(Condition condition) const;  ///< whether it differs from that
};

/// The optional section [conditions] of an experiment.
core::Section conditions_section();

/// Throws UsageError.
Conditions read_conditions(const core::SectionReader& section);

}  // namespace cimstat::devices
