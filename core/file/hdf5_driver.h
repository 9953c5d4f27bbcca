#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include "core/file/atomic_file.h"
#include "core/file/hdf5_library.h"

/// Not public: the disk, as the HDF5 library sees it while it writes.
namespace cimstat::core::detail {

/// The library can neither close nor forget a file that it can't write (a full disk), and crashes
/// at the end. So it is never told: from the first failure on, what it writes is kept here, where
/// it finds it again, and the failure waits for `require_written`. Memory is taken for nothing
/// else. Whoever writes asks after each call, and drops the file.
class Hdf5Medium {
 public:
  explicit Hdf5Medium(AtomicFile& file) : file_(&file) {}
  Hdf5Medium(const Hdf5Medium&) = delete;
  Hdf5Medium& operator=(const Hdf5Medium&) = delete;

  void write(std::uint64_t place, std::span<const std::byte> bytes) noexcept;
  bool read(std::uint64_t place, std::span<std::byte> bytes) noexcept;  ///< zeros behind the end
  void resize(std::uint64_t bytes) noexcept;

  /// Throws what went wrong first, if anything did.
  void require_written() const;

 private:
  using Piece = std::pair<std::uint64_t, std::vector<std::byte>>;
  AtomicFile* file_;
  std::exception_ptr failure_;
  std::vector<Piece> kept_;  // in the order in which they were written
};

/// Properties of file access through a medium, which must outlive the file.
Properties access_through(Hdf5Medium& medium);

}  // namespace cimstat::core::detail
