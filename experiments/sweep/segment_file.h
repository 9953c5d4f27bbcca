#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "experiments/sweep/sweep_work.h"

/// Finished chunks on disk: immutable HDF5 files that are there whole or not at all.
/// experiments/formats/sweep_segment.md documents them.
namespace cimstat::experiments {

constexpr std::string_view segment_filetype = "cimstat sweep segment";

/// Writes the results, sorted by chunk, into `folder`; the name says the first chunk, how many, and
/// a hash of the content, so that equal segments are one file. Returns it. Throws Error (failure)
/// where it can't be written.
std::filesystem::path write_segment(const SweepWork& work, std::vector<ChunkResult> results,
                                    const std::filesystem::path& folder);

/// A segment, opened and checked but for its results.
class SegmentReader {
 public:
  /// Throws DataError where it is damaged, no segment, of another sweep, or of another version of
  /// the program, UsageError where it can't be opened.
  SegmentReader(const SweepWork& work, std::filesystem::path file);
  const std::filesystem::path& file() const { return file_; }
  const std::vector<std::uint64_t>& chunks() const { return chunks_; }  ///< ascending
  /// Whether the chunk of a row is the last that its point needs; where points are whole.
  bool completes_point(std::size_t row) const { return completes_[row]; }
  /// Results of rows first .. first + count - 1. Opens the file anew. Throws as the constructor.
  std::vector<ChunkResult> read(std::size_t first, std::size_t count) const;

 private:
  std::filesystem::path file_;
  std::vector<std::uint64_t> chunks_;
  std::vector<bool> completes_;
  std::size_t integers_;
  std::size_t numbers_;
};

/// Segments of a folder, in the order of their names.
std::vector<std::filesystem::path> segment_files(const std::filesystem::path& folder);

}  // namespace cimstat::experiments
