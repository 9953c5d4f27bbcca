#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "tests/support/temporary_folder.h"

namespace cimstat::core {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::bytes_of;
using tests::TemporaryFolder;
using tests::write_bytes;

constexpr std::uint64_t plenty = 1 << 20;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no DataError";
}

/// Files that h5py wrote.
class ForeignHdf5 : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::make_unique<TemporaryFolder>();
    const std::string command = std::string(CIMSTAT_PYTHON) + " " + CIMSTAT_FOREIGN_SCRIPT + " " +
                                folder_->path().string() + " 2> " + file("errors").string();
    if (std::system(command.c_str()) != 0) GTEST_SKIP() << "needs Debian's python3-h5py";
  }
  std::filesystem::path file(const std::string& name) const { return *folder_ / name; }

  static std::vector<std::uint64_t> values() {
    std::vector<std::uint64_t> result(600 * 70);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = i * 2654435761U % 1000;
    return result;
  }

 private:
  std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(ForeignHdf5, IsReadInAnyByteOrderWidthAndTextKind) {
  const Hdf5Input input(file("kinds.h5"));
  EXPECT_THAT(input.integers("/big_endian", 3), ElementsAre(1, -2, 70000));
  EXPECT_THAT(input.doubles("/single", 2), ElementsAre(0.5, -1.5));
  EXPECT_EQ(input.unsigneds("/contiguous", plenty), values());
  EXPECT_EQ(input.text_attribute("/", "utf8_text"), "\xCE\xBCS");
  EXPECT_EQ(input.text_attribute("/", "fixed_text"), "padded with NULs");
  EXPECT_EQ(input.integer_attribute("/", "one_integer"), 7);
  EXPECT_EQ(input.integer_attribute("/", "negative"), -3);
  EXPECT_EQ(Hdf5Input(file("v108.h5")).unsigneds("/values", plenty), values());
}

TEST_F(ForeignHdf5, WithoutChecksumsIsRefusedBeforeTheLibraryReadsIt) {
  const auto message = [&](const char* name) {
    return message_of([&] { const Hdf5Input input(file(name)); });
  };
  EXPECT_THAT(message("earliest.h5"),
              AllOf(HasSubstr("an old HDF5 format whose structure has no checksums (superblock"),
                    HasSubstr("; rewrite it with h5repack -L OLD NEW, or in h5py with libver=")));
  EXPECT_THAT(message("user_block.h5"), HasSubstr("is not an HDF5 file, or its beginning is lost"));
}

TEST_F(ForeignHdf5, TakesNoMemoryForWhatItOnlyClaims) {
  const Hdf5Input input(file("bomb.h5"));
  const std::uint64_t everything = ~std::uint64_t{0};
  const auto message = [&](const char* name) {
    return message_of([&] { input.unsigneds(name, everything); });
  };
  EXPECT_THAT(message("/values"), HasSubstr("unpacks to more than a chunk holds"));
  EXPECT_THAT(message_of([&] { input.doubles("/claimed", everything); }),
              HasSubstr("claims more values than the file can hold (8000000000000000000 bytes in"));
  EXPECT_THAT(message("/small_chunks"), HasSubstr("claims more values than the file can hold"));
}

TEST_F(ForeignHdf5, MayNotLeadInCircles) {
  EXPECT_THAT(message_of([&] { Hdf5Input input(file("circle.h5")); }),
              HasSubstr("circle.h5: /: is linked more than once (2 links); keep one of them"));
}

TEST_F(ForeignHdf5, IsRefusedWhereItIsNotWhatItShouldBe) {
  const Hdf5Input input(file("kinds.h5"));
  const auto integers = [&](const char* name) {
    return message_of([&] { input.integers(name, plenty); });
  };
  const auto doubles = [&](const char* name) {
    return message_of([&] { input.doubles(name, plenty); });
  };
  EXPECT_THAT(integers("/boolean"), HasSubstr("does not hold integers"));
  EXPECT_THAT(integers("/compound"), HasSubstr("does not hold integers"));
  EXPECT_THAT(integers("/text"), HasSubstr("does not hold integers"));
  EXPECT_THAT(integers("/references"), HasSubstr("does not hold integers (it holds references)"));
  EXPECT_THAT(integers("/opaque"), HasSubstr("does not hold integers (it holds opaque bytes)"));
  EXPECT_THAT(doubles("/half"), HasSubstr("write it as float64 or float32"));
  EXPECT_THAT(integers("/scale_offset"), HasSubstr("a filter that is not allowed here (number 6"));
  EXPECT_THAT(integers("/lzf"), HasSubstr("a filter that is not allowed here (number 32000"));
  EXPECT_THAT(doubles("/never_written_whole"), HasSubstr("lacks a part of its values"));
  EXPECT_THAT(message_of([&] { input.text_attribute("/", "variable_text"); }),
              HasSubstr("is a text of variable length (such texts carry no checksum); write it"));
  EXPECT_THAT(message_of([&] { input.text_attribute("/", "not_utf8"); }),
              HasSubstr("attribute 'not_utf8' is not plain text (byte 0xff at 1)"));
  EXPECT_THAT(message_of([&] { input.text_attribute("/", "escape"); }),
              HasSubstr("attribute 'escape' is not plain text (byte 0x1b at 1)"));
  EXPECT_THAT(integers("/soft"), HasSubstr("is a soft or external link"));
  EXPECT_THAT(integers("/external"), HasSubstr("is a soft or external link"));
  EXPECT_THAT(integers("/virtual"), HasSubstr("keeps its values in another file"));
  EXPECT_THAT(doubles("/outside"), HasSubstr("keeps its values in another file"));
  EXPECT_THAT(doubles("/never_written"), HasSubstr("lacks a part of its values"));
  EXPECT_THAT(doubles("/huge"), HasSubstr("more than the 1048576 elements"));
  EXPECT_THAT(doubles("/huge_chunk"), HasSubstr("chunks that are too large (64 MiB at most)"));
  EXPECT_THAT(message_of([&] { input.text_attribute("/", "texts"); }), HasSubstr("not one text"));
  EXPECT_THAT(message_of([&] { input.integer_attribute("/", "large"); }),
              HasSubstr("is out of range"));
  EXPECT_THAT(message_of([&] { input.number_attribute("/", "nothing"); }), HasSubstr("is empty"));
}

TEST_F(ForeignHdf5, OfFormat18NeverGivesOtherValuesWhenItsChunkIndexIsDamaged) {
  std::vector<char> bytes = bytes_of(file("v108.h5"));
  const std::string text(bytes.begin(), bytes.end());
  const std::size_t index = text.find("TREE");
  ASSERT_NE(index, std::string::npos);
  std::size_t refused = 0;
  for (std::size_t place = index; place < index + 400; ++place) {
    for (const int damage : {0x01, 0x10, 0x80, 0xFF}) {
      bytes[place] = static_cast<char>(bytes[place] ^ damage);
      write_bytes(file("damaged.h5"), bytes);
      bytes[place] = static_cast<char>(bytes[place] ^ damage);
      try {
        EXPECT_TRUE(Hdf5Input(file("damaged.h5")).unsigneds("/values", plenty) == values())
            << "byte " << place - index << " of the index";
      } catch (const DataError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 400U);
}

}  // namespace
}  // namespace cimstat::core
