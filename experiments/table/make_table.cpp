#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/exact/exact_column.h"
#include "circuits/sampled/stopped_column.h"
#include "circuits/weights/code_difference.h"
#include "circuits/weights/composition_range.h"

#include "experiments/experiment.h"

namespace cimstat::experiments {

namespace {

circuits::ErrorTable empty_table(const circuits::ColumnDesign& design,
                                 const std::vector<circuits::ColumnClass>& classes) {
  circuits::ErrorTable table;
  table.classes = classes;
  const circuits::Ladder ladder = circuits::table_ladder(design);
  table.codes = ladder.codes;
  table.code_step = ladder.code_step;
  table.code_origin = ladder.code_origin;
  for (const circuits::ColumnClass& column_class : classes) {
    table.ideal_code.push_back(ladder.ideal_code(circuits::mac_value(design, column_class)));
  }
  for (const auto& state : design.row_states.states) table.state_values.push_back(state.value);
  return table;
}

void check_size(std::size_t classes, std::uint32_t codes) {
  if (classes * codes > most_table_entries) {
    throw core::UsageError(core::error_line(
        "table.active_rows",
        fmt::format("{} classes x {} codes are more entries than a table may have", classes, codes),
        fmt::format("{}", most_table_entries), "list fewer numbers of active rows"));
  }
}

void sample_until(circuits::ErrorTable& table, const circuits::ColumnDesign& design,
                  const circuits::SamplingOptions& options, const TableSettings& settings,
                  core::Threads threads, const core::Progress& progress) {
  circuits::GuaranteedMisreads guaranteed;
  guaranteed.relative_error = *settings.target_relative_error;
  guaranteed.confidence = settings.confidence;
  guaranteed.misreads =
      core::gamma_bernoulli_successes(guaranteed.relative_error, guaranteed.confidence);
  circuits::StoppedCounts stopped = circuits::counts_until(design, table.classes, options,
                                                           guaranteed.misreads, threads, progress);
  table.counts = std::move(stopped.counts);
  for (std::size_t row = 0; row < table.size(); ++row) {
    guaranteed.classes.push_back(
        stopped.last[row] == 0
            ? core::GammaBernoulli{}
            : circuits::guaranteed_misread(options.key, table.classes[row], guaranteed.misreads,
                                           stopped.last[row], table.state_values.size()));
  }
  table.guaranteed = std::move(guaranteed);
}

ChosenTable sampled_table(const Experiment& experiment,
                          const std::vector<circuits::ColumnClass>& classes, std::string_view why,
                          core::Threads threads, const core::Progress& progress) {
  const TableSettings& settings = experiment.table;
  const circuits::ColumnDesign& design = experiment.macro.design;
  ChosenTable chosen{.table = empty_table(design, classes), .reason = {}};
  circuits::ErrorTable& table = chosen.table;
  table.method = circuits::TableMethod::monte_carlo;
  const circuits::SamplingOptions options{.trials = settings.trials,
                                          .key = experiment.key(),
                                          .stream = settings.stream,
                                          .summation = settings.summation};
  if (settings.target_relative_error) {
    sample_until(table, design, options, settings, threads, progress);
    chosen.reason = fmt::format(
        "Monte Carlo until each class is misread {} times ({:g} % at {:g} % confidence), at most "
        "{} "
        "trials ({})",
        table.guaranteed->misreads, 100.0 * *settings.target_relative_error,
        100.0 * settings.confidence, settings.trials, why);
  } else {
    table.counts = design.row_states.is_digital()
                       ? circuits::difference_counts(design, classes, options, threads, progress)
                       : circuits::sampled_counts(design, classes, options, threads, progress);
    chosen.reason = fmt::format("Monte Carlo, {} trials for each class ({})", settings.trials, why);
  }
  table.probability.reserve(table.counts.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto trials = static_cast<double>(table.trials(row));
    for (std::size_t code = 0; code < table.codes; ++code) {
      table.probability.push_back(double(table.counts[row * table.codes + code]) / trials);
    }
  }
  return chosen;
}

}  // namespace

ChosenTable exact_table(const Experiment& experiment,
                        const std::vector<circuits::ColumnClass>& classes, core::Threads threads,
                        const core::Progress& progress) {
  const TableSettings& settings = experiment.table;
  const circuits::ColumnDesign& design = experiment.macro.design;
  const auto shortcut =
      settings.closed_form ? circuits::Shortcut::allow : circuits::Shortcut::forbid;
  const circuits::ExactOptions options{.tolerance = settings.tolerance, .shortcut = shortcut};
  const bool is_digital = design.row_states.is_digital();
  circuits::ExactProbabilities exact =
      is_digital ? circuits::difference_probabilities(design, classes, options, threads, progress)
                 : circuits::exact_probabilities(design, classes, options, threads, progress);
  ChosenTable chosen{.table = empty_table(design, classes), .reason = {}};
  chosen.table.method = circuits::TableMethod::exact;
  chosen.table.probability = std::move(exact.probability);
  chosen.table.error_bound = std::move(exact.error_bound);
  chosen.reason = fmt::format(
      "exact, by inversion of characteristic functions or in closed form ({})",
      settings.method == Method::exact ? "asked for" : "cells are independent and add up");
  if (is_digital) chosen.reason += "; codes of two columns, independent of each other, convolved";
  const auto largest =
      std::max_element(chosen.table.error_bound.begin(), chosen.table.error_bound.end());
  if (largest != chosen.table.error_bound.end() && *largest > 1e3 * settings.tolerance) {
    chosen.reason += fmt::format("; entries within {:.1g}", *largest);
  }
  return chosen;
}

void check_table(const Experiment& experiment, const std::vector<circuits::ColumnClass>& classes) {
  const circuits::ColumnDesign& design = experiment.macro.design;
  circuits::check_columns(design, classes);
  check_size(classes.size(), circuits::table_ladder(design).codes);
  if (experiment.table.target_relative_error && design.row_states.is_digital()) {
    throw core::UsageError(core::error_line(
        "table.target_relative_error", "has no place beside mapping.subtraction = \"digital\"",
        "differences of codes are sampled with a given number of trials",
        "leave it out, and set table.trials"));
  }
  if (experiment.table.method == Method::measured) {
    throw core::UsageError(core::error_line("table.method", "\"measured\" can't be computed",
                                            "such tables are made by `cimstat fit codes`",
                                            "choose \"auto\", \"exact\" or \"monte_carlo\""));
  }
  if (experiment.table.method != Method::exact) return;
  if (const auto obstacle = circuits::table_obstacle(design)) {
    throw core::UsageError(core::error_line("table.method", "\"exact\" can't be used", *obstacle,
                                            "choose \"auto\" or \"monte_carlo\""));
  }
}

namespace {

/// From one row in the lowest state to one in the highest [A].
double current_span(const circuits::ColumnDesign& design) {
  if (design.row_states.is_digital()) {
    const std::vector<double> means = circuits::StateMoments(design.row_states).mean;
    return means.back() - means.front();
  }
  circuits::ColumnClass low;
  low.active_rows = 1;
  low.states[0] = 1;
  circuits::ColumnClass high = low;
  std::swap(high.states[0], high.states[design.row_states.states.size() - 1]);
  return circuits::mean_current(design, high) - circuits::mean_current(design, low);
}

/// What the classes of a column of more than two states a row leave out.
std::string composition_text(const Experiment& experiment,
                             const std::vector<circuits::ColumnClass>& classes) {
  const circuits::ColumnDesign& design = experiment.macro.design;
  if (design.row_states.empty() || experiment.table.compositions == circuits::Compositions::all) {
    return {};
  }
  const circuits::CompositionSpread spread = circuits::composition_spread(design, classes);
  // One MAC value's worth of current.
  const double span = double(design.row_states.highest()) - design.row_states.lowest();
  const double value = current_span(design) / span;
  return fmt::format(
      "; typical classes: other rows of the same MAC value have means {:.2g} of a MAC value lower "
      "to {:.2g} higher, cells' sd {:.2g} % lower to {:.2g} % higher",
      spread.mean_below / value, spread.mean_above / value, 100.0 * spread.sd_below,
      100.0 * spread.sd_above);
}

ChosenTable made_table(const Experiment& experiment,
                       const std::vector<circuits::ColumnClass>& classes, core::Threads threads,
                       const core::Progress& progress) {
  check_table(experiment, classes);
  const TableSettings& settings = experiment.table;
  if (settings.method == Method::monte_carlo) {
    return sampled_table(experiment, classes, "asked for", threads, progress);
  }
  std::string obstacle = circuits::table_obstacle(experiment.macro.design).value_or("");
  if (obstacle.empty()) {
    try {
      return exact_table(experiment, classes, threads, progress);
    } catch (const circuits::ExactObstacle& error) {
      // Some classes of a design can be beyond it where the extreme ones are not.
      if (settings.method == Method::exact) throw;
      obstacle = error.why();
    }
  }
  return sampled_table(experiment, classes, fmt::format("the exact engine can't: {}", obstacle),
                       threads, progress);
}

}  // namespace

ChosenTable make_table(const Experiment& experiment,
                       const std::vector<circuits::ColumnClass>& classes, core::Threads threads,
                       const core::Progress& progress) {
  ChosenTable chosen = made_table(experiment, classes, threads, progress);
  chosen.reason += composition_text(experiment, classes);
  return chosen;
}

}  // namespace cimstat::experiments
