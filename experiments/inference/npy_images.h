#pragma once

#include <cstdint>
#include <filesystem>

#include "experiments/inference/dataset.h"

namespace cimstat::experiments {

/// Reads the first `limit` images (all when there are fewer) of a pair of .npy files, plain or
/// gzipped: images uint8 [image, row, column] or [image, channel, row, column], labels of any
/// integer type [image], 0 .. 255. As many classes as the largest label of the file says.
ImageSet read_npy(const std::filesystem::path& images_file,
                  const std::filesystem::path& labels_file, std::size_t limit);

/// 1 + the largest label of a file.
std::uint32_t classes_of_npy(const std::filesystem::path& labels_file);

}  // namespace cimstat::experiments
