#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/config.h"
#include "core/parallel.h"

#include "experiments/experiment.h"

/// The subcommands of `cimstat`, one file each: thin readers of options that call the rooms.
namespace cimstat::experiments {

/// What every subcommand that reads a configuration takes.
struct CommonOptions {
  std::filesystem::path config;
  std::vector<std::string> overrides;
  std::optional<std::int64_t> seed;
  unsigned threads = 0;
  std::string simd;
  bool quiet = false;
  bool dry_run = false;

  void add_to(CLI::App& app);
  /// Reads the configuration with --set and --seed applied, and picks the instruction set.
  core::Config open() const;
  core::Threads thread_count() const { return {threads}; }
  /// `given`, or the configuration's name with another ending in the working folder; checked by
  /// check_output against the configuration.
  std::filesystem::path output(const std::filesystem::path& given, std::string_view ending) const;
};

/// Before any work is done: throws UsageError when `file` can't be made (no such folder, no right,
/// not a regular file) or is one of the inputs.
void check_output(const std::filesystem::path& file,
                  const std::vector<std::filesystem::path>& inputs);

/// Progress on stderr: a bar on a terminal (at most 5 times a second), a line each 30 s otherwise.
class ProgressMeter {
 public:
  ProgressMeter(std::string what, bool quiet);
  ~ProgressMeter();
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;
  core::Progress callback();

 private:
  void show(std::size_t done, std::size_t total);
  std::string what_;
  bool quiet_;
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

/// Wall and CPU time from construction on; writes the run record of a result.
class RunClock {
 public:
  RunClock();
  double wall_seconds() const;
  void write_record(std::string_view command, const std::filesystem::path& result,
                    core::Threads threads) const;

 private:
  std::chrono::steady_clock::time_point wall_;
  double cpu_;
};

// Each adds its subcommand; the callback runs it and may throw.
void add_margin_command(CLI::App& app);
void add_table_command(CLI::App& app);
void add_accuracy_command(CLI::App& app);
void add_report_command(CLI::App& app);

}  // namespace cimstat::experiments
