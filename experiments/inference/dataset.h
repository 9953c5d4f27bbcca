#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Labelled images.
namespace cimstat::experiments {

struct ImageSet {
  std::string name;
  std::uint32_t channels = 1;
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  std::uint32_t classes = 10;
  std::vector<std::uint8_t> pixels;  ///< [image, channel, row, column], 0 .. 255
  std::vector<std::uint8_t> labels;  ///< [image], 0 .. classes - 1

  std::size_t size() const { return labels.size(); }
  std::size_t image_size() const { return std::size_t{channels} * rows * columns; }
  std::span<const std::uint8_t> image(std::size_t index) const {
    return {pixels.data() + index * image_size(), image_size()};
  }
};

/// Reads the first `limit` images (all when there are fewer) of a pair of IDX files, plain or
/// gzipped (format: Y. LeCun, "The MNIST database of handwritten digits"): unsigned bytes, magic
/// number 2051 with [image, row, column] and 2049 with [image]. Ten classes. Throws DataError.
ImageSet read_idx(const std::filesystem::path& images_file,
                  const std::filesystem::path& labels_file, std::size_t limit);

enum class Split { training, test };

/// "fashion-mnist" is the data set of Debian's package dataset-fashion-mnist, in the folder
/// `fashion-mnist` of /usr/share/datasets or of the environment variable CIMSTAT_DATASETS; else
/// a folder that holds files of the same four names: {train,t10k}-{images-idx3,labels-idx1}-ubyte,
/// with or without ".gz". Throws DataError.
ImageSet read_named_images(std::string_view name_or_folder, Split split,
                           std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace cimstat::experiments
