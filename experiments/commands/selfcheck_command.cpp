#include <cstdio>
#include <memory>

#include "core/error.h"
#include "core/simd.h"

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/selfcheck/selfcheck.h"

namespace cimstat::experiments {

namespace {

struct SelfcheckCommandOptions : CommonOptions {
  SelfCheckOptions check;
  bool json = false;
};

/// Sets the seed too.
std::vector<CheckedColumn> columns_of(SelfcheckCommandOptions& options) {
  if (!options.config.empty()) {
    const Experiment experiment = read_experiment(options.open());
    print_warnings(experiment);
    options.check.key.seed = experiment.seed;
    return {{experiment.name, experiment.macro.design, experiment.margin.active_rows}};
  }
  if (!options.overrides.empty()) {
    throw core::UsageError(core::error_line("--set", "changes nothing",
                                            "the built-in columns have no keys",
                                            "name an experiment file"));
  }
  core::use_simd_target(options.simd);
  options.check.key.seed = static_cast<std::uint64_t>(options.seed.value_or(1));
  return builtin_columns();
}

}  // namespace

void add_selfcheck_command(CLI::App& app) {
  const auto options = std::make_shared<SelfcheckCommandOptions>();
  CLI::App* command = app.add_subcommand("selfcheck",
                                         "Compare the exact engine, Monte Carlo, importance "
                                         "sampling and quasi-Monte Carlo on small columns");
  options->add_to(*command);
  command->get_option("config")->required(false)->description(
      "experiment file (TOML) whose column to check (default: small built-in columns)");
  command->add_option("--trials", options->check.trials, "trials of Monte Carlo for each class")
      ->type_name("N")
      ->transform(whole_number(1000, std::uint64_t{1} << 40).description("1000 - 2^40"))
      ->capture_default_str();
  command
      ->add_option("--samples", options->check.samples, "importance samples for each misread tail")
      ->type_name("N")
      ->transform(whole_number(1000, std::uint64_t{1} << 36).description("1000 - 2^36"))
      ->capture_default_str();
  command
      ->add_option("--relative-error", options->check.relative_error,
                   "add importance samples in batches until each tail is known to this relative "
                   "error at 95 % (asymptotically), at most --samples")
      ->type_name("E")
      ->check(number_between(1e-4, 0.5));
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "For the lowest, the middle and the highest MAC value: the probability to be read too high "
      "or too low, four ways.\nExit code 1 where two of them differ by more than 5 standard "
      "errors. What importance sampling can't vouch for it\nrefuses to print, with the reason; "
      "quasi-Monte Carlo serves the body, down to about 1e-3.\n"
      "Example: cimstat selfcheck experiments/configs/chen2018_9rows.toml");
  command->callback([options] {
    const std::vector<CheckedColumn> columns = columns_of(*options);
    ProgressMeter meter("selfcheck", {"tails", static_cast<double>(tail_count(columns))},
                        options->verbosity());
    const SelfCheckResult result =
        self_check(columns, options->check, options->thread_count(), meter.callback());
    std::fputs((options->json ? self_check_as_json(result, options->check)
                              : self_check_as_text(result, options->check))
                   .c_str(),
               stdout);
    if (!result.agrees) throw CLI::RuntimeError(1);
  });
}

}  // namespace cimstat::experiments
