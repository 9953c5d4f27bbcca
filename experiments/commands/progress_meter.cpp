#include "experiments/commands/progress_meter.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t widest_bar = 30;
constexpr std::size_t narrowest_bar = 5;

/// Columns of what stands on the terminal's last line; 0 where that line is not ours.
std::atomic<std::size_t> drawn_columns{0};
static_assert(std::atomic<std::size_t>::is_always_lock_free, "needed in signal handlers");

bool stderr_is_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

/// write(2) alone: a line is one call, and signal handlers may use it.
void write_to_terminal(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void draw(std::string text) {
  // A terminal that became narrower has wrapped what we drew: leave it and take a new line.
  const bool wrapped = drawn_columns.load() >= terminal_columns();
  drawn_columns.store(text.size());
  write_to_terminal((wrapped ? "\n" : "\r") + std::move(text) + "\033[K");
}

void draw_note(std::string_view what) {
  std::string text = std::string(what) + " ...";
  text.resize(std::min(text.size(), terminal_columns() - 1));
  draw(std::move(text));
}

/// 3 significant digits with k, M, G, T.
std::string short_number(double value) {
  static constexpr std::string_view prefixes[] = {"", "k ", "M ", "G ", "T "};
  std::size_t prefix = 0;
  while (value >= 999.5 && prefix + 1 < std::size(prefixes)) {
    value /= 1000.0;
    ++prefix;
  }
  return fmt::format("{:.3g} {}", value, prefixes[prefix]);
}

std::string rate_text(const ProgressUnit& unit, const ProgressState& state) {
  if (state.share_per_second <= 0.0) return {};
  return fmt::format("{}{}/s", short_number(state.share_per_second * unit.total), unit.name);
}

std::string left_text(const ProgressState& state) {
  if (state.share_per_second <= 0.0) return {};
  return duration_text((1.0 - state.share) / state.share_per_second) + " left";
}

int whole_percent(double share) { return static_cast<int>(100.0 * share); }

}  // namespace

void ProgressRate::add(double seconds, double share) {
  samples_.push_back({seconds, share});
  while (samples_.size() > 2 && samples_[1].seconds <= seconds - window_seconds) {
    samples_.pop_front();
  }
}

double ProgressRate::per_second() const {
  const double seconds = samples_.back().seconds - samples_.front().seconds;
  return seconds > 0.0 ? (samples_.back().share - samples_.front().share) / seconds : 0.0;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::clamp(seconds + 0.5, 0.0, 1e15));
  const std::uint64_t minutes = whole / 60;
  const std::uint64_t hours = minutes / 60;
  if (whole < 60) return fmt::format("{} s", whole);
  if (hours == 0) return fmt::format("{} min {} s", minutes, whole % 60);
  if (hours < 24) return fmt::format("{} h {} min", hours, minutes % 60);
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string progress_bar(std::string_view what, const ProgressUnit& unit,
                         const ProgressState& state, std::size_t width) {
  std::string tail = fmt::format("{:3} %", whole_percent(state.share));
  const std::string rate = rate_text(unit, state);
  if (!rate.empty()) tail += "  " + rate;
  tail += fmt::format("  {}", duration_text(state.elapsed_seconds));
  if (!rate.empty()) tail += ", " + left_text(state);
  const std::size_t fixed = what.size() + tail.size() + 4;  // " [" and "] "
  std::string line(what);
  if (fixed + narrowest_bar <= width) {
    const std::size_t columns = std::min(widest_bar, width - fixed);
    const auto full = static_cast<std::size_t>(state.share * static_cast<double>(columns));
    line += " [" + std::string(full, '#') + std::string(columns - full, '.') + "]";
  }
  line += " " + tail;
  if (line.size() > width) line.resize(width);
  return line;
}

std::string progress_line(std::string_view what, const ProgressUnit& unit,
                          const ProgressState& state) {
  std::string line = fmt::format("{}: {} % ({:.0f} of {:.0f} {})", what, whole_percent(state.share),
                                 state.share * unit.total, unit.total, unit.name);
  const std::string rate = rate_text(unit, state);
  if (!rate.empty()) line += ", " + rate;
  line += fmt::format(", {} elapsed", duration_text(state.elapsed_seconds));
  if (!rate.empty()) line += ", " + left_text(state);
  return line;
}

ProgressMeter::ProgressMeter(std::string what, ProgressUnit unit, Verbosity verbosity)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      verbosity_(verbosity),
      terminal_(stderr_is_terminal()),
      start_(steady_clock::now()),
      last_shown_(start_),
      last_sampled_(start_) {
  // Until the first block is done: tables of sums, or transforms, may come before it.
  if (terminal_ && verbosity_ != Verbosity::quiet) draw_note(what_ + ": preparing");
}

ProgressMeter::~ProgressMeter() { clear_progress(); }

core::Progress ProgressMeter::callback() {
  if (verbosity_ == Verbosity::quiet) return {};
  return [this](std::size_t done, std::size_t total) {
    if (total > 0) show(std::min(1.0, static_cast<double>(done) / static_cast<double>(total)));
  };
}

void ProgressMeter::show(double share) {
  const auto now = steady_clock::now();
  if (now - last_sampled_ < 100ms) return;
  last_sampled_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  rate_.add(elapsed, share);
  if (now - last_shown_ < (terminal_ ? 200ms : 30'000ms)) return;
  last_shown_ = now;
  const ProgressState state{share, rate_.per_second(), elapsed};
  if (terminal_) {
    draw(progress_bar(what_, unit_, state, terminal_columns() - 1));
  } else {
    write_to_terminal(progress_line(what_, unit_, state) + "\n");
  }
}

PhaseNote::PhaseNote(std::string_view what, Verbosity verbosity) {
  if (verbosity == Verbosity::quiet || !stderr_is_terminal()) return;
  draw_note(what);
}

PhaseNote::~PhaseNote() { clear_progress(); }

void clear_progress() noexcept {
  if (drawn_columns.exchange(0) > 0) write_to_terminal("\r\033[K");
}

}  // namespace cimstat::experiments
