#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "experiments/sweep/segment_file.h"
#include "experiments/sweep/sweep_work.h"

namespace cimstat::experiments {

/// The chunks of many segments in ascending order. One file is open at a time, and what is read
/// ahead stays below 128 MiB however many segments there are (but one row of each that overlap).
class ChunkStream {
 public:
  /// Both must outlive it.
  ChunkStream(const SweepWork& work, const std::vector<SegmentReader>& segments);

  /// The result of this chunk, which lies behind all that were asked for before; nothing where no
  /// segment has it. Throws DataError where two segments hold different results of it, or of one
  /// that was passed over.
  std::optional<ChunkResult> take(std::uint64_t chunk);

 private:
  struct Cursor {
    const SegmentReader* segment = nullptr;
    std::size_t row = 0;               ///< next one
    std::vector<ChunkResult> results;  ///< read ahead, from `first` on
    std::size_t first = 0;

    std::uint64_t chunk() const { return segment->chunks()[row]; }
  };
  struct IsLater {
    bool operator()(const Cursor* a, const Cursor* b) const;
  };

  ChunkResult read(Cursor& cursor) const;
  /// The lowest chunk that is left, compared with all others of its number.
  ChunkResult pop();

  const SweepWork& work_;
  std::vector<Cursor> cursors_;
  std::vector<Cursor*> heap_;  ///< the cursor with the lowest chunk first
  std::size_t rows_ahead_ = 1;
};

}  // namespace cimstat::experiments
