#include "experiments/commands/plan.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include <fmt/format.h>

#include "circuits/exact_column.h"

#include "experiments/commands/command.h"
#include "experiments/commands/progress_meter.h"
#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/forward_pass.h"

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

std::vector<circuits::ColumnClass> every_class(const Experiment& experiment) {
  std::vector<std::uint32_t> all(experiment.macro.design.rows + 1);
  std::iota(all.begin(), all.end(), 0U);
  return circuits::classes_for(all);
}

std::string table_plan(const Experiment& experiment,
                       const std::vector<circuits::ColumnClass>& classes) {
  const std::uint32_t codes = experiment.macro.design.ladder.codes;
  const bool sampled = will_be_sampled(experiment);
  const auto obstacle = circuits::exact_obstacle(experiment.macro.design);
  std::string why = "asked for";
  if (experiment.table.method == Method::automatic) {
    why = obstacle ? fmt::format("the exact engine can't: {}", *obstacle)
                   : std::string("cells are independent and add up");
  }
  std::string text = fmt::format("classes  {}\ncodes    {}\nmethod   {} ({})\n", classes.size(),
                                 codes, sampled ? "monte_carlo" : "exact", why);
  if (sampled) {
    text += fmt::format("trials   {} ({} for each class)\n",
                        experiment.table.trials * classes.size(), experiment.table.trials);
  }
  // Sampled: counts, probability, lower, upper; exact: probability, and bounds of each class.
  text += fmt::format("bytes    {} before compression\n",
                      classes.size() * codes * 8 * (sampled ? 4 : 3));
  return text;
}

TimeEstimate estimate_table(const Experiment& experiment,
                            const std::vector<circuits::ColumnClass>& classes,
                            core::Threads threads) {
  const bool sampled = will_be_sampled(experiment);
  Experiment shorter = experiment;
  const auto probe = [&](std::size_t count, std::uint64_t trials) {
    const auto chosen = evenly_chosen(classes, count);
    shorter.table.trials = std::min(trials, experiment.table.trials);
    const double work = static_cast<double>(chosen.size()) *
                        (sampled ? static_cast<double>(shorter.table.trials) : 1.0);
    return Probe{work, seconds_of([&] { make_table(shorter, chosen, threads); })};
  };
  constexpr std::uint64_t few_trials = 4096;
  const Probe small = probe(8, few_trials);
  const Probe large = probe(sampled ? 8 : 64, 16 * few_trials);
  const double all = static_cast<double>(classes.size()) *
                     (sampled ? static_cast<double>(experiment.table.trials) : 1.0);
  const double seconds =
      large.work > small.work ? extrapolated(small, large, all) : large.seconds * all / large.work;
  return {seconds, fmt::format("{:g} {} took {}", large.work, sampled ? "trials" : "classes",
                               estimate_text(large.seconds))};
}

std::string accuracy_plan(const Experiment& experiment, const Network& network,
                          const ImageSet& images, double table_seconds, core::Threads threads) {
  const AccuracySettings& settings = experiment.accuracy;
  const ForwardPass pass(network, settings.array);
  std::string text = fmt::format("accuracy {} images x {} reads x {} partial sums\n",
                                 settings.images, settings.reads, pass.partial_sums());
  constexpr double most_seconds = 10.0;
  if (table_seconds > most_seconds) {
    return text + fmt::format(
                      "         time not estimated (a table of every class is needed first "
                      "and takes about {})\n",
                      estimate_text(table_seconds));
  }
  const circuits::ErrorTable table = make_table(experiment, every_class(experiment), threads).table;
  const auto probe = [&](std::size_t count) {
    const std::size_t taken = std::min(count, images.size());
    return Probe{static_cast<double>(taken), seconds_of([&] {
                   accuracy_with_table(network, images, table,
                                       {.array = settings.array,
                                        .key = {.seed = experiment.seed},
                                        .stream = settings.stream,
                                        .reads = settings.reads,
                                        .images = taken},
                                       threads);
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

}  // namespace cimstat::experiments
