#include "experiments/experiment.h"

#include <array>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/exact_column.h"

namespace cimstat::experiments {

namespace {

using core::ConfigTable;
using core::Quantity;
using core::Range;

// Bounds that keep a mistyped number from asking for years of work.
constexpr std::uint64_t trial_limit = 1'000'000'000'000;
constexpr std::uint64_t image_limit = 100'000'000;
constexpr std::uint64_t seed_limit = (std::uint64_t{1} << 63) - 1;

core::Law current_law(const core::Law& conductance, double read_voltage) {
  return conductance.scaled(read_voltage);
}

template <class Value, std::size_t count>
Value read_choice(const ConfigTable& table, std::string_view key,
                  const std::array<std::pair<std::string_view, Value>, count>& choices,
                  std::string_view fallback) {
  std::array<std::string_view, count> names;
  for (std::size_t i = 0; i < count; ++i) names[i] = choices[i].first;
  const std::string chosen = table.choice_or(key, names, fallback);
  for (const auto& [name, value] : choices) {
    if (name == chosen) return value;
  }
  throw std::logic_error("a choice outside its list");
}

circuits::SenseAmplifier read_sense_amplifier(const ConfigTable& table) {
  circuits::SenseAmplifier sense;
  sense.offset_sd = table.number_or("offset_sd", Quantity::current, Range::not_negative(), 0.0);
  sense.noise_sd = table.number_or("noise_sd", Quantity::current, Range::not_negative(), 0.0);
  sense.noise_shape =
      read_choice<circuits::NoiseShape, 2>(table, "noise_shape",
                                           {{{"gaussian", circuits::NoiseShape::gaussian},
                                             {"logistic", circuits::NoiseShape::logistic}}},
                                           "gaussian");
  if (table.has("noise_knee")) {
    sense.noise_knee = table.number("noise_knee", Quantity::current, Range::positive());
  }
  return sense;
}

circuits::Ladder read_ladder(const ConfigTable& converter, Macro& macro) {
  constexpr std::array<std::string_view, 1> kinds = {"flash"};
  converter.choice_or("kind", kinds, "flash");
  macro.placement =
      read_choice<circuits::Placement, 4>(converter, "references",
                                          {{{"uniform", circuits::Placement::uniform},
                                            {"midpoint", circuits::Placement::midpoint},
                                            {"dual", circuits::Placement::dual},
                                            {"replica", circuits::Placement::replica}}},
                                          "midpoint");
  const std::uint32_t rows = macro.design.rows;
  macro.reference_rows =
      static_cast<std::uint32_t>(converter.count_or("reference_rows", 1, rows, rows));
  if (macro.placement != circuits::Placement::uniform && converter.has("codes")) {
    converter.fail("codes", "only a uniform ladder has a free number of codes",
                   "the others have one for each level",
                   "remove it, or set references = \"uniform\"");
  }
  switch (macro.placement) {
    case circuits::Placement::midpoint:
      return circuits::midpoint_ladder(macro.design, macro.reference_rows);
    case circuits::Placement::dual:
      return circuits::dual_ladder(macro.design, macro.reference_rows);
    case circuits::Placement::replica:
      return circuits::replica_ladder(macro.design, macro.reference_rows);
    case circuits::Placement::uniform:
      break;
  }
  const auto codes =
      static_cast<std::uint32_t>(converter.count_or("codes", 2, 4096, macro.reference_rows + 1));
  return circuits::uniform_ladder(macro.design, macro.reference_rows, codes);
}

Macro read_macro(const core::Config& config) {
  Macro macro;
  macro.cell = devices::read_rram(config.table("cell"));
  const ConfigTable column = config.table("column");
  macro.read_voltage = column.number("read_voltage", Quantity::voltage, Range::positive());
  circuits::ColumnDesign& design = macro.design;
  design.rows = static_cast<std::uint32_t>(column.count("rows", 1, circuits::row_limit));
  design.lrs = current_law(macro.cell.read(devices::Level::lrs), macro.read_voltage);
  design.hrs = current_law(macro.cell.read(devices::Level::hrs), macro.read_voltage);
  if (design.lrs.mean() <= design.hrs.mean()) {
    config.table("cell").fail(
        "lrs",
        fmt::format(
            "mean conductance {} is not above that of hrs, {}",
            core::format_quantity(design.lrs.mean() / macro.read_voltage, Quantity::conductance),
            core::format_quantity(design.hrs.mean() / macro.read_voltage, Quantity::conductance)),
        "LRS is the state that conducts", "swap the two");
  }
  if (column.has("leakage")) {
    macro.leakage = devices::read_conductance(column.table("leakage"));
    design.leakage = core::Law({{.base = *macro.leakage, .scale = macro.read_voltage}});
  }
  if (column.flag_or("dummy_column", false)) {
    design.dummy = current_law(macro.cell.middle(), macro.read_voltage);
  }
  design.sense = read_sense_amplifier(config.table_or_empty("sense_amplifier"));
  design.ladder = read_ladder(config.table_or_empty("converter"), macro);
  return macro;
}

std::vector<std::uint32_t> read_active_rows(const ConfigTable& table, std::uint32_t rows) {
  const std::string_view kind = table.kind_of("active_rows");
  std::vector<std::uint32_t> active_rows;
  if (kind.empty() || kind == "text") {
    constexpr std::array<std::string_view, 1> words = {"all"};
    table.choice_or("active_rows", words, "all");
    active_rows.resize(rows + 1);
    std::iota(active_rows.begin(), active_rows.end(), 0U);
  } else if (kind == "array") {
    for (const std::uint64_t n : table.counts("active_rows", 0, rows)) {
      active_rows.push_back(static_cast<std::uint32_t>(n));
    }
    if (active_rows.empty())
      table.fail("active_rows", "empty", {}, "list numbers of active rows, or write \"all\"");
  } else {
    active_rows.push_back(static_cast<std::uint32_t>(table.count("active_rows", 0, rows)));
  }
  return active_rows;
}

constexpr std::array<std::pair<std::string_view, core::Stream>, 2> streams = {
    {{"philox", core::Stream::philox}, {"fast", core::Stream::fast}}};

TableSettings read_table_settings(const ConfigTable& table, std::uint32_t rows) {
  TableSettings settings;
  settings.method = read_choice<Method, 3>(table, "method",
                                           {{{"auto", Method::automatic},
                                             {"exact", Method::exact},
                                             {"monte_carlo", Method::monte_carlo}}},
                                           "auto");
  settings.active_rows = read_active_rows(table, rows);
  settings.trials = table.count_or("trials", 1, trial_limit, 1'000'000);
  settings.confidence = table.number_or("confidence", Quantity::ratio, Range{0.5, 0.999999}, 0.95);
  settings.tolerance = table.number_or("tolerance", Quantity::ratio, Range{1e-15, 1e-6}, 1e-13);
  settings.closed_form = table.flag_or("closed_form", true);
  settings.stream = read_choice(table, "stream", streams, "philox");
  settings.summation =
      read_choice<circuits::Summation, 2>(table, "summation",
                                          {{{"block_tables", circuits::Summation::block_tables},
                                            {"per_cell", circuits::Summation::per_cell}}},
                                          "block_tables");
  return settings;
}

MarginSettings read_margin_settings(const ConfigTable& table, std::uint32_t rows) {
  return {.active_rows = static_cast<std::uint32_t>(table.count_or("active_rows", 1, rows, rows)),
          .sigmas = table.number_or("sigmas", Quantity::ratio, Range{0.0, 10.0}, 3.0),
          .tail_probability = table.number_or("tail_probability", Quantity::ratio,
                                              Range{1e-9, 0.5, false, true}, 1e-3)};
}

AccuracySettings read_accuracy_settings(const ConfigTable& table, std::uint32_t rows) {
  constexpr std::array<std::pair<std::string_view, LayerPlace>, 2> places = {
      {{"analog", LayerPlace::analog}, {"digital", LayerPlace::digital}}};
  AccuracySettings settings;
  settings.array.rows = rows;
  settings.network = table.text_or("network", "fashion-cnn");
  settings.data_set = table.text_or("data_set", "fashion-mnist");
  settings.images = table.count_or("images", 1, image_limit, 10'000);
  settings.reads = static_cast<std::uint32_t>(table.count_or("reads", 1, 10'000, 1));
  settings.array.weights =
      read_choice<WeightMapping, 2>(table, "weights",
                                    {{{"twos_complement", WeightMapping::twos_complement},
                                      {"differential", WeightMapping::differential}}},
                                    "twos_complement");
  settings.array.first_layer = read_choice(table, "first_layer", places, "analog");
  settings.array.last_layer = read_choice(table, "last_layer", places, "analog");
  settings.stream = read_choice(table, "stream", streams, "philox");
  return settings;
}

circuits::ErrorTable empty_table(const circuits::ColumnDesign& design,
                                 const std::vector<circuits::ColumnClass>& classes) {
  circuits::ErrorTable table;
  table.classes = classes;
  table.codes = design.ladder.codes;
  table.code_step = design.ladder.code_step;
  table.code_origin = design.ladder.code_origin;
  for (const circuits::ColumnClass& column_class : classes) {
    table.ideal_code.push_back(design.ladder.ideal_code(column_class.lrs_count));
  }
  return table;
}

// Three doubles an entry stand in memory when a table is written.
void check_size(std::size_t classes, std::uint32_t codes) {
  constexpr std::size_t entry_limit = std::size_t{1} << 27;
  if (classes * codes > entry_limit) {
    throw core::UsageError(core::error_line(
        "table.active_rows",
        fmt::format("{} classes x {} codes are more entries than a table may have", classes, codes),
        fmt::format("{}", entry_limit), "list fewer numbers of active rows"));
  }
}

ChosenTable sampled_table(const Experiment& experiment,
                          const std::vector<circuits::ColumnClass>& classes, std::string_view why,
                          core::Threads threads, const core::Progress& progress) {
  const TableSettings& settings = experiment.table;
  const circuits::ColumnDesign& design = experiment.macro.design;
  ChosenTable chosen{.table = empty_table(design, classes), .reason = {}};
  circuits::ErrorTable& table = chosen.table;
  table.method = circuits::TableMethod::monte_carlo;
  table.counts = circuits::sampled_counts(design, classes,
                                          {.trials = settings.trials,
                                           .key = {.seed = experiment.seed},
                                           .stream = settings.stream,
                                           .summation = settings.summation},
                                          threads, progress);
  table.probability.reserve(table.counts.size());
  for (const std::uint64_t count : table.counts) {
    table.probability.push_back(double(count) / double(settings.trials));
  }
  chosen.reason = fmt::format("Monte Carlo, {} trials for each class ({})", settings.trials, why);
  return chosen;
}

ChosenTable exact_table(const Experiment& experiment,
                        const std::vector<circuits::ColumnClass>& classes, core::Threads threads,
                        const core::Progress& progress) {
  const TableSettings& settings = experiment.table;
  const circuits::ColumnDesign& design = experiment.macro.design;
  const auto shortcut =
      settings.closed_form ? circuits::Shortcut::allow : circuits::Shortcut::forbid;
  circuits::ExactProbabilities exact = circuits::exact_probabilities(
      design, classes, {.tolerance = settings.tolerance, .shortcut = shortcut}, threads, progress);
  ChosenTable chosen{.table = empty_table(design, classes), .reason = {}};
  chosen.table.method = circuits::TableMethod::exact;
  chosen.table.probability = std::move(exact.probability);
  chosen.table.error_bound = std::move(exact.error_bound);
  chosen.reason = fmt::format(
      "exact, by inversion of characteristic functions or in closed form ({})",
      settings.method == Method::exact ? "asked for" : "cells are independent and add up");
  return chosen;
}

}  // namespace

Experiment read_experiment(const core::Config& config) {
  Experiment experiment;
  experiment.name = config.text_or("name", "macro");
  experiment.seed = config.count_or("seed", 0, seed_limit, 1);
  experiment.macro = read_macro(config);
  const std::uint32_t rows = experiment.macro.design.rows;
  experiment.table = read_table_settings(config.table_or_empty("table"), rows);
  experiment.margin = read_margin_settings(config.table_or_empty("margin"), rows);
  experiment.accuracy = read_accuracy_settings(config.table_or_empty("accuracy"), rows);
  config.finish();
  experiment.config_toml = config.canonical();
  for (const std::string_view other : {"accuracy", "margin"}) config.leave_out(other);
  experiment.table_toml = config.canonical();
  for (const std::string_view other : {"table", "name", "seed"}) config.leave_out(other);
  experiment.macro_toml = config.canonical();
  return experiment;
}

ChosenTable make_table(const Experiment& experiment,
                       const std::vector<circuits::ColumnClass>& classes, core::Threads threads,
                       const core::Progress& progress) {
  const circuits::ColumnDesign& design = experiment.macro.design;
  const TableSettings& settings = experiment.table;
  circuits::check(design, classes);
  check_size(classes.size(), design.ladder.codes);
  if (settings.method == Method::monte_carlo) {
    return sampled_table(experiment, classes, "asked for", threads, progress);
  }
  const auto obstacle = circuits::exact_obstacle(design);
  if (obstacle && settings.method == Method::exact) {
    throw core::UsageError(core::error_line("table.method", "\"exact\" can't be used", *obstacle,
                                            "choose \"auto\" or \"monte_carlo\""));
  }
  if (!obstacle) {
    try {
      return exact_table(experiment, classes, threads, progress);
    } catch (const core::UsageError& error) {
      // Some classes of a design can be beyond it where the extreme ones are not.
      if (settings.method == Method::exact) throw;
      return sampled_table(experiment, classes,
                           fmt::format("the exact engine can't: {}", error.what()), threads,
                           progress);
    }
  }
  return sampled_table(experiment, classes, fmt::format("the exact engine can't: {}", *obstacle),
                       threads, progress);
}

}  // namespace cimstat::experiments
