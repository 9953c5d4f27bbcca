#pragma once

namespace cimstat::devices {

/// How long after programming SONOS cells were measured [s].
inline constexpr double sonos_latest_time = 5.0 * 86400.0;

}  // namespace cimstat::devices
