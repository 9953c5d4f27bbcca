#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// HDF5 through the C API, behind RAII: the one seam to that library.
///
/// Writing: the file is written as `X.tmp` beside the target (which is there from the start, so
/// that a wrong path shows early); `commit` fsyncs and renames it; without commit nothing is left
/// behind. Memory does not grow with what was written. Files are byte-for-byte reproducible: no
/// object times, creation order tracked, format 1.10 (metadata and chunk index checksummed). Array
/// datasets of 2 KiB and more are chunked with shuffle + gzip 1 + fletcher32; smaller ones lie in
/// their object header, whose checksum covers them and the attributes (but not a text beyond 64
/// KiB). What cannot be written is an Error (failure), at the call at which the library hands it to
/// the disk; wrong use is a std::logic_error. Reading: errors are DataErrors "file: /object:
/// problem (why); remedy". Only files whose structure carries checksums are opened (format 1.8 or
/// later); sizes are checked against a limit and against the file's own before memory is taken;
/// what leads to other files (soft and external links, external and virtual datasets, but those of
/// `allow_virtual`), filters but gzip, shuffle and fletcher32, and types but integers,
/// floating-point numbers and fixed-length texts are refused. A file must not be used by two
/// threads at once. The library's own printing of errors is switched off.
namespace cimstat::core {

namespace detail {
struct Hdf5Writer;
struct Hdf5Reader;
}  // namespace detail

using Shape64 = std::vector<std::uint64_t>;

/// For people: "15 x 5", "one value" for a scalar; cut where it is very long.
std::string shape_text(const Shape64& shape);

/// Rows of a dataset [row, column] of another file that stand in a virtual one.
struct VirtualRows {
  std::string file;  ///< relative to the folder of the virtual one
  std::string dataset;
  Shape64 shape;                   ///< of that dataset
  std::uint64_t first_column = 0;  ///< its columns from here on make a row
  struct Pair {
    std::uint64_t row = 0;     ///< of the virtual dataset
    std::uint64_t source = 0;  ///< the row there
  };
  std::vector<Pair> rows;  ///< ascending in both
};

/// What a virtual dataset takes from another file.
struct VirtualSource {
  std::string file;  ///< as it is named
  std::string dataset;
  Shape64 reaches;  ///< how large that dataset must be
};

class Hdf5Output {
 public:
  explicit Hdf5Output(std::filesystem::path target);
  Hdf5Output(Hdf5Output&&) noexcept;
  Hdf5Output& operator=(Hdf5Output&&) noexcept;
  ~Hdf5Output();

  /// Creates a group, and its parents where they are missing. Paths are absolute: "/a/b".
  void group(std::string_view path);

  // Datasets. The product of `shape` equals values.size(); parents are created.
  void dataset(std::string_view path, std::span<const double> values, const Shape64& shape);
  void dataset(std::string_view path, std::span<const float> values, const Shape64& shape);
  void dataset(std::string_view path, std::span<const std::uint64_t> values, const Shape64& shape);
  void dataset(std::string_view path, std::span<const std::uint32_t> values, const Shape64& shape);
  void dataset(std::string_view path, std::span<const std::int32_t> values, const Shape64& shape);
  void dataset(std::string_view path, std::span<const std::int8_t> values, const Shape64& shape);
  void dataset(std::string_view path, std::span<const std::uint8_t> values, const Shape64& shape);

  /// A dataset that is filled row by row, for more than memory holds. A row is what lies at one
  /// index of the first `leading` (>= 1) dimensions, of which the last runs fastest. Chunks are
  /// whole rows: 128 KiB, but at least 16 rows where these take no more than 1 MiB. Number: double
  /// or std::uint64_t.
  template <typename Number>
  void start_rows(std::string_view path, const Shape64& shape, std::size_t leading);
  /// The next rows, whole, any number of them; all must be there at commit. The bytes of the file
  /// depend on the order in which chunks fill, but not on how many rows come at once.
  void append_rows(std::string_view path, std::span<const double> rows);
  void append_rows(std::string_view path, std::span<const std::uint64_t> rows);

  /// A dataset of such rows whose values stay in other files. Those must hold Number, and be there
  /// whenever it is read: HDF5 takes what is missing for the largest integer, or no number.
  template <typename Number>
  void virtual_rows(std::string_view path, const Shape64& shape, std::size_t leading,
                    std::span<const VirtualRows> sources);

  // Attributes of a group or dataset ("/" for the root). Text is fixed-length UTF-8.
  void attribute(std::string_view path, std::string_view name, std::string_view value);
  void attribute(std::string_view path, std::string_view name, double value);
  void attribute(std::string_view path, std::string_view name, std::int64_t value);
  void attribute(std::string_view path, std::string_view name,
                 std::span<const std::int64_t> values);
  void attribute(std::string_view path, std::string_view name,
                 std::span<const std::uint32_t> values);
  void attribute(std::string_view path, std::string_view name, std::span<const double> values);

  /// Makes a 1-D dataset a dimension scale called `name`, then attaches it to a dataset's axis.
  void make_scale(std::string_view path, std::string_view name);
  void attach_scale(std::string_view dataset, std::string_view scale, unsigned axis);

  /// Flush, close, fsync, rename, fsync the folder. At most once.
  void commit();

 private:
  std::unique_ptr<detail::Hdf5Writer> writer_;
};

template <>
void Hdf5Output::start_rows<double>(std::string_view path, const Shape64& shape,
                                    std::size_t leading);
template <>
void Hdf5Output::start_rows<std::uint64_t>(std::string_view path, const Shape64& shape,
                                           std::size_t leading);

template <>
void Hdf5Output::virtual_rows<double>(std::string_view path, const Shape64& shape,
                                      std::size_t leading, std::span<const VirtualRows> sources);
template <>
void Hdf5Output::virtual_rows<std::uint64_t>(std::string_view path, const Shape64& shape,
                                             std::size_t leading,
                                             std::span<const VirtualRows> sources);

/// Rows first .. first + count - 1 of a dataset, as Hdf5Output::start_rows has them.
struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::size_t leading = 1;
};

class Hdf5Input {
 public:
  /// Throws UsageError when the file is missing or can't be opened, DataError when it is not HDF5,
  /// truncated, or of a format without checksums.
  explicit Hdf5Input(std::filesystem::path file);
  Hdf5Input(Hdf5Input&&) noexcept;
  Hdf5Input& operator=(Hdf5Input&&) noexcept;
  ~Hdf5Input();

  bool has(std::string_view path) const;  ///< group or dataset
  bool has_attribute(std::string_view path, std::string_view name) const;
  /// Names of members, in creation order where the group has an index of it, else by name.
  std::vector<std::string> children(std::string_view group) const;
  Shape64 shape(std::string_view dataset) const;
  /// As stored: "uint32", "float64" and the like; "other" for what is neither; empty for a group.
  std::string element_type(std::string_view dataset) const;

  // Reads convert between number types where the stored one is of the same kind (integer or
  // floating-point) and refuse otherwise; `limit` bounds the number of elements.
  std::vector<double> doubles(std::string_view dataset, std::uint64_t limit) const;
  std::vector<std::uint64_t> unsigneds(std::string_view dataset, std::uint64_t limit) const;
  std::vector<std::int64_t> integers(std::string_view dataset, std::uint64_t limit) const;

  // Rows of a dataset, with the checks of a whole read on the chunks that hold them; `limit` bounds
  // what is read. Rows that are not there are a std::out_of_range.
  std::vector<double> doubles(std::string_view dataset, RowRange rows, std::uint64_t limit) const;
  std::vector<std::uint64_t> unsigneds(std::string_view dataset, RowRange rows,
                                       std::uint64_t limit) const;

  /// What a virtual dataset is made of, of which there is a source for every value; empty for any
  /// other dataset.
  std::vector<VirtualSource> sources(std::string_view dataset) const;
  /// From now on this virtual dataset is read as others are: the caller has checked that its
  /// sources are there, and has opened each as Hdf5Input does.
  void allow_virtual(std::string_view dataset);

  /// Of fixed length; UTF-8 without control characters but newline and tab.
  std::string text_attribute(std::string_view path, std::string_view name) const;
  double number_attribute(std::string_view path, std::string_view name) const;
  std::int64_t integer_attribute(std::string_view path, std::string_view name) const;
  std::vector<std::int64_t> integers_attribute(std::string_view path, std::string_view name) const;
  std::vector<double> numbers_attribute(std::string_view path, std::string_view name) const;

  /// Throws the DataError for an object of this file.
  [[noreturn]] void fail(std::string_view path, std::string_view problem, std::string_view why,
                         std::string_view remedy) const;

  /// Checks the root attributes `filetype` and `schema_version` [major, minor]; the major must
  /// agree.
  void require_type(std::string_view filetype, std::int64_t schema_major) const;

  /// Refuses members and attributes of an object that are none of these, with the nearest that is.
  /// Attributes of dimension scales and netCDF and the CF notes (comment, history, institution,
  /// references) may always be there.
  void require_known(std::string_view path, std::span<const std::string> members,
                     std::span<const std::string> attributes) const;

 private:
  std::unique_ptr<detail::Hdf5Reader> reader_;
};

}  // namespace cimstat::core
