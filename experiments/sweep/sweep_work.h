#pragma once

#include <cstdint>
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

/// How the chunks of every point lie.
struct SweepLayout {
  bool is_sampled = false;            ///< tables are sampled; else exact
  std::uint64_t table_chunks = 0;     ///< of trials; 1 where tables are exact or only margins asked
  std::uint64_t accuracy_chunks = 0;  ///< of answers, behind them
  std::size_t classes = 0;            ///< of the point that has the most
  std::size_t codes = 0;
  bool same_classes = true;  ///< all points have the same classes
  bool same_codes = true;
  std::uint64_t misreads_wanted = 0;  ///< of each class, before it stops; 0: all trials are taken
  /// Whether the chunks of a point are one unit of work, done in order by one worker: later ones
  /// need what earlier ones found (stopping), or the table that the worker has made (accuracy).
  bool is_point_whole = false;
  std::size_t integers = 0;  ///< length of a chunk's `integers`
  std::size_t numbers = 0;   ///< ... and `numbers`

  std::uint64_t chunks_per_point() const { return table_chunks + accuracy_chunks; }
};

struct ChunkResult {
  std::uint64_t chunk = 0;  ///< point * chunks_per_point + which
  std::vector<std::uint64_t> integers;
  std::vector<double> numbers;
};

class SweepWork {
 public:
  /// Reads and checks the configuration of every point. Throws UsageError.
  SweepWork(SweepPlan plan, core::Threads threads, const core::Progress& progress = {});
  ~SweepWork();

  const SweepPlan& plan() const;
  const SweepLayout& layout() const;
  std::uint64_t chunks() const;
  std::uint64_t units() const;  ///< chunks, or points where these are whole
  std::uint64_t unit_of(std::uint64_t chunk) const;
  /// What the first point's chunk `which` asks for, in trials (times classes) or answers.
  double work_of(std::uint64_t chunk) const;

  /// Computes one chunk. `before`: the results of all earlier chunks of its point where the layout
  /// says that a point is whole, else empty. May be called from several threads at once.
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
  /// Those of every point, where they are the same for all; else empty.
  std::vector<circuits::ColumnClass> classes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cimstat::experiments
