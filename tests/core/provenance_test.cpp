#include "core/file/provenance.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "tests/support/temporary_folder.h"

namespace cimstat::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Pair;
using ::testing::StartsWith;
using tests::bytes_of;
using tests::TemporaryFolder;
using tests::write_bytes;

// Known answers: FIPS 180-4's examples as published by NIST, and the million letters.
TEST(Sha256, GivesTheKnownAnswers) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const std::array<std::byte, 1> one{std::byte{0xbd}};
  EXPECT_EQ(sha256(one), "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b");
}

TEST(Sha256, OfAFileEqualsThatOfItsBytes) {
  const TemporaryFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{3} << 20}) {
    const std::vector<char> bytes(size, 'a');
    write_bytes(folder / "file", bytes);
    EXPECT_EQ(sha256_of_file(folder / "file"), sha256(std::string(size, 'a')));
  }
  EXPECT_THROW(sha256_of_file(folder / "none"), DataError);
  EXPECT_THROW(sha256_of_file(folder.path()), DataError);
}

TEST(Provenance, NamesVersionAndRevision) {
  EXPECT_THAT(std::string(version()), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(std::string(revision()), MatchesRegex("unknown|[0-9a-f]+\\+?"));
  EXPECT_EQ(source_text(),
            "cimstat " + std::string(version()) + " (" + std::string(revision()) + ")");
}

TEST(RunRecord, IsJsonWithEveryCharacterEscaped) {
  const TemporaryFolder folder;
  RunRecord record;
  record.command = "cimstat table \"a b\".toml \\ \n\x01 \xCE\xBC";
  record.result_file = "table.h5";
  record.threads = 2;
  record.wall_seconds = 0.1;
  record.cpu_seconds = std::numeric_limits<double>::quiet_NaN();
  write_run_record(record, folder / "table.h5");
  const std::vector<char> bytes = bytes_of(folder / "table.h5.run.json");
  const std::string json(bytes.begin(), bytes.end());
  EXPECT_THAT(json, StartsWith("{\n  \"command\": \"cimstat table \\\"a b\\\".toml \\\\ "
                               "\\n\\u0001 \\u03bc\",\n  \"result_file\": \"table.h5\",\n"));
  EXPECT_THAT(json, HasSubstr("\"source\": \"" + source_text() + "\""));
  EXPECT_THAT(json, HasSubstr("\"threads\": 2,\n  \"wall_seconds\": 0.1,\n"
                              "  \"cpu_seconds\": null,\n"));
  EXPECT_THAT(json, ::testing::ContainsRegex("\"written\": \"20[0-9-]+T[0-9:]+Z\"\n}\n$"));
  EXPECT_FALSE(std::filesystem::exists(folder / "table.h5.run.json.tmp"));
}

TEST(RunRecord, IsReadInItsOrderWithTextsAsTheyAre) {
  const TemporaryFolder folder;
  RunRecord record;
  record.command = "cimstat table \"a b\".toml \xCE\xBC";
  record.result_file = "table.h5";
  record.result_sha256 = "ab12";
  record.threads = 2;
  record.wall_seconds = 0.1;
  record.cpu_seconds = std::numeric_limits<double>::quiet_NaN();
  write_run_record(record, folder / "table.h5");
  auto fields = read_run_record(folder / "table.h5.run.json");
  ASSERT_EQ(fields.size(), 10U);
  EXPECT_EQ(fields[3].second, source_text());
  fields.erase(fields.begin() + 8, fields.end());  // host and time
  fields.erase(fields.begin() + 3);
  EXPECT_THAT(fields, ElementsAre(Pair("command", record.command), Pair("result_file", "table.h5"),
                                  Pair("result_sha256", "ab12"), Pair("simd_target", ""),
                                  Pair("threads", "2"), Pair("wall_seconds", "0.1"),
                                  Pair("cpu_seconds", "null")));
}

TEST(RunRecord, ThatIsForeignOrDamagedIsRefusedInOneLineThatQuotesNoRawBytes) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "x.run.json";
  const std::string whole = R"("result_file": "x", "result_sha256": "y")";
  const std::pair<std::string, std::string> cases[] = {
      {"", "not JSON at byte 1"},
      {"5", "it is not an object"},
      {"[" + whole, "it is a list"},
      {std::string(65'000, '['), "it is a list"},
      {"{" + whole + ", \"a\": " + std::string(65'000, '['), "it is nested"},
      {"{" + whole + ", \"a\": {}}", "it is nested"},
      {"{" + whole + ", \"a\": 1, \"a\": 1}", "it has the name \"a\" twice"},
      {"{" + whole + R"(, "\u001b[31m": 1, "\u001b[31m": 1})", R"(the name "\x1b[31m" twice)"},
      {"{" + whole + ", \"a\": \"\xFF\x1b[31m\"}", "not JSON at byte 50"},
      {"{" + whole + ", \"a\": 1e999}", "a number that is too large"},
      {"{" + whole + "} x", "not JSON at byte 44"},
      {"{" + whole, "not JSON at byte 42"},
      {R"({"result_file": "x"})", "result_file or result_sha256 is missing"},
      {"{" + whole + "}" + std::string(65'536, ' '), "longer than 64 KiB"}};
  for (const auto& [text, why] : cases) {
    std::ofstream(file, std::ios::binary) << text;
    try {
      read_run_record(file);
      ADD_FAILURE() << why;
    } catch (const DataError& error) {
      EXPECT_EQ(std::string(error.what()).find(file.string() + ": is not a run record ("), 0U);
      EXPECT_THAT(error.what(), HasSubstr(why));
      EXPECT_EQ(std::string(error.what()).find_first_of("\n\x1b\xFF"), std::string::npos);
    }
  }
}

TEST(RunRecord, ThatCannotBeWrittenIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_run_record({}, folder / "none" / "table.h5"), Error);
}

}  // namespace
}  // namespace cimstat::core
