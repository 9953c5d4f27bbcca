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
