#include "bench/kernel_stages.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/law/law.h"
#include "core/law/quantile_table.h"
#include "core/random/random.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/kernel_stages.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"
#include "core/random/philox-inl.h"
#include "core/random/xoshiro-inl.h"

#ifndef CIMSTAT_BENCH_STAGE_MEMORY
#define CIMSTAT_BENCH_STAGE_MEMORY
namespace cimstat::bench {

constexpr std::size_t chunk_rows = 32;

struct alignas(64) StageMemory {
  std::uint32_t words[chunk_rows * core::tile_trials];
  std::uint32_t index[chunk_rows * core::tile_trials];
  float sums[core::tile_trials];
};

}  // namespace cimstat::bench
#endif

HWY_BEFORE_NAMESPACE();
namespace cimstat::bench::HWY_NAMESPACE {
namespace kernel = core::HWY_NAMESPACE;

void fill_philox(const core::BlockSchedule& schedule, std::size_t rows, std::uint64_t trial,
                 StageMemory& memory) {
  kernel::PhiloxTile tile;
  kernel::begin_tile(schedule, trial, tile);
  for (std::size_t row = 0; row < rows; row += chunk_rows) {
    kernel::fill_words(schedule, tile, row / 4, chunk_rows / 4, memory.words);
    benchmark::ClobberMemory();
  }
}

void fill_fast(core::StreamKey key, std::size_t rows, std::uint64_t trial, StageMemory& memory) {
  kernel::FastTile tile;
  kernel::begin_tile(key, 0, trial, tile);
  for (std::size_t row = 0; row < rows; row += chunk_rows) {
    kernel::fill_words(tile, chunk_rows, memory.words);
    benchmark::ClobberMemory();
  }
}

void transform(const core::QuantileTable& first, const core::QuantileTable& second,
               std::size_t rows, StageMemory& memory) {
  std::fill_n(memory.sums, core::tile_trials, 0.0f);
  for (std::size_t row = 0; row < rows; row += chunk_rows) {
    const core::QuantileTable& table = 2 * row < rows ? first : second;
    kernel::store_segment_indices(memory.words, chunk_rows * core::tile_trials, memory.index);
    kernel::add_quantiles(table, memory.words, memory.index, chunk_rows, memory.sums);
    benchmark::ClobberMemory();
  }
}

}  // namespace cimstat::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::bench {

HWY_EXPORT(fill_philox);
HWY_EXPORT(fill_fast);
HWY_EXPORT(transform);

struct KernelStages::State {
  core::StreamKey key{.seed = 1, .point = 0};
  std::size_t rows;
  core::BlockSchedule schedule;
  core::QuantileTable lrs;
  core::QuantileTable hrs;
  std::uint64_t trial = 0;
  StageMemory memory{};
};

KernelStages::KernelStages(std::size_t rows)
    : state_(new State{.rows = rows,
                       .schedule = {{.seed = 1, .point = 0}, core::Domain::test, 0, rows / 4},
                       .lrs = {core::Law::lognormal(1.0, 0.2), 1.0},
                       .hrs = {core::Law::lognormal(0.1, 0.5), 1.0}}) {
  run(Stage::philox, 0);
}

KernelStages::~KernelStages() = default;

void KernelStages::run(Stage stage, std::uint64_t tile) {
  State& s = *state_;
  s.trial = tile * core::tile_trials;
  switch (stage) {
    case Stage::philox:
      HWY_DYNAMIC_DISPATCH(fill_philox)(s.schedule, s.rows, s.trial, s.memory);
      break;
    case Stage::fast:
      HWY_DYNAMIC_DISPATCH(fill_fast)(s.key, s.rows, s.trial, s.memory);
      break;
    case Stage::transform:
      HWY_DYNAMIC_DISPATCH(transform)(s.lrs, s.hrs, s.rows, s.memory);
      break;
  }
}

namespace {

/// Words of the last chunk of virtual lane `lane`: scalar xoshiro128++.
std::vector<std::uint32_t> fast_words(const core::StreamKey key, std::uint64_t trial,
                                      std::size_t lane, std::size_t steps) {
  std::array<std::uint32_t, 4> s = core::philox4x32(
      core::counter_of(key, core::Domain::stream_seed, trial, lane), core::key_of(key));
  std::vector<std::uint32_t> words;
  for (std::size_t step = 0; step < steps; ++step) {
    words.push_back(std::rotl(s[0] + s[3], 7) + s[0]);
    const std::uint32_t shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = std::rotl(s[3], 11);
  }
  return words;
}

}  // namespace

bool KernelStages::last_result_is_right(Stage stage) const {
  const State& s = *state_;
  const std::size_t last_chunk = s.rows - chunk_rows;
  for (std::size_t i = 0; i < core::tile_trials; ++i) {
    const auto word = [&](std::size_t row) { return s.memory.words[row * core::tile_trials + i]; };
    if (stage == Stage::transform) {
      float sum = 0.0f;
      for (std::size_t row = 0; row < s.rows; ++row) {
        sum += (2 * row < s.rows ? s.lrs : s.hrs)(word(row % chunk_rows));
      }
      if (sum != s.memory.sums[i]) return false;
    } else if (stage == Stage::philox) {
      core::TrialRandom random(s.key, core::Domain::test, s.trial + i, last_chunk / 4);
      for (std::size_t row = 0; row < chunk_rows; ++row) {
        if (random() != word(row)) return false;
      }
    } else {
      const auto words = fast_words(s.key, s.trial, i % 16, 4 * s.rows);
      for (std::size_t row = 0; row < chunk_rows; ++row) {
        if (words[4 * (last_chunk + row) + i / 16] != word(row)) return false;
      }
    }
  }
  return true;
}

}  // namespace cimstat::bench
#endif
