#pragma once

#include <string>

#include "core/error.h"

/// Being asked to stop: work ends between two blocks, and what was half made is removed on the way
/// out.
namespace cimstat::core {

/// The program was asked to stop and has done so: nothing is left half made. Exit code 130.
class Interrupted : public Error {
 public:
  explicit Interrupted(const std::string& message) : Error(ExitCode::interrupted, message) {}
};

/// From here on SIGINT, SIGTERM and SIGHUP are noted instead of ending the program, and a second
/// one ends it at once with exit code 130; one that the caller ignores (nohup) stays ignored.
/// SIGPIPE and SIGXFSZ are ignored, so that a closed pipe and a file at its size limit are errors
/// of the write that meets them. `clean_up`, where given, is called before the second signal ends
/// the program; it may do only what a signal handler may.
void note_interrupts(void (*clean_up)() noexcept = nullptr);

/// Asks the work to stop, as the signal of this number would.
void request_stop(int signal);
/// Takes the request back, for tests.
void forget_stop();

/// Whether a stop was asked for. Costs one load.
bool stop_requested() noexcept;

/// Throws Interrupted when a stop was asked for, unless work is to be finished first.
void stop_if_requested();

/// As long as one lives, stop_if_requested() throws in no thread: for work in steps that looks at
/// stop_requested() between two steps, and keeps what the finished ones gave.
class FinishFirst {
 public:
  FinishFirst();
  ~FinishFirst();
  FinishFirst(const FinishFirst&) = delete;
  FinishFirst& operator=(const FinishFirst&) = delete;
};

/// "SIGTERM": of the stop that was asked for; empty where there was none.
std::string stop_name();

/// From here on this signal is noted as well, as those of note_interrupts are.
void note_signal_too(int signal);

}  // namespace cimstat::core
