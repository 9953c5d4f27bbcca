#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/file/hdf5_library.h"

/// Not public: datasets that are written and read by ranges of rows. A row is what lies at one
/// index of the first `leading` dimensions, of which the last runs fastest.
namespace cimstat::core::detail {

/// Part of a dataset, whose elements follow each other in C order.
struct Block {
  std::vector<hsize_t> start;
  std::vector<hsize_t> count;
  std::uint64_t rows = 0;
};

/// Rows first .. first + count - 1 in as few blocks as they make, in their order.
std::vector<Block> blocks_of_rows(const Shape64& shape, std::size_t leading, std::uint64_t first,
                                  std::uint64_t count);

/// A chunk of whole rows: 128 KiB, but at least 16 rows where these take no more than 1 MiB; whole
/// in all but one of the leading dimensions, so that rows in their order fill chunk after chunk. A
/// row of more than 1 MiB is cut.
std::vector<hsize_t> chunk_of_rows(const Shape64& shape, std::size_t leading,
                                   std::uint64_t element_bytes);

/// A dataset whose rows are appended: those of one chunk are collected, then written at once.
class RowsInMaking {
 public:
  /// `chunk` may be empty: all rows are collected.
  RowsInMaking(Dataset dataset, hid_t memory_type, Shape64 shape, std::size_t leading,
               const std::vector<hsize_t>& chunk);

  bool holds(hid_t memory_type) const { return H5Tequal(memory_type_, memory_type) > 0; }
  std::uint64_t row_elements() const { return row_elements_; }
  std::uint64_t rows_left() const { return rows_ - written_ - collected_rows(); }
  /// False when the library can't write. Whole rows, no more than are left.
  bool append(std::span<const std::byte> rows);

 private:
  std::uint64_t collected_rows() const;
  std::uint64_t next_rows() const;  ///< that are written at once
  bool write(std::span<const std::byte> rows);

  Dataset dataset_;
  hid_t memory_type_;
  Shape64 shape_;
  std::size_t leading_;
  std::uint64_t rows_ = 1;
  std::uint64_t row_elements_ = 1;
  std::uint64_t row_bytes_ = 0;
  std::uint64_t chunk_rows_ = 0;   // of a whole chunk
  std::uint64_t period_rows_ = 0;  // behind so many, chunks begin anew
  std::uint64_t written_ = 0;
  std::vector<std::byte> collected_;
};

}  // namespace cimstat::core::detail
