#include <cstdio>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/error.h"
#include "core/file/atomic_file.h"
#include "core/utf8.h"

#include "experiments/arrays/drifting_chip.h"
#include "experiments/arrays/sampled_chip.h"
#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/macro/die_factor.h"

namespace cimstat::experiments {

namespace {

constexpr std::size_t most_times = 64;

struct ArrayCommandOptions : CommonOptions {
  std::filesystem::path output_file;
  std::uint64_t columns = 64;
  std::uint64_t chip = 0;
  std::vector<std::string> times;
  bool json = false;
};

/// That of conditions.time.
double latest_time() {
  const core::Section section = devices::conditions_section();
  return std::get<core::NumberRule>(core::find(section.parameters, "time")->rule).range.high;
}

std::vector<double> times_of(const std::vector<std::string>& texts) {
  const double latest = latest_time();
  std::vector<double> times;
  for (const std::string& text : texts) {
    try {
      times.push_back(core::parse_quantity(text, core::Quantity::time));
    } catch (const std::invalid_argument& error) {
      throw core::UsageError(core::error_line("--time",
                                              fmt::format("\"{}\" is no time", core::excerpt(text)),
                                              error.what(), "write, for example, 3600s"));
    }
    if (times.back() > latest) {
      throw core::UsageError(core::error_line(
          "--time", fmt::format("{} is out of range", core::excerpt(text)),
          fmt::format("at most {}", core::format_quantity(latest, core::Quantity::time)),
          "give an earlier time"));
    }
    if (times.back() >= 0.0) continue;
    throw core::UsageError(
        core::error_line("--time", fmt::format("{} is before the cells are programmed", text),
                         "times count from there", "give 0 or more"));
  }
  if (times.size() > most_times) {
    throw core::UsageError(core::error_line("--time", fmt::format("{} times", times.size()),
                                            fmt::format("at most {}", most_times), "give fewer"));
  }
  return times;
}

template <class Chip>
void show(const ArrayCommandOptions& options, const ChipHeading& heading, const Chip& chip) {
  const std::string text = options.json ? chip_as_json(heading, chip) : chip_as_text(heading, chip);
  std::fputs(text.c_str(), stdout);
  if (options.output_file.empty()) return;
  core::write_atomically(options.output_file, chip_as_csv(chip));
  if (!options.json) fmt::print("written {}\n", core::one_line(options.output_file.string()));
}

}  // namespace

void add_array_command(CLI::App& app) {
  const auto options = std::make_shared<ArrayCommandOptions>();
  CLI::App* command = app.add_subcommand(
      "array", "One chip's cells, drawn and compared with the laws of their levels");
  options->add_to(*command);
  command->add_option("--columns", options->columns, "columns of the array")
      ->type_name("N")
      ->capture_default_str()
      ->transform(whole_number(1, circuits::chip_column_limit));
  command->add_option("--chip", options->chip, "which chip of this seed")
      ->type_name("N")
      ->capture_default_str()
      ->transform(whole_number(0, circuits::chip_limit - 1));
  command
      ->add_option(
          "--time", options->times,
          fmt::format("the same devices so long after programming, 0 to {} (cells of model pcm); "
                      "may be repeated",
                      core::format_quantity(latest_time(), core::Quantity::time)))
      ->type_name("TIME")
      ->allow_extra_args(false);
  add_output_option(*command, options->output_file,
                    "write the conductance of every cell: row, column, level, conductance in S")
      ->type_name("FILE.csv");
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Draws the cells of an array of the macro's rows, with all levels in turn, as they are "
      "programmed: what is\nfrozen, without the noise of a read. The same seed, chip and place "
      "give "
      "the same cell, whatever the number of\ncolumns. Intervals at table.confidence.\n"
      "Example: cimstat array experiments/configs/chen2018_9rows.toml --columns 1024 -o cells.csv");
  command->callback([options] {
    const std::vector<double> times = times_of(options->times);
    const Experiment experiment = read_experiment(options->open());
    print_warnings(experiment);
    if (!options->output_file.empty()) check_output(options->output_file, {options->config});
    const circuits::ArrayShape shape{experiment.macro.design.rows,
                                     static_cast<std::uint32_t>(options->columns)};
    refuse_field(experiment.macro, "an array");
    const ChipHeading heading{experiment.name, experiment.seed, experiment.table.confidence,
                              die_factor(experiment.macro, experiment.key(), options->chip)};
    if (times.empty()) {
      show(*options, heading,
           sample_chip(experiment.macro.cell, shape, options->chip, heading.factor,
                       experiment.key(), heading.confidence, options->thread_count()));
    } else {
      show(*options, heading,
           drift_chip(experiment.macro.cell, shape, options->chip, heading.factor, times,
                      experiment.key(), heading.confidence, options->thread_count()));
    }
  });
}

}  // namespace cimstat::experiments
