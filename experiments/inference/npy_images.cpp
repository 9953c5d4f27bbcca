#include "experiments/inference/npy_images.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "experiments/inference/item_file.h"
#include "experiments/inference/npy_header.h"

namespace cimstat::experiments {
namespace {

constexpr std::uint64_t most_label = 255;
constexpr std::uint64_t most_file_bytes = std::uint64_t{1} << 62;
/// What a colour image has: with so few in the last axis and more in the second, channels are last.
constexpr std::uint64_t most_colours = 4;

std::string type_text(const NpyHeader& header) {
  const std::string_view kind = header.kind == 'u'   ? "uint"
                                : header.kind == 'i' ? "int"
                                : header.kind == 'f' ? "float"
                                                     : "bool";
  return header.kind == 'b' ? std::string(kind) : fmt::format("{}{}", kind, 8 * header.bytes);
}

/// Fills in the shape of an image; how many there are.
std::uint64_t take_shape(const ItemFile& file, const NpyHeader& header, ImageSet& set) {
  const std::vector<std::uint64_t>& shape = header.shape;
  const std::string text = fmt::format("is an array of {}", fmt::join(shape, " x "));
  if (header.kind != 'u' || header.bytes != 1) {
    file.fail(fmt::format("holds {}", type_text(header)), "pixels are uint8, 0 to 255",
              "scale to 0 .. 255 and convert with astype('uint8')");
  }
  if (shape.size() != 3 && shape.size() != 4) {
    file.fail(text, "images are [image, row, column] or [image, channel, row, column]",
              "reshape it");
  }
  const bool has_channels = shape.size() == 4;
  if (has_channels && shape[3] <= most_colours && shape[1] > most_colours) {
    file.fail(text, "channels come last, they belong before rows",
              "numpy.ascontiguousarray(images.transpose(0, 3, 1, 2))");
  }
  if (shape[0] == 0) file.fail("holds no image", {}, "name a data set that has images");
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    if (shape[axis] < 1 || shape[axis] > largest_image_extent) {
      file.fail(text, fmt::format("1 to {} channels, rows and columns", largest_image_extent),
                "cut images down");
    }
  }
  set.channels = has_channels ? static_cast<std::uint32_t>(shape[1]) : 1;
  set.rows = static_cast<std::uint32_t>(shape[shape.size() - 2]);
  set.columns = static_cast<std::uint32_t>(shape[shape.size() - 1]);
  if (shape[0] > most_file_bytes / set.image_size()) {
    file.fail(text, "no file has so many pixels", fetch_again);
  }
  return shape[0];
}

/// All of a file's labels, one after the other.
class Labels {
 public:
  explicit Labels(const std::filesystem::path& path)
      : file_(path), header_(read_npy_header(file_)) {
    if (header_.kind != 'u' && header_.kind != 'i') {
      file_.fail(fmt::format("holds {}", type_text(header_)), "labels are integers",
                 "convert with astype('int64')");
    }
    if (header_.shape.size() != 1) {
      file_.fail(fmt::format("is an array of {}", fmt::join(header_.shape, " x ")),
                 "labels are one list, [image]",
                 "labels.reshape(-1), or argmax(1) of one-hot rows");
    }
    file_.require_room(count() * header_.bytes);
  }

  const ItemFile& file() const { return file_; }
  std::uint64_t count() const { return header_.shape[0]; }

  std::uint8_t next() {
    std::array<std::uint8_t, 8> bytes{};
    file_.read(std::span(bytes).first(header_.bytes));
    if (header_.is_big_endian) std::reverse(bytes.begin(), bytes.begin() + header_.bytes);
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
    // A negative one is large, too: its highest bit is set.
    const bool is_negative = header_.kind == 'i' && bytes[header_.bytes - 1] >= 128;
    if (value > most_label || is_negative) {
      file_.fail(is_negative ? fmt::format("the label of image {} is negative", at_)
                             : fmt::format("label {} of image {} is out of range", value, at_),
                 fmt::format("0 to {}", most_label), "number classes from 0 on");
    }
    ++at_;
    return static_cast<std::uint8_t>(value);
  }

  void require_end() { file_.require_rest(0); }

 private:
  ItemFile file_;
  NpyHeader header_;
  std::uint64_t at_ = 0;
};

}  // namespace

ImageSet read_npy(const std::filesystem::path& images_file,
                  const std::filesystem::path& labels_file, std::size_t limit) {
  ItemFile images(images_file);
  ImageSet set;
  const std::uint64_t count = take_shape(images, read_npy_header(images), set);
  Labels labels(labels_file);
  if (labels.count() != count) {
    labels.file().fail(fmt::format("has {} labels for {} images", labels.count(), count), {},
                       "take both files of the same split");
  }
  const std::uint64_t image_size = set.image_size();
  const std::uint64_t taken = std::min<std::uint64_t>(count, limit);
  if (taken > most_pixel_bytes / image_size) {
    images.fail(fmt::format("has {} images of {} bytes", taken, image_size), "1 GiB at most",
                "cut the file down to fewer images");
  }
  images.require_room(count * image_size);
  // Grown image by image: a damaged count must not take memory that no pixels stand behind.
  std::uint8_t largest = 0;
  for (std::uint64_t image = 0; image < count; ++image) {
    const std::uint8_t label = labels.next();
    largest = std::max(largest, label);
    if (image >= taken) continue;
    const std::size_t start = set.pixels.size();
    set.pixels.resize(start + image_size);
    images.read(std::span(set.pixels).subspan(start));
    set.labels.push_back(label);
  }
  images.require_rest((count - taken) * image_size);
  labels.require_end();
  set.classes = std::uint32_t{largest} + 1;
  set.name = images_file.stem().string();
  return set;
}

std::uint32_t classes_of_npy(const std::filesystem::path& labels_file) {
  Labels labels(labels_file);
  std::uint8_t largest = 0;
  for (std::uint64_t image = 0; image < labels.count(); ++image) {
    largest = std::max(largest, labels.next());
  }
  labels.require_end();
  return std::uint32_t{largest} + 1;
}

}  // namespace cimstat::experiments
