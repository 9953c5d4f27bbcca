#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/file/atomic_file.h"
#include "core/file/hdf5_file.h"
#include "core/file/hdf5_library.h"

/// Not public: an HDF5 file in the making.
namespace cimstat::core::detail {

// The library builds the file in memory and hands the memory over when it closes the file. It does
// not write to the disk: it can neither close nor forget a file that it cannot write (a full disk),
// and crashes at the end.
using Memory = std::unique_ptr<void, decltype(&std::free)>;

struct Hdf5Writer {
  AtomicFile file;
  Memory memory{nullptr, &std::free};
  File image;  // declared last: it hands over to `memory` when it is closed

  explicit Hdf5Writer(std::filesystem::path target);
  ~Hdf5Writer();

  [[noreturn]] void fail(std::string_view path, std::string_view problem) const {
    throw Error(ExitCode::failure, line(file.target(), path, problem, cause(), {}));
  }
  void require_open() const {
    if (!image) throw std::logic_error("Hdf5Output: used after commit");
  }
  void make_group(const std::vector<std::string>& parts) const;
  void write(std::string_view path, const void* values, std::size_t count, hid_t memory_type,
             hid_t file_type, const Shape64& shape) const;
  void write_attribute(std::string_view path, std::string_view name, const void* values,
                       hid_t memory_type, hid_t file_type, const Space& space) const;
  void commit();
};

Space space_of(const Shape64& shape);

}  // namespace cimstat::core::detail
