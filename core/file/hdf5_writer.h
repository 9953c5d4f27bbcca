#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/file/atomic_file.h"
#include "core/file/hdf5_driver.h"
#include "core/file/hdf5_file.h"
#include "core/file/hdf5_library.h"
#include "core/file/hdf5_rows.h"

/// Not public: an HDF5 file in the making.
namespace cimstat::core::detail {

struct Hdf5Writer {
  AtomicFile file;
  Hdf5Medium medium{file};
  File library;  // declared behind what it writes to
  std::map<std::string, RowsInMaking, std::less<>> rows_in_making;

  explicit Hdf5Writer(std::filesystem::path target);
  ~Hdf5Writer();

  [[noreturn]] void fail(std::string_view path, std::string_view problem) const {
    medium.require_written();
    throw Error(ExitCode::failure, line(file.target(), path, problem, cause(), {}));
  }
  void require_open() const {
    if (!library) throw std::logic_error("Hdf5Output: used after commit");
  }
  void make_group(const std::vector<std::string>& parts) const;
  void write(std::string_view path, const void* values, std::size_t count, hid_t memory_type,
             hid_t file_type, const Shape64& shape) const;
  void start_rows(std::string_view path, hid_t memory_type, hid_t file_type, const Shape64& shape,
                  std::size_t leading);
  void append_rows(std::string_view path, hid_t memory_type, std::span<const std::byte> rows,
                   std::uint64_t elements);
  void write_virtual(std::string_view path, hid_t memory_type, hid_t file_type, const void* nothing,
                     const Shape64& shape, std::size_t leading,
                     std::span<const VirtualRows> sources) const;
  void write_attribute(std::string_view path, std::string_view name, const void* values,
                       hid_t memory_type, hid_t file_type, const Space& space) const;
  void commit();

 private:
  Dataset make_dataset(std::string_view path, hid_t file_type, const Shape64& shape,
                       const Properties& properties, const Properties& access) const;
};

Space space_of(const Shape64& shape);

}  // namespace cimstat::core::detail
