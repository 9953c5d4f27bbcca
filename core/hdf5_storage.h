#pragma once

#include <string>

#include "core/hdf5_library.h"

/// Not public: whether a dataset's values can be trusted to be what was written.
namespace cimstat::core::detail {

/// What is wrong with where and how the dataset's values are stored; empty when nothing is. In
/// files of format 1.8 (not ours) the index of chunks carries no checksum, and the library reads a
/// chunk that it cannot find as zeros. So: each chunk found, filtered as declared, none on top of
/// another (the last two up to 8192 chunks only: the library walks the whole index to tell).
std::string storage_problem(hid_t dataset, const Shape64& shape);

}  // namespace cimstat::core::detail
