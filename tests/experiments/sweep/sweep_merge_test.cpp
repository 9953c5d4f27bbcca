#include "experiments/sweep/sweep_merge.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"
#include "core/file/provenance.h"

#include "experiments/sweep/segment_file.h"
#include "experiments/sweep/sweep_file.h"
#include "tests/experiments/sweep/sweep_fixtures.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using tests::bytes_of;
using tests::TemporaryFolder;

/// All chunks that the points need.
std::vector<ChunkResult> all_chunks(const SweepWork& work) {
  std::vector<ChunkResult> all;
  for (std::uint64_t point = 0; point < work.plan().points(); ++point) {
    std::vector<ChunkResult> results;
    while (const auto chunk = work.next(point, results)) {
      results.push_back(work.compute(*chunk, results, {1}));
      results.back().completes_point = !work.next(point, results);
    }
    all.insert(all.end(), results.begin(), results.end());
  }
  return all;
}

struct Sample {
  SweepWork work;
  std::vector<ChunkResult> chunks;
  explicit Sample(const std::string& section = tests::sweep_section_of_three_axes,
                  const std::vector<std::string>& overrides = {})
      : work(tests::sample_work(section, overrides)), chunks(all_chunks(work)) {}
};

const Sample& sample() {
  static const Sample whole;
  return whole;
}

/// Chunk i goes into segment `which(i)`.
void write_segments(const Sample& from, const std::filesystem::path& folder,
                    const std::function<std::size_t(std::size_t)>& which) {
  std::filesystem::create_directories(folder);
  std::map<std::size_t, std::vector<ChunkResult>> segments;
  for (std::size_t i = 0; i < from.chunks.size(); ++i) segments[which(i)].push_back(from.chunks[i]);
  for (auto& [key, results] : segments) write_segment(from.work, std::move(results), folder);
}

std::string merged(const Sample& from, const std::filesystem::path& folder,
                   const std::filesystem::path& file, unsigned threads = 1) {
  merge_sweep(from.work, folder, file, MergeKind::copy, {threads});
  return core::sha256_of_file(file);
}

std::string refusal_of(const Sample& from, const std::filesystem::path& folder,
                       const std::filesystem::path& file) {
  try {
    merged(from, folder, file);
  } catch (const core::DataError& error) {
    EXPECT_FALSE(std::filesystem::exists(file));
    return error.what();
  }
  return "accepted";
}

TEST(SweepMerge, GivesTheSameBytesHoweverTheWorkWasShared) {
  const TemporaryFolder folder;
  write_segments(sample(), folder / "one", [](std::size_t) { return 0U; });
  const std::string whole = merged(sample(), folder / "one", folder / "one.h5");
  write_segments(sample(), folder / "shards", [](std::size_t i) { return i % 8; });
  EXPECT_EQ(merged(sample(), folder / "shards", folder / "shards.h5", 2), whole);
  write_segments(sample(), folder / "single", [](std::size_t i) { return i; });
  EXPECT_EQ(merged(sample(), folder / "single", folder / "single.h5"), whole);
  // Again, onto what is there, with part of the work done twice.
  write_segments(sample(), folder / "shards", [](std::size_t i) { return i / 30; });
  EXPECT_EQ(merged(sample(), folder / "shards", folder / "shards.h5"), whole);
}

TEST(SweepMerge, AddsUpTheChunksOfAPoint) {
  const TemporaryFolder folder;
  write_segments(sample(), folder / "s", [](std::size_t i) { return i % 3; });
  merged(sample(), folder / "s", folder / "a.h5");
  const SweepRecord record = read_sweep_file(folder / "a.h5");
  EXPECT_EQ(record.points(), 24U);
  EXPECT_EQ(record.origin.method, "monte_carlo");
  EXPECT_EQ(record.origin.identity, sample().work.identity());
  const core::Hdf5Input file(folder / "a.h5");
  const std::vector<std::uint64_t> counts =
      file.unsigneds("/counts", core::RowRange{13, 1, 3}, 10000);
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts) sum += count;
  EXPECT_EQ(sum, 9U * 16384U);
  EXPECT_EQ(file.unsigneds("/lrs_count", 9).size(), 9U);
}

TEST(SweepMerge, SaysWhatIsMissingAndHowMuch) {
  const TemporaryFolder folder;
  write_segments(sample(), folder / "s", [](std::size_t i) { return i / 6; });
  const std::vector<std::filesystem::path> segments = segment_files(folder / "s");
  ASSERT_EQ(segments.size(), 16U);
  std::filesystem::remove(segments[1]);
  EXPECT_THAT(refusal_of(sample(), folder / "s", folder / "a.h5"),
              AllOf(HasSubstr("s: is not complete: 6 of 96 chunks are missing (point 1 (corner = "
                              "slow, sigma = 0.05, spread = "),
                    HasSubstr("), trials 8192 to 12287; point 1 ("),
                    HasSubstr("; ...); run cimstat sweep")));
  std::filesystem::remove_all(folder / "s");
  std::filesystem::create_directory(folder / "s");
  EXPECT_THAT(refusal_of(sample(), folder / "s", folder / "a.h5"),
              HasSubstr("96 of 96 chunks are missing"));
}

TEST(SweepMerge, NamesSegmentsThatContradictEachOther) {
  const TemporaryFolder folder;
  write_segments(sample(), folder / "s", [](std::size_t i) { return i / 24; });
  ChunkResult other = sample().chunks[30];
  ++other.integers.back();
  const std::filesystem::path wrong = write_segment(sample().work, {other}, folder / "s");
  const std::string message = refusal_of(sample(), folder / "s", folder / "a.h5");
  EXPECT_THAT(message,
              AllOf(HasSubstr(wrong.filename().string()), HasSubstr(" contradicts segment-"),
                    HasSubstr("(other results of point 7 (corner = slow, sigma = 0.1, "),
                    HasSubstr("trials 8192 to 12287"),
                    HasSubstr("; find out which machine computes wrongly")));
}

TEST(SweepMerge, NamesDamagedTruncatedAndForeignSegments) {
  const TemporaryFolder folder;
  write_segments(sample(), folder / "s", [](std::size_t i) { return i / 24; });
  const std::filesystem::path segment = segment_files(folder / "s")[2];
  const std::vector<char> whole = bytes_of(segment);
  std::vector<char> bytes = whole;
  bytes.resize(bytes.size() - 700);
  tests::write_bytes(segment, bytes);
  EXPECT_THAT(refusal_of(sample(), folder / "s", folder / "a.h5"),
              AllOf(HasSubstr(segment.string() + ": is truncated"),
                    HasSubstr(", or move it away and run the sweep again")));
  std::size_t refused = 0;
  std::size_t same = 0;
  tests::write_bytes(segment, whole);
  const std::string right = merged(sample(), folder / "s", folder / "whole.h5");
  for (std::size_t place = 0; place < whole.size(); place += 131) {
    bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ 0x20);
    tests::write_bytes(segment, bytes);
    std::filesystem::remove(folder / "a.h5");
    const std::string message = refusal_of(sample(), folder / "s", folder / "a.h5");
    if (message == "accepted") {
      EXPECT_EQ(core::sha256_of_file(folder / "a.h5"), right) << place;
      ++same;
    } else {
      EXPECT_THAT(message, HasSubstr(segment.filename().string())) << place;
      ++refused;
    }
  }
  EXPECT_GT(refused, same);
  tests::write_bytes(segment, whole);
  std::filesystem::remove(folder / "a.h5");
  const Sample other(tests::sweep_section_of_three_axes, {"seed=8"});
  const std::filesystem::path foreign =
      write_segment(other.work, {other.chunks.front()}, folder / "s");
  EXPECT_THAT(refusal_of(sample(), folder / "s", folder / "a.h5"),
              HasSubstr(foreign.string() + ": /: is of another sweep"));
}

TEST(SweepMerge, TakesTheShortestPrefixOfASweepThatStopsEarly) {
  const TemporaryFolder folder;
  const Sample stopped(tests::sweep_section_of_three_axes, {"table.target_relative_error=0.3"});
  write_segments(stopped, folder / "s", [](std::size_t i) { return i % 5; });
  const std::string whole = merged(stopped, folder / "s", folder / "a.h5");
  EXPECT_EQ(read_sweep_file(folder / "a.h5").points(), 24U);
  std::filesystem::remove(segment_files(folder / "s").front());
  EXPECT_THAT(refusal_of(stopped, folder / "s", folder / "b.h5"), HasSubstr("is not complete"));
}

const Sample& sample_of_one_chunk() {
  static const Sample whole(tests::sweep_section_of_three_axes, {"sweep.chunk_trials=16384"});
  return whole;
}

std::string answer_to(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::Error& error) {
    return fmt::format("{}: {}", static_cast<int>(error.code()), error.what());
  }
  return "accepted";
}

TEST(SweepMerge, CanLeaveTablesInTheSegmentsAndSaysWhichOfThemIsMissing) {
  const TemporaryFolder folder;
  const Sample& one = sample_of_one_chunk();
  write_segments(one, folder / "s", [](std::size_t i) { return i % 5; });
  write_segments(one, folder / "s", [](std::size_t i) { return i < 4 ? 0 : 1; });  // twice
  merged(one, folder / "s", folder / "copy.h5");
  merge_sweep(one.work, folder / "s", folder / "virtual.h5", MergeKind::virtually, {1});
  const SweepRecord copy = read_sweep_file(folder / "copy.h5");
  const SweepRecord linked = read_sweep_file(folder / "virtual.h5");
  EXPECT_EQ(linked.content_sha256, copy.content_sha256);
  EXPECT_EQ(linked.scalars.size(), copy.scalars.size());
  core::Hdf5Input copied(folder / "copy.h5");
  core::Hdf5Input referring(folder / "virtual.h5");
  EXPECT_FALSE(referring.sources("/counts").empty());
  EXPECT_TRUE(copied.sources("/counts").empty());
  referring.allow_virtual("/counts");
  EXPECT_TRUE(referring.unsigneds("/counts", 1 << 20) == copied.unsigneds("/counts", 1 << 20));
  EXPECT_TRUE(referring.unsigneds("/counts", core::RowRange{7, 9, 3}, 1 << 20) ==
              copied.unsigneds("/counts", core::RowRange{7, 9, 3}, 1 << 20));

  const auto read = [&] { return answer_to([&] { read_sweep_file(folder / "virtual.h5"); }); };
  const std::filesystem::path segment =
      folder / core::Hdf5Input(folder / "virtual.h5").sources("/counts").front().file;
  const std::vector<char> bytes = bytes_of(segment);
  std::filesystem::remove(segment);
  EXPECT_THAT(read(), AllOf(HasSubstr("3: "),
                            HasSubstr("virtual.h5: /counts: refers to the segment s/segment-"),
                            HasSubstr(", which can't be read"), HasSubstr("; restore it")));
  tests::write_bytes(segment, {bytes.begin(), bytes.end() - 100});
  EXPECT_THAT(read(), HasSubstr("3: " + segment.string() + ": is truncated"));
  const Sample other(tests::sweep_section_of_three_axes, {"sweep.chunk_trials=16384", "seed=8"});
  const std::filesystem::path foreign = write_segment(other.work, other.chunks, folder.path());
  std::filesystem::copy_file(foreign, segment, std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(read(), HasSubstr("3: " + segment.string() + ": /: is of another sweep"));
  tests::write_bytes(segment, bytes);
  EXPECT_EQ(read(), "accepted");
  // Wherever the two go together, they are found.
  std::filesystem::create_directory(folder / "moved");
  std::filesystem::rename(folder / "s", folder / "moved/s");
  std::filesystem::rename(folder / "virtual.h5", folder / "moved/virtual.h5");
  EXPECT_EQ(read_sweep_file(folder / "moved/virtual.h5").content_sha256, copy.content_sha256);
}

TEST(SweepMerge, SaysWhyTablesCannotBeLeftInTheSegments) {
  const TemporaryFolder folder;
  write_segments(sample(), folder / "s", [](std::size_t) { return 0U; });
  const auto answer = [&](const Sample& of, const std::filesystem::path& result) {
    return answer_to(
        [&] { merge_sweep(of.work, folder / "s", result, MergeKind::virtually, {1}); });
  };
  EXPECT_THAT(answer(sample(), folder / "a.h5"),
              HasSubstr("2: --virtual: can't be made of this sweep (4 chunks add up to a point); "
                        "sweep with sweep.chunk_trials of 16384 or more"));
  const Sample& one = sample_of_one_chunk();
  std::filesystem::remove_all(folder / "s");
  write_segments(one, folder / "s", [](std::size_t) { return 0U; });
  std::filesystem::create_directory(folder / "elsewhere");
  EXPECT_THAT(answer(one, folder / "elsewhere/a.h5"),
              AllOf(HasSubstr("2: "), HasSubstr("a.h5: can't refer to the segments"),
                    HasSubstr("; name a result beside the folder with --out")));
}

TEST(SweepMerge, LeavesNothingBehindWhereItFails) {
  const TemporaryFolder folder;
  write_segments(sample(), folder / "s", [](std::size_t i) { return i / 24; });
  EXPECT_THROW(merge_sweep(sample().work, folder / "s", folder / "a.h5", MergeKind::copy, {1},
                           [](std::size_t, std::size_t) {
                             throw core::Error(core::ExitCode::failure, "stop");
                           }),
               core::Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5.tmp"));
}

}  // namespace
}  // namespace cimstat::experiments
