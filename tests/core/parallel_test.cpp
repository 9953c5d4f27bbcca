#include "core/parallel.h"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "core/interrupt.h"

namespace cimstat::core {
namespace {

TEST(Parallel, ResolvesToAtLeastOneThreadAndCapsAbsurdRequests) {
  EXPECT_GE(resolved(Threads{0}), 1u);
  EXPECT_EQ(resolved(Threads{3}), 3u);
  EXPECT_EQ(resolved(Threads{4'000'000'000u}), 1024u);
}

TEST(Parallel, RunsEveryBlockExactlyOnceForAnyNumberOfThreads) {
  for (const unsigned threads : {1u, 2u, 7u}) {
    for (const std::size_t blocks : {0u, 1u, 2u, 5u, 127u, 10'000u}) {
      std::vector<std::atomic<int>> runs(blocks);
      for_each_block(blocks, Threads{threads},
                     [&](std::size_t block, std::size_t) { runs[block].fetch_add(1); });
      for (const auto& count : runs) ASSERT_EQ(count.load(), 1) << threads << " " << blocks;
    }
  }
}

TEST(Parallel, ASlotRunsOneBlockAtATime) {
  constexpr unsigned kThreads = 5;
  std::vector<std::atomic<bool>> busy(kThreads);
  std::atomic<int> clashes = 0;
  for_each_block(2000, Threads{kThreads}, [&](std::size_t, std::size_t slot) {
    if (slot >= kThreads || busy[slot].exchange(true)) {
      ++clashes;
      return;
    }
    if (slot % 2 == 0) std::this_thread::yield();
    busy[slot].store(false);
  });
  EXPECT_EQ(clashes.load(), 0);
}

TEST(Parallel, ASlotRunsOneBlockAtATimeWhenCallsAreNested) {
  constexpr unsigned kThreads = 4;
  std::vector<std::atomic<bool>> busy(kThreads);
  std::atomic<int> clashes = 0;
  std::atomic<std::uint64_t> inner = 0;
  for_each_block(60, Threads{kThreads}, [&](std::size_t, std::size_t slot) {
    if (busy[slot].exchange(true)) ++clashes;
    for_each_block(50, Threads{kThreads}, [&](std::size_t block, std::size_t) { inner += block; });
    busy[slot].store(false);
  });
  EXPECT_EQ(clashes.load(), 0);
  EXPECT_EQ(inner.load(), 60u * (49u * 50u / 2));
}

TEST(Parallel, UsesAsManyThreadsAsAskedForEvenBeyondTheProcessors) {
  constexpr unsigned kThreads = 4;
  std::atomic<unsigned> arrived = 0;
  std::atomic<bool> all_here = false;
  for_each_block(kThreads, Threads{kThreads}, [&](std::size_t, std::size_t) {
    if (++arrived == kThreads) all_here = true;
    for (int wait = 0; wait < 10'000 && !all_here; ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  EXPECT_TRUE(all_here.load());
}

TEST(Parallel, StaysOnTheCallingThreadInOrderWhenAlone) {
  const auto caller = std::this_thread::get_id();
  std::vector<std::size_t> order;
  const auto body = [&](std::size_t block, std::size_t slot) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(slot, 0u);
    order.push_back(block);
  };
  for_each_block(1, Threads{8}, body);
  for_each_block(4, Threads{1}, body);
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 0, 1, 2, 3}));
}

TEST(Parallel, SumsDoNotDependOnTheNumberOfThreads) {
  struct Counts {
    std::vector<std::uint64_t> bins = std::vector<std::uint64_t>(7);
    Counts& operator+=(const Counts& other) {
      for (std::size_t bin = 0; bin < bins.size(); ++bin) bins[bin] += other.bins[bin];
      return *this;
    }
  };
  const auto sum = [](unsigned threads) {
    return sum_over_blocks(9999, Threads{threads}, Counts{}, [](std::size_t block, Counts& counts) {
      counts.bins[block * block % 7] += block;
    });
  };
  const auto alone = sum(1).bins;
  EXPECT_EQ(std::accumulate(alone.begin(), alone.end(), std::uint64_t{0}), 9998u * 9999u / 2);
  for (const unsigned threads : {2u, 3u, 8u}) EXPECT_EQ(sum(threads).bins, alone);
}

TEST(Parallel, StartsFromZeroWithNoBlocks) {
  EXPECT_EQ(sum_over_blocks(0, Threads{4}, 5, [](std::size_t, int&) { FAIL(); }), 5);
}

TEST(Parallel, AnExceptionReachesTheCallerAndStopsTheRest) {
  for (const unsigned threads : {1u, 4u}) {
    std::atomic<std::size_t> runs = 0;
    try {
      for_each_block(1'000'000, Threads{threads}, [&](std::size_t block, std::size_t) {
        ++runs;
        if (block == 10) throw std::runtime_error("block ten");
      });
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "block ten");
    }
    EXPECT_LT(runs.load(), 1'000'000u);
  }
}

TEST(Parallel, ProgressIsSerialAndCountsUpToTheTotal) {
  for (const unsigned threads : {1u, 4u}) {
    std::atomic<int> inside = 0;
    int overlaps = 0;
    std::vector<std::size_t> seen;
    for_each_block(
        500, Threads{threads}, [](std::size_t, std::size_t) {},
        [&](std::size_t done, std::size_t total) {
          if (inside.fetch_add(1) != 0) ++overlaps;
          EXPECT_EQ(total, 500u);
          seen.push_back(done);
          inside.fetch_sub(1);
        });
    std::vector<std::size_t> expected(500);
    std::iota(expected.begin(), expected.end(), std::size_t{1});
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(overlaps, 0);
  }
}

TEST(Parallel, ProgressMayStopTheRunEarlyAndIsNotCalledAgain) {
  for (const unsigned threads : {1u, 4u}) {
    std::size_t calls = 0;
    EXPECT_THROW(for_each_block(
                     1000, Threads{threads}, [](std::size_t, std::size_t) {},
                     [&](std::size_t done, std::size_t) {
                       ++calls;
                       if (done == 20) throw std::runtime_error("stop");
                     }),
                 std::runtime_error);
    EXPECT_EQ(calls, 20u);
  }
}

TEST(Parallel, StopsBeforeTheNextBlockWhenTheProgramIsAskedTo) {
  for (const unsigned threads : {1U, 4U}) {
    std::atomic<std::size_t> done = 0;
    try {
      for_each_block(100'000, Threads{threads}, [&](std::size_t, std::size_t) {
        const std::size_t place = ++done;
        if (place == 10) request_stop(SIGTERM);
        while (place > 10 && !stop_requested()) std::this_thread::yield();
      });
      ADD_FAILURE() << "was not interrupted";
    } catch (const Interrupted& interrupted) {
      EXPECT_EQ(interrupted.code(), ExitCode::interrupted);
      EXPECT_STREQ(interrupted.what(), "interrupted (SIGTERM); nothing was written, run it again");
    }
    forget_stop();
    EXPECT_LE(done, 10U + threads);
  }
}

TEST(Signal, IsNotedOnceAndEndsTheProgramTheSecondTime) {
  const pid_t child = ::fork();
  if (child == 0) {
    note_interrupts();
    std::raise(SIGINT);
    if (!stop_requested()) std::_Exit(1);
    std::raise(SIGTERM);
    std::_Exit(2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
}

TEST(FinishFirst, LetsWorkGoOnThatWasAskedToStop) {
  request_stop(SIGTERM);
  EXPECT_EQ(stop_name(), "SIGTERM");
  std::atomic<int> runs = 0;
  {
    const FinishFirst finish_first;
    EXPECT_TRUE(stop_requested());
    for (const unsigned threads : {1U, 2U}) {
      for_each_block(10, Threads{threads}, [&](std::size_t, std::size_t) { ++runs; });
    }
  }
  EXPECT_EQ(runs, 20);
  EXPECT_THROW(for_each_block(1, Threads{1}, [](std::size_t, std::size_t) {}), Interrupted);
  forget_stop();
  EXPECT_EQ(stop_name(), "");
}

}  // namespace
}  // namespace cimstat::core
