#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/parallel.h"

#include "circuits/column.h"

#include "experiments/sweep/sweep_fields.h"
#include "experiments/sweep/sweep_plan.h"

/// The work of a sweep, cut into chunks: which there are, how one is computed, and how those of a
/// point become its result. A chunk is a point and an aligned range of trials (of each class) or of
/// answers (images x reads, in mixed radix); its result is a function of plan and number alone.
namespace cimstat::experiments {

/// How the chunks of every point lie, and what each holds.
struct SweepLayout {
  bool is_sampled = false;            ///< tables are sampled; else exact
  bool is_point_whole = false;        ///< the chunks of a point are one unit of work
  std::uint64_t table_chunks = 0;     ///< margins and tables: 1 where these are not sampled
  std::uint64_t accuracy_chunks = 0;  ///< of answers, behind them
  std::uint64_t images_per_chunk = 0;
  std::size_t classes = 0;   ///< of the point that has the most
  std::size_t codes = 0;     ///< likewise
  bool same_classes = true;  ///< at all points
  bool same_codes = true;
  std::uint64_t misreads_wanted = 0;  ///< of each class, before it stops; 0: all trials are taken
  bool has_states = false;            ///< rows of more than two, at some point
  std::string unit = "A";             ///< of margins

  std::uint64_t chunks_per_point() const { return table_chunks + accuracy_chunks; }
};

struct ChunkResult {
  std::uint64_t chunk = 0;       ///< point * chunks_per_point + which
  bool completes_point = false;  ///< known where points are whole: nothing is needed behind it
  std::vector<std::uint64_t> integers;  ///< of SweepWork::chunk_integers() values
  std::vector<double> numbers;          ///< of SweepWork::chunk_numbers() values
};

/// The file of a network of that name, for a configuration that names a shipped one.
using FindNetwork = std::function<std::filesystem::path(const std::string& name)>;

class SweepWork {
 public:
  /// Reads and checks the configuration of every point, network and data set. Throws UsageError.
  SweepWork(SweepPlan plan, const FindNetwork& find_network, core::Threads threads,
            const core::Progress& progress = {});
  ~SweepWork();

  const SweepPlan& plan() const;
  const SweepLayout& layout() const;
  /// SHA-256 of all that decides the results: the plan's and those of networks and data sets.
  const std::string& identity() const;
  std::size_t chunk_integers() const;
  std::size_t chunk_numbers() const;

  std::uint64_t chunks() const;  ///< of all points, at the most
  std::uint64_t units() const;   ///< points where these are whole, else chunks
  std::uint64_t point_of(std::uint64_t chunk) const;
  /// "point 12 (sigma = 0.1), trials 4096 to 8191": for messages.
  std::string chunk_text(std::uint64_t chunk) const;

  /// Computes one chunk. `before`: the results of its point so far, where points are whole. May be
  /// called from several threads at once.
  ChunkResult compute(std::uint64_t chunk, const std::vector<ChunkResult>& before,
                      core::Threads threads) const;
  /// The chunk that a point needs next, given its results so far in the order that this function
  /// asked for them; nothing when they are all that it needs, which may be before its last chunk:
  /// a class that has been misread often enough takes no part in later ones.
  std::optional<std::uint64_t> next(std::uint64_t point,
                                    const std::vector<ChunkResult>& results) const;

  /// The datasets of the result, and the values at one point from all chunks that next() asks for,
  /// in that order: however far anyone went on beyond them, the result is that of the shortest
  /// prefix.
  const SweepFields& fields() const;
  PointValues values(std::uint64_t point, const std::vector<ChunkResult>& results) const;
  /// Those of every point, where they are the same for all; else empty, and lrs_count, active_rows
  /// and class_present are fields.
  std::vector<circuits::ColumnClass> classes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cimstat::experiments
