#include "circuits/sampled/sampled_column.h"

#include <algorithm>
#include <array>
#include <atomic>

#include <fmt/format.h>

#include "core/error.h"

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
  WorkList(const PreparedColumn& column, std::span<const ColumnClass> classes, std::uint64_t tiles)
      : ends_(classes.size()), costs_(classes.size()), tiles_(tiles) {
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
  std::uint64_t tiles() const { return tiles_; }

 private:
  static constexpr std::uint64_t tile_overhead = 8;      ///< in rows of 64 words
  static constexpr std::uint64_t block_cost = 1U << 15;  ///< rows of 64 words; one to two ms
  std::vector<std::uint64_t> ends_;
  std::vector<std::uint64_t> costs_;
  std::uint64_t tiles_;
};

}  // namespace

void check_trials(std::uint64_t trials) {
  if (trials > core::instance_limit) {
    throw core::UsageError(core::error_line("table.trials",
                                            fmt::format("{} is out of range", trials),
                                            "the random-number contract numbers 2^48 trials"));
  }
}

std::vector<std::uint64_t> sampled_counts(const ColumnDesign& design,
                                          std::span<const ColumnClass> classes,
                                          const SamplingOptions& options, core::Threads threads,
                                          const core::Progress& progress) {
  check(design, classes);
  check_trials(options.trials);
  const std::size_t codes = design.ladder.codes;
  std::vector<std::uint64_t> counts(classes.size() * codes, 0);
  const PreparedColumn column(design, classes, options, threads);
  const WorkList work(column, classes,
                      (options.trials + core::tile_trials - 1) / core::tile_trials);
  const auto body = [&](std::size_t block, std::size_t) {
    const Place start = work.start(block);
    const Place end = work.start(block + 1);
    std::vector<std::uint64_t> codes_of_class(codes);
    for (std::size_t i = start.class_index; i <= end.class_index && i < classes.size(); ++i) {
      const std::uint64_t first = i == start.class_index ? start.tile : 0;
      const std::uint64_t last = i == end.class_index ? end.tile : work.tiles();
      if (first == last) continue;
      std::fill(codes_of_class.begin(), codes_of_class.end(), 0);
      sample_codes(column.program(classes[i]), column.search(classes[i]),
                   {first * core::tile_trials, std::min(last * core::tile_trials, options.trials)},
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

CurrentSampler::CurrentSampler(const ColumnDesign& design, std::span<const ColumnClass> classes,
                               const SamplingOptions& options, core::Threads threads)
    : design_(design), trials_(options.trials) {
  check(design, classes);
  check_trials(options.trials);
  column_ = std::make_unique<PreparedColumn>(design, classes, options, threads);
}

CurrentSampler::~CurrentSampler() = default;

std::vector<float> CurrentSampler::currents(ColumnClass column_class) const {
  std::vector<float> currents(trials_);
  sample_sums(column_->program(column_class), {0, trials_}, currents);
  const double mean = mean_current(design_, column_class);
  for (float& current : currents) {
    current = static_cast<float>(mean + column_->unit() * static_cast<double>(current));
  }
  return currents;
}

std::vector<float> sampled_currents(const ColumnDesign& design, ColumnClass column_class,
                                    const SamplingOptions& options) {
  const std::array classes{column_class};
  return CurrentSampler(design, classes, options, core::Threads{1}).currents(column_class);
}

}  // namespace cimstat::circuits
