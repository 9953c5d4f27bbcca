#include "circuits/columns/pool_rates.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/columns/column_converters.h"
#include "circuits/columns/fresh_noise.h"

namespace cimstat::circuits {

namespace {

/// What a column shows one pattern: the frozen current, relative to the mean of the class, and the
/// noise of a read, both in A.
struct SeenPattern {
  double deviation = 0.0;
  FreshNoise noise;
};

SeenPattern seen(const FrozenPool& pool, const FrozenPool::Memory& memory, std::size_t pattern,
                 std::size_t lane) {
  const PatternRead& read = pool.reads()[pattern];
  const double gain = static_cast<double>(memory.frozen.gain.column[lane]);
  const double sum = static_cast<double>(memory.sums[pattern].column[lane]);
  const double current = gain * sum + (gain - 1.0) * static_cast<double>(read.mean);
  const double sense = std::max(0.0, static_cast<double>(read.noise_variance) +
                                         static_cast<double>(read.noise_slope) * current);
  const double cells =
      memory.variances.empty()
          ? 0.0
          : gain * gain * static_cast<double>(memory.variances[pattern].column[lane]);
  const double unit = pool.unit();
  const double square = unit * unit;
  const bool logistic = pool.design().sense.noise_shape == NoiseShape::logistic;
  return {unit * (current + static_cast<double>(memory.frozen.offset.column[lane])),
          {.normal_variance = square * (logistic ? cells : cells + sense),
           .logistic_variance = logistic ? square * sense : 0.0}};
}

/// References relative to the mean of the class, in A: below[c] is the lowest current of code c.
std::vector<double> references_of(const FrozenPool& pool, std::size_t class_index) {
  const ColumnClass column_class = pool.patterns().classes[class_index];
  const double mean = mean_current(pool.design(), column_class);
  std::vector<double> references;
  for (const double reference : pool.design().ladder.at(column_class.active_rows)) {
    references.push_back(reference - mean);
  }
  return references;
}

/// P(code < ideal) and P(code > ideal).
struct Sides {
  double below = 0.0;
  double above = 0.0;
};

/// Between these currents the code is right.
struct RightRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

RightRange right_range(const FrozenPool& pool, std::size_t class_index) {
  const std::vector<double> references = references_of(pool, class_index);
  const std::uint32_t ideal = pool.ladders()[class_index].ideal_code;
  RightRange range;
  if (ideal > 0) range.low = references[ideal - 1];
  if (ideal < references.size()) range.high = references[ideal];
  return range;
}

/// A current equal to a reference counts as above it.
Sides sides(const SeenPattern& seen, const RightRange& range) {
  Sides sides;
  if (std::isfinite(range.low)) sides.below = seen.noise.tail(seen.deviation - range.low);
  if (std::isfinite(range.high)) {
    const bool is_silent = seen.noise.normal_variance + seen.noise.logistic_variance == 0.0;
    sides.above = is_silent ? (seen.deviation >= range.high ? 1.0 : 0.0)
                            : seen.noise.tail(range.high - seen.deviation);
  }
  return sides;
}

/// P(the sensed deviation lies in the stretch), from the nearer tail.
double inside(const SeenPattern& seen, const CurrentStretch& stretch) {
  if (seen.noise.normal_variance + seen.noise.logistic_variance == 0.0) {
    return seen.deviation >= stretch.from && seen.deviation < stretch.to ? 1.0 : 0.0;
  }
  const auto above = [&](double current) {
    return std::isinf(current) ? (current > 0.0 ? 0.0 : 1.0)
                               : seen.noise.tail(current - seen.deviation);
  };
  const auto below = [&](double current) {
    return std::isinf(current) ? (current > 0.0 ? 1.0 : 0.0)
                               : seen.noise.tail(seen.deviation - current);
  };
  return stretch.to < seen.deviation ? below(stretch.to) - below(stretch.from)
                                     : above(stretch.from) - above(stretch.to);
}

Sides sides(const SeenPattern& seen, const WrongStretches& wrong) {
  Sides sides;
  for (const CurrentStretch& stretch : wrong.below) sides.below += inside(seen, stretch);
  for (const CurrentStretch& stretch : wrong.above) sides.above += inside(seen, stretch);
  return {std::min(1.0, sides.below), std::min(1.0, sides.above)};
}

void refuse_mismatch(const FrozenPool& pool, std::string_view what) {
  if (!has_mismatch(pool.design().comparator)) return;
  throw core::UsageError(core::error_line("converter", fmt::format("{} can't have mismatch", what),
                                          "only the rates of columns are made with it",
                                          "leave it out"));
}

/// body(tile, memory of the worker) for each tile of the pool.
template <class Body>
void for_each_tile(const FrozenPool& pool, core::Threads threads, const core::Progress& progress,
                   Body&& body) {
  std::vector<FrozenPool::Memory> memories(
      std::min<std::size_t>(core::resolved(threads), pool.tiles()));
  core::for_each_block(
      pool.tiles(), threads,
      [&](std::size_t tile, std::size_t slot) {
        pool.draw(tile, memories[slot]);
        body(tile, memories[slot]);
      },
      progress);
}

}  // namespace

ColumnRates integrated_rates(const FrozenPool& pool, unsigned votes, core::Threads threads,
                             const core::Progress& progress) {
  assert(votes % 2 == 1);
  const PatternSet& patterns = pool.patterns();
  const std::vector<std::size_t> sizes = patterns.sizes();
  ColumnRates rates{.columns = pool.options().columns,
                    .classes = patterns.classes,
                    .misread = {},
                    .both_wrong = {},
                    .vote_wrong = {}};
  const std::size_t columns = rates.columns;
  for (auto* values : {&rates.misread, &rates.both_wrong, &rates.vote_wrong}) {
    values->assign(columns * patterns.classes.size(), 0.0);
  }
  std::vector<RightRange> ranges;
  for (std::size_t i = 0; i < patterns.classes.size(); ++i) {
    ranges.push_back(right_range(pool, i));
  }
  std::optional<ColumnConverters> converters;
  if (has_mismatch(pool.design().comparator)) {
    converters.emplace(pool.design(), patterns.classes, pool.options());
  }
  for_each_tile(pool, threads, progress, [&](std::size_t tile, const FrozenPool::Memory& memory) {
    for (std::size_t lane = 0; lane < pool.columns_of(tile); ++lane) {
      std::vector<WrongStretches> wrong_stretches;
      if (converters) wrong_stretches = converters->of(tile * tile_columns + lane);
      for (std::size_t p = 0; p < patterns.patterns.size(); ++p) {
        const std::size_t class_index = patterns.patterns[p].class_index;
        const SeenPattern here = seen(pool, memory, p, lane);
        const Sides side = converters ? sides(here, wrong_stretches[class_index])
                                      : sides(here, ranges[class_index]);
        const double wrong = std::min(1.0, side.below + side.above);
        const double vote = majority(votes, side.below) + majority(votes, side.above);
        const double share = 1.0 / static_cast<double>(sizes[class_index]);
        const std::size_t at = class_index * columns + tile * tile_columns + lane;
        rates.misread[at] += share * wrong;
        rates.both_wrong[at] += share * wrong * wrong;
        rates.vote_wrong[at] += share * std::min(1.0, vote);
      }
    }
  });
  return rates;
}

std::vector<double> integrated_codes(const FrozenPool& pool, core::Threads threads) {
  refuse_mismatch(pool, "the codes of columns");
  const PatternSet& patterns = pool.patterns();
  const std::vector<std::size_t> sizes = patterns.sizes();
  const std::size_t codes = pool.design().ladder.codes;
  const std::size_t columns = pool.options().columns;
  std::vector<std::vector<double>> references;
  for (std::size_t i = 0; i < patterns.classes.size(); ++i) {
    references.push_back(references_of(pool, i));
  }
  std::vector<double> result(patterns.classes.size() * columns * codes, 0.0);
  for_each_tile(pool, threads, {}, [&](std::size_t tile, const FrozenPool::Memory& memory) {
    for (std::size_t lane = 0; lane < pool.columns_of(tile); ++lane) {
      for (std::size_t p = 0; p < patterns.patterns.size(); ++p) {
        const std::size_t class_index = patterns.patterns[p].class_index;
        const SeenPattern here = seen(pool, memory, p, lane);
        const double share = 1.0 / static_cast<double>(sizes[class_index]);
        double* row = result.data() + (class_index * columns + tile * tile_columns + lane) * codes;
        double above = 1.0;  // P(code >= c)
        for (std::size_t c = 0; c < codes; ++c) {
          const double next =
              c + 1 < codes ? sides(here, {.high = references[class_index][c]}).above : 0.0;
          row[c] += share * (above - next);
          above = next;
        }
      }
    }
  });
  return result;
}

PoolCounts sampled_reads(const FrozenPool& pool, std::uint32_t reads, core::Threads threads,
                         const core::Progress& progress) {
  refuse_mismatch(pool, "sampled reads of columns");
  const std::size_t classes = pool.patterns().classes.size();
  const std::size_t codes = pool.design().ladder.codes;
  const std::size_t columns = pool.options().columns;
  const std::vector<std::size_t> sizes = pool.patterns().sizes();
  const FreshDraws draws = pool.fresh_draws(reads);
  PoolCounts result;
  result.code.assign(classes * codes, 0);
  result.misread.assign(classes * columns, 0);
  for_each_tile(pool, threads, progress, [&](std::size_t tile, const FrozenPool::Memory& memory) {
    TileCounts counts{.codes = codes, .code = {}, .right = {}};
    counts.code.assign(4 * classes * codes, 0);
    counts.right.assign(classes, {});
    const std::size_t here = pool.columns_of(tile);
    read_tile(draws,
              {.patterns = pool.reads(),
               .ladders = pool.ladders(),
               .sums = memory.sums,
               .variances = memory.variances},
              memory.frozen, std::uint64_t{tile} * tile_columns, here, counts);
    for (std::size_t i = 0; i < classes * codes; ++i) {
      const std::uint32_t* quarter = counts.code.data() + 4 * i;
      const std::uint64_t count = std::uint64_t{quarter[0]} + quarter[1] + quarter[2] + quarter[3];
      if (count > 0) {
        std::atomic_ref(result.code[i]).fetch_add(count, std::memory_order_relaxed);
      }
    }
    for (std::size_t c = 0; c < classes; ++c) {
      for (std::size_t lane = 0; lane < here; ++lane) {
        result.misread[c * columns + tile * tile_columns + lane] =
            sizes[c] * reads - static_cast<std::uint64_t>(counts.right[c].column[lane]);
      }
    }
  });
  return result;
}

}  // namespace cimstat::circuits
