#include "experiments/inference/dataset.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/error.h"

#include "experiments/inference/item_file.h"
#include "experiments/inference/npy_images.h"

namespace cimstat::experiments {
namespace {

constexpr std::uint32_t images_magic = 2051;
constexpr std::uint32_t labels_magic = 2049;
constexpr std::uint8_t ten_classes = 10;
constexpr std::uint64_t record_pixels = 3 * 32 * 32;
constexpr std::string_view get_fashion =
    "check the path; Fashion-MNIST: apt-get install dataset-fashion-mnist";

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

void require_label(const ItemFile& file, std::uint8_t label, std::uint64_t image,
                   std::uint8_t classes) {
  if (label < classes) return;
  file.fail(fmt::format("label {} of image {} is out of range", label, image),
            fmt::format("0 to {}", classes - 1), fetch_again);
}

/// The file of that name, plain or packed, where it is there.
std::optional<std::filesystem::path> find_either(const std::filesystem::path& folder,
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
  const auto images = find_either(folder, images_name);
  const auto labels = find_either(folder, labels_name);
  if (!images && !labels) {
    throw core::UsageError(core::error_line(
        folder.string(), "holds no data set",
        fmt::format("neither {} and {}, plain or with .gz, nor {}, {}.bin or {}_images.npy",
                    images_name, labels_name, training ? "data_batch_1.bin" : "test_batch.bin",
                    training ? "train" : "test", training ? "train" : "test"),
        get_fashion));
  }
  if (!images || !labels) {
    throw core::UsageError(
        core::error_line((folder / (images ? labels_name : images_name)).string(),
                         "no such file, nor with .gz", {}, get_fashion));
  }
  return read_idx(*images, *labels, limit);
}

/// ... or the plain name, which the reader then misses.
std::filesystem::path file_named(const std::filesystem::path& folder, std::string_view name) {
  return find_either(folder, name).value_or(folder / name);
}

ImageSet read_cifar10_folder(const std::filesystem::path& folder, Split split, std::size_t limit) {
  if (split == Split::test) {
    const std::array files = {file_named(folder, "test_batch.bin")};
    return read_cifar10(files, limit);
  }
  std::vector<std::filesystem::path> files;
  for (int batch = 1; batch <= 5; ++batch) {
    files.push_back(file_named(folder, fmt::format("data_batch_{}.bin", batch)));
  }
  return read_cifar10(files, limit);
}

ImageSet read_cifar100_folder(const std::filesystem::path& folder, Split split, std::size_t limit) {
  const std::array files = {file_named(folder, split == Split::test ? "test.bin" : "train.bin")};
  return read_cifar100(files, limit);
}

ImageSet read_npy_folder(const std::filesystem::path& folder, Split split, std::size_t limit) {
  const auto labels_of = [&](std::string_view name) {
    return find_either(folder, fmt::format("{}_labels.npy", name));
  };
  const std::string_view name = split == Split::test ? "test" : "train";
  const auto images = find_either(folder, fmt::format("{}_images.npy", name));
  const auto labels = labels_of(name);
  if (!images || !labels) {
    throw core::UsageError(core::error_line(
        (folder / fmt::format("{}_{}.npy", name, images ? "labels" : "images")).string(),
        "no such file, nor with .gz", {}, "write it with numpy.save"));
  }
  ImageSet set = read_npy(*images, *labels, limit);
  // A class that one of both splits lacks is one all the same.
  if (const auto others = labels_of(split == Split::test ? "train" : "test")) {
    set.classes = std::max(set.classes, classes_of_npy(*others));
  }
  return set;
}

/// CIFAR's binary files: of each image so many labels, the last of which counts, and the pixels.
struct CifarForm {
  std::string_view name;
  std::string_view record;
  std::span<const std::uint8_t> classes;  ///< of each label
};

ImageSet read_cifar(const CifarForm& form, std::span<const std::filesystem::path> files,
                    std::size_t limit) {
  ImageSet set;
  set.channels = 3;
  set.rows = set.columns = 32;
  set.classes = form.classes.back();
  const std::size_t labels = form.classes.size();
  std::vector<std::uint8_t> record(labels + record_pixels);
  for (const std::filesystem::path& path : files) {
    ItemFile file(path);
    std::uint64_t image = 0;
    // The whole file is looked at, whatever the limit, so that a damaged one is never half used.
    for (std::size_t count = 0; (count = file.input().read(record)) > 0; ++image) {
      if (count < record.size()) {
        file.fail(
            fmt::format("ends inside image {}", image), form.record,
            fmt::format("fetch it again, or name a folder of {}'s binary version", form.name));
      }
      for (std::size_t i = 0; i < labels; ++i) {
        require_label(file, record[i], image, form.classes[i]);
      }
      if (set.size() >= limit) continue;
      if (set.pixels.size() + record_pixels > most_pixel_bytes) {
        file.fail("has too many images", "1 GiB at most", "cut the file down to fewer images");
      }
      set.labels.push_back(record[labels - 1]);
      set.pixels.insert(set.pixels.end(), record.end() - record_pixels, record.end());
    }
    if (image == 0) file.fail("holds no image", {}, fetch_again);
  }
  return set;
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
  if (set.rows < 1 || set.rows > largest_image_extent || set.columns < 1 ||
      set.columns > largest_image_extent) {
    images.fail(fmt::format("has images of {} x {} pixels", set.rows, set.columns),
                fmt::format("1 to {} each", largest_image_extent), fetch_again);
  }
  const std::uint64_t image_size = set.image_size();
  const std::uint64_t taken = std::min<std::uint64_t>(count, limit);
  if (taken * image_size > most_pixel_bytes) {
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
    require_label(labels, label, image, ten_classes);
    set.labels.push_back(label);
  }
  images.require_rest((count - taken) * image_size);
  labels.require_rest(count - taken);
  set.name = images_file.stem().string();
  return set;
}

ImageSet read_cifar10(std::span<const std::filesystem::path> files, std::size_t limit) {
  constexpr std::array<std::uint8_t, 1> classes = {ten_classes};
  ImageSet set =
      read_cifar({"CIFAR-10", "an image is a label and 3 x 32 x 32 bytes", classes}, files, limit);
  set.name = "cifar-10";
  return set;
}

ImageSet read_cifar100(std::span<const std::filesystem::path> files, std::size_t limit) {
  constexpr std::array<std::uint8_t, 2> classes = {20, 100};
  ImageSet set = read_cifar({"CIFAR-100", "an image is two labels and 3 x 32 x 32 bytes", classes},
                            files, limit);
  set.name = "cifar-100";
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
  const auto holds = [&](std::string_view file) { return find_either(folder, file).has_value(); };
  ImageSet set;
  if (holds("test_batch.bin") || holds("data_batch_1.bin")) {
    set = read_cifar10_folder(folder, split, limit);
  } else if (holds("test.bin") || holds("train.bin")) {
    set = read_cifar100_folder(folder, split, limit);
  } else if (holds("test_images.npy") || holds("train_images.npy")) {
    set = read_npy_folder(folder, split, limit);
  } else {
    set = read_idx_folder(folder, split, limit);
  }
  set.name = name_or_folder;
  return set;
}

}  // namespace cimstat::experiments
