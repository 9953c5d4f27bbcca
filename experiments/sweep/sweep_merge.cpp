#include "experiments/sweep/sweep_merge.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/counted.h"
#include "experiments/sweep/chunk_stream.h"
#include "experiments/sweep/sweep_file.h"

namespace cimstat::experiments {

namespace {

constexpr std::size_t named_chunks = 3;
constexpr std::size_t most_bytes_of_chunks = std::size_t{32} << 20;

/// What a sweep still lacks.
struct Missing {
  std::uint64_t chunks = 0;          ///< at the least, where points may need fewer than there are
  std::vector<std::uint64_t> first;  ///< the first few

  void add(std::uint64_t chunk) {
    ++chunks;
    if (first.size() < named_chunks) first.push_back(chunk);
  }
};

Missing missing_chunks(const SweepWork& work, const FinishedChunks& finished) {
  Missing missing;
  const std::uint64_t per_point = work.layout().chunks_per_point();
  for (std::uint64_t point = 0; point < work.plan().points(); ++point) {
    const std::uint64_t begin = point * per_point;
    const std::uint64_t end = begin + per_point;
    if (work.layout().is_point_whole) {
      // How many more a point needs is not known before they are there.
      std::uint64_t chunk = begin;
      while (chunk < end && finished.has(chunk)) ++chunk;
      if (!finished.has_point(point)) missing.add(std::min(chunk, end - 1));
      continue;
    }
    for (std::uint64_t chunk = begin; chunk < end; ++chunk) {
      if (!finished.has(chunk)) missing.add(chunk);
    }
  }
  return missing;
}

void require_complete(const SweepWork& work, const FinishedChunks& finished,
                      const std::filesystem::path& folder) {
  const Missing missing = missing_chunks(work, finished);
  if (missing.chunks == 0) return;
  std::string list;
  for (const std::uint64_t chunk : missing.first) {
    list += (list.empty() ? "" : "; ") + work.chunk_text(chunk);
  }
  if (missing.chunks > missing.first.size()) list += "; ...";
  const bool by_point = work.layout().is_point_whole;
  throw core::DataError(
      core::error_line(folder.string(),
                       fmt::format("is not complete: {} of {} missing",
                                   counted(missing.chunks, by_point ? "point" : "chunk"),
                                   by_point ? work.plan().points() : work.chunks()),
                       list, "run cimstat sweep with this folder until it is done"));
}

std::string method_of(const SweepWork& work) {
  const SweepSettings& settings = work.plan().settings();
  if (!settings.asks(SweepOutput::misread) && !settings.asks(SweepOutput::table)) return "";
  return work.layout().is_sampled ? "monte_carlo" : "exact";
}

/// Points from chunks, in their order.
class PointStream {
 public:
  PointStream(const SweepWork& work, const FinishedChunks& finished,
              const std::filesystem::path& folder, core::Threads threads,
              const core::Progress& progress)
      : work_(work),
        folder_(folder),
        threads_(threads),
        progress_(progress),
        chunks_(work, finished.segments()) {}

  std::vector<PointValues> next(std::uint64_t first, std::uint64_t count) {
    std::vector<PointValues> points;
    points.reserve(count);
    const std::size_t chunk_bytes = 8 * (work_.chunk_integers() + work_.chunk_numbers()) + 1;
    while (points.size() < count) {
      const std::uint64_t begin = first + points.size();
      std::vector<std::vector<ChunkResult>> results;
      for (std::size_t bytes = 0;
           bytes < most_bytes_of_chunks && points.size() + results.size() < count;) {
        results.push_back(of_point(begin + results.size()));
        bytes += results.back().size() * chunk_bytes;
      }
      const std::size_t before = points.size();
      points.resize(before + results.size());
      core::for_each_block(results.size(), threads_, [&](std::size_t i, std::size_t) {
        points[before + i] = work_.values(begin + i, results[i]);
      });
      if (progress_) {
        progress_(static_cast<std::size_t>(first + points.size()),
                  static_cast<std::size_t>(work_.plan().points()));
      }
    }
    return points;
  }

 private:
  std::vector<ChunkResult> of_point(std::uint64_t point) {
    std::vector<ChunkResult> results;
    while (const std::optional<std::uint64_t> chunk = work_.next(point, results)) {
      std::optional<ChunkResult> result = chunks_.take(*chunk);
      if (!result) {
        throw core::DataError(core::error_line(folder_.string(), "is not complete",
                                               work_.chunk_text(*chunk) + " is missing",
                                               "run cimstat sweep with this folder again"));
      }
      results.push_back(std::move(*result));
    }
    return results;
  }

  const SweepWork& work_;
  const std::filesystem::path& folder_;
  core::Threads threads_;
  const core::Progress& progress_;
  ChunkStream chunks_;
};

}  // namespace

void merge_sweep(const SweepWork& work, const std::filesystem::path& folder,
                 const std::filesystem::path& result, MergeKind kind, core::Threads threads,
                 const core::Progress& progress) {
  if (kind == MergeKind::virtually) {
    throw core::UsageError(
        core::error_line("--virtual", "is not known to this version", {}, "leave it out"));
  }
  const FinishedChunks finished(work, folder);
  require_complete(work, finished, folder);
  PointStream points(work, finished, folder, threads, progress);
  write_sweep_file(
      work.plan(), {method_of(work), work.identity()}, work.fields(), work.classes(), result,
      [&](std::uint64_t first, std::uint64_t count) { return points.next(first, count); });
}

}  // namespace cimstat::experiments
