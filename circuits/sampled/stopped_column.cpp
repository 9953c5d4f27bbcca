#include "circuits/sampled/stopped_column.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "circuits/sampled/column_counter.h"
#include "circuits/sampled/column_kernel.h"
#include "circuits/sampled/prepared_column.h"

namespace cimstat::circuits {

namespace {

/// One class, and how far it has come.
struct Run {
  std::uint64_t chunks = 0;    ///< taken
  std::uint64_t misreads = 0;  ///< in these
  std::uint64_t wanted = 0;    ///< chunks of this round
  std::size_t first_row = 0;   ///< of this round's counts
  bool is_done = false;
};

/// Some chunks of one class that one thread takes.
struct Piece {
  std::size_t class_index = 0;
  std::uint64_t first = 0;  ///< chunk
  std::uint64_t count = 0;
  std::size_t first_row = 0;
};

/// The chunk in which a class's last misread is to be found again.
struct Replay {
  std::size_t class_index = 0;
  std::uint64_t chunk = 0;
  std::uint64_t which = 0;  ///< of the misreads of this chunk, counted from 1
};

class StoppedSampler {
 public:
  StoppedSampler(const PreparedColumn& column, const ColumnDesign& design,
                 std::span<const ColumnClass> classes, TrialRange trials,
                 std::span<const std::uint64_t> wanted, core::Threads threads,
                 const core::Progress& progress)
      : column_(column),
        classes_(classes),
        trials_(trials),
        misreads_(wanted),
        codes_(design.ladder.codes),
        threads_(threads),
        progress_(progress),
        all_chunks_((trials.end - trials.first + stopping_chunk - 1) / stopping_chunk),
        runs_(classes.size()) {
    result_.counts.assign(classes.size() * codes_, 0);
    result_.last.assign(classes.size(), 0);
    for (const ColumnClass& one : classes) {
      ideal_.push_back(design.ladder.ideal_code(mac_value(design, one)));
    }
    for (std::size_t i = 0; i < runs_.size(); ++i) runs_[i].is_done = misreads_[i] == 0;
  }

  StoppedCounts take() {
    while (plan_round()) {
      sample_round();
      replay(fold_round());
    }
    return std::move(result_);
  }

 private:
  // What follows decides how fast it goes, never what comes out.

  /// Chunks that the class is likely to need still, at most as many as it has had.
  std::uint64_t likely_need(const Run& run, std::uint64_t misreads) const {
    const std::uint64_t doubling = std::max<std::uint64_t>(run.chunks, 1);
    if (run.misreads == 0) return doubling;
    const auto missing = static_cast<double>(misreads - run.misreads);
    const double chunks =
        std::ceil(missing * static_cast<double>(run.chunks) / static_cast<double>(run.misreads));
    return chunks < static_cast<double>(doubling) ? static_cast<std::uint64_t>(chunks) : doubling;
  }

  /// False where no class is open any more.
  bool plan_round() {
    constexpr std::size_t most_counts = std::size_t{1} << 23;  // held in memory
    constexpr std::uint64_t piece_cost = 1U << 15;             // rows of 64 words
    constexpr std::uint64_t tile_overhead = 8;                 // rows
    const auto open = static_cast<std::size_t>(
        std::count_if(runs_.begin(), runs_.end(), [](const Run& run) { return !run.is_done; }));
    if (open == 0 || all_chunks_ == 0) return false;
    const std::uint64_t most = std::max<std::size_t>(most_counts / (open * codes_), 1);
    pieces_.clear();
    std::size_t rows = 0;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      Run& run = runs_[i];
      if (run.is_done) continue;
      run.wanted = std::min({likely_need(run, misreads_[i]), most, all_chunks_ - run.chunks});
      run.first_row = rows;
      const std::uint64_t cost =
          (column_.words(classes_[i]) + tile_overhead) * (stopping_chunk / core::tile_trials);
      const std::uint64_t size = std::max<std::uint64_t>(piece_cost / cost, 1);
      for (std::uint64_t chunk = 0; chunk < run.wanted; chunk += size) {
        pieces_.push_back({.class_index = i,
                           .first = run.chunks + chunk,
                           .count = std::min(size, run.wanted - chunk),
                           .first_row = rows + chunk});
      }
      rows += run.wanted;
    }
    round_.assign(rows * codes_, 0);
    return true;
  }

  TrialRange trials_of(std::uint64_t chunk) const {
    const std::uint64_t first = trials_.first + chunk * stopping_chunk;
    return {first, std::min(first + stopping_chunk, trials_.end)};
  }

  void sample_round() {
    std::atomic<std::uint64_t> done{0};
    const auto body = [&](std::size_t index, std::size_t) {
      const Piece& piece = pieces_[index];
      const ColumnProgram program = column_.program(classes_[piece.class_index]);
      const CodeSearch search = column_.search(classes_[piece.class_index]);
      std::vector<std::uint64_t> codes(codes_);
      for (std::uint64_t chunk = 0; chunk < piece.count; ++chunk) {
        std::fill(codes.begin(), codes.end(), 0);
        sample_codes(program, search, trials_of(piece.first + chunk), codes);
        std::transform(
            codes.begin(), codes.end(),
            round_.begin() + static_cast<std::ptrdiff_t>((piece.first_row + chunk) * codes_),
            [](std::uint64_t count) { return static_cast<std::uint32_t>(count); });
      }
      done.fetch_add(piece.count, std::memory_order_relaxed);
    };
    core::for_each_block(pieces_.size(), threads_, body, [&](std::size_t, std::size_t) {
      if (progress_) {
        progress_(static_cast<std::size_t>(settled_ + done.load(std::memory_order_relaxed)),
                  static_cast<std::size_t>(all_chunks_ * runs_.size()));
      }
    });
  }

  /// Adds up the chunks of each class in their order, as far as it needs them.
  std::vector<Replay> fold_round() {
    std::vector<Replay> replays;
    settled_ = 0;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      Run& run = runs_[i];
      for (std::uint64_t taken = 0; !run.is_done && taken < run.wanted; ++taken) {
        const std::uint32_t* codes = round_.data() + (run.first_row + taken) * codes_;
        for (std::size_t code = 0; code < codes_; ++code)
          result_.counts[i * codes_ + code] += codes[code];
        const TrialRange range = trials_of(run.chunks);
        const std::uint64_t wrong = range.end - range.first - codes[ideal_[i]];
        if (run.misreads + wrong >= misreads_[i]) {
          replays.push_back({i, run.chunks, misreads_[i] - run.misreads});
          run.is_done = true;
        }
        run.misreads += wrong;
        ++run.chunks;
        if (run.chunks == all_chunks_) run.is_done = true;
      }
      settled_ += run.is_done ? all_chunks_ : run.chunks;
    }
    return replays;
  }

  void replay(const std::vector<Replay>& replays) {
    core::for_each_block(replays.size(), threads_, [&](std::size_t index, std::size_t) {
      result_.last[replays[index].class_index] = last_trial(replays[index]);
    });
  }

  /// The number of the trial, counted from 1, of the misread that is looked for.
  std::uint64_t last_trial(const Replay& replay) const {
    const ColumnProgram program = column_.program(classes_[replay.class_index]);
    const CodeSearch search = column_.search(classes_[replay.class_index]);
    const std::uint32_t ideal = ideal_[replay.class_index];
    const auto misreads = [&](std::uint64_t first, std::uint64_t end) {
      std::vector<std::uint64_t> codes(codes_, 0);
      sample_codes(program, search, {first, end}, codes);
      return end - first - codes[ideal];
    };
    std::uint64_t missing = replay.which;
    auto [first, end] = trials_of(replay.chunk);
    while (end - first > core::tile_trials) {  // halves of whole tiles
      const std::uint64_t tiles = (end - first + core::tile_trials - 1) / core::tile_trials;
      const std::uint64_t middle = first + tiles / 2 * core::tile_trials;
      const std::uint64_t before = misreads(first, middle);
      if (before >= missing) {
        end = middle;
      } else {
        missing -= before;
        first = middle;
      }
    }
    std::uint64_t last = first + 1;
    while (misreads(first, last) < missing) ++last;
    return last;
  }

  const PreparedColumn& column_;
  std::span<const ColumnClass> classes_;
  TrialRange trials_;
  std::span<const std::uint64_t> misreads_;  ///< wanted of each class
  std::size_t codes_;
  core::Threads threads_;
  const core::Progress& progress_;
  std::uint64_t all_chunks_;
  std::vector<Run> runs_;
  std::vector<std::uint32_t> ideal_;
  std::vector<Piece> pieces_;
  std::vector<std::uint32_t> round_;  ///< counts of this round: [chunk][code], class after class
  std::uint64_t settled_ = 0;         ///< chunks that are done, or will never be needed
  StoppedCounts result_;
};

}  // namespace

std::uint64_t trials_until(std::uint64_t last, std::uint64_t most) {
  if (last == 0) return most;
  const std::uint64_t chunks = last / stopping_chunk + (last % stopping_chunk == 0 ? 0 : 1);
  return chunks > most / stopping_chunk ? most : chunks * stopping_chunk;
}

StoppedCounts counts_until(const ColumnDesign& design, std::span<const ColumnClass> classes,
                           const SamplingOptions& options, std::uint64_t misreads,
                           core::Threads threads, const core::Progress& progress) {
  check_trials(options.trials);
  const std::vector<std::uint64_t> wanted(classes.size(), misreads);
  return ColumnCounter(design, classes, options, threads)
      .counts_until({0, options.trials}, wanted, threads, progress);
}

StoppedCounts ColumnCounter::counts_until(TrialRange trials, std::span<const std::uint64_t> wanted,
                                          core::Threads threads,
                                          const core::Progress& progress) const {
  check_trials(trials.end);
  return StoppedSampler(*column_, design_, classes_, trials, wanted, threads, progress).take();
}

core::GammaBernoulli guaranteed_misread(core::StreamKey key, ColumnClass column_class,
                                        std::uint64_t misreads, std::uint64_t last,
                                        std::size_t states) {
  const bool binary = states == 0;
  core::TrialRandom random(key, core::Domain::stopping, binary ? 0 : 1,
                           class_number(column_class, states) << (binary ? 16 : 12));
  return core::gamma_bernoulli(misreads, last, random.uniform());
}

}  // namespace cimstat::circuits
