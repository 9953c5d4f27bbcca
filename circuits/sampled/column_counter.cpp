#include "circuits/sampled/column_counter.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "circuits/sampled/column_kernel.h"
#include "circuits/sampled/prepared_column.h"

namespace cimstat::circuits {

namespace {

/// Where the work of all classes is cut: at tiles, into pieces of equal numbers of words.
struct Place {
  std::size_t class_index;
  std::uint64_t tile;
};

class WorkList {
 public:
  WorkList(const PreparedColumn& column, std::span<const ColumnClass> classes, TrialRange trials)
      : ends_(classes.size()), costs_(classes.size()), trials_(trials) {
    const std::uint64_t tiles =
        (trials.end - trials.first + core::tile_trials - 1) / core::tile_trials;
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      costs_[i] = column.words(classes[i]) + tile_overhead;
      end += costs_[i] * tiles;
      ends_[i] = end;
    }
  }
  std::size_t blocks() const {
    return ends_.empty() ? 0
                         : static_cast<std::size_t>((ends_.back() + block_cost - 1) / block_cost);
  }
  /// Where block `block` starts and the one before it ends.
  Place start(std::size_t block) const {
    const std::uint64_t cost = block * block_cost;
    const auto found = std::upper_bound(ends_.begin(), ends_.end(), cost);
    const auto index = static_cast<std::size_t>(found - ends_.begin());
    if (index == ends_.size()) return {index, 0};
    const std::uint64_t before = index == 0 ? 0 : ends_[index - 1];
    return {index, (cost - before) / costs_[index]};
  }
  /// The trials of a class from tile `first` up to tile `end`, or all behind where there is none.
  TrialRange trials(std::uint64_t first, std::optional<std::uint64_t> end) const {
    return {trials_.first + first * core::tile_trials,
            end ? std::min(trials_.first + *end * core::tile_trials, trials_.end) : trials_.end};
  }

 private:
  static constexpr std::uint64_t tile_overhead = 8;      ///< in rows of 64 words
  static constexpr std::uint64_t block_cost = 1U << 15;  ///< rows of 64 words; one to two ms
  std::vector<std::uint64_t> ends_;
  std::vector<std::uint64_t> costs_;
  TrialRange trials_;
};

}  // namespace

ColumnCounter::ColumnCounter(const ColumnDesign& design, std::span<const ColumnClass> classes,
                             const SamplingOptions& options, core::Threads threads)
    : design_(design), classes_(classes.begin(), classes.end()) {
  check(design, classes);
  column_ = std::make_unique<PreparedColumn>(design, classes_, options, threads);
}

ColumnCounter::~ColumnCounter() = default;

std::vector<std::uint64_t> ColumnCounter::counts(TrialRange trials, core::Threads threads,
                                                 const core::Progress& progress) const {
  check_trials(trials.end);
  const std::size_t codes = design_.ladder.codes;
  std::vector<std::uint64_t> counts(classes_.size() * codes, 0);
  const WorkList work(*column_, classes_, trials);
  const auto body = [&](std::size_t block, std::size_t) {
    const Place start = work.start(block);
    const Place end = work.start(block + 1);
    std::vector<std::uint64_t> codes_of_class(codes);
    for (std::size_t i = start.class_index; i <= end.class_index && i < classes_.size(); ++i) {
      const std::uint64_t first = i == start.class_index ? start.tile : 0;
      const TrialRange range =
          work.trials(first, i == end.class_index ? std::optional(end.tile) : std::nullopt);
      if (range.first >= range.end) continue;
      std::fill(codes_of_class.begin(), codes_of_class.end(), 0);
      sample_codes(column_->program(classes_[i]), column_->search(classes_[i]), range,
                   codes_of_class);
      for (std::size_t code = 0; code < codes; ++code) {
        if (codes_of_class[code] == 0) continue;
        std::atomic_ref(counts[i * codes + code])
            .fetch_add(codes_of_class[code], std::memory_order_relaxed);
      }
    }
  };
  core::for_each_block(work.blocks(), threads, body, progress);
  return counts;
}

}  // namespace cimstat::circuits
