#include "experiments/commands/plan.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "core/statistics/gamma_bernoulli.h"

#include "circuits/weights/code_difference.h"

#include "experiments/commands/accuracy_check.h"
#include "experiments/commands/command.h"
#include "experiments/commands/progress_meter.h"
#include "experiments/frozen_accuracy.h"
#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/chip_accuracy.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/level_chip.h"
#include "experiments/inference/parallel_accuracy.h"
#include "experiments/layer_tables_file.h"

namespace cimstat::experiments {

namespace {

template <class Work>
double seconds_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Probe {
  double work = 0.0;
  double seconds = 0.0;
};

/// A straight line through two probes; where the larger one wasn't slower, all of it is taken as
/// work, which can only overstate.
double extrapolated(const Probe& small, const Probe& large, double work) {
  const double slope = (large.seconds - small.seconds) / (large.work - small.work);
  if (!(slope > 0.0)) return large.seconds * work / large.work;
  return std::max(0.0, small.seconds - slope * small.work) + slope * work;
}

std::vector<circuits::ColumnClass> evenly_chosen(const std::vector<circuits::ColumnClass>& classes,
                                                 std::size_t count) {
  std::vector<circuits::ColumnClass> chosen;
  const std::size_t wanted = std::min(count, classes.size());
  for (std::size_t i = 0; i < wanted; ++i) {
    chosen.push_back(classes[(2 * i + 1) * classes.size() / (2 * wanted)]);
  }
  return chosen;
}

}  // namespace

std::string estimate_text(double seconds) {
  return seconds < 10.0 ? fmt::format("{:.2g} s", seconds) : duration_text(seconds);
}

std::string table_plan(const Experiment& experiment,
                       const std::vector<circuits::ColumnClass>& classes) {
  const std::uint32_t codes = circuits::table_ladder(experiment.macro.design).codes;
  const bool sampled = will_be_sampled(experiment);
  const auto obstacle = circuits::table_obstacle(experiment.macro.design);
  std::string why = "asked for";
  if (experiment.table.method == Method::automatic) {
    why = obstacle ? fmt::format("the exact engine can't: {}", *obstacle)
                   : std::string("cells are independent and add up");
  }
  std::string text = fmt::format("classes  {}\ncodes    {}\nmethod   {} ({})\n", classes.size(),
                                 codes, sampled ? "monte_carlo" : "exact", why);
  if (sampled) {
    const bool has_target = experiment.table.target_relative_error.has_value();
    text += fmt::format("trials   {}{} ({} for each class)\n", has_target ? "at most " : "",
                        experiment.table.trials * classes.size(), experiment.table.trials);
    if (has_target) {
      text += fmt::format("target   {:g} % at {:g} %: {} misreads of each class\n",
                          100.0 * *experiment.table.target_relative_error,
                          100.0 * experiment.table.confidence,
                          core::gamma_bernoulli_successes(*experiment.table.target_relative_error,
                                                          experiment.table.confidence));
    }
  }
  // Sampled: counts, probability, lower, upper; exact: probability, and bounds of each class.
  text += fmt::format("bytes    {} before compression\n",
                      classes.size() * codes * 8 * (sampled ? 4 : 3));
  return text;
}

namespace {

/// Preparing the tables of sums is done once and can take far longer than many trials: the probe's
/// progress tells the two apart.
TimeEstimate estimate_sampling(const Experiment& experiment,
                               const std::vector<circuits::ColumnClass>& classes,
                               core::Threads threads) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t few_classes = 8;
  constexpr std::uint64_t few_trials = std::uint64_t{1} << 18;
  const auto chosen = evenly_chosen(classes, few_classes);
  Experiment shorter = experiment;
  shorter.table.trials = std::min(few_trials, experiment.table.trials);
  shorter.table.target_relative_error.reset();  // what is estimated is the longest it can take
  const Clock::time_point start = Clock::now();
  Clock::time_point first = start;
  double first_share = 0.0;
  make_table(shorter, chosen, threads, [&](std::size_t done, std::size_t total) {
    if (first != start) return;
    first = Clock::now();
    first_share = static_cast<double>(done) / static_cast<double>(total);
  });
  const double whole = std::chrono::duration<double>(Clock::now() - start).count();
  const double until_first = std::chrono::duration<double>(first - start).count();
  const double trials =
      static_cast<double>(chosen.size()) * static_cast<double>(shorter.table.trials);
  const double sampling = first_share < 1.0 ? (whole - until_first) / (1.0 - first_share) : whole;
  const double preparing = std::max(0.0, whole - sampling);
  const double all =
      static_cast<double>(classes.size()) * static_cast<double>(experiment.table.trials);
  return {preparing + sampling * all / trials,
          fmt::format("preparing took {}, {:.0f} trials {}", estimate_text(preparing), trials,
                      estimate_text(sampling))};
}

TimeEstimate estimate_exact(const Experiment& experiment,
                            const std::vector<circuits::ColumnClass>& classes,
                            core::Threads threads) {
  const auto probe = [&](std::size_t count) {
    const auto chosen = evenly_chosen(classes, count);
    return Probe{static_cast<double>(chosen.size()),
                 seconds_of([&] { make_table(experiment, chosen, threads); })};
  };
  const Probe small = probe(32);
  const Probe large = probe(256);
  const auto all = static_cast<double>(classes.size());
  return {large.work > small.work ? extrapolated(small, large, all) : large.seconds,
          fmt::format("{:g} classes took {}", large.work, estimate_text(large.seconds))};
}

}  // namespace

TimeEstimate estimate_table(const Experiment& experiment,
                            const std::vector<circuits::ColumnClass>& classes,
                            core::Threads threads) {
  return will_be_sampled(experiment) ? estimate_sampling(experiment, classes, threads)
                                     : estimate_exact(experiment, classes, threads);
}

std::string accuracy_plan(const Experiment& experiment, const Network& network,
                          const ImageSet& images, double table_seconds, core::Threads threads) {
  const AccuracySettings& settings = experiment.accuracy;
  const LayerTables layers = read_layer_tables(experiment);
  const ForwardPass pass(network, with_columns(settings.array, layers.tables));
  std::string text = fmt::format("accuracy {} images x {} reads x {} partial sums\n",
                                 settings.images, settings.reads, pass.partial_sums());
  constexpr double most_seconds = 10.0;
  if (table_seconds > most_seconds) {
    return text + fmt::format(
                      "         time not estimated (a table of every class is needed first "
                      "and takes about {})\n",
                      estimate_text(table_seconds));
  }
  const bool parallel = reads_weighted_counts(settings.array);
  circuits::ErrorTable table;
  std::optional<ParallelTables> tables;
  if (parallel) {
    tables = parallel_tables(network, experiment.macro.design, settings.array);
  } else {
    table = make_table(experiment, every_class(experiment), threads).table;
  }
  const auto probe = [&](std::size_t count) {
    const std::size_t taken = std::min(count, images.size());
    return Probe{static_cast<double>(taken), seconds_of([&] {
                   const AccuracyOptions run{.array = settings.array,
                                             .key = {.seed = experiment.seed},
                                             .stream = settings.stream,
                                             .reads = settings.reads,
                                             .images = taken,
                                             .layer_tables = layers.tables};
                   if (parallel) {
                     accuracy_in_parallel(network, images, *tables, run, threads);
                   } else {
                     accuracy_with_table(network, images, table, run, threads);
                   }
                 })};
  };
  const Probe small = probe(2);
  const Probe large = probe(16);
  const double all = static_cast<double>(settings.images);
  const double seconds =
      large.work > small.work ? extrapolated(small, large, all) : large.seconds * all / large.work;
  return text + fmt::format("         about {} and {} for its table (probe: {:g} images took {})\n",
                            estimate_text(seconds), estimate_text(table_seconds), large.work,
                            estimate_text(large.seconds));
}

std::string frozen_plan(const Experiment& experiment, const Network& network,
                        const ImageSet& images, core::Threads threads) {
  const AccuracySettings& settings = experiment.accuracy;
  const ForwardPass pass(network, settings.array);
  const std::uint64_t partial_sums = settings.levels.any()
                                         ? level_partial_sums(pass, settings.levels.cell_bits)
                                         : pass.partial_sums();
  const auto probe = [&](std::size_t count) {
    const std::size_t taken = std::min(count, images.size());
    return Probe{static_cast<double>(taken), seconds_of([&] {
                   frozen_accuracy(experiment, network, images,
                                   {.array = settings.array,
                                    .key = {.seed = experiment.seed},
                                    .stream = settings.stream,
                                    .reads = settings.reads,
                                    .images = taken,
                                    .chips = 1},
                                   threads);
                 })};
  };
  const Probe small = probe(2);
  const Probe large = probe(16);
  const double all = static_cast<double>(settings.images);
  const double of_a_chip =
      large.work > small.work ? extrapolated(small, large, all) : large.seconds * all / large.work;
  return fmt::format(
      "accuracy {} images x {} reads x {} chips x {} partial sums\n"
      "         about {} (probe: {:g} images on a chip took {})\n",
      settings.images, settings.reads, settings.chips, partial_sums,
      estimate_text(of_a_chip * settings.chips), large.work, estimate_text(large.seconds));
}

}  // namespace cimstat::experiments
