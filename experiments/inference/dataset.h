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

// All readers: at most 1 GiB of pixels. They throw UsageError when a file is missing or can't be
// opened, DataError when it is damaged, incomplete or of another kind.

/// Reads the first `limit` images (all when there are fewer) of a pair of IDX files, plain or
/// gzipped (format: Y. LeCun, "The MNIST database of handwritten digits"): unsigned bytes, magic
/// number 2051 with [image, row, column] and 2049 with [image]. Ten classes.
ImageSet read_idx(const std::filesystem::path& images_file,
                  const std::filesystem::path& labels_file, std::size_t limit);

/// Reads the first `limit` images of files of CIFAR-10's binary version, plain or gzipped
/// (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009): for each image a
/// label and 32 x 32 bytes of red, green and blue.
ImageSet read_cifar10(std::span<const std::filesystem::path> files, std::size_t limit);

/// The same of CIFAR-100's: the label of 20 coarse classes, then that of 100 fine ones, which
/// counts.
ImageSet read_cifar100(std::span<const std::filesystem::path> files, std::size_t limit);

enum class Split { training, test };

/// "fashion-mnist" is the data set of Debian's package dataset-fashion-mnist, in the folder
/// `fashion-mnist` of /usr/share/datasets or of the environment variable CIMSTAT_DATASETS; else
/// a folder that holds files of the same four names: {train,t10k}-{images-idx3,labels-idx1}-ubyte;
/// CIFAR-10's data_batch_1.bin to data_batch_5.bin and test_batch.bin; CIFAR-100's train.bin and
/// test.bin; or {train,test}_{images,labels}.npy (npy_images.h); each with or without ".gz".
ImageSet read_named_images(std::string_view name_or_folder, Split split,
                           std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace cimstat::experiments
