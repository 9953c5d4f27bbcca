#pragma once

#include <filesystem>
#include <string_view>

namespace cimstat::core {

/// Throws UsageError "file: can't be read (why); remedy" unless it is a regular file that opens for
/// reading: one wording for all readers, before any of them opens it in its own way. A pipe could
/// keep a reader waiting, and a device could never end. `other_kind` is the remedy for what is no
/// regular file.
void require_readable(const std::filesystem::path& file,
                      std::string_view other_kind = "check the path");

}  // namespace cimstat::core
