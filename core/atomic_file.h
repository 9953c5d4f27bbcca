#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

/// Files that are there whole or not at all.
namespace cimstat::core {

/// A file written under the temporary name `<target>.tmp`; `commit` fsyncs it, gives it its name
/// and fsyncs the folder. Without commit it vanishes and `target` stays as it was. A temporary
/// that a killed run left behind is overwritten; one that another run is writing is refused, as is
/// a target that is no regular file (UsageError). All else that fails throws Error (failure).
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);
  void commit();  ///< at most once

  const std::filesystem::path& target() const { return target_; }
  bool committed() const { return descriptor_ < 0; }

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// For the beginning of a run that will write `target`: removes the temporary that a killed run
/// left behind, where its lock shows that nobody is writing it any more. Throws Error (failure)
/// when another run is writing it now.
void clear_stale_temporary(const std::filesystem::path& target);

/// Writes a whole text file so.
void write_atomically(const std::filesystem::path& target, std::string_view text);

}  // namespace cimstat::core
