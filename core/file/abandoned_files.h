#pragma once

#include <filesystem>

namespace cimstat::core {

/// Removes the temporaries (core/file/atomic_file.h) in a folder that killed runs left behind;
/// those that a run is writing now stay. What can't be looked at is passed over.
void remove_abandoned(const std::filesystem::path& folder);

}  // namespace cimstat::core
