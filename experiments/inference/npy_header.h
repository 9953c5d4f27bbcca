#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "experiments/inference/item_file.h"

namespace cimstat::experiments {

/// One array of NumPy's (format versions 1.0 to 3.0: numpy.org/doc/stable/reference/generated/
/// numpy.lib.format.html), as its header describes it.
struct NpyHeader {
  char kind = 'u';  ///< 'u' unsigned, 'i' signed, 'b' truth values, 'f' floating point
  std::size_t bytes = 1;
  bool is_big_endian = false;
  std::vector<std::uint64_t> shape;  ///< in C order; each below 2^40
};

/// Leaves the file at its first number. Throws DataError for what is no such file: damaged headers,
/// headers of more than 10,000 bytes, Fortran order, Python objects, records.
NpyHeader read_npy_header(ItemFile& file);

}  // namespace cimstat::experiments
