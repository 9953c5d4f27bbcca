#include "experiments/inference/dataset.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <numeric>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "core/error.h"

#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::bytes_of;
using tests::TemporaryFolder;
using tests::write_bytes;

constexpr std::size_t all = 1000000;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::Error& error) {
    return error.what();
  }
  return "no Error";
}

void append(std::vector<char>& bytes, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
}

/// Five images of 3 x 4 pixels, pixel i of all is i; labels 0, 2, 4, 6, 8.
struct Pair {
  std::uint32_t images_magic = 2051;
  std::uint32_t labels_magic = 2049;
  std::uint32_t images = 5;
  std::uint32_t labels = 5;
  std::uint32_t rows = 3;
  std::uint32_t columns = 4;
  int label_step = 2;

  std::vector<char> image_bytes() const {
    std::vector<char> bytes;
    for (const std::uint32_t number : {images_magic, images, rows, columns}) append(bytes, number);
    for (int pixel = 0; pixel < 60; ++pixel) bytes.push_back(static_cast<char>(pixel));
    return bytes;
  }
  std::vector<char> label_bytes() const {
    std::vector<char> bytes;
    append(bytes, labels_magic);
    append(bytes, labels);
    for (int image = 0; image < 5; ++image) {
      bytes.push_back(static_cast<char>(image * label_step));
    }
    return bytes;
  }
  std::string message() const {
    const TemporaryFolder folder;
    write_bytes(folder / "images", image_bytes());
    write_bytes(folder / "labels", label_bytes());
    return message_of([&] { read_idx(folder / "images", folder / "labels", all); });
  }
};

void write_gzip(const std::filesystem::path& file, const std::vector<char>& bytes) {
  gzFile stream = gzopen(file.c_str(), "wb");
  gzwrite(stream, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(stream);
}

void expect_sample(const ImageSet& set, std::size_t size) {
  EXPECT_EQ(set.channels, 1U);
  EXPECT_EQ(set.rows, 3U);
  EXPECT_EQ(set.columns, 4U);
  EXPECT_EQ(set.classes, 10U);
  ASSERT_EQ(set.size(), size);
  ASSERT_EQ(set.pixels.size(), size * 12);
  for (std::size_t i = 0; i < set.pixels.size(); ++i) EXPECT_EQ(set.pixels[i], i);
  for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(set.labels[i], 2 * i);
}

TEST(Idx, IsReadPlainAndGzipped) {
  const TemporaryFolder folder;
  write_bytes(folder / "images", Pair().image_bytes());
  write_bytes(folder / "labels", Pair().label_bytes());
  write_gzip(folder / "images.gz", Pair().image_bytes());
  write_gzip(folder / "labels.gz", Pair().label_bytes());
  expect_sample(read_idx(folder / "images", folder / "labels", all), 5);
  expect_sample(read_idx(folder / "images.gz", folder / "labels.gz", all), 5);
  expect_sample(read_idx(folder / "images.gz", folder / "labels", 2), 2);
  expect_sample(read_idx(folder / "images", folder / "labels.gz", 0), 0);
}

TEST(Idx, SaysWhatItRefuses) {
  EXPECT_EQ(Pair().message(), "no Error");
  EXPECT_THAT((Pair{.images_magic = 2049}.message()),
              HasSubstr("magic number 2049 instead of 2051"));
  EXPECT_THAT((Pair{.labels_magic = 2051}.message()), HasSubstr("are images and labels swapped?"));
  EXPECT_THAT((Pair{.labels = 4}.message()), HasSubstr("has 4 labels for 5 images"));
  EXPECT_THAT((Pair{.images = 6, .labels = 6}.message()), HasSubstr("images: ends too early"));
  EXPECT_THAT((Pair{.images = 4, .labels = 4}.message()), HasSubstr("goes on after its last item"));
  EXPECT_THAT((Pair{.rows = 0}.message()), HasSubstr("images of 0 x 4 pixels"));
  EXPECT_THAT((Pair{.columns = 5000}.message()), HasSubstr("images of 3 x 5000 pixels"));
  EXPECT_THAT((Pair{.rows = 2}.message()), HasSubstr("images: goes on after"));
  EXPECT_THAT((Pair{.label_step = 3}.message()), HasSubstr("label 12 of image 4"));
  EXPECT_THAT((Pair{.images = 4294967295U, .labels = 4294967295U}.message()),
              HasSubstr("ends too early"));
  EXPECT_THAT(
      (Pair{.images = 4294967295U, .labels = 4294967295U, .rows = 4096, .columns = 4096}.message()),
      HasSubstr("images of 4096 x 4096 pixels (1 GiB at most)"));
}

TEST(Idx, IsRefusedAtEveryShorterLength) {
  const TemporaryFolder folder;
  for (const bool gzipped : {false, true}) {
    const auto write = gzipped ? write_gzip : write_bytes;
    write(folder / "images", Pair().image_bytes());
    write(folder / "labels", Pair().label_bytes());
    const std::vector<char> images = bytes_of(folder / "images");
    const std::vector<char> labels = bytes_of(folder / "labels");
    for (std::size_t length = 0; length < images.size(); ++length) {
      write_bytes(folder / "cut", {images.begin(), images.begin() + std::ptrdiff_t(length)});
      for (const std::size_t limit : {std::size_t{2}, all}) {
        EXPECT_THROW(read_idx(folder / "cut", folder / "labels", limit), core::DataError)
            << length << " gzipped " << gzipped << " limit " << limit;
      }
    }
    for (std::size_t length = 0; length < labels.size(); ++length) {
      write_bytes(folder / "cut", {labels.begin(), labels.begin() + std::ptrdiff_t(length)});
      EXPECT_THROW(read_idx(folder / "images", folder / "cut", all), core::DataError) << length;
    }
  }
}

TEST(Idx, NeverGivesOtherPixelsWhenTheGzippedFileIsDamaged) {
  const TemporaryFolder folder;
  write_gzip(folder / "images.gz", Pair().image_bytes());
  write_bytes(folder / "labels", Pair().label_bytes());
  std::vector<char> bytes = bytes_of(folder / "images.gz");
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
      write_bytes(folder / "damaged.gz", bytes);
      bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
      try {
        expect_sample(read_idx(folder / "damaged.gz", folder / "labels", all), 5);
      } catch (const core::DataError&) {
      }
      ASSERT_FALSE(HasFailure()) << "byte " << place << " bit " << bit;
    }
  }
}

/// CIFAR-10 batches of `images` images, whose label is their number and whose pixels count up.
std::vector<char> cifar10_batch(int images) {
  std::vector<char> bytes;
  for (int image = 0; image < images; ++image) {
    bytes.push_back(static_cast<char>(image));
    for (int pixel = 0; pixel < 3072; ++pixel) bytes.push_back(static_cast<char>(image + pixel));
  }
  return bytes;
}

TEST(Cifar10, IsReadFromItsFolderAndFromPackedBatches) {
  const TemporaryFolder folder;
  write_bytes(folder / "test_batch.bin", cifar10_batch(4));
  for (const char* batch : {"1", "2", "3", "4", "5"}) {
    write_bytes(folder / ("data_batch_" + std::string(batch) + ".bin"), cifar10_batch(3));
  }
  const std::string name = folder.path().string();
  const ImageSet test = read_named_images(name, Split::test);
  EXPECT_EQ(test.size(), 4U);
  EXPECT_EQ(std::tuple(test.channels, test.rows, test.columns, test.classes),
            std::tuple(3U, 32U, 32U, 10U));
  for (std::size_t image = 0; image < 4; ++image) {
    EXPECT_EQ(test.labels[image], image);
    for (std::size_t pixel = 0; pixel < 3072; ++pixel) {
      ASSERT_EQ(test.image(image)[pixel], (image + pixel) % 256);
    }
  }
  EXPECT_EQ(read_named_images(name, Split::training).size(), 15U);
  EXPECT_EQ(read_named_images(name, Split::training, 7).size(), 7U);
  std::filesystem::remove(folder / "test_batch.bin");
  write_gzip(folder / "test_batch.bin.gz", cifar10_batch(3));
  EXPECT_EQ(read_named_images(folder.path().string(), Split::test).size(), 3U);
  write_gzip(folder / "packed.gz", cifar10_batch(2));
  const std::array files = {folder / "packed.gz"};
  EXPECT_EQ(read_cifar10(files, all).size(), 2U);
}

TEST(Cifar10, IsRefusedWhenOneBatchIsDamagedWhateverTheLimit) {
  const TemporaryFolder folder;
  std::vector<char> bytes = cifar10_batch(4);
  const std::array files = {folder / "batch.bin"};
  const auto message = [&] {
    write_bytes(files[0], bytes);
    return message_of([&] { read_cifar10(files, 1); });
  };
  EXPECT_EQ(message(), "no Error");
  bytes.pop_back();
  EXPECT_THAT(message(), HasSubstr("ends inside image 3"));
  bytes = cifar10_batch(11);
  EXPECT_THAT(message(), HasSubstr("label 10 of image 10 is out of range"));
  bytes.clear();
  EXPECT_THAT(message(), HasSubstr("holds no image"));
}

/// CIFAR-100 images with fine labels from 0 on, coarse ones a fifth of these.
std::vector<char> cifar100_file(int images) {
  std::vector<char> bytes;
  for (int image = 0; image < images; ++image) {
    bytes.push_back(static_cast<char>(image / 5));
    bytes.push_back(static_cast<char>(image));
    for (int pixel = 0; pixel < 3072; ++pixel) bytes.push_back(static_cast<char>(image + pixel));
  }
  return bytes;
}

TEST(Cifar100, HasTheFineLabels) {
  const TemporaryFolder folder;
  write_bytes(folder / "test.bin", cifar100_file(7));
  write_bytes(folder / "train.bin", cifar100_file(30));
  const ImageSet test = read_named_images(folder.path().string(), Split::test);
  EXPECT_EQ(std::tuple(test.channels, test.rows, test.columns, test.classes),
            std::tuple(3U, 32U, 32U, 100U));
  ASSERT_EQ(test.size(), 7U);
  EXPECT_EQ(test.labels[6], 6);
  EXPECT_EQ(test.image(6)[1], 7);
  EXPECT_EQ(read_named_images(folder.path().string(), Split::training, 20).size(), 20U);
}

TEST(Cifar100, SaysWhatItRefuses) {
  const TemporaryFolder folder;
  std::vector<char> bytes = cifar100_file(2);
  const auto message = [&] {
    write_bytes(folder / "test.bin", bytes);
    return message_of([&] { read_named_images(folder.path().string(), Split::test, 1); });
  };
  EXPECT_EQ(message(), "no Error");
  bytes.pop_back();
  EXPECT_THAT(message(), HasSubstr("ends inside image 1 (an image is two labels"));
  bytes = cifar100_file(2);
  bytes[3074] = 20;
  EXPECT_THAT(message(), HasSubstr("label 20 of image 1 is out of range (0 to 19)"));
  bytes[3074] = 0;
  bytes[3075] = 100;
  EXPECT_THAT(message(), HasSubstr("label 100 of image 1 is out of range (0 to 99)"));
  EXPECT_THAT(message_of([&] { read_named_images(folder.path().string(), Split::training); }),
              HasSubstr("train.bin"));
}

/// A .npy file, version 1.0, of this header and so many bytes that count up.
std::vector<char> npy(const std::string& header, std::size_t bytes, int step = 1) {
  std::string text = std::string("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size());
  text += '\0';
  text += header;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(step * static_cast<int>(i));
  return {text.begin(), text.end()};
}
std::string npy_header(const std::string& type, const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }   \n";
}

struct Arrays {
  std::vector<char> images = npy(npy_header("|u1", "5, 3, 4"), 60);
  std::vector<char> labels = npy(npy_header("|u1", "5,"), 5, 2);

  void write(const TemporaryFolder& folder) const {
    write_bytes(folder / "test_images.npy", images);
    write_bytes(folder / "test_labels.npy", labels);
  }
  ImageSet read() const {
    const TemporaryFolder folder;
    write(folder);
    return read_named_images(folder.path().string(), Split::test);
  }
  std::string message() const {
    return message_of([&] { read(); });
  }
};

TEST(Npy, IsReadInEachFormThatItMayHave) {
  const ImageSet grey = Arrays().read();
  EXPECT_EQ(std::tuple(grey.channels, grey.rows, grey.columns, grey.classes),
            std::tuple(1U, 3U, 4U, 9U));
  EXPECT_THAT(grey.labels, ElementsAre(0, 2, 4, 6, 8));
  for (std::size_t i = 0; i < 60; ++i) ASSERT_EQ(grey.pixels[i], i);
  const ImageSet colour = Arrays{.images = npy(npy_header("|u1", "5, 3, 2, 2"), 60)}.read();
  EXPECT_EQ(std::tuple(colour.channels, colour.rows, colour.columns), std::tuple(3U, 2U, 2U));
  // Keys in another order, other quotes, version 2.0.
  std::vector<char> other = npy(R"({"shape":(5,3,4),"fortran_order":False,"descr":"<u1"})", 60);
  other[6] = 2;
  other.insert(other.begin() + 10, {'\0', '\0'});
  EXPECT_EQ(Arrays{.images = other}.read().pixels, grey.pixels);
  // Labels of eight bytes, in either order; of a sign.
  for (const bool is_big : {false, true}) {
    std::vector<char> wide = npy(npy_header(is_big ? ">i8" : "<i8", "5,"), 0);
    for (int i = 0; i < 5; ++i) {
      for (int byte = 0; byte < 8; ++byte) {
        wide.push_back(static_cast<char>(byte == (is_big ? 7 : 0) ? 3 * i : 0));
      }
    }
    EXPECT_THAT(Arrays{.labels = wide}.read().labels, ElementsAre(0, 3, 6, 9, 12));
  }
}

TEST(Npy, ClassesAreThoseOfBothSplits) {
  const TemporaryFolder folder;
  Arrays().write(folder);
  write_bytes(folder / "train_labels.npy", npy(npy_header("|u1", "3,"), 3, 10));
  write_gzip(folder / "train_images.npy.gz", npy(npy_header("|u1", "3, 3, 4"), 36));
  const std::string name = folder.path().string();
  EXPECT_EQ(read_named_images(name, Split::test, 2).classes, 21U);
  EXPECT_EQ(read_named_images(name, Split::training).size(), 3U);
}

TEST(Npy, SaysWhatItRefuses) {
  const auto images = [](const std::string& type, const std::string& shape) {
    return Arrays{.images = npy(npy_header(type, shape), 60)}.message();
  };
  const auto labels = [](const std::string& type, const std::string& shape, std::size_t bytes) {
    return Arrays{.labels = npy(npy_header(type, shape), bytes, 2)}.message();
  };
  EXPECT_EQ(Arrays().message(), "no Error");
  EXPECT_THAT(images("<f4", "5, 3, 4"), HasSubstr("holds float32 (pixels are uint8"));
  EXPECT_THAT(images("|i1", "5, 3, 4"), HasSubstr("holds int8"));
  EXPECT_THAT(images("|O", "5, 3, 4"), HasSubstr("holds numbers of type '|O' (Python objects)"));
  EXPECT_THAT(images("<U4", "5, 3, 4"), HasSubstr("holds numbers of type '<U4'"));
  EXPECT_THAT(images("|u1", "5, 12"), HasSubstr("is an array of 5 x 12 (images are"));
  EXPECT_THAT(images("|u1", "5, 32, 32, 3"), HasSubstr("channels come last"));
  EXPECT_THAT(images("|u1", "0, 3, 4"), HasSubstr("holds no image"));
  EXPECT_THAT(images("|u1", "5, 0, 4"), HasSubstr("1 to 4096 channels, rows and columns"));
  EXPECT_THAT(images("|u1", "6, 3, 4"), HasSubstr("has 5 labels for 6 images"));
  EXPECT_THAT(images("|u1", "5, 3, 5"), HasSubstr("test_images.npy: ends too early"));
  EXPECT_THAT(images("|u1", "5, 3, 3"), HasSubstr("goes on after its last item"));
  EXPECT_THAT(images("|u1", "1099511627775, 4096, 4096, 4096"), HasSubstr("no file has so many"));
  EXPECT_THAT(images("|u1", "18446744073709551617, 3, 4"), HasSubstr("an axis of 2^40 places"));
  EXPECT_THAT(images("|u1", "5, -3, 4"), HasSubstr("has a damaged header"));
  EXPECT_THAT(images("|u1'x", "5, 3, 4"), HasSubstr("has a damaged header"));
  EXPECT_THAT(labels("<f8", "5,", 40), HasSubstr("holds float64 (labels are integers)"));
  EXPECT_THAT(labels("|u1", "5, 10", 50), HasSubstr("argmax(1) of one-hot rows"));
  EXPECT_THAT(labels("|u1", "5,", 4), HasSubstr("test_labels.npy: ends too early"));
  EXPECT_THAT(labels("|i1", "5,", 5), HasSubstr("no Error"));
  EXPECT_THAT(labels("<u2", "5,", 10), HasSubstr("label 512 of image 0 is out of range"));
  Arrays negative{.labels = npy(npy_header("|i1", "5,"), 5, -1)};
  EXPECT_THAT(negative.message(), HasSubstr("the label of image 1 is negative"));
}

TEST(Npy, SaysWhatHeadersItRefuses) {
  const auto message = [](const std::string& header) {
    return Arrays{.images = npy(header, 60)}.message();
  };
  EXPECT_THAT(message("{'descr': '|u1', 'fortran_order': True, 'shape': (5, 3, 4)}"),
              HasSubstr("is in Fortran order"));
  EXPECT_THAT(message("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (60,)}"),
              HasSubstr("holds records of several fields"));
  for (const char* damaged :
       {"", "{", "{}", "{'descr': '|u1'}", "{'descr': '|u1', 'descr': '|u1'}", "{'descr' '|u1'}",
        "{'descr': '|u1', 'fortran_order': 0, 'shape': (5, 3, 4)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (5, 3 4)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (5, 3, 4}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (5, 3, 4)} x"}) {
    EXPECT_THAT(message(damaged), HasSubstr("has a damaged header")) << damaged;
  }
  std::vector<char> bytes = Arrays().images;
  bytes[0] = 'x';
  EXPECT_THAT(Arrays{.images = bytes}.message(), HasSubstr("is no .npy file"));
  bytes = Arrays().images;
  bytes[6] = 9;
  EXPECT_THAT(Arrays{.images = bytes}.message(), HasSubstr("is of version 9 of the format"));
  bytes = Arrays().images;
  bytes[9] = 100;
  EXPECT_THAT(Arrays{.images = bytes}.message(), HasSubstr("(at most 10000)"));
  bytes.resize(40);
  bytes[9] = 0;
  EXPECT_THAT(Arrays{.images = bytes}.message(), HasSubstr("ends too early"));
  const TemporaryFolder folder;
  write_bytes(folder / "test_images.npy", Arrays().images);
  EXPECT_THAT(message_of([&] { read_named_images(folder.path().string(), Split::test); }),
              HasSubstr("test_labels.npy: no such file, nor with .gz"));
}

TEST(Images, AreFoundInAFolderByTheirFourNames) {
  const TemporaryFolder folder;
  write_bytes(folder / "train-images-idx3-ubyte", Pair().image_bytes());
  write_bytes(folder / "train-labels-idx1-ubyte", Pair().label_bytes());
  write_gzip(folder / "t10k-images-idx3-ubyte.gz", Pair().image_bytes());
  write_gzip(folder / "t10k-labels-idx1-ubyte.gz", Pair().label_bytes());
  const std::string name = folder.path().string();
  expect_sample(read_named_images(name, Split::training), 5);
  expect_sample(read_named_images(name, Split::test, 3), 3);
  EXPECT_EQ(read_named_images(name, Split::test).name, name);
}

TEST(Images, ThatAreMissingComeWithARemedy) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of([&] { read_named_images((folder / "no").string(), Split::test); }),
              HasSubstr("apt-get install dataset-fashion-mnist"));
  EXPECT_THAT(message_of([&] { read_named_images(folder.path().string(), Split::test); }),
              HasSubstr("apt-get install dataset-fashion-mnist"));
  ::setenv("CIMSTAT_DATASETS", folder.path().c_str(), 1);
  const std::string message = message_of([] { read_named_images("fashion-mnist", Split::test); });
  ::unsetenv("CIMSTAT_DATASETS");
  EXPECT_THAT(message, HasSubstr((folder / "fashion-mnist").string()));
}

TEST(Images, AnEmptyFolderVariableIsNone) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    GTEST_SKIP() << "Debian's package dataset-fashion-mnist is not installed";
  }
  ::setenv("CIMSTAT_DATASETS", "", 1);
  const std::size_t images = read_named_images("fashion-mnist", Split::test, 1).size();
  ::unsetenv("CIMSTAT_DATASETS");
  EXPECT_EQ(images, 1U);
}

TEST(Images, OfFashionMnistHaveTheirPublishedSizes) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    GTEST_SKIP() << "Debian's package dataset-fashion-mnist is not installed";
  }
  const ImageSet test = read_named_images("fashion-mnist", Split::test);
  EXPECT_EQ(test.size(), 10000U);
  EXPECT_EQ(test.image_size(), 784U);
  std::vector<int> frequency(10);
  for (const std::uint8_t label : test.labels) ++frequency[label];
  EXPECT_THAT(frequency, ::testing::Each(1000));
  // The first test image is an ankle boot.
  EXPECT_EQ(test.labels[0], 9);
  EXPECT_EQ(test.image(0).size(), 784U);
  EXPECT_EQ(read_named_images("fashion-mnist", Split::training, 100).size(), 100U);
}

}  // namespace
}  // namespace cimstat::experiments
