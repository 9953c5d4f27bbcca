#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "circuits/references/reference_search.h"

namespace cimstat::experiments {

/// How often each class is read, from a CSV file: lines `lrs_count,active_rows,weight`, with that
/// heading or without, empty ones and those that begin with # left out. Throws UsageError
/// "file:line:column: field: ..." for what is no such line, names a class beyond `rows` or twice.
std::vector<circuits::WeightedClass> read_class_file(const std::filesystem::path& file,
                                                     std::uint32_t rows);

/// Whether a file is an HDF5 file, as results are.
bool is_result_file(const std::filesystem::path& file);

/// How often the layers of a result of `cimstat accuracy --layers` read each class, all together,
/// unmet ones between met ones counting half a read. Throws UsageError where it holds no layers, or
/// classes beyond `rows`; what read_accuracy throws.
std::vector<circuits::WeightedClass> read_class_result(const std::filesystem::path& file,
                                                       std::uint32_t rows);

}  // namespace cimstat::experiments
