#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/file/hdf5_file.h"
#include "core/file/hdf5_library.h"

/// Not public: an open HDF5 file whose objects are checked before their values are read.
namespace cimstat::core::detail {

struct Hdf5Reader {
  std::filesystem::path name;
  std::uint64_t file_bytes = 0;
  File file;
  std::set<std::string, std::less<>> allowed_virtual;  ///< datasets whose sources were checked

  /// Throws as Hdf5Input does.
  explicit Hdf5Reader(std::filesystem::path path);

  [[noreturn]] void fail(std::string_view path, std::string_view problem, std::string_view why,
                         std::string_view remedy) const;
  /// With the library's own words as the reason.
  [[noreturn]] void fail_with_cause(std::string_view path, std::string_view problem) const;

  /// Whether every component is there, through hard links only: others could lead to another file.
  bool reachable(std::string_view path) const;
  Object open_any(std::string_view path) const;
  Object open_group(std::string_view path) const;
  /// One whose values lie in this file, or that is allowed to be virtual.
  Object open_dataset(std::string_view path) const;
  std::vector<VirtualSource> sources(std::string_view path) const;
  Attribute open_attribute(std::string_view path, std::string_view attribute) const;
  bool has_attribute(std::string_view path, std::string_view attribute) const;
  std::vector<std::string> children(std::string_view group) const;
  std::vector<std::string> attributes(std::string_view path) const;
  Shape64 shape_of(std::string_view path, const Space& space) const;

  // Numbers are double, std::uint64_t or std::int64_t.
  template <typename Number>
  std::vector<Number> read(std::string_view path, std::uint64_t limit) const;
  template <typename Number>
  std::vector<Number> read_rows(std::string_view path, RowRange rows, std::uint64_t limit) const;
  template <typename Number>
  std::vector<Number> read_attribute(std::string_view path, std::string_view attribute,
                                     std::uint64_t limit) const;
  std::string read_text(std::string_view path, std::string_view attribute) const;

 private:
  template <typename Number>
  void require_kind(std::string_view path, const Type& type) const;
  void require_checksums(std::string_view path) const;
};

extern template std::vector<double> Hdf5Reader::read(std::string_view, std::uint64_t) const;
extern template std::vector<std::uint64_t> Hdf5Reader::read(std::string_view, std::uint64_t) const;
extern template std::vector<std::int64_t> Hdf5Reader::read(std::string_view, std::uint64_t) const;
extern template std::vector<double> Hdf5Reader::read_rows(std::string_view, RowRange,
                                                          std::uint64_t) const;
extern template std::vector<std::uint64_t> Hdf5Reader::read_rows(std::string_view, RowRange,
                                                                 std::uint64_t) const;
extern template std::vector<double> Hdf5Reader::read_attribute(std::string_view, std::string_view,
                                                               std::uint64_t) const;
extern template std::vector<std::int64_t> Hdf5Reader::read_attribute(std::string_view,
                                                                     std::string_view,
                                                                     std::uint64_t) const;

}  // namespace cimstat::core::detail
