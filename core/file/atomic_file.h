#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

/// Files that are there whole or not at all.
namespace cimstat::core {

/// Where a file of this name is, or would be made: symbolic links are followed, also one that
/// dangles. Throws Error (failure) where they go round in a circle.
std::filesystem::path behind_links(std::filesystem::path file);

/// What a file is called while it is written: behind_links(target) with ".tmp".
std::filesystem::path temporary_of(const std::filesystem::path& target);

/// A file written under its temporary name; `commit` fsyncs it, gives it its name and fsyncs the
/// folder. Without commit it vanishes and `target` stays as it was. Where `target` is a symbolic
/// link, the file that it points to is written. A temporary that a killed run left behind is
/// overwritten; one that another run is writing is refused, as is a target that is no regular file
/// (UsageError). All else that fails throws Error (failure).
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);

  // For writers that go back and forth. Zeros lie where nothing was written, and behind the end.
  void write_at(std::uint64_t place, std::span<const std::byte> bytes);
  void read_at(std::uint64_t place, std::span<std::byte> bytes) const;
  void resize(std::uint64_t bytes);

  void commit();  ///< at most once

  const std::filesystem::path& target() const { return target_; }
  bool committed() const { return descriptor_ < 0; }

 private:
  void require_open() const;

  std::filesystem::path target_;
  std::filesystem::path place_;  ///< behind its links
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// For the beginning of a run that will write `target`: makes, locks and removes its temporary, and
/// with it what a killed run left behind. Throws what the constructor of AtomicFile throws.
void require_writable(const std::filesystem::path& target);

/// Writes a whole text file so.
void write_atomically(const std::filesystem::path& target, std::string_view text);

}  // namespace cimstat::core
