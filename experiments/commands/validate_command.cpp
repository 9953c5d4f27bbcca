#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "experiments/commands/accuracy_check.h"
#include "experiments/commands/command.h"
#include "experiments/commands/plan.h"
#include "experiments/inference/weighted_reads.h"
#include "experiments/layer_tables_file.h"
#include "experiments/macro/macro_text.h"
#include "experiments/sweep/sweep_plan.h"

namespace cimstat::experiments {

namespace {

struct NamedFiles {
  Network network;
  ImageSet images;
};

/// What [accuracy] names; throws where a run would before it computes anything.
NamedFiles read_named_files(const Experiment& experiment) {
  const AccuracySettings& settings = experiment.accuracy;
  NamedFiles files{read_network(network_file(settings.network)),
                   read_named_images(settings.data_set, Split::test)};
  const LayerTables layers = read_layer_tables(experiment);
  AccuracyOptions run = accuracy_options(experiment, layers.tables);
  run.images = std::min(run.images, files.images.size());
  check_accuracy_run(experiment, files.network, files.images, run);
  if (settings.noise == AccuracyNoise::table && !reads_weighted_counts(settings.array)) {
    check_every_class(experiment);
  }
  return files;
}

}  // namespace

void add_validate_command(CLI::App& app) {
  const auto options = std::make_shared<CommonOptions>();
  CLI::App* command = app.add_subcommand(
      "validate", "Check an experiment file and the files that it names, without running it");
  options->add_to(*command);
  command->add_flag(
      "--dry-run", options->dry_run,
      "print what a run would be: classes, codes, method, trials, bytes, and the time "
      "estimated from short probes");
  command->footer("Example: cimstat validate macro.toml --dry-run --set table.trials=1e9");
  command->callback([options] {
    const core::Config config = options->open();
    std::optional<SweepPlan> sweep;
    if (config.has("sweep")) sweep = read_sweep_plan(config);
    // Of a sweep its first point: the axes may give what the sections leave out.
    const Experiment experiment = sweep ? sweep->base() : read_experiment(config);
    const bool asks_accuracy =
        config.has("accuracy") || (sweep && sweep->settings().asks(SweepOutput::accuracy));
    print_warnings(experiment);
    print_warnings(experiment.wires.warnings);
    const auto classes = experiment.classes();
    std::optional<NamedFiles> files;
    if (asks_accuracy) files = read_named_files(experiment);
    check_table(experiment, classes);
    const bool frozen = asks_accuracy && experiment.accuracy.noise == AccuracyNoise::frozen;
    fmt::print("ok\n{}", aligned_text(macro_lines(experiment.macro)));
    if (sweep) {
      fmt::print(
          "sweep    {} points, of which this is the first: `cimstat sweep {} --dry-run` "
          "checks all\n",
          sweep->points(), options->config.string());
    }
    if (!options->dry_run) return;
    const core::Threads threads = options->thread_count();
    fmt::print("{}", table_plan(experiment, classes));
    const TimeEstimate table = estimate_table(experiment, classes, threads);
    const bool may_stop_early =
        will_be_sampled(experiment) && experiment.table.target_relative_error.has_value();
    fmt::print("time     {} {} on {} threads (probe: {})\n",
               may_stop_early ? "at most about" : "about", estimate_text(table.seconds),
               core::resolved(threads), table.probe);
    if (!files) return;
    if (frozen) {
      fmt::print("{}", frozen_plan(experiment, files->network, files->images, threads));
      return;
    }
    const auto all = every_class(experiment);
    const double every = all.size() == classes.size()
                             ? table.seconds
                             : estimate_table(experiment, all, threads).seconds;
    fmt::print("{}", accuracy_plan(experiment, files->network, files->images, every, threads));
  });
}

}  // namespace cimstat::experiments
