#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "core/parallel.h"

/// Progress on stderr: a bar on a terminal (at most 5 times a second), a line each 30 s otherwise.
namespace cimstat::experiments {

enum class Verbosity { normal, quiet };

/// What is counted: its name ("classes") and how many there are in all.
struct ProgressUnit {
  std::string name;
  double total = 0.0;
};

/// The rate over the last seconds, so that a slow beginning is forgotten.
class ProgressRate {
 public:
  static constexpr double window_seconds = 10.0;
  /// `seconds` since the start, ascending; `share` done, 0 .. 1.
  void add(double seconds, double share);
  /// Share a second; 0 where nothing is known yet.
  double per_second() const;

 private:
  struct Sample {
    double seconds;
    double share;
  };
  std::deque<Sample> samples_{{0.0, 0.0}};
};

struct ProgressState {
  double share = 0.0;             ///< done, 0 .. 1
  double share_per_second = 0.0;  ///< 0 where unknown
  double elapsed_seconds = 0.0;
};

/// "table [####......]  42 %  1.24 k classes/s  5 s, 7 s left", at most `width` columns: the bar
/// shrinks and goes first.
std::string progress_bar(std::string_view what, const ProgressUnit& unit,
                         const ProgressState& state, std::size_t width);
/// "table: 42 % (3520 of 8385 classes), 1.24 k classes/s, 30 s elapsed, 41 s left"
std::string progress_line(std::string_view what, const ProgressUnit& unit,
                          const ProgressState& state);
/// "42 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
std::string duration_text(double seconds);

class ProgressMeter {
 public:
  ProgressMeter(std::string what, ProgressUnit unit, Verbosity verbosity);
  ~ProgressMeter();  ///< removes the bar
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;
  /// To be called with any measure of what is done and of the whole; empty when quiet.
  core::Progress callback();

 private:
  void show(double share);
  std::string what_;
  ProgressUnit unit_;
  Verbosity verbosity_;
  bool terminal_;
  ProgressRate rate_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_shown_;
  std::chrono::steady_clock::time_point last_sampled_;
};

/// "reading fashion-mnist ..." on a terminal as long as it lives, for a phase that can't tell how
/// far it is.
class PhaseNote {
 public:
  PhaseNote(std::string_view what, Verbosity verbosity);
  ~PhaseNote();
  PhaseNote(const PhaseNote&) = delete;
  PhaseNote& operator=(const PhaseNote&) = delete;
};

/// Removes what a meter or note has drawn on the terminal, so that a message starts on a clean
/// line. Does nothing where there is none. May be called from a signal handler.
void clear_progress() noexcept;

}  // namespace cimstat::experiments
