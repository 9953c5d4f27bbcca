#include "experiments/sweep/chunk_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {

namespace {

constexpr std::size_t most_bytes_ahead = std::size_t{128} << 20;

/// How many segments overlap at the chunk where most do.
std::size_t most_overlapping(const std::vector<SegmentReader>& segments) {
  std::vector<std::uint64_t> begins;
  std::vector<std::uint64_t> ends;
  for (const SegmentReader& segment : segments) {
    begins.push_back(segment.chunks().front());
    ends.push_back(segment.chunks().back());
  }
  std::sort(begins.begin(), begins.end());
  std::sort(ends.begin(), ends.end());
  std::size_t ended = 0;
  std::size_t most = 0;
  for (std::size_t begun = 0; begun < begins.size(); ++begun) {
    while (ends[ended] < begins[begun]) ++ended;
    most = std::max(most, begun + 1 - ended);
  }
  return most;
}

/// To the bit: a number that is none equals itself.
bool are_same(const ChunkResult& a, const ChunkResult& b) {
  return a.completes_point == b.completes_point && a.integers == b.integers &&
         a.numbers.size() == b.numbers.size() &&
         std::memcmp(a.numbers.data(), b.numbers.data(), 8 * a.numbers.size()) == 0;
}

}  // namespace

bool ChunkStream::IsLater::operator()(const Cursor* a, const Cursor* b) const {
  return a->chunk() > b->chunk();
}

ChunkStream::ChunkStream(const SweepWork& work, const std::vector<SegmentReader>& segments)
    : work_(work) {
  cursors_.reserve(segments.size());
  for (const SegmentReader& segment : segments) {
    cursors_.push_back({.segment = &segment, .row = 0, .results = {}, .first = 0});
    heap_.push_back(&cursors_.back());
  }
  std::make_heap(heap_.begin(), heap_.end(), IsLater{});
  const std::size_t row_bytes =
      sizeof(ChunkResult) + 8 * (work.chunk_integers() + work.chunk_numbers());
  const std::size_t overlapping = std::max<std::size_t>(1, most_overlapping(segments));
  rows_ahead_ = std::max<std::size_t>(1, most_bytes_ahead / overlapping / row_bytes);
}

ChunkResult ChunkStream::read(Cursor& cursor) const {
  if (cursor.row >= cursor.first + cursor.results.size()) {
    cursor.first = cursor.row;
    cursor.results = cursor.segment->read(
        cursor.row, std::min(rows_ahead_, cursor.segment->chunks().size() - cursor.row));
  }
  return std::move(cursor.results[cursor.row - cursor.first]);
}

ChunkResult ChunkStream::pop() {
  const Cursor* source = heap_.front();
  const std::uint64_t chunk = source->chunk();
  std::optional<ChunkResult> result;
  while (!heap_.empty() && heap_.front()->chunk() == chunk) {
    std::pop_heap(heap_.begin(), heap_.end(), IsLater{});
    Cursor& cursor = *heap_.back();
    ChunkResult found = read(cursor);
    if (result && !are_same(*result, found)) {
      throw core::DataError(core::error_line(
          cursor.segment->file().string(),
          fmt::format("contradicts {}", source->segment->file().filename().string()),
          fmt::format("other results of {}", work_.chunk_text(chunk)),
          "find out which machine computes wrongly, move its segments away and run the sweep "
          "again"));
    }
    if (!result) result = std::move(found);
    if (++cursor.row < cursor.segment->chunks().size()) {
      std::push_heap(heap_.begin(), heap_.end(), IsLater{});
    } else {
      cursor.results = {};
      heap_.pop_back();
    }
  }
  return std::move(*result);
}

std::optional<ChunkResult> ChunkStream::take(std::uint64_t chunk) {
  while (!heap_.empty() && heap_.front()->chunk() <= chunk) {
    ChunkResult result = pop();
    if (result.chunk == chunk) return result;
  }
  return std::nullopt;
}

}  // namespace cimstat::experiments
