#include "core/communicator.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/unit_batch.h"

namespace cimstat::core {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int request_tag = 1;  ///< wished units; 0: this process needs no more
constexpr int answer_tag = 2;   ///< first, end; equal: nothing is left

/// Sleeps longer and longer: an answer on its way is seen soon, and waiting for minutes is free.
class Patience {
 public:
  std::chrono::microseconds pause() {
    const auto now = pause_;
    pause_ = std::min<std::chrono::microseconds>(pause_ * 2, std::chrono::milliseconds(2));
    return now;
  }
  void renew() { pause_ = shortest; }

 private:
  static constexpr std::chrono::microseconds shortest{20};
  std::chrono::microseconds pause_ = shortest;
};

/// Where the threads that work and the one that talks meet: one request is under way at a time.
class SharedQueue : public UnitQueue {
 public:
  std::optional<UnitNumbers> next() override {
    std::unique_lock lock(mutex_);
    if (!wait_for(Request::none, lock)) return std::nullopt;
    const std::chrono::duration<double> taken = Clock::now() - answered_;
    wish_ = wished_batch(answer_.end - answer_.first, taken.count());
    request_ = Request::made;
    changed_.notify_all();
    if (!wait_for(Request::answered, lock)) return std::nullopt;
    request_ = Request::none;
    answered_ = Clock::now();
    changed_.notify_all();
    return answer_;
  }

  /// Waits for a request up to `pause`, or until the work is over.
  std::optional<std::uint64_t> take_wish(std::chrono::microseconds pause) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, pause, [&] { return request_ == Request::made || is_work_over_; });
    if (request_ != Request::made) return std::nullopt;
    request_ = Request::taken;
    return wish_;
  }

  /// Of the wish that was taken. Empty numbers: nothing is left.
  void answer(UnitNumbers numbers) {
    const std::lock_guard lock(mutex_);
    answer_ = numbers;
    request_ = Request::answered;
    if (numbers.first == numbers.end) is_exhausted_ = true;
    changed_.notify_all();
  }

  void end_work() {
    const std::lock_guard lock(mutex_);
    is_work_over_ = true;
    changed_.notify_all();
  }
  bool is_work_over() {
    const std::lock_guard lock(mutex_);
    return is_work_over_;
  }

 private:
  enum class Request { none, made, taken, answered };

  /// False where nothing is left, or a stop was asked for; signal handlers can't notify.
  bool wait_for(Request wanted, std::unique_lock<std::mutex>& lock) {
    while (request_ != wanted && !is_exhausted_ && !stop_requested()) {
      changed_.wait_for(lock, std::chrono::milliseconds(20));
    }
    return !is_exhausted_ && !stop_requested();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Request request_ = Request::none;
  std::uint64_t wish_ = 0;
  UnitNumbers answer_;          ///< the last
  Clock::time_point answered_;  ///< when it was taken
  bool is_exhausted_ = false;
  bool is_work_over_ = false;
};

/// What rank 0 has left.
class Remainder {
 public:
  Remainder(std::uint64_t units, int processes)
      : units_(units), processes_(static_cast<std::uint64_t>(processes)) {}
  UnitNumbers take(std::uint64_t wished) {
    if (next_ == units_) return {units_, units_};
    const std::uint64_t first = next_;
    next_ += granted_batch(wished, units_ - next_, processes_);
    return {first, next_};
  }

 private:
  std::uint64_t next_ = 0;
  std::uint64_t units_;
  std::uint64_t processes_;
};

void serve(SharedQueue& own, std::uint64_t units, int processes) {
  Remainder remainder(units, processes);
  int others = processes - 1;
  Patience patience;
  while (others > 0 || !own.is_work_over()) {
    int there = 0;
    MPI_Status status;
    if (others > 0) MPI_Iprobe(MPI_ANY_SOURCE, request_tag, MPI_COMM_WORLD, &there, &status);
    if (there != 0) {
      std::uint64_t wished = 0;
      MPI_Recv(&wished, 1, MPI_UINT64_T, status.MPI_SOURCE, request_tag, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
      if (wished == 0) {
        --others;
      } else {
        const UnitNumbers numbers = remainder.take(wished);
        const std::array<std::uint64_t, 2> message = {numbers.first, numbers.end};
        MPI_Send(message.data(), 2, MPI_UINT64_T, status.MPI_SOURCE, answer_tag, MPI_COMM_WORLD);
      }
      patience.renew();
    }
    const auto pause = there != 0 ? std::chrono::microseconds(0) : patience.pause();
    if (own.is_work_over()) {
      std::this_thread::sleep_for(pause);
    } else if (const auto wished = own.take_wish(pause)) {
      own.answer(remainder.take(*wished));
    }
  }
}

/// In the other processes. A request that was sent is answered before this one says that it needs
/// no more: no message stays on its way.
void ask(SharedQueue& own) {
  bool is_waiting = false;
  std::array<std::uint64_t, 2> message{};
  MPI_Request answer = MPI_REQUEST_NULL;
  Patience patience;
  while (is_waiting || !own.is_work_over()) {
    if (!is_waiting) {
      const auto wished = own.take_wish(std::chrono::milliseconds(50));
      if (!wished) continue;
      MPI_Irecv(message.data(), 2, MPI_UINT64_T, 0, answer_tag, MPI_COMM_WORLD, &answer);
      MPI_Send(&*wished, 1, MPI_UINT64_T, 0, request_tag, MPI_COMM_WORLD);
      is_waiting = true;
      patience.renew();
    }
    int there = 0;
    MPI_Test(&answer, &there, MPI_STATUS_IGNORE);
    if (there == 0) {
      std::this_thread::sleep_for(patience.pause());
      continue;
    }
    is_waiting = false;
    own.answer({message[0], message[1]});
  }
  constexpr std::uint64_t no_more = 0;
  MPI_Send(&no_more, 1, MPI_UINT64_T, 0, request_tag, MPI_COMM_WORLD);
}

}  // namespace

Communicator::Communicator(int& argc, char**& argv) : exceptions_(std::uncaught_exceptions()) {
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
  if (provided < MPI_THREAD_FUNNELED) {
    MPI_Finalize();
    throw Error(ExitCode::failure,
                error_line("MPI", "the library can't be used in a program with threads",
                           "it provides MPI_THREAD_SINGLE", "use one that was built with threads"));
  }
}

Communicator::~Communicator() {
  if (std::uncaught_exceptions() > exceptions_) {
    MPI_Abort(MPI_COMM_WORLD, static_cast<int>(ExitCode::failure));
  }
  MPI_Finalize();
}

std::vector<std::int64_t> Communicator::everyone(std::int64_t value) const {
  std::vector<std::int64_t> values(static_cast<std::size_t>(size_));
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallgather(&value, 1, MPI_INT64_T, values.data(), 1, MPI_INT64_T, MPI_COMM_WORLD, &request);
  Patience patience;
  for (int there = 0; there == 0;) {
    MPI_Test(&request, &there, MPI_STATUS_IGNORE);
    if (there == 0) std::this_thread::sleep_for(patience.pause());
  }
  return values;
}

void Communicator::share(std::uint64_t units, const std::function<void(UnitQueue&)>& work) const {
  SharedQueue queue;
  std::exception_ptr failure;
  std::thread worker([&] {
    try {
      work(queue);
    } catch (...) {
      failure = std::current_exception();
    }
    queue.end_work();
  });
  if (rank_ == 0) {
    serve(queue, units, size_);
  } else {
    ask(queue);
  }
  worker.join();
  everyone(0);  // or a request for the next units would meet who still serves these
  if (failure) std::rethrow_exception(failure);
}

}  // namespace cimstat::core
