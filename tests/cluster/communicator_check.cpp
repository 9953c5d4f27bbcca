// Run by mpirun; says what went wrong and ends with 1.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/communicator.h"
#include "core/interrupt.h"

namespace {

using cimstat::core::Communicator;
using cimstat::core::UnitQueue;

int failures = 0;

void expect(bool holds, const Communicator& communicator, const std::string& what) {
  if (holds) return;
  ++failures;
  std::fprintf(stderr, "rank %d of %d: not so: %s\n", communicator.rank(), communicator.size(),
               what.c_str());
}

/// What was handed out, in a form that tells "each once": number, sum, and sum of a hash.
struct Tally {
  std::atomic<std::uint64_t> number = 0;
  std::atomic<std::uint64_t> sum = 0;
  std::atomic<std::uint64_t> hashes = 0;
  std::atomic<std::uint64_t> batches = 0;

  static std::uint64_t hash(std::uint64_t x) {
    x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15U;
    return x ^ (x >> 29);
  }
  void add(std::uint64_t unit) {
    ++number;
    sum += unit;
    hashes += hash(unit);
  }
};

std::uint64_t total(const Communicator& communicator, std::uint64_t value) {
  std::uint64_t sum = 0;
  for (const std::int64_t part : communicator.everyone(static_cast<std::int64_t>(value))) {
    sum += static_cast<std::uint64_t>(part);
  }
  return sum;
}

void work_through(UnitQueue& queue, Tally& tally, std::chrono::microseconds unit_time) {
  while (const auto units = queue.next()) {
    ++tally.batches;
    for (std::uint64_t unit = units->first; unit < units->end; ++unit) {
      tally.add(unit);
      if (unit_time.count() > 0) std::this_thread::sleep_for(unit_time);
    }
  }
}

void expect_each_once(const Communicator& communicator, const Tally& tally, std::uint64_t units) {
  Tally all;
  for (std::uint64_t unit = 0; unit < units; ++unit) all.add(unit);
  const std::string what = "each of " + std::to_string(units) + " units is handed out once";
  expect(total(communicator, tally.number) == all.number, communicator, what);
  expect(total(communicator, tally.sum) == all.sum, communicator, what);
  expect(total(communicator, tally.hashes) == all.hashes, communicator, what);
}

void check_sharing(const Communicator& communicator, std::uint64_t units, unsigned threads,
                   std::chrono::microseconds unit_time) {
  Tally tally;
  communicator.share(units, [&](UnitQueue& queue) {
    std::vector<std::thread> workers;
    for (unsigned i = 1; i < threads; ++i) {
      workers.emplace_back([&] { work_through(queue, tally, unit_time); });
    }
    work_through(queue, tally, unit_time);
    for (std::thread& worker : workers) worker.join();
  });
  expect_each_once(communicator, tally, units);
}

/// Tiny units cost little: a hundred thousand in much less than a second of messages.
void check_tiny_units(const Communicator& communicator) {
  const auto start = std::chrono::steady_clock::now();
  Tally tally;
  communicator.share(
      100'000, [&](UnitQueue& queue) { work_through(queue, tally, std::chrono::microseconds(0)); });
  expect_each_once(communicator, tally, 100'000);
  const std::uint64_t batches = total(communicator, tally.batches);
  expect(batches < 1000, communicator, "100,000 tiny units take few batches");
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (communicator.rank() == 0) {
    std::printf("%d ranks: 100000 tiny units in %llu batches, %.3f s\n", communicator.size(),
                static_cast<unsigned long long>(batches), taken.count());
  }
}

/// Units that take long are shared evenly: a rank's threads sleep, so this needs no cores.
void check_balance(const Communicator& communicator) {
  Tally tally;
  communicator.share(
      64, [&](UnitQueue& queue) { work_through(queue, tally, std::chrono::milliseconds(20)); });
  const auto numbers = communicator.everyone(static_cast<std::int64_t>(tally.number.load()));
  for (const std::int64_t number : numbers) {
    expect(number * communicator.size() >= 32, communicator,
           "each rank does at least half of an even share");
  }
}

/// One that fails takes nothing but its own batch with it.
void check_failure(const Communicator& communicator) {
  Tally tally;
  const bool is_bad = communicator.rank() == communicator.size() - 1;
  bool is_told = false;
  try {
    communicator.share(40, [&](UnitQueue& queue) {
      if (is_bad) {
        queue.next();
        throw std::runtime_error("bad rank");
      }
      work_through(queue, tally, std::chrono::milliseconds(2));
    });
  } catch (const std::runtime_error&) {
    is_told = true;
  }
  expect(is_told == is_bad, communicator, "what the work throws reaches its own caller");
  const std::uint64_t done = total(communicator, tally.number);
  expect(communicator.size() == 1 || (done >= 20 && done < 40), communicator,
         "the others go on when one fails");
}

void check_stop(const Communicator& communicator) {
  Tally tally;
  communicator.share(1'000'000, [&](UnitQueue& queue) {
    for (int i = 0; i < 3; ++i) queue.next();
    cimstat::core::request_stop(SIGTERM);
    expect(!queue.next(), communicator, "nothing is handed out to one that was asked to stop");
  });
  cimstat::core::forget_stop();
}

}  // namespace

int main(int argc, char** argv) {
  const Communicator communicator(argc, argv);
  const auto ranks = communicator.everyone(100 + communicator.rank());
  for (int i = 0; i < communicator.size(); ++i) {
    expect(ranks[static_cast<std::size_t>(i)] == 100 + i, communicator, "values stand by rank");
  }
  check_sharing(communicator, 0, 1, std::chrono::microseconds(0));
  check_sharing(communicator, 1, 3, std::chrono::microseconds(0));
  check_sharing(communicator, 1000, 1, std::chrono::microseconds(10));
  check_sharing(communicator, 1000, 4, std::chrono::microseconds(10));
  check_tiny_units(communicator);
  check_balance(communicator);
  check_failure(communicator);
  check_stop(communicator);
  check_sharing(communicator, 100, 2, std::chrono::microseconds(0));
  const auto all = communicator.everyone(failures);
  for (const std::int64_t number : all) {
    if (number > 0) return 1;
  }
  if (communicator.rank() == 0) std::printf("ok\n");
  return 0;
}
