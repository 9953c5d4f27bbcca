#include "core/file/hdf5_file.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <malloc.h>
#include <numeric>
#include <random>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "tests/support/temporary_folder.h"

namespace cimstat::core {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::bytes_of;
using tests::TemporaryFolder;
using tests::write_bytes;

constexpr std::uint64_t plenty = 1 << 24;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no Error";
}

std::vector<std::uint64_t> counts(std::size_t size) {
  std::vector<std::uint64_t> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = (i * 2654435761U) % 1000;
  return values;
}

/// One of everything: a large chunked dataset in several chunks, small ones, attributes, scales.
void write_sample(const std::filesystem::path& file) {
  Hdf5Output output(file);
  output.attribute("/", "filetype", "cimstat sample");
  output.attribute("/", "schema_version", std::vector<std::int64_t>{1, 2});
  output.attribute("/", "empty", "");
  output.attribute("/", "greek", "\xCE\xBCS");
  output.attribute("/", "confidence_level", 0.95);
  output.attribute("/", "seed", std::int64_t{-7});
  output.attribute("/", "config_toml", std::string(12000, 'x'));
  output.group("/group/inner");
  output.dataset("/table/counts", counts(300 * 70), {300, 70});
  std::vector<double> axis(300);
  std::iota(axis.begin(), axis.end(), 0.5);
  output.dataset("/table/class", axis, {300});
  const std::vector<std::int32_t> codes{-1, 0, 1};
  output.dataset("/table/code", codes, {3});
  output.attribute("/table/counts", "units", "1");
  output.make_scale("/table/class", "class");
  output.attach_scale("/table/counts", "/table/class", 0);
  output.commit();
}

TEST(Hdf5File, ReadsBackWhatItWrote) {
  const TemporaryFolder folder;
  write_sample(folder / "a.h5");
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5.tmp"));
  const Hdf5Input input(folder / "a.h5");
  input.require_type("cimstat sample", 1);
  EXPECT_EQ(input.text_attribute("/", "empty"), "");
  EXPECT_EQ(input.text_attribute("/", "greek"), "\xCE\xBCS");
  EXPECT_EQ(input.text_attribute("/", "config_toml"), std::string(12000, 'x'));
  EXPECT_EQ(input.number_attribute("/", "confidence_level"), 0.95);
  EXPECT_EQ(input.integer_attribute("/", "seed"), -7);
  EXPECT_THAT(input.integers_attribute("/", "schema_version"), ElementsAre(1, 2));
  EXPECT_THAT(input.shape("/table/counts"), ElementsAre(300, 70));
  EXPECT_EQ(input.unsigneds("/table/counts", plenty), counts(300 * 70));
  EXPECT_EQ(input.integers("/table/counts", plenty).at(3), 283);
  EXPECT_THAT(input.integers("/table/code", 3), ElementsAre(-1, 0, 1));
  EXPECT_EQ(input.doubles("/table/class", plenty).at(299), 299.5);
  EXPECT_TRUE(input.has("/group/inner"));
  EXPECT_FALSE(input.has("/group/outer"));
  EXPECT_FALSE(input.has("/table/counts/deeper"));
  EXPECT_TRUE(input.has_attribute("/table/counts", "units"));
  EXPECT_FALSE(input.has_attribute("/table/counts", "colour"));
  EXPECT_FALSE(input.has_attribute("/nothing", "units"));
}

TEST(Hdf5File, KeepsEveryNumberType) {
  const TemporaryFolder folder;
  {
    Hdf5Output output(folder / "a.h5");
    output.dataset("/float", std::vector<float>{1.5F, -2.0F}, {2});
    output.dataset("/uint32", std::vector<std::uint32_t>{4294967295U}, {1});
    output.dataset("/int8", std::vector<std::int8_t>{-128, 127}, {2});
    output.dataset("/uint8", std::vector<std::uint8_t>{255}, {1});
    output.dataset("/scalar", std::vector<double>{3.25}, {});
    output.dataset("/none", std::vector<double>{}, {0, 5});
    output.commit();
  }
  const Hdf5Input input(folder / "a.h5");
  EXPECT_THAT(input.doubles("/float", 2), ElementsAre(1.5, -2.0));
  EXPECT_THAT(input.unsigneds("/uint32", 1), ElementsAre(4294967295U));
  EXPECT_THAT(input.integers("/int8", 2), ElementsAre(-128, 127));
  EXPECT_THAT(input.unsigneds("/uint8", 1), ElementsAre(255));
  EXPECT_THAT(input.doubles("/scalar", 1), ElementsAre(3.25));
  EXPECT_THAT(input.doubles("/none", 1), ElementsAre());
  EXPECT_THAT(input.shape("/none"), ElementsAre(0, 5));
}

TEST(Hdf5File, KeepsNumbersThatCannotBeCompressed) {
  const TemporaryFolder folder;
  std::mt19937_64 engine(1);
  std::vector<std::uint64_t> words(50000);
  for (std::uint64_t& word : words) word = engine();
  std::vector<std::uint8_t> bytes(300000);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine());
  {
    Hdf5Output output(folder / "a.h5");
    output.dataset("/words", words, {5, 10, 1000});
    output.dataset("/bytes", bytes, {300000});
    output.dataset("/long_rows", words, {1, 50000});
    output.commit();
  }
  const Hdf5Input input(folder / "a.h5");
  EXPECT_EQ(input.unsigneds("/words", plenty), words);
  EXPECT_EQ(input.unsigneds("/long_rows", plenty), words);
  const std::vector<std::uint64_t> read = input.unsigneds("/bytes", plenty);
  EXPECT_TRUE(std::equal(read.begin(), read.end(), bytes.begin(), bytes.end()));
}

TEST(Hdf5File, KeepsTextsOfAnyLength) {
  const TemporaryFolder folder;
  const std::string text(200000, 'x');
  {
    Hdf5Output output(folder / "a.h5");
    output.attribute("/", "text", text);
    output.commit();
  }
  EXPECT_EQ(Hdf5Input(folder / "a.h5").text_attribute("/", "text"), text);
}

TEST(Hdf5File, ListsMembersInCreationOrder) {
  const TemporaryFolder folder;
  std::vector<std::string> names;
  {
    Hdf5Output output(folder / "a.h5");
    for (int i = 20; i > 0; --i) {
      names.push_back("layer" + std::to_string(i));
      output.group("/layers/" + names.back());
    }
    output.commit();
  }
  EXPECT_EQ(Hdf5Input(folder / "a.h5").children("/layers"), names);
}

TEST(Hdf5File, GivesTheSameBytesForTheSameContent) {
  const TemporaryFolder folder;
  // What malloc hands out is filled with different bytes: nothing uninitialised may reach the file.
  mallopt(M_PERTURB, 0x55);
  write_sample(folder / "a.h5");
  mallopt(M_PERTURB, 0x99);
  write_sample(folder / "b.h5");
  mallopt(M_PERTURB, 0);
  EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
}

TEST(Hdf5File, LeavesNothingBehindWithoutCommit) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.h5", {'o', 'l', 'd'});
  {
    Hdf5Output output(folder / "a.h5");
    output.dataset("/counts", counts(10000), {10000});
    EXPECT_TRUE(std::filesystem::exists(folder / "a.h5.tmp"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5.tmp"));
  EXPECT_EQ(bytes_of(folder / "a.h5"), (std::vector<char>{'o', 'l', 'd'}));
}

TEST(Hdf5File, OverwritesTheTemporaryOfAKilledRun) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.h5.tmp", std::vector<char>(1000000, 'x'));
  write_sample(folder / "a.h5");
  write_sample(folder / "b.h5");
  EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
}

TEST(Hdf5File, RefusesAFolderThatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THROW(Hdf5Output(folder / "no" / "a.h5"), Error);
}

TEST(Hdf5File, SaysWhenTheDiskIsFullAndCleansUp) {
  const TemporaryFolder folder;
  const std::filesystem::path target = folder / "a.h5";
  // In a child, which alone gets a limit on the size of files.
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{16384, 16384};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    int result = 1;
    try {
      Hdf5Output output(target);
      std::vector<double> values(100000);
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1.0 / (1.0 + double(i));
      output.dataset("/values", values, {100000});
      output.commit();
    } catch (const Error& error) {
      result = error.code() == ExitCode::failure ? 0 : 2;
    }
    std::exit(result);  // runs the library's own clean-up, which must not hang or crash
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

/// Rows of [4][5][7] with values of [3] each, appended in batches of this size.
void write_rows(const std::filesystem::path& file, const Shape64& shape, std::size_t leading,
                std::uint64_t batch) {
  const std::uint64_t rows = std::accumulate(
      shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(leading), 1ULL, std::multiplies());
  const std::uint64_t all = std::accumulate(shape.begin(), shape.end(), 1ULL, std::multiplies());
  const std::vector<std::uint64_t> values = counts(all);
  const std::uint64_t width = all / rows;
  Hdf5Output output(file);
  output.start_rows<std::uint64_t>("/group/counts", shape, leading);
  output.attribute("/group/counts", "units", "1");
  for (std::uint64_t row = 0; row < rows; row += batch) {
    const std::uint64_t count = std::min(batch, rows - row);
    output.append_rows("/group/counts", std::span(values).subspan(row * width, count * width));
  }
  output.commit();
}

TEST(Hdf5File, FilledRowByRowHoldsTheSameAsAWholeOneAndItsBytesDoNotDependOnTheBatches) {
  struct Case {
    Shape64 shape;
    std::size_t leading;
  };
  // Compact; one chunk; many chunks, ends that are not whole; rows so long that they are cut.
  for (const Case& one : {Case{{4, 5, 3}, 2}, Case{{4, 5, 7, 30}, 3}, Case{{9, 11, 13, 40, 9}, 3},
                          Case{{301, 700}, 1}, Case{{3, 2, 170000}, 2}, Case{{5000}, 1}}) {
    const TemporaryFolder folder;
    const std::uint64_t all =
        std::accumulate(one.shape.begin(), one.shape.end(), 1ULL, std::multiplies());
    std::vector<char> first;
    for (const std::uint64_t batch : {1U, 7U, 64U, 100000U}) {
      write_rows(folder / "a.h5", one.shape, one.leading, batch);
      const std::vector<char> bytes = bytes_of(folder / "a.h5");
      if (first.empty()) first = bytes;
      EXPECT_TRUE(bytes == first) << shape_text(one.shape) << ", batch " << batch;
    }
    const Hdf5Input input(folder / "a.h5");
    EXPECT_EQ(input.shape("/group/counts"), one.shape);
    EXPECT_TRUE(input.unsigneds("/group/counts", plenty) == counts(all));
  }
}

TEST(Hdf5File, GivesAnyRangeOfRows) {
  const TemporaryFolder folder;
  const Shape64 shape = {9, 11, 13, 40, 9};
  constexpr std::uint64_t width = 40 * 9;
  constexpr std::uint64_t rows = 9 * 11 * 13;
  write_rows(folder / "a.h5", shape, 3, 64);
  const std::vector<std::uint64_t> all = counts(rows * width);
  const Hdf5Input input(folder / "a.h5");
  for (const std::uint64_t first : {0U, 1U, 12U, 13U, 143U, 700U, 1286U}) {
    for (const std::uint64_t count : {0U, 1U, 2U, 13U, 14U, 143U, 500U, 1287U}) {
      if (first + count > rows) continue;
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first * width);
      EXPECT_TRUE(input.unsigneds("/group/counts", RowRange{first, count, 3}, plenty) ==
                  std::vector(begin, begin + static_cast<std::ptrdiff_t>(count * width)))
          << first << ", " << count;
    }
  }
  const auto message = [&](const RowRange& range, std::uint64_t limit) {
    return message_of([&] { input.unsigneds("/group/counts", range, limit); });
  };
  EXPECT_THAT(
      message({0, 2, 3}, 2 * width - 1),
      HasSubstr("/group/counts: has more than the 719 elements that it may have (2 x 360)"));
  EXPECT_THAT(message_of([&] {
                input.doubles("/group/counts", RowRange{0, 1, 3}, plenty);
              }),
              HasSubstr("does not hold floating-point numbers"));
  EXPECT_THROW(input.unsigneds("/group/counts", RowRange{1287, 1, 3}, plenty), std::out_of_range);
  EXPECT_THROW(input.unsigneds("/group/counts", RowRange{1, ~std::uint64_t{0}, 3}, plenty),
               std::out_of_range);
  EXPECT_THROW(input.unsigneds("/group/counts", RowRange{0, 1, 6}, plenty), std::out_of_range);
}

TEST(Hdf5File, NeverGivesOtherRowsWhenAByteIsDamaged) {
  const TemporaryFolder folder;
  write_rows(folder / "a.h5", {100, 300}, 1, 64);
  const std::vector<std::uint64_t> all = counts(100 * 300);
  std::vector<char> bytes = bytes_of(folder / "a.h5");
  std::size_t refused = 0;
  for (std::size_t place = 0; place < bytes.size(); place += 97) {
    const char before = bytes[place];
    bytes[place] = static_cast<char>(bytes[place] ^ 0x10);
    write_bytes(folder / "b.h5", bytes);
    bytes[place] = before;
    try {
      const Hdf5Input input(folder / "b.h5");
      for (std::uint64_t row = 0; row < 100; row += 10) {
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row * 300);
        EXPECT_TRUE(input.unsigneds("/group/counts", RowRange{row, 10, 1}, plenty) ==
                    std::vector(begin, begin + 3000))
            << place;
      }
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, bytes.size() / 97 / 2);
}

TEST(Hdf5File, RefusesRowsThatDoNotFit) {
  const TemporaryFolder folder;
  Hdf5Output output(folder / "a.h5");
  EXPECT_THROW(output.start_rows<double>("/a", {}, 0), std::invalid_argument);
  EXPECT_THROW(output.start_rows<double>("/a", {3}, 2), std::invalid_argument);
  output.start_rows<double>("/a", {4, 3}, 1);
  EXPECT_THROW(output.start_rows<double>("/a", {4, 3}, 1), Error);
  EXPECT_THROW(output.append_rows("/b", std::vector<double>(3)), std::logic_error);
  EXPECT_THROW(output.append_rows("/a", std::vector<std::uint64_t>(3)), std::logic_error);
  EXPECT_THROW(output.append_rows("/a", std::vector<double>(4)), std::invalid_argument);
  EXPECT_THROW(output.append_rows("/a", std::vector<double>(15)), std::invalid_argument);
  output.append_rows("/a", std::vector<double>(9));
  EXPECT_THROW(output.commit(), std::logic_error);
  output.append_rows("/a", std::vector<double>(3));
  EXPECT_THROW(output.append_rows("/a", std::vector<double>(3)), std::invalid_argument);
  output.commit();
  EXPECT_TRUE(std::filesystem::exists(folder / "a.h5"));
}

/// Rows 0 .. 11 of /all: even ones from a.h5, odd ones from b.h5, where columns 1 and 2 are theirs.
void write_virtual(const TemporaryFolder& folder) {
  std::vector<VirtualRows> sources;
  for (const std::uint64_t part : {0U, 1U}) {
    const std::string name = part == 0 ? "parts/a.h5" : "parts/b.h5";
    std::filesystem::create_directories(folder / "parts");
    std::vector<std::uint64_t> values;
    VirtualRows source{
        .file = name, .dataset = "/rows", .shape = {6, 3}, .first_column = 1, .rows = {}};
    for (std::uint64_t row = 0; row < 6; ++row) {
      for (std::uint64_t column = 0; column < 3; ++column) {
        values.push_back(100 * (2 * row + part) + column);
      }
      source.rows.push_back({2 * row + part, row});
    }
    Hdf5Output output(folder / name);
    output.dataset("/rows", values, {6, 3});
    output.commit();
    sources.push_back(source);
  }
  Hdf5Output output(folder / "all.h5");
  output.virtual_rows<std::uint64_t>("/all", {3, 4, 2}, 2, sources);
  output.commit();
}

TEST(Hdf5File, ReadsAVirtualDatasetOnlyWhereItsSourcesWereAllowed) {
  const TemporaryFolder folder;
  write_virtual(folder);
  Hdf5Input input(folder / "all.h5");
  EXPECT_THAT(message_of([&] { input.unsigneds("/all", plenty); }),
              HasSubstr("/all: keeps its values in another file"));
  const std::vector<VirtualSource> sources = input.sources("/all");
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(sources[0].file, "parts/a.h5");
  EXPECT_EQ(sources[1].dataset, "/rows");
  EXPECT_THAT(sources[1].reaches, ElementsAre(6, 3));
  input.allow_virtual("/all");
  EXPECT_THAT(input.shape("/all"), ElementsAre(3, 4, 2));
  EXPECT_THAT(input.unsigneds("/all", RowRange{4, 3, 2}, plenty),
              ElementsAre(401, 402, 501, 502, 601, 602));
  EXPECT_EQ(input.unsigneds("/all", plenty).size(), 24U);
  EXPECT_TRUE(Hdf5Input(folder / "parts/a.h5").sources("/rows").empty());
}

TEST(Hdf5File, RefusesAVirtualDatasetThatLacksSources) {
  const TemporaryFolder folder;
  Hdf5Output output(folder / "all.h5");
  const std::vector<VirtualRows> half = {
      {.file = "a.h5", .dataset = "/rows", .shape = {6, 2}, .first_column = 0, .rows = {{1, 0}}}};
  output.virtual_rows<double>("/all", {2, 2}, 1, half);
  std::vector<VirtualRows> series = half;
  series[0].file = "part%b.h5";
  EXPECT_THROW(output.virtual_rows<double>("/series", {1, 2}, 1, series), Error);
  output.commit();
  const Hdf5Input input(folder / "all.h5");
  EXPECT_THAT(message_of([&] { input.sources("/all"); }),
              HasSubstr("/all: lacks a part of its values (no source has them)"));
}

/// Largest resident memory of a child that does this [KiB].
long memory_of(const std::function<void()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    action();
    ::_exit(0);
  }
  int status = -1;
  rusage usage{};
  EXPECT_EQ(::wait4(child, &status, 0, &usage), child);
  EXPECT_EQ(status, 0);
  return usage.ru_maxrss;
}

TEST(Hdf5File, TakesMemoryForAChunkAndNotForTheFile) {
  const TemporaryFolder folder;
  const auto write = [&](std::uint64_t rows) {
    return memory_of([&folder, rows] {
      std::mt19937_64 engine(1);
      std::vector<std::uint64_t> batch(std::uint64_t{1} << 14);
      Hdf5Output output(folder / "a.h5");
      output.start_rows<std::uint64_t>("/words", {rows, batch.size()}, 1);
      for (std::uint64_t row = 0; row < rows; ++row) {
        for (std::uint64_t& word : batch) word = engine();
        output.append_rows("/words", batch);
      }
      output.commit();
    });
  };
  const long few = write(16);
  const long many = write(512);
  EXPECT_GT(std::filesystem::file_size(folder / "a.h5"), std::uintmax_t{60} << 20);
  EXPECT_LT(many, few + 8 * 1024);
}

TEST(Hdf5File, SaysAtWhichCallTheDiskWasFullAndStaysUsable) {
  const TemporaryFolder folder;
  const std::filesystem::path target = folder / "a.h5";
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    int result = 1;
    std::mt19937_64 engine(1);
    std::vector<std::uint64_t> words(1 << 14);
    try {
      Hdf5Output output(target);
      output.start_rows<std::uint64_t>("/words", {100, words.size()}, 1);
      // Appended rows go to the disk at once: 1 MiB holds 8 rows, and the ninth comes too late.
      for (int row = 0; row < 100; ++row) {
        for (std::uint64_t& word : words) word = engine();
        try {
          output.append_rows("/words", words);
        } catch (const Error& error) {
          const std::string text = error.what();
          if (row <= 8 && error.code() == ExitCode::failure &&
              text == target.string() +
                          ": can't be written (File too large); make room, or name "
                          "a file elsewhere") {
            result = 0;
          }
          break;
        }
      }
      // Whatever comes next says so, too.
      if (message_of([&] { output.attribute("/words", "units", "1"); }) == "no Error") result = 3;
      if (message_of([&] { output.dataset("/more", words, {words.size()}); }) == "no Error") {
        result = 4;
      }
    } catch (...) {
      result = 2;
    }
    std::exit(result);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Hdf5File, RefusesWrongUseOfTheWriter) {
  const TemporaryFolder folder;
  Hdf5Output output(folder / "a.h5");
  EXPECT_THROW(output.dataset("/a", std::vector<double>{1, 2, 3}, {2, 2}), std::invalid_argument);
  output.dataset("/a", std::vector<double>{1, 2}, {2});
  EXPECT_THROW(output.dataset("/a", std::vector<double>{1, 2}, {2}), Error);
  EXPECT_THROW(output.group("/a/b"), Error);
  EXPECT_THROW(output.attribute("/none", "a", 1.0), Error);
  EXPECT_THROW(output.attribute("/a", "text", std::string_view("a\0b", 3)), Error);
  output.attribute("/a", "units", "V");
  EXPECT_THROW(output.attribute("/a", "units", "A"), Error);
  EXPECT_THROW(output.attach_scale("/a", "/none", 0), Error);
  output.commit();
  EXPECT_THROW(output.commit(), std::logic_error);
  EXPECT_THROW(output.group("/b"), std::logic_error);
}

TEST(Hdf5File, NamesFileAndObjectInItsErrors) {
  const TemporaryFolder folder;
  write_sample(folder / "a.h5");
  const Hdf5Input input(folder / "a.h5");
  const auto message = [&](auto action) { return message_of([&] { action(input); }); };
  const auto in_file = HasSubstr((folder / "a.h5").string() + ": /table/counts: ");
  EXPECT_THAT(message([](const auto& in) { in.unsigneds("/table/counts", 20999); }),
              AllOf(in_file, HasSubstr("20999"), Not(HasSubstr("\n"))));
  EXPECT_THAT(message([](const auto& in) { in.doubles("/table/counts", plenty); }),
              AllOf(in_file, HasSubstr("does not hold floating-point numbers")));
  EXPECT_THAT(message([](const auto& in) { in.integers("/table/class", plenty); }),
              HasSubstr("does not hold integers"));
  EXPECT_THAT(message([](const auto& in) { in.unsigneds("/table/code", plenty); }),
              HasSubstr("out of range"));
  EXPECT_THAT(message([](const auto& in) { in.unsigneds("/table", plenty); }),
              HasSubstr("is not a dataset"));
  EXPECT_THAT(message([](const auto& in) { in.children("/table/counts"); }),
              HasSubstr("is not a group"));
  EXPECT_THAT(message([](const auto& in) { in.shape("/table/none"); }),
              HasSubstr("/table/none: is missing"));
  EXPECT_THAT(message([](const auto& in) { in.text_attribute("/table/counts", "colour"); }),
              AllOf(in_file, HasSubstr("attribute 'colour' is missing")));
  EXPECT_THAT(message([](const auto& in) { in.text_attribute("/", "seed"); }),
              HasSubstr("is not one text"));
  EXPECT_THAT(message([](const auto& in) { in.integer_attribute("/", "schema_version"); }),
              HasSubstr("too many elements"));
  EXPECT_THAT(message([](const auto& in) { in.number_attribute("/", "seed"); }),
              HasSubstr("is not a floating-point number"));
  EXPECT_THAT(message([](const auto& in) { in.require_type("cimstat table", 1); }),
              HasSubstr("is a file of type 'cimstat sample'; give a cimstat table file here"));
  EXPECT_THAT(message([](const auto& in) { in.require_type("cimstat sample", 2); }),
              HasSubstr("has schema version 1.2"));
  EXPECT_THAT(message([](const auto& in) { in.fail("/x", "is odd", "3", "make it even"); }),
              HasSubstr("a.h5: /x: is odd (3); make it even"));
}

TEST(Hdf5File, ReadsUnsignedNumbersBeyondTheSignedRangeOnlyAsUnsigned) {
  const TemporaryFolder folder;
  const std::vector<std::uint64_t> huge{std::numeric_limits<std::uint64_t>::max()};
  {
    Hdf5Output output(folder / "a.h5");
    output.dataset("/huge", huge, {1});
    output.commit();
  }
  const Hdf5Input input(folder / "a.h5");
  EXPECT_EQ(input.unsigneds("/huge", 1), huge);
  EXPECT_THROW(input.integers("/huge", 1), DataError);
}

TEST(Hdf5File, SaysWhatIsWrongWithAFileThatCannotBeOpened) {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& name) {
    return message_of([&] { const Hdf5Input input(folder / name); });
  };
  EXPECT_THAT(message("none.h5"), HasSubstr("none.h5: can't be read (no such file); check the"));
  std::filesystem::create_directory(folder / "folder.h5");
  EXPECT_THAT(message("folder.h5"), HasSubstr("can't be read (it is a directory)"));
  std::filesystem::create_symlink("/dev/null", folder / "device.h5");
  EXPECT_THAT(message("device.h5"), HasSubstr("can't be read (it is a pipe or a device)"));
  write_bytes(folder / "closed.h5", {'x'});
  std::filesystem::permissions(folder / "closed.h5", std::filesystem::perms::none);
  if (::geteuid() != 0) {  // root may read everything
    EXPECT_THAT(message("closed.h5"),
                HasSubstr("closed.h5: can't be read (access denied); check its permissions"));
  }
  write_bytes(folder / "empty.h5", {});
  EXPECT_THAT(message("empty.h5"), HasSubstr("is empty"));
  write_bytes(folder / "begun.h5", {'\x89', 'H', 'D', 'F'});
  EXPECT_THAT(message("begun.h5"), HasSubstr("is truncated (4 of 9 bytes are there)"));
  write_bytes(folder / "text.h5", std::vector<char>(5000, 't'));
  EXPECT_THAT(message("text.h5"), HasSubstr("is not an HDF5 file"));
}

/// Everything that a reader of the sample would take from it.
std::string content_of(const std::filesystem::path& file) {
  const Hdf5Input input(file);
  input.require_type("cimstat sample", 1);
  std::string content;
  const auto add = [&](const auto& value) { content += std::to_string(value) + ' '; };
  for (const auto* name : {"empty", "greek", "config_toml"}) {
    content += input.text_attribute("/", name) + '\n';
  }
  add(input.number_attribute("/", "confidence_level"));
  add(input.integer_attribute("/", "seed"));
  for (const auto* group : {"/", "/group", "/table"}) {
    for (const auto& name : input.children(group)) content += name + ' ';
  }
  for (const auto extent : input.shape("/table/counts")) add(extent);
  for (const auto value : input.unsigneds("/table/counts", plenty)) add(value);
  for (const auto value : input.doubles("/table/class", plenty)) add(value);
  for (const auto value : input.integers("/table/code", plenty)) add(value);
  content += input.text_attribute("/table/counts", "units");
  return content;
}

TEST(Hdf5File, RefusesATruncatedFile) {
  const TemporaryFolder folder;
  write_sample(folder / "a.h5");
  const std::vector<char> whole = bytes_of(folder / "a.h5");
  for (std::size_t length = 0; length < whole.size(); length += 997) {
    write_bytes(folder / "cut.h5",
                {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
    EXPECT_THROW(content_of(folder / "cut.h5"), DataError) << length << " of " << whole.size();
  }
}

TEST(Hdf5File, NeverGivesOtherContentWhenAByteIsDamaged) {
  const TemporaryFolder folder;
  write_sample(folder / "a.h5");
  const std::string content = content_of(folder / "a.h5");
  std::vector<char> bytes = bytes_of(folder / "a.h5");
  std::size_t refused = 0;
  std::size_t unharmed = 0;
  const char* step_text = std::getenv("CIMSTAT_TEST_DAMAGE_STEP");
  const std::size_t step = step_text == nullptr ? 97 : std::stoul(step_text);
  for (std::size_t place = 0; place < bytes.size(); place += step) {
    for (const int damage : {0x01, 0x80, 0xFF}) {
      const char before = bytes[place];
      bytes[place] = static_cast<char>(bytes[place] ^ damage);
      write_bytes(folder / "b.h5", bytes);
      bytes[place] = before;
      try {
        EXPECT_TRUE(content_of(folder / "b.h5") == content) << "byte " << place;
        ++unharmed;
      } catch (const DataError&) {
        ++refused;
      }
    }
  }
  RecordProperty("refused", static_cast<int>(refused));
  RecordProperty("unharmed", static_cast<int>(unharmed));
  EXPECT_GT(refused, unharmed);
}

}  // namespace
}  // namespace cimstat::core
