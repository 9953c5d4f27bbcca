#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "core/file/deflate.h"

namespace cimstat::experiments {

/// What all readers of images ask for at most.
inline constexpr std::uint64_t most_pixel_bytes = std::uint64_t{1} << 30;
inline constexpr std::uint32_t largest_image_extent = 4096;
inline constexpr std::string_view fetch_again = "fetch it again";

/// A plain or gzipped file of items of one size, read from its beginning to its end.
class ItemFile {
 public:
  /// Throws UsageError when the file is missing or can't be opened.
  explicit ItemFile(const std::filesystem::path& path) : path_(path), input_(path) {}

  /// Throws DataError "file: problem (why); remedy".
  [[noreturn]] void fail(std::string_view problem, std::string_view why,
                         std::string_view remedy) const;

  /// Fails where the file ends before.
  void read(std::span<std::uint8_t> bytes);
  /// The same, of what comes before the items.
  void read_header(std::span<std::uint8_t> bytes);
  /// Of the header: big-endian.
  std::uint32_t number();

  /// Before memory is taken: whether as many bytes can follow the header.
  void require_room(std::uint64_t size);
  /// Runs through the rest, so that the checksum of a gzipped file is verified, and counts it.
  void require_rest(std::uint64_t size);

  core::GzipInput& input() { return input_; }

 private:
  std::filesystem::path path_;
  core::GzipInput input_;
  std::uint64_t header_bytes_ = 0;
};

}  // namespace cimstat::experiments
