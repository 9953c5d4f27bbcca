#include <memory>

#include <fmt/format.h>

#include "core/utf8.h"

#include "experiments/commands/command.h"
#include "experiments/commands/plan.h"
#include "experiments/counted.h"
#include "experiments/margin/margin.h"
#include "experiments/seeing/table_figures.h"
#include "experiments/table/table_file.h"
#include "experiments/table/table_stopping.h"

namespace cimstat::experiments {

namespace {

/// The interval of a sampled rate, or its upper limit where none was seen.
std::string sampled_text(const circuits::ErrorTable& table, std::size_t row, double confidence) {
  const Estimate rate = misread_estimate(table, row, {.confidence = confidence});
  if (table.misreads(row) == 0) {
    return fmt::format("no misread was seen: below {:.2g} at {:g} %", rate.interval.upper,
                       100.0 * confidence);
  }
  return fmt::format("{:.4g} [{:.4g}, {:.4g}] at {:g} %", rate.value, rate.interval.lower,
                     rate.interval.upper, 100.0 * confidence);
}

void print_summary(const circuits::ErrorTable& table, double confidence) {
  std::size_t worst = 0;
  for (std::size_t i = 1; i < table.size(); ++i) {
    if (table.misread(i) > table.misread(worst)) worst = i;
  }
  const bool exact = table.method == circuits::TableMethod::exact;
  const bool known = exact ? misread_bounds(table, worst).lower > 0.0 : table.misread(worst) > 0.0;
  fmt::print("{} x {}; ", counted(table.size(), "class", "classes"), counted(table.codes, "code"));
  if (!known) {
    fmt::print("{}\n", exact ? std::string("no misread rate above its error bound")
                             : sampled_text(table, worst, confidence));
  } else {
    fmt::print("most misread: level {} of {}, {}\n", table.label(worst),
               counted(table.classes[worst].active_rows, "active row"),
               exact ? fmt::format("{:.4g}", table.misread(worst))
                     : sampled_text(table, worst, confidence));
  }
  if (table.guaranteed) fmt::print("{}\n", stopping_summary(table));
}

}  // namespace

void add_table_command(CLI::App& app) {
  struct Options : CommonOptions {
    std::filesystem::path output_file;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("table", "Error table P(code | LRS count, active rows) as an HDF5 file");
  options->add_to(*command);
  add_output_option(*command, options->output_file,
                    "result file (default: the configuration's name with .table.h5, here)")
      ->type_name("FILE.h5");
  command->add_flag("--dry-run", options->dry_run, "check, and print what would be made");
  command->footer(
      "A class is k LRS cells among n active rows; the table holds P(code | class) for each, exact "
      "with an "
      "error bound\nwhere cells are independent and add up, else sampled (table.method, "
      "table.trials for each class) with\nClopper-Pearson intervals; with "
      "table.target_relative_error until each misread rate is known so well.\nBeside it stands "
      "FILE.run.json with time, host and threads.\n"
      "Example: cimstat table experiments/configs/rram_128rows.toml -o macro.h5\n"
      "         cimstat table macro.toml --set table.method=monte_carlo --set "
      "table.target_relative_error=0.1 --set table.trials=1e8");
  command->callback([options] {
    const RunClock clock;
    const Experiment experiment = read_experiment(options->open());
    print_warnings(experiment);
    const auto classes = experiment.classes();
    if (options->dry_run) {
      check_table(experiment, classes);
      return fmt::print("{}", table_plan(experiment, classes));
    }
    const std::filesystem::path file = options->output(options->output_file, ".table.h5");
    ChosenTable chosen;
    {
      ProgressMeter meter("table", table_unit(experiment, classes.size()), options->verbosity());
      chosen = make_table(experiment, classes, options->thread_count(), meter.callback());
    }
    write_table(experiment, chosen, file);
    clock.write_record("table", file, options->thread_count());
    print_summary(chosen.table, experiment.table.confidence);
    fmt::print("{}\nwritten {} in {:.2f} s\n", chosen.reason, core::one_line(file.string()),
               clock.wall_seconds());
  });
}

}  // namespace cimstat::experiments
