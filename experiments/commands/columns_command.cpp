#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "core/utf8.h"

#include "experiments/columns/columns_file.h"
#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"

namespace cimstat::experiments {

namespace {

/// ColumnsCommandOptions that say the same as keys of [columns].
struct KeyOption {
  const char* name;
  const char* key;
  const char* meaning;
  std::uint64_t low;
  std::uint64_t high;
};
constexpr KeyOption key_options[] = {
    {"--columns", "columns", "columns of a die", 1, 1'000'000},
    {"--dies", "dies", "simulated dies", 1, 1'000'000},
    {"--patterns", "patterns", "random input vectors of each MAC value", 1, 4096},
    {"--votes", "votes", "reads of a majority vote; odd", 1, 99},
    {"--repairs", "repairs", "columns of a die that may fail", 0, 1'000'000}};

struct ColumnsCommandOptions : CommonOptions {
  std::filesystem::path output_file;
  std::vector<std::optional<std::uint64_t>> counts;
  std::optional<double> limit;
  bool json = false;

  /// With what the options say of [columns].
  Experiment read() const {
    CommonOptions all = *this;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (!counts[i]) continue;
      all.overrides.push_back(fmt::format("columns.{}={}", key_options[i].key, *counts[i]));
    }
    if (limit) all.overrides.push_back(fmt::format("columns.limit={}", *limit));
    return read_experiment(all.open());
  }
};

}  // namespace

void add_columns_command(CLI::App& app) {
  const auto options = std::make_shared<ColumnsCommandOptions>();
  CLI::App* command = app.add_subcommand(
      "columns", "Spread of misread rates over columns and dies: quantiles, yield, votes");
  options->add_to(*command);
  options->counts.resize(std::size(key_options));
  for (std::size_t i = 0; i < options->counts.size(); ++i) {
    const KeyOption& option = key_options[i];
    command
        ->add_option(option.name, options->counts[i],
                     fmt::format("{} (columns.{})", option.meaning, option.key))
        ->type_name("N")
        ->transform(whole_number(option.low, option.high));
  }
  command
      ->add_option("--limit", options->limit, "misread rate that a column may have (columns.limit)")
      ->type_name("RATE")
      ->transform(number_between(0.0, 1.0));
  add_output_option(*command, options->output_file,
                    "result file (default: the configuration's name with .columns.h5, here)")
      ->type_name("FILE.h5");
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Draws the cells and the offset of each column once and reads it with random input vectors "
      "(section [columns]).\nThe noise of a read is integrated. Intervals at table.confidence come "
      "from the differences between columns,\nor between dies that have a factor in common. The "
      "file holds the rates of every column.\n"
      "Example: cimstat columns experiments/configs/chen2018_9rows.toml --limit 1e-4 --repairs 2");
  command->callback([options] {
    const RunClock clock;
    const Experiment experiment = options->read();
    print_warnings(experiment);
    const std::filesystem::path file = options->output(options->output_file, ".columns.h5");
    ColumnsResult result;
    {
      ProgressMeter meter("columns",
                          {"columns", static_cast<double>(experiment.columns.all_columns())},
                          options->verbosity());
      result = run_columns(experiment, options->thread_count(), meter.callback());
    }
    write_columns(experiment, result, file);
    clock.write_record("columns", file, options->thread_count());
    if (options->json) {
      std::fputs(columns_as_json(result).c_str(), stdout);
    } else {
      fmt::print("{}written {} in {:.2f} s\n", columns_as_text(result),
                 core::one_line(file.string()), clock.wall_seconds());
    }
  });
}

}  // namespace cimstat::experiments
