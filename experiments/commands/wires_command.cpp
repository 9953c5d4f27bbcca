#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/wires/wires_run.h"

namespace cimstat::experiments {

void add_wires_command(CLI::App& app) {
  struct Options : CommonOptions {
    std::optional<std::uint64_t> arrays;
    std::optional<std::uint64_t> columns;
    bool all = false;
    bool json = false;
    bool csv = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("wires", "What wire resistance costs: drop and error of each column");
  options->add_to(*command);
  command->add_option("--arrays", options->arrays, "simulated arrays (wires.arrays)")
      ->type_name("N")
      ->transform(whole_number(2, 100'000));
  command->add_option("--columns", options->columns, "columns of an array (wires.columns)")
      ->type_name("N")
      ->transform(whole_number(1, 4096));
  command->add_flag("--all", options->all, "list every column");
  CLI::Option* json = command->add_flag("--json", options->json, "print JSON, with all columns");
  command->add_flag("--csv", options->csv, "print CSV, a line for each column")->excludes(json);
  command->footer(
      "Solves whole arrays of random cells, data and inputs with the resistance of word, source "
      "and bit lines, drivers\nand sense amplifiers (section [wires]), and compares each column's "
      "current with what the same cells bring\nwithout it. All of it is linear: cells, access "
      "transistors in series, ideal virtual grounds.\n"
      "Where [bit_line] is a wire (kind wire_resistance or lumped_wire), its segment_resistance "
      "and "
      "sense_resistance are\nthe defaults of wires.column_segment and wires.sense. Nothing else of "
      "[bit_line] plays a part here: a bit line ends\nin its sense amplifier, whatever its kind.\n"
      "Fewer than 16 arrays, from 2 on, compare the currents of the same cells and fit no control "
      "variate.\n"
      "Example: cimstat wires experiments/configs/rram_128rows.toml --set wires.column_segment="
      "'\"2 ohm\"'");
  command->callback([options] {
    CommonOptions all = *options;
    if (options->arrays) {
      all.overrides.push_back(fmt::format("wires.arrays={}", *options->arrays));
    }
    if (options->columns) {
      all.overrides.push_back(fmt::format("wires.columns={}", *options->columns));
    }
    const Experiment experiment = read_experiment(all.open());
    print_warnings(experiment);
    print_warnings(experiment.wires.warnings);
    WiresResult result;
    {
      ProgressMeter meter("wires", {"arrays", static_cast<double>(experiment.wires.arrays)},
                          options->verbosity());
      result = run_wires(experiment, options->thread_count(), meter.callback());
    }
    const std::string text =
        options->json  ? wires_as_json(result)
        : options->csv ? wires_as_csv(result)
                       : wires_as_text(result, options->all ? Listing::all : Listing::some);
    std::fputs(text.c_str(), stdout);
  });
}

}  // namespace cimstat::experiments
