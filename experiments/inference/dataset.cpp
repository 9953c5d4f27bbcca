#include "experiments/inference/dataset.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/error.h"
#include "core/file/deflate.h"

namespace cimstat::experiments {
namespace {

constexpr std::uint32_t images_magic = 2051;
constexpr std::uint32_t labels_magic = 2049;
constexpr std::uint8_t ten_classes = 10;
constexpr std::uint32_t largest_extent = 4096;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;
constexpr std::uint64_t record_pixels = 3 * 32 * 32;
constexpr std::string_view fetch = "fetch it again";
constexpr std::string_view get_fashion =
    "check the path; Fashion-MNIST: apt-get install dataset-fashion-mnist";

/// A plain or gzipped file of items of one size, read from its beginning to its end.
class ItemFile {
 public:
  explicit ItemFile(const std::filesystem::path& path) : path_(path), input_(path) {}

  [[noreturn]] void fail(std::string_view problem, std::string_view why,
                         std::string_view remedy) const {
    throw core::DataError(core::error_line(path_.string(), problem, why, remedy));
  }

  void read(std::span<std::uint8_t> bytes) {
    if (input_.read(bytes) < bytes.size()) fail("ends too early", {}, fetch);
  }

  /// Big-endian.
  std::uint32_t number() {
    std::array<std::uint8_t, 4> bytes{};
    read(bytes);
    header_bytes_ += bytes.size();
    std::uint32_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return value;
  }

  /// Before memory is taken: whether as many bytes can follow the numbers read so far.
  void require_room(std::uint64_t size) {
    const std::uint64_t stored = input_.stored_bytes();
    const std::uint64_t whole = header_bytes_ + size;
    if (input_.is_packed()) {
      if (whole / core::most_deflate_ratio <= stored) return;
      fail("ends too early", fmt::format("{} bytes can't unpack to {}", stored, whole), fetch);
    }
    if (stored < whole) {
      fail("ends too early", fmt::format("{} of {} bytes are there", stored, whole), fetch);
    }
  }

  /// Runs through the rest, so that the checksum of a gzipped file is verified, and counts it.
  void require_rest(std::uint64_t size) {
    std::vector<std::uint8_t> block(1 << 16);
    std::uint64_t rest = 0;
    std::size_t count = 0;
    do {
      count = input_.read(block);
      rest += count;
    } while (count == block.size() && rest <= size);
    if (rest < size) fail("ends too early", {}, fetch);
    if (rest > size) fail("goes on after its last item", {}, fetch);
  }

  core::GzipInput& input() { return input_; }

 private:
  std::filesystem::path path_;
  core::GzipInput input_;
  std::uint64_t header_bytes_ = 0;
};

/// The magic number is two zeros, the type of an element (8: unsigned byte) and how many axes.
void require_magic(ItemFile& file, std::uint32_t magic, std::string_view content) {
  const std::uint32_t found = file.number();
  if (found == magic) return;
  std::string why = fmt::format("magic number {} instead of {}", found, magic);
  const std::uint32_t type = found >> 8;
  if (type == magic >> 8) {
    why += fmt::format(": {} axes instead of {}", found & 0xFFU, magic & 0xFFU);
  } else if (type >= 0x09 && type <= 0x0E) {
    why += fmt::format(": elements of type {:#04x} instead of unsigned bytes, 0x08", type);
  }
  const bool swapped = found == images_magic || found == labels_magic;
  file.fail(fmt::format("is no IDX file of {}", content), why,
            swapped ? "are images and labels swapped?" : "name a file of that kind");
}

void require_label(const ItemFile& file, std::uint8_t label, std::uint64_t image) {
  if (label < ten_classes) return;
  file.fail(fmt::format("label {} of image {} is out of range", label, image),
            fmt::format("0 to {}", ten_classes - 1), fetch);
}

/// The file of that name, plain or packed, where it is there.
std::optional<std::filesystem::path> find_idx(const std::filesystem::path& folder,
                                              std::string_view name) {
  std::error_code ignored;
  for (const std::string_view ending : {"", ".gz"}) {
    std::filesystem::path file = folder / fmt::format("{}{}", name, ending);
    if (std::filesystem::exists(file, ignored)) return file;
  }
  return std::nullopt;
}

ImageSet read_idx_folder(const std::filesystem::path& folder, Split split, std::size_t limit) {
  const bool training = split == Split::training;
  const std::string_view prefix = training ? "train" : "t10k";
  const std::string images_name = fmt::format("{}-images-idx3-ubyte", prefix);
  const std::string labels_name = fmt::format("{}-labels-idx1-ubyte", prefix);
  const auto images = find_idx(folder, images_name);
  const auto labels = find_idx(folder, labels_name);
  if (!images && !labels) {
    throw core::UsageError(
        core::error_line(folder.string(), "holds no data set",
                         fmt::format("neither {} and {}, plain or with .gz, nor {}", images_name,
                                     labels_name, training ? "data_batch_1.bin" : "test_batch.bin"),
                         get_fashion));
  }
  if (!images || !labels) {
    throw core::UsageError(
        core::error_line((folder / (images ? labels_name : images_name)).string(),
                         "no such file, nor with .gz", {}, get_fashion));
  }
  return read_idx(*images, *labels, limit);
}

ImageSet read_cifar10_folder(const std::filesystem::path& folder, Split split, std::size_t limit) {
  if (split == Split::test) {
    const std::array files = {folder / "test_batch.bin"};
    return read_cifar10(files, limit);
  }
  std::vector<std::filesystem::path> files;
  for (int batch = 1; batch <= 5; ++batch) {
    files.push_back(folder / fmt::format("data_batch_{}.bin", batch));
  }
  return read_cifar10(files, limit);
}

}  // namespace

ImageSet read_idx(const std::filesystem::path& images_file,
                  const std::filesystem::path& labels_file, std::size_t limit) {
  ItemFile images(images_file);
  ItemFile labels(labels_file);
  require_magic(images, images_magic, "images");
  require_magic(labels, labels_magic, "labels");
  const std::uint64_t count = images.number();
  const std::uint64_t label_count = labels.number();
  if (label_count != count) {
    labels.fail(fmt::format("has {} labels for {} images", label_count, count), {},
                "take both files of the same split");
  }
  if (count == 0) images.fail("holds no image", {}, "name a data set that has images");
  ImageSet set;
  set.rows = images.number();
  set.columns = images.number();
  set.classes = ten_classes;
  if (set.rows < 1 || set.rows > largest_extent || set.columns < 1 ||
      set.columns > largest_extent) {
    images.fail(fmt::format("has images of {} x {} pixels", set.rows, set.columns),
                fmt::format("1 to {} each", largest_extent), fetch);
  }
  const std::uint64_t image_size = set.image_size();
  const std::uint64_t taken = std::min<std::uint64_t>(count, limit);
  if (taken * image_size > most_bytes) {
    images.fail(fmt::format("has {} images of {} x {} pixels", taken, set.rows, set.columns),
                "1 GiB at most", "cut the file down to fewer images");
  }
  images.require_room(count * image_size);
  labels.require_room(count);
  // Grown image by image: a damaged count must not take memory that no pixels stand behind.
  for (std::uint64_t image = 0; image < taken; ++image) {
    const std::size_t start = set.pixels.size();
    set.pixels.resize(start + image_size);
    images.read(std::span(set.pixels).subspan(start));
    std::uint8_t label = 0;
    labels.read(std::span(&label, 1));
    require_label(labels, label, image);
    set.labels.push_back(label);
  }
  images.require_rest((count - taken) * image_size);
  labels.require_rest(count - taken);
  set.name = images_file.stem().string();
  return set;
}

ImageSet read_cifar10(std::span<const std::filesystem::path> files, std::size_t limit) {
  ImageSet set;
  set.channels = 3;
  set.rows = set.columns = 32;
  set.classes = ten_classes;
  std::array<std::uint8_t, 1 + record_pixels> record{};
  for (const std::filesystem::path& path : files) {
    ItemFile file(path);
    std::uint64_t image = 0;
    // The whole file is looked at, whatever the limit, so that a damaged one is never half used.
    for (std::size_t count = 0; (count = file.input().read(record)) > 0; ++image) {
      if (count < record.size()) {
        file.fail(fmt::format("ends inside image {}", image),
                  "an image is a label and 3 x 32 x 32 bytes",
                  "fetch it again, or name a folder of CIFAR-10's binary version");
      }
      require_label(file, record[0], image);
      if (set.size() >= limit) continue;
      if (set.pixels.size() + record_pixels > most_bytes) {
        file.fail("has too many images", "1 GiB at most", "cut the file down to fewer images");
      }
      set.labels.push_back(record[0]);
      set.pixels.insert(set.pixels.end(), record.begin() + 1, record.end());
    }
    if (image == 0) file.fail("holds no image", {}, fetch);
  }
  set.name = "cifar-10";
  return set;
}

ImageSet read_named_images(std::string_view name_or_folder, Split split, std::size_t limit) {
  std::filesystem::path folder(name_or_folder);
  if (name_or_folder == "fashion-mnist") {
    const char* datasets = std::getenv("CIMSTAT_DATASETS");
    const bool is_set = datasets != nullptr && *datasets != '\0';
    folder = std::filesystem::path(is_set ? datasets : "/usr/share/datasets") / folder;
  }
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    const std::array known = {std::string("fashion-mnist")};
    const auto meant = core::nearest(name_or_folder, known);
    throw core::UsageError(core::error_line(folder.string(), "no such folder of images", {},
                                            meant && *meant != name_or_folder
                                                ? fmt::format("did you mean {}?", *meant)
                                                : std::string(get_fashion)));
  }
  const bool is_cifar10 = std::filesystem::exists(folder / "test_batch.bin", ignored) ||
                          std::filesystem::exists(folder / "data_batch_1.bin", ignored);
  ImageSet set = is_cifar10 ? read_cifar10_folder(folder, split, limit)
                            : read_idx_folder(folder, split, limit);
  set.name = name_or_folder;
  return set;
}

}  // namespace cimstat::experiments
