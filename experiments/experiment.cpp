#include "experiments/experiment.h"

#include <variant>

#include <fmt/format.h>

#include "core/config/section_reader.h"

#include "experiments/inference/weighted_reads.h"
#include "experiments/sweep/sweep_section.h"
#include "experiments/zero_value.h"

namespace cimstat::experiments {

namespace {

constexpr std::uint64_t seed_limit = (std::uint64_t{1} << 63) - 1;
constexpr std::size_t longest_name = 200;

core::Section root_section() {
  core::Section root{.need = core::Need::required,
                     .meaning = "an experiment: a macro, and what is asked of it",
                     .parameters = {{.key = "name",
                                     .rule = core::TextRule{longest_name, "macro"},
                                     .meaning = "title of the results"},
                                    {.key = "seed",
                                     .rule = core::CountRule{0, seed_limit, 1, {}},
                                     .meaning = "of all random numbers"}},
                     .sections = macro_sections()};
  for (core::Section& section : settings_sections()) root.sections.push_back(std::move(section));
  root.sections.push_back(sweep_section());
  return root;
}

}  // namespace

const core::Section& experiment_file() {
  static const core::Section root = root_section();
  return root;
}

namespace {

void place_zero(const core::SectionReader& section, const Macro& macro,
                AccuracySettings& accuracy) {
  ArrayOptions& array = accuracy.array;
  const auto zero = zero_value(macro, array.weights, accuracy.levels.subtraction);
  if (const double* const value = std::get_if<double>(&zero)) {
    array.zero_value = *value;
    return;
  }
  switch (std::get<ZeroObstacle>(zero)) {
    case ZeroObstacle::biased_beside_dummy:
      section.fail("weights", "is \"biased\" beside column.dummy_column",
                   "the column takes off what digital logic would",
                   "write \"offset\", or leave out column.dummy_column");
    case ZeroObstacle::offset_beside_dummy:
      section.fail("subtraction", "is \"digital\" beside column.dummy_column",
                   "that takes the current off before the converter",
                   "leave out column.dummy_column, or write subtraction = \"analog\"");
    case ZeroObstacle::offset_without_dummy:
      section.fail("weights", "is \"offset\" without a dummy column",
                   "half of the range is to be taken off", "write column.dummy_column = true");
    case ZeroObstacle::offset_follows_rows:
      section.fail("weights", "is \"offset\" with references that follow the active rows",
                   "their codes are LRS counts already",
                   "write weights = \"twos_complement\", or references = \"uniform\"");
  }
}

/// Weighted counts ask for columns whose codes follow from them, and their laws are computed.
void check_weighted_reads(const core::SectionReader& section, const Experiment& experiment) {
  const ArrayOptions& array = experiment.accuracy.array;
  const auto demand = count_demand(array);
  if (!demand) return;
  const std::string problem = fmt::format("{} can't be had of this column", demand->what);
  if (const auto obstacle = circuits::weighted_count_obstacle(experiment.macro.design,
                                                              cell_values(array), demand->others)) {
    section.fail(demand->key, problem, obstacle->why, obstacle->remedy);
  }
  const Method method = experiment.table.method;
  if (method == Method::measured || method == Method::monte_carlo) {
    section.fail(demand->key, problem, "its codes are computed, and table.method asks for others",
                 fmt::format("write table.method = \"auto\", or {}", demand->others));
  }
}

/// All but the texts of the configuration.
Experiment read_sections(const core::Config& config) {
  const core::SectionReader root(config, experiment_file());
  Experiment experiment;
  experiment.name = root.text("name");
  experiment.seed = root.count("seed");
  experiment.macro = read_macro(root);
  const std::uint32_t rows = experiment.macro.design.rows;
  experiment.table = read_table_settings(root.section("table"), rows);
  experiment.margin = read_margin_settings(root.section("margin"), rows);
  experiment.columns = read_columns_settings(root.section("columns"), rows);
  experiment.wires = read_wires_settings(root, rows);
  experiment.accuracy = read_accuracy_settings(root.section("accuracy"), rows);
  place_zero(root.section("accuracy"), experiment.macro, experiment.accuracy);
  check_weighted_reads(root.section("accuracy"), experiment);
  config.expect("sweep", {});
  if (config.has("sweep")) read_sweep_section(root.section("sweep"));
  config.finish();
  return experiment;
}

}  // namespace

Experiment read_experiment(const core::Config& config) {
  Experiment experiment = read_sections(config);
  config.leave_out("sweep");
  config.leave_out("wires");
  experiment.config_toml = config.canonical();
  config.leave_out("columns");
  experiment.accuracy_toml = config.canonical();
  for (const std::string_view other : {"accuracy", "margin"}) config.leave_out(other);
  experiment.table_toml = config.canonical();
  for (const std::string_view other : {"table", "name", "seed"}) config.leave_out(other);
  experiment.macro_toml = config.canonical();
  return experiment;
}

std::string columns_toml(const Experiment& experiment) {
  const core::Config config =
      core::Config::from_text(experiment.config_toml, "resolved configuration");
  read_sections(config);
  for (const std::string_view other : {"accuracy", "margin", "wires"}) config.leave_out(other);
  return config.canonical();
}

}  // namespace cimstat::experiments
