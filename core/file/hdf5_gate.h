#pragma once

#include <cstdint>
#include <filesystem>

/// Not public: what a file must look like before the HDF5 library is let near it.
namespace cimstat::core::detail {

/// The file's size in bytes, where its superblock (HDF5 File Format Specification, section II.A) is
/// of version 2 or 3, whose structures carry checksums; is closed, whole, and has no extension.
/// The library has known memory errors in the code that reads the rest, which nothing here needs.
/// Throws UsageError when the file is missing or can't be opened, DataError when it is not so.
std::uint64_t checked_container(const std::filesystem::path& file);

}  // namespace cimstat::core::detail
