#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

/// Processes that an MPI launcher has started together: the one seam to MPI, a library of its own.
/// Integers are all that they exchange.
namespace cimstat::core {

struct UnitNumbers {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

/// Hands out numbers of units of work, each once among all processes.
class UnitQueue {
 public:
  virtual ~UnitQueue() = default;
  /// The next ones; nothing when all have been handed out, or when a stop was asked for
  /// (core/interrupt.h) before an answer came. May be called from several threads at once.
  virtual std::optional<UnitNumbers> next() = 0;
};

/// All of MPI is called from the thread that makes it: the work runs on another. So the library
/// need only bear threads beside it (MPI_THREAD_FUNNELED), and no process has to stand aside as a
/// manager. Who waits sleeps in between, so that waiting costs no core.
class Communicator {
 public:
  /// Once in a program. Throws Error (failure) where the library bears no threads at all.
  Communicator(int& argc, char**& argv);
  /// Meets the others. Where an exception is on its way it ends them all instead.
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }

  /// The values of all processes, by rank. Returns when each has called it.
  std::vector<std::int64_t> everyone(std::int64_t value) const;

  /// Runs work(queue) on a thread of its own in each process; the units 0 .. units - 1 are handed
  /// out in order, in batches (core/unit_batch.h), by rank 0, which works too. To be called by all
  /// processes, with the same number; returns when the work of all is over. What `work` throws
  /// reaches its caller; the units that it had are lost.
  void share(std::uint64_t units, const std::function<void(UnitQueue&)>& work) const;

 private:
  int rank_ = 0;
  int size_ = 1;
  int exceptions_ = 0;
};

}  // namespace cimstat::core
