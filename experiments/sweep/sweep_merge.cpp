#include "experiments/sweep/sweep_merge.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/counted.h"
#include "experiments/sweep/chunk_layout.h"
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
                       fmt::format("is not complete: {} of {} are missing", missing.chunks,
                                   by_point ? counted(work.plan().points(), "point")
                                            : counted(work.chunks(), "chunk")),
                       list, "run cimstat sweep with this folder until it is done"));
}

std::string method_of(const SweepWork& work) {
  const SweepSettings& settings = work.plan().settings();
  if (!settings.asks(SweepOutput::misread) && !settings.asks(SweepOutput::table)) return "";
  return work.layout().is_sampled ? "monte_carlo" : "exact";
}

[[noreturn]] void refuse_virtual(std::string_view why, const std::string& remedy) {
  throw core::UsageError(core::error_line("--virtual", "can't be made of this sweep", why, remedy));
}

/// Where the tables of the points stand in the segments' rows.
struct TablePlace {
  std::string field;
  std::string dataset;
  std::size_t columns = 0;  ///< of that dataset
  std::size_t first_column = 0;
};

TablePlace table_place(const SweepWork& work) {
  const SweepLayout& layout = work.layout();
  const SweepSettings& settings = work.plan().settings();
  if (!settings.asks(SweepOutput::table) || work.plan().shape().empty()) {
    refuse_virtual("it has no tables over its points", "leave --virtual out");
  }
  if (layout.accuracy_chunks > 0) {
    refuse_virtual("accuracy is not of the same chunk as the table of a point",
                   "sweep accuracy on its own, or leave --virtual out");
  }
  if (layout.table_chunks != 1) {
    refuse_virtual(
        fmt::format("{} chunks add up to a point", layout.table_chunks),
        fmt::format("sweep with sweep.chunk_trials of {} or more, or leave --virtual out",
                    work.plan().base().table.trials));
  }
  const ChunkLayout places(settings, layout);
  if (layout.is_sampled) return {"counts", "/integers", work.chunk_integers(), places.counts};
  return {"probability", "/numbers", work.chunk_numbers(), places.probability};
}

/// The folder of the segments, as seen from the result's.
std::filesystem::path relative_folder(const std::filesystem::path& folder,
                                      const std::filesystem::path& result) {
  const auto whole = [](const std::filesystem::path& path) {
    return std::filesystem::absolute(path).lexically_normal();
  };
  const std::filesystem::path relative =
      whole(folder).lexically_relative(whole(result).parent_path());
  if (relative.empty() || relative.begin()->string() == ".." ||
      relative.string().find('%') != std::string::npos) {
    throw core::UsageError(core::error_line(
        result.string(), "can't refer to the segments",
        fmt::format("{} is not below its folder, or has a % in its name", folder.string()),
        "name a result beside the folder with --out"));
  }
  return relative;
}

std::vector<LinkedField> linked_tables(const SweepWork& work, const FinishedChunks& finished,
                                       const std::filesystem::path& folder,
                                       const std::filesystem::path& result) {
  const TablePlace place = table_place(work);
  const std::filesystem::path beside = relative_folder(folder, result);
  LinkedField field{.name = place.field, .sources = {}};
  std::vector<bool> is_there(work.plan().points());
  for (const SegmentReader& segment : finished.segments()) {
    core::VirtualRows source{
        .file = (beside / segment.file().filename()).lexically_normal().string(),
        .dataset = place.dataset,
        .shape = {segment.chunks().size(), place.columns},
        .first_column = place.first_column,
        .rows = {}};
    for (std::size_t row = 0; row < segment.chunks().size(); ++row) {
      const std::uint64_t point = segment.chunks()[row];  // of which it is the only chunk
      if (is_there[point]) continue;
      is_there[point] = true;
      source.rows.push_back({point, row});
    }
    if (!source.rows.empty()) field.sources.push_back(std::move(source));
  }
  return {std::move(field)};
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
  if (kind == MergeKind::virtually) table_place(work);  // before any work is done
  const FinishedChunks finished(work, folder);
  require_complete(work, finished, folder);
  std::vector<LinkedField> linked;
  if (kind == MergeKind::virtually) linked = linked_tables(work, finished, folder, result);
  PointStream points(work, finished, folder, threads, progress);
  write_sweep_file(
      work.plan(), {method_of(work), work.identity()}, work.fields(), work.classes(), result,
      [&](std::uint64_t first, std::uint64_t count) { return points.next(first, count); }, linked);
}

}  // namespace cimstat::experiments
