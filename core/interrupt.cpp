#include "core/interrupt.h"

#include <atomic>
#include <csignal>
#include <cstring>
#include <string>
#include <unistd.h>

namespace cimstat::core {
namespace {

std::atomic<int> pending_signal = 0;
std::atomic<int> works_to_finish = 0;
std::atomic<void (*)() noexcept> clean_up_at_end = nullptr;
static_assert(std::atomic<int>::is_always_lock_free);  // handlers may touch nothing else

extern "C" void note_signal(int signal) {
  int none = 0;
  if (pending_signal.compare_exchange_strong(none, signal)) return;
  if (const auto clean_up = clean_up_at_end.load()) clean_up();
  _exit(static_cast<int>(ExitCode::interrupted));
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void note_interrupts(void (*clean_up)() noexcept) {
  clean_up_at_end.store(clean_up);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) handle(signal, &note_signal);
  for (const int signal : {SIGPIPE, SIGXFSZ}) handle(signal, SIG_IGN);
}

void request_stop(int signal) { pending_signal.store(signal); }

void forget_stop() { pending_signal.store(0); }

bool stop_requested() noexcept { return pending_signal.load(std::memory_order_relaxed) != 0; }

void stop_if_requested() {
  if (!stop_requested() || works_to_finish.load(std::memory_order_relaxed) > 0) return;
  throw Interrupted("interrupted (" + stop_name() + "); nothing was written, run it again");
}

FinishFirst::FinishFirst() { works_to_finish.fetch_add(1); }
FinishFirst::~FinishFirst() { works_to_finish.fetch_sub(1); }

std::string stop_name() {
  const int signal = pending_signal.load(std::memory_order_relaxed);
  return signal == 0 ? std::string() : "SIG" + std::string(::sigabbrev_np(signal));
}

void note_signal_too(int signal) { handle(signal, &note_signal); }

}  // namespace cimstat::core
