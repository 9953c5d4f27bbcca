#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/file/hdf5_library.h"
#include "core/file/hdf5_rows.h"

/// Not public: whether a dataset's values can be trusted to be what was written.
namespace cimstat::core::detail {

/// Parts of a message; false when there is nothing to refuse.
struct Refusal {
  std::string problem;
  std::string why;
  std::string remedy;
  explicit operator bool() const { return !problem.empty(); }
};

/// Values that lie in another file (external, virtual), or went through a filter other than
/// deflate, shuffle and fletcher32, each at most once. To be asked before anything else is.
Refusal foreign_storage(hid_t dataset);

/// What is wrong with where and how the values of a dataset of this shape are stored, and whether
/// a file of `file_bytes` can hold them at all; no memory is taken for them. In files of format 1.8
/// (not ours) the index of chunks carries no checksum, and the library reads a chunk that it cannot
/// find as zeros. So: each chunk found, filtered as declared, none on top of another (the last two
/// up to 8192 chunks only: the library walks the whole index to tell), and no packed chunk that
/// unpacks to more than a chunk.
Refusal storage_problem(hid_t dataset, const Shape64& shape, std::uint64_t file_bytes);

/// The same for parts of the dataset, whose chunks alone are looked at: where the index of chunks
/// carries a checksum (format 1.10), so that none needs to be compared with all others. Where it
/// does not, the whole dataset is.
Refusal storage_problem(hid_t dataset, const Shape64& shape, std::uint64_t file_bytes,
                        const std::vector<Block>& blocks);

}  // namespace cimstat::core::detail
