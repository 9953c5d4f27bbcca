#include "experiments/inference/dataset.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <system_error>

#include <fmt/format.h>
#include <zlib.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

constexpr std::uint32_t images_magic = 2051;
constexpr std::uint32_t labels_magic = 2049;
constexpr std::uint32_t idx_classes = 10;
constexpr std::uint32_t largest_extent = 4096;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 31;
constexpr std::string_view damaged = "the file is damaged or incomplete: fetch it again";

/// A plain or gzipped IDX file, read from its beginning to its end.
class IdxFile {
 public:
  explicit IdxFile(const std::filesystem::path& path) : path_(path) {
    std::error_code problem;
    if (!std::filesystem::is_regular_file(path, problem)) {
      fail("no such file", "check the path; Fashion-MNIST: apt-get install dataset-fashion-mnist");
    }
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) fail("cannot be opened", "check its permissions");
    gzbuffer(file_.get(), 1 << 17);
  }

  [[noreturn]] void fail(std::string_view problem, std::string_view suggestion) const {
    throw core::DataError(fmt::format("{}: {} ({})", path_.string(), problem, suggestion));
  }

  void require_magic(std::uint32_t magic, std::string_view content) {
    const std::uint32_t found = number();
    if (found != magic) {
      fail(
          fmt::format("is no IDX file of {}: magic number {} instead of {}", content, found, magic),
          "are images and labels swapped?");
    }
  }

  std::uint32_t number() {
    std::array<std::uint8_t, 4> bytes{};
    read(bytes);
    std::uint32_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return value;
  }

  void read(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const auto wanted = static_cast<unsigned>(std::min<std::size_t>(bytes.size(), 1 << 24));
      const int count = gzread(file_.get(), bytes.data(), wanted);
      if (count <= 0) fail("ends too early", damaged);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

  /// Runs through the rest, so that the checksum of a gzipped file is verified, and counts it.
  void require_rest(std::uint64_t size) {
    std::vector<std::uint8_t> block(1 << 16);
    std::uint64_t rest = 0;
    while (rest <= size) {
      const int count = gzread(file_.get(), block.data(), static_cast<unsigned>(block.size()));
      if (count < 0) fail("cannot be unpacked", damaged);
      if (count == 0) break;
      rest += static_cast<std::uint64_t>(count);
    }
    int state = Z_OK;
    gzerror(file_.get(), &state);
    if (rest < size || state == Z_BUF_ERROR) fail("ends too early", damaged);
    if (rest > size) fail("goes on after its last item", damaged);
  }

 private:
  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, decltype(&gzclose_r)> file_{nullptr, &gzclose_r};
};

std::filesystem::path idx_file(const std::filesystem::path& folder, std::string_view name) {
  const std::filesystem::path plain = folder / name;
  std::error_code ignored;
  if (std::filesystem::exists(plain, ignored)) return plain;
  return folder / fmt::format("{}.gz", name);
}

}  // namespace

ImageSet read_idx(const std::filesystem::path& images_file,
                  const std::filesystem::path& labels_file, std::size_t limit) {
  IdxFile images(images_file);
  IdxFile labels(labels_file);
  images.require_magic(images_magic, "images");
  labels.require_magic(labels_magic, "labels");
  const std::uint64_t count = images.number();
  const std::uint64_t label_count = labels.number();
  if (label_count != count) {
    labels.fail(fmt::format("has {} labels for {} images", label_count, count),
                "are both files of the same split?");
  }
  ImageSet set;
  set.rows = images.number();
  set.columns = images.number();
  set.classes = idx_classes;
  if (set.rows < 1 || set.rows > largest_extent || set.columns < 1 ||
      set.columns > largest_extent) {
    images.fail(fmt::format("images of {} x {} pixels (1 .. {} each)", set.rows, set.columns,
                            largest_extent),
                damaged);
  }
  const std::uint64_t taken = std::min<std::uint64_t>(count, limit);
  const std::uint64_t image_size = set.image_size();
  if (taken * image_size > most_bytes) {
    images.fail(fmt::format("{} images of {} x {} pixels are more than 2 GiB", taken, set.rows,
                            set.columns),
                "use fewer");
  }
  // Grown image by image: a damaged count must not take memory that no pixels stand behind.
  for (std::uint64_t image = 0; image < taken; ++image) {
    const std::size_t start = set.pixels.size();
    set.pixels.resize(start + image_size);
    images.read(std::span(set.pixels).subspan(start));
    std::uint8_t label = 0;
    labels.read(std::span(&label, 1));
    if (label >= idx_classes) {
      labels.fail(fmt::format("label {} of image {} (0 .. {})", label, image, idx_classes - 1),
                  damaged);
    }
    set.labels.push_back(label);
  }
  images.require_rest((count - taken) * image_size);
  labels.require_rest(count - taken);
  set.name = images_file.stem().string();
  return set;
}

ImageSet read_named_images(std::string_view name_or_folder, Split split, std::size_t limit) {
  std::filesystem::path folder(name_or_folder);
  if (name_or_folder == "fashion-mnist") {
    const char* datasets = std::getenv("CIMSTAT_DATASETS");
    folder = std::filesystem::path(datasets == nullptr ? "/usr/share/datasets" : datasets) / folder;
  }
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw core::DataError(fmt::format(
        "{}: no such folder of images (Fashion-MNIST: apt-get install dataset-fashion-mnist, or "
        "name a folder that holds its files)",
        folder.string()));
  }
  const std::string_view prefix = split == Split::training ? "train" : "t10k";
  ImageSet set = read_idx(idx_file(folder, fmt::format("{}-images-idx3-ubyte", prefix)),
                          idx_file(folder, fmt::format("{}-labels-idx1-ubyte", prefix)), limit);
  set.name = name_or_folder;
  return set;
}

}  // namespace cimstat::experiments
