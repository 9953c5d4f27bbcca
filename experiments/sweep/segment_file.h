#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/sweep/sweep_work.h"

/// Finished chunks on disk: immutable HDF5 files that are there whole or not at all.
/// experiments/formats/sweep_segment.md documents them.
namespace cimstat::experiments {

constexpr std::string_view segment_filetype = "cimstat sweep segment";

/// Writes the results, sorted by chunk, into `folder`; the name says first chunk, number of chunks
/// and a hash of the content, so that equal segments are one file. Returns it.
std::filesystem::path write_segment(const SweepWork& work, std::vector<ChunkResult> results,
                                    const std::filesystem::path& folder);

/// A segment, opened and checked but for its results. Throws DataError where it is no whole
/// segment, of another sweep, or of another version.
class SegmentReader {
 public:
  SegmentReader(const SweepWork& work, std::filesystem::path file);
  const std::filesystem::path& file() const { return file_; }
  const std::vector<std::uint64_t>& chunks() const { return chunks_; }  ///< ascending
  /// Results of rows first .. first + count - 1. Opens the file anew.
  std::vector<ChunkResult> read(std::size_t first, std::size_t count) const;

 private:
  std::filesystem::path file_;
  std::vector<std::uint64_t> chunks_;
  std::size_t integers_ = 0;
  std::size_t numbers_ = 0;
};

/// Segments of a folder, in the order of their names.
std::vector<std::filesystem::path> segment_files(const std::filesystem::path& folder);

}  // namespace cimstat::experiments
