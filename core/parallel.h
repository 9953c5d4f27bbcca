#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace cimstat::core {

/// How many threads to use; 0 means every core that the process may use. A speed knob only: no
/// result depends on it.
struct Threads {
  unsigned count = 0;
};

/// The number that `threads` stands for here: at least 1, at most 1024; 0 honours the affinity mask
/// and the container's processor quota.
unsigned resolved(Threads threads);

/// Called between blocks with how many are done; may throw to stop early.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

/// Runs body(block, slot) for each block in [0, blocks), in no promised order. `slot` <
/// min(resolved(threads), blocks) names a worker that runs one block at a time, for scratch memory.
/// The first exception stops the rest and reaches the caller. Runs on the calling thread alone, in
/// order, when blocks == 1 or threads resolves to 1. `progress`, where given, is called after every
/// block, from the calling thread or one worker at a time, never concurrently. Blocks of 5 us or
/// more lose at most a few percent to scheduling. Calls may be nested. Throws Interrupted before
/// the next block when the program was asked to stop (core/interrupt.h).
void for_each_block(std::size_t blocks, Threads threads,
                    const std::function<void(std::size_t block, std::size_t slot)>& body,
                    const Progress& progress = {});

/// Adds up body(block, sum) over blocks. Each worker adds into its own `Sum`, a copy of `zero`;
/// these are added by operator+= at the end. For integer sums only: adding is then exact and free
/// of order.
template <class Sum, class Body>
Sum sum_over_blocks(std::size_t blocks, Threads threads, const Sum& zero, Body&& body,
                    const Progress& progress = {}) {
  struct alignas(64) Padded {  // one cache line at least for each worker
    Sum sum;
  };
  std::vector<Padded> sums(std::min<std::size_t>(resolved(threads), blocks), Padded{zero});
  for_each_block(
      blocks, threads, [&](std::size_t block, std::size_t slot) { body(block, sums[slot].sum); },
      progress);
  Sum total = zero;
  for (const Padded& padded : sums) total += padded.sum;
  return total;
}

}  // namespace cimstat::core
