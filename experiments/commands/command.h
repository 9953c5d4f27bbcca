#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/config/config.h"
#include "core/parallel.h"

#include "experiments/commands/progress_meter.h"
#include "experiments/commands/run_clock.h"
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
  Verbosity verbosity() const { return quiet ? Verbosity::quiet : Verbosity::normal; }
  /// `given`, or the configuration's name with another ending in the working folder; it and its run
  /// record are checked as check_output does, against the configuration and `more_inputs`.
  std::filesystem::path output(const std::filesystem::path& given, std::string_view ending,
                               const std::vector<std::filesystem::path>& more_inputs = {}) const;
};

/// --out, -o FILE. Refuses an empty name and "-".
CLI::Option* add_output_option(CLI::App& command, std::filesystem::path& file,
                               const std::string& meaning);

/// Before any work is done: throws UsageError when `file` can't be made (no such folder, no right,
/// not a regular file) or is one of the inputs; Error (failure) when its temporary can't be made or
/// another run is writing it now. Removes what a killed run has left of it.
void check_output(const std::filesystem::path& file,
                  const std::vector<std::filesystem::path>& inputs);

/// What a table of `classes` is counted in while it is made: trials where it is sampled, else
/// classes.
ProgressUnit table_unit(const Experiment& experiment, std::size_t classes);

/// The file of a network: `name`, or the shipped one, which lies at a fixed path from the program,
/// built or installed.
std::filesystem::path network_file(const std::string& name);

/// Warnings of the configuration, a line each, on stderr.
void print_warnings(const Experiment& experiment);
void print_warnings(std::span<const std::string> warnings);

/// Whether the settings and the design lead to sampling.
bool will_be_sampled(const Experiment& experiment);

// Each adds its subcommand; the callback runs it and may throw.
void add_fit_command(CLI::App& app);
void add_margin_command(CLI::App& app);
void add_table_command(CLI::App& app);
void add_columns_command(CLI::App& app);
void add_array_command(CLI::App& app);
void add_converter_command(CLI::App& app);
void add_sram_command(CLI::App& app);
void add_wires_command(CLI::App& app);
void add_import_command(CLI::App& app);
void add_accuracy_command(CLI::App& app);
/// Its callback throws CLI::RuntimeError(75) where it stopped early.
void add_sweep_command(CLI::App& app);
void add_merge_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_describe_command(CLI::App& app);
void add_gallery_command(CLI::App& app);
void add_validate_command(CLI::App& app);
/// Its callback throws CLI::RuntimeError(1) where the engines disagree.
void add_selfcheck_command(CLI::App& app);
void add_references_command(CLI::App& app);
void add_show_command(CLI::App& app);
/// Its callback throws CLI::RuntimeError(1) where the files differ.
void add_diff_command(CLI::App& app);
// These print what is made from `app` itself.
void add_completion_command(CLI::App& app);
void add_man_command(CLI::App& app);

}  // namespace cimstat::experiments
