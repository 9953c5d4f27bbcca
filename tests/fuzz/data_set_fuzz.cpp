#include <algorithm>

#include <zlib.h>

#include "experiments/inference/dataset.h"
#include "tests/fuzz/fuzz_target.h"

namespace cimstat::fuzz {
namespace {

enum class Packing { none, as_given, gzipped };

/// Whole gzip bytes, so that what is changed gets past the checksum.
std::vector<std::uint8_t> gzipped(Bytes bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    finding("zlib cannot pack");
  }
  std::vector<std::uint8_t> packed(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::vector<std::uint8_t> packed(Bytes bytes, std::size_t packing) {
  // `as_given`: the bytes are to be gzip's already.
  if (static_cast<Packing>(packing) == Packing::gzipped) return gzipped(bytes);
  return {bytes.begin(), bytes.end()};
}

void remove(std::string_view name) {
  std::error_code ignored;
  std::filesystem::remove(scratch_folder() / name, ignored);
}

/// Plain or packed; the other one goes.
void store(const std::string& name, Bytes bytes, std::size_t packing) {
  remove(name);
  remove(name + ".gz");
  const bool plain = static_cast<Packing>(packing) == Packing::none;
  scratch_file(plain ? name : name + ".gz", packed(bytes, packing));
}

}  // namespace
}  // namespace cimstat::fuzz

/// A folder with a file of images and one of labels, IDX or .npy, or with one of CIFAR-10 or
/// CIFAR-100. The input: which of these and how each file is packed, how many images are asked for,
/// the size of the first file, its bytes, then those of the second.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  constexpr std::size_t header = 4;
  if (size < header) return 0;
  const fuzz::Bytes bytes(data + header, size - header);
  const std::size_t cut = std::min<std::size_t>(data[2] + 256U * data[3], bytes.size());
  for (const char* name : {"test_batch.bin", "test.bin", "test_images.npy", "test_images.npy.gz"}) {
    fuzz::remove(name);
  }
  switch (data[0] / 9 % 4) {
    case 1:
      fuzz::scratch_file("test_batch.bin", fuzz::packed(bytes, data[0] % 3));
      break;
    case 2:
      fuzz::scratch_file("test.bin", fuzz::packed(bytes, data[0] % 3));
      break;
    case 3:
      fuzz::store("test_images.npy", bytes.first(cut), data[0] % 3);
      fuzz::store("test_labels.npy", bytes.subspan(cut), data[0] / 3 % 3);
      break;
    default:
      fuzz::store("t10k-images-idx3-ubyte", bytes.first(cut), data[0] % 3);
      fuzz::store("t10k-labels-idx1-ubyte", bytes.subspan(cut), data[0] / 3 % 3);
  }
  const std::size_t limit =
      data[1] == 255 ? std::numeric_limits<std::size_t>::max() : std::size_t{data[1]};
  fuzz::refusal_of([&] {
    const experiments::ImageSet set = experiments::read_named_images(
        fuzz::scratch_folder().string(), experiments::Split::test, limit);
    const bool labelled = std::all_of(set.labels.begin(), set.labels.end(),
                                      [&](std::uint8_t label) { return label < set.classes; });
    if (set.size() > limit || set.pixels.size() != set.size() * set.image_size() || !labelled) {
      fuzz::finding("an image set that contradicts itself");
    }
  });
  return 0;
}
