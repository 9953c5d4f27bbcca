#include "core/provenance.h"

#include <array>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "tests/support/temporary_folder.h"

namespace cimstat::core {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
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
                               "\\u000a\\u0001 \xCE\xBC\",\n  \"result_file\": \"table.h5\",\n"));
  EXPECT_THAT(json, HasSubstr("\"source\": \"" + source_text() + "\""));
  EXPECT_THAT(json, HasSubstr("\"threads\": 2,\n  \"wall_seconds\": 0.1,\n"
                              "  \"cpu_seconds\": null,\n"));
  EXPECT_THAT(json, ::testing::ContainsRegex("\"written\": \"20[0-9-]+T[0-9:]+Z\"\n}\n$"));
  EXPECT_FALSE(std::filesystem::exists(folder / "table.h5.run.json.tmp"));
}

TEST(RunRecord, ThatCannotBeWrittenIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_run_record({}, folder / "none" / "table.h5"), Error);
}

}  // namespace
}  // namespace cimstat::core
