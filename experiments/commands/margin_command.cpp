#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "experiments/commands/command.h"
#include "experiments/margin/margin.h"

namespace cimstat::experiments {

void add_margin_command(CLI::App& app) {
  struct Options : CommonOptions {
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "margin", "Read margins, overlaps and misread probabilities of each MAC value");
  options->add_to(*command);
  command->add_flag("--json", options->json, "print JSON, with all levels");
  command->footer(
      "For each MAC value at margin.active_rows active rows (default: all rows): mean, sd and tail "
      "quantiles of the\nsensed current [A] (or voltage, where the bit line delivers one), misread "
      "rate with error bound or interval, and the\nmargins and overlap to the next one. Where rows "
      "have more than two states, a MAC value stands for its most probable\nnumbers of rows in "
      "each "
      "state.\n"
      "Example: cimstat margin experiments/configs/chen2018_9rows.toml --set margin.active_rows=4");
  command->callback([options] {
    const Experiment experiment = read_experiment(options->open());
    print_warnings(experiment);
    require_margins(experiment.macro.design);
    const std::size_t levels =
        margin_levels(experiment.macro.design, experiment.margin.active_rows).size();
    ProgressMeter meter("margin", table_unit(experiment, levels), options->verbosity());
    const MarginResult result =
        measure_margins(experiment, options->thread_count(), meter.callback());
    const std::string text =
        options->json ? margins_as_json(experiment, result) : format_margins(experiment, result);
    std::fputs(text.c_str(), stdout);
  });
}

}  // namespace cimstat::experiments
