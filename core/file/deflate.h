#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

/// What deflate and gzip have packed, unpacked within bounds: the one seam to zlib.
namespace cimstat::core {

/// Deflate packs at most this many bytes into one (RFC 1951: 258 bytes in 2 bits).
constexpr std::uint64_t most_deflate_ratio = 1032;

/// Whether a zlib stream at the beginning of `packed` (RFC 1950) is whole and unpacks to no more
/// than `limit` bytes. Takes no memory for them.
bool unpacks_within(std::span<const std::byte> packed, std::uint64_t limit);

/// A file read from its beginning to its end, unpacked where it is gzipped, in one member or more.
class GzipInput {
 public:
  /// Throws UsageError "file: problem (why); remedy" when it is missing or can't be opened.
  explicit GzipInput(std::filesystem::path file);
  ~GzipInput();
  GzipInput(GzipInput&&) noexcept;
  GzipInput& operator=(GzipInput&&) noexcept;

  /// Of the file as it lies there.
  std::uint64_t stored_bytes() const;
  bool is_packed() const;

  /// Fills `bytes` as far as the file goes; fewer only at its end. Throws DataError when what is
  /// packed is damaged, ends too early, or other bytes follow it.
  std::size_t read(std::span<std::uint8_t> bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cimstat::core
