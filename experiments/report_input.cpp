#include "experiments/report_input.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/provenance.h"

#include "circuits/bit_line/line_reading.h"
#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"
#include "circuits/weights/row_classes.h"

#include "experiments/accuracy_conditions.h"
#include "experiments/counted.h"
#include "experiments/macro/macro_text.h"
#include "experiments/macro/setting_text.h"
#include "experiments/margin/margin.h"
#include "experiments/margin/margin_by_rows.h"
#include "experiments/table/table_stopping.h"

namespace cimstat::experiments {

namespace {

constexpr std::size_t density_points = 320;
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

MisreadPoint misread_point(const circuits::ErrorTable& table, std::size_t row,
                           const IntervalChoice& intervals) {
  MisreadPoint point{.level = table.mac_value(row), .rate = table.misread(row)};
  if (table.method == circuits::TableMethod::exact) {
    const core::Interval bounds = misread_bounds(table, row);
    point.lower = bounds.lower;
    point.upper = bounds.upper;
    point.basis = MisreadBasis::computed;
    return point;
  }
  const core::Interval interval = misread_estimate(table, row, intervals).interval;
  point.lower = interval.lower;
  point.upper = interval.upper;
  point.basis = table.misreads(row) == 0 ? MisreadBasis::none_seen : MisreadBasis::sampled;
  return point;
}

/// Where a level of the table stands, which has it.
std::size_t row_of(const circuits::ErrorTable& table, const MarginLevel& level) {
  return table.find(level.column_class).value();
}

/// Rows of zeros stand for MAC values between others that no rows have.
ConfusionMap confusion_of(const circuits::ErrorTable& table, const std::vector<MarginLevel>& levels,
                          const IntervalChoice& intervals) {
  ConfusionMap map;
  map.first = levels.front().value;
  std::int64_t step = 0;
  for (const MarginLevel& level : levels) step = std::gcd(step, level.value - map.first);
  map.step = std::max<std::int64_t>(step, 1);
  map.levels = static_cast<std::uint32_t>((levels.back().value - map.first) / map.step + 1);
  map.codes = table.codes;
  const bool exact = table.method == circuits::TableMethod::exact;
  const std::size_t entries = std::size_t{map.levels} * map.codes;
  map.probability.assign(entries, 0.0);
  map.ideal.assign(map.levels, 0);
  if (exact) map.error_bound.assign(map.levels, 0.0);
  if (!exact) map.lower.assign(entries, 0.0);
  if (!exact) map.upper.assign(entries, 0.0);
  for (const MarginLevel& level : levels) {
    const std::size_t row = row_of(table, level);
    const auto at = static_cast<std::size_t>((level.value - map.first) / map.step);
    std::copy_n(table.row(row), map.codes, map.probability.data() + at * map.codes);
    map.ideal[at] = table.ideal_code[row];
    if (exact) {
      map.error_bound[at] = table.error_bound[row];
      continue;
    }
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      const core::Interval interval = entry_estimate(table, row, code, intervals).interval;
      map.lower[at * map.codes + code] = interval.lower;
      map.upper[at * map.codes + code] = interval.upper;
    }
  }
  return map;
}

std::vector<NamedText> modelled_by(const Macro& macro) {
  std::vector<NamedText> parts;
  for (const MacroLine& line : macro_lines(macro)) {
    std::string part = line.part;
    part[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(part[0])));
    parts.emplace_back(std::move(part), typeset(line.text));
  }
  return parts;
}

std::vector<NamedText> provenance_of(const TableRecord& record,
                                     const std::vector<NamedAccuracy>& accuracy) {
  const circuits::ErrorTable& table = record.table;
  std::vector<NamedText> facts = {
      {"configuration", record.name},
      {"figures computed by", record.source},
      {"page made by", core::source_text()},
      {"method", record.reason},
      {"table", fmt::format("{} x {}", counted(table.size(), "class", "classes"),
                            counted(table.codes, "code"))},
      {"confidence of all intervals", fmt::format("{:g} %", 100.0 * record.confidence)},
      {"random numbers", record.rng},
      {"seed", std::to_string(record.seed)},
      {"configuration SHA-256", core::sha256(record.config_toml)},
      {"content SHA-256", record.content_sha256}};
  const std::vector<ConditionName> names = condition_names(accuracy, record.content_sha256);
  for (std::size_t index = 0; index < accuracy.size(); ++index) {
    const AccuracyRecord& result = accuracy[index].record;
    const std::string figures =
        fmt::format("{} on {}: {} x {}, {} an image; table {}", result.network, result.data_set,
                    counted(result.result.images(), "image"), counted(result.result.reads, "read"),
                    counted(result.result.partial_sums, "partial sum"),
                    result.result.chips > 0 ? "none" : result.table_sha256.substr(0, 16));
    if (accuracy.size() == 1) {
      facts.emplace_back("accuracy", fmt::format("{}; {}", names[index].detail, figures));
    } else {
      facts.emplace_back(
          fmt::format("accuracy, condition {}", index + 1),
          fmt::format("{}; {}; {}", names[index].label, names[index].detail, figures));
    }
  }
  return facts;
}

/// The numbers of active rows of which the table has every level, ascending, with these.
std::map<std::uint32_t, std::vector<std::size_t>> whole_rows(const circuits::ErrorTable& table,
                                                             const circuits::ColumnDesign& design) {
  std::vector<std::uint32_t> numbers;
  for (const circuits::ColumnClass& one : table.classes) {
    const std::uint32_t n = one.active_rows;
    if (n == 0 || (!numbers.empty() && numbers.back() == n)) continue;
    if (!design.row_states.empty() && n > circuits::typical_row_limit) break;
    numbers.push_back(n);
  }
  std::map<std::uint32_t, std::vector<std::size_t>> rows;
  std::set<std::uint32_t> partial;
  for (const circuits::ColumnClass& one :
       circuits::classes_of(design, numbers, circuits::Compositions::typical)) {
    const auto row = table.find(one);
    if (row) {
      rows[one.active_rows].push_back(*row);
    } else {
      partial.insert(one.active_rows);
    }
  }
  for (const std::uint32_t n : partial) rows.erase(n);
  return rows;
}

/// So many classes are shown at the most: more would make a page that nobody opens.
constexpr std::size_t shown_classes = 9000;

std::uint32_t step_for(std::size_t classes) {
  std::uint32_t step = 1;
  while (classes / (std::size_t{step} * step) > shown_classes) ++step;
  return step;
}

ActiveRowsFigures::Margin margin_of(const LeastMargin& least) {
  return {least.value, least.level, least.next};
}

void add_active_rows(ReportInput& input, const TableRecord& record, const Experiment& experiment,
                     const IntervalChoice& intervals, core::Threads threads) {
  const circuits::ErrorTable& table = record.table;
  const auto tabled = whole_rows(table, experiment.macro.design);
  std::size_t classes = 0;
  std::int64_t lowest = 0;
  for (const auto& [n, levels] : tabled) {
    classes += levels.size();
    lowest = std::min(lowest, table.mac_value(levels.front()));
  }
  const std::uint32_t step = input.map_step = step_for(classes);
  const std::uint32_t rows = experiment.macro.design.rows;
  // From the last one down, so that the whole macro is there; and the one that the page is about.
  std::vector<std::uint32_t> quantile_rows;
  const std::size_t values = experiment.macro.design.row_states.empty()
                                 ? 1
                                 : tabled.rbegin()->second.size() / tabled.rbegin()->first;
  const std::uint32_t quantile_step = step_for(values * rows * rows / 2);
  for (std::uint32_t n = 1; n <= rows; ++n) {
    if ((rows - n) % quantile_step == 0 || n == input.active_rows) quantile_rows.push_back(n);
  }
  const auto add = [&](ActiveRowsFigures figures) {
    const std::uint32_t n = figures.active_rows;
    const auto found = tabled.find(n);
    if (found != tabled.end() && (n - tabled.begin()->first) % step == 0) {
      for (const std::size_t row : found->second) {
        if ((table.mac_value(row) - lowest) % step != 0) continue;
        figures.misread.push_back(misread_point(table, row, intervals));
      }
    }
    input.by_active_rows.push_back(std::move(figures));
  };
  if (experiment.macro.design.row_states.is_digital()) {
    for (std::uint32_t n = 1; n <= rows; ++n) {
      ActiveRowsFigures figures;
      figures.active_rows = n;
      add(std::move(figures));
    }
    return;
  }
  for (const RowsMargins& margins : margins_by_rows(experiment, quantile_rows, threads)) {
    add({.active_rows = margins.active_rows,
         .misread = {},
         .input_aware = margin_of(margins.input_aware),
         .pattern = margin_of(margins.pattern),
         .quantile = margin_of(margins.quantile)});
  }
}

/// What a MAC value stands for where many classes do.
std::string level_note(const std::vector<MarginLevel>& levels, std::string_view more) {
  double least = 1.0;
  for (const MarginLevel& level : levels) least = std::min(least, level.weight);
  return fmt::format(
      "A MAC value stands for its typical class, the most probable numbers of rows in each state: "
      "{:.3g} of its probability or more. {}",
      least, more);
}

/// What references of as many codes are placed without a search: midpoints where each code is a MAC
/// value, else evenly spaced ones. Nothing where there are none of so many codes.
std::optional<std::pair<std::string, circuits::Ladder>> plain_references(const Macro& macro) {
  const circuits::Ladder& ladder = macro.design.ladder;
  const circuits::RowStates& states = macro.design.row_states;
  const double lowest = states.empty() ? 0.0 : double(macro.reference_rows) * states.lowest();
  const bool own_codes =
      ladder.codes == circuits::code_per_value(macro.design, macro.reference_rows) &&
      ladder.code_step == 1.0 && ladder.code_origin == lowest;
  if (ladder.follows_active_rows) {
    if (!own_codes) return std::nullopt;
    return std::pair("replica", circuits::replica_ladder(macro.design, macro.reference_rows));
  }
  if (own_codes) {
    return std::pair("midpoint", circuits::midpoint_ladder(macro.design, macro.reference_rows));
  }
  return std::pair("uniform",
                   circuits::uniform_ladder(macro.design, macro.reference_rows, ladder.codes));
}

/// Computed by the exact engine, where it can.
std::optional<ReferenceComparison> comparison_of(const Experiment& experiment,
                                                 const std::vector<MarginLevel>& levels,
                                                 const IntervalChoice& intervals,
                                                 core::Threads threads) {
  const Macro& macro = experiment.macro;
  if (macro.placement != circuits::Placement::listed) return std::nullopt;
  auto plain = plain_references(macro);
  if (!plain) return std::nullopt;
  circuits::ColumnDesign design = macro.design;
  design.ladder = std::move(plain->second);
  circuits::ErrorTable table;
  table.codes = design.ladder.codes;
  for (const MarginLevel& level : levels) {
    table.classes.push_back(level.column_class);
    table.ideal_code.push_back(design.ladder.ideal_code(level.value));
  }
  for (const auto& state : design.row_states.states) table.state_values.push_back(state.value);
  try {
    circuits::ExactProbabilities exact =
        circuits::exact_probabilities(design, table.classes, {}, threads);
    table.probability = std::move(exact.probability);
    table.error_bound = std::move(exact.error_bound);
  } catch (const circuits::ExactObstacle&) {
    return std::nullopt;
  }
  ReferenceComparison comparison{.name = plain->first, .references = {}, .misread = {}};
  const auto references = design.ladder.at(levels.front().column_class.active_rows);
  comparison.references.assign(references.begin(), references.end());
  for (std::size_t row = 0; row < table.size(); ++row) {
    comparison.misread.push_back(misread_point(table, row, intervals));
    comparison.mean_misread += table.misread(row) / static_cast<double>(table.size());
  }
  return comparison;
}

}  // namespace

std::uint32_t default_active_rows(const circuits::ErrorTable& table) {
  constexpr std::uint32_t readable = 16;
  std::uint32_t chosen = 0;
  for (const auto& [k, n, states] : table.classes) {
    if (n >= 1 && (chosen == 0 || n <= readable)) chosen = std::max(chosen, n);
    if (chosen > readable) break;  // classes ascend: only larger ones follow
  }
  return chosen;
}

ReportInput report_input(const TableRecord& record, const std::vector<NamedAccuracy>& accuracy,
                         std::uint32_t active_rows, const IntervalChoice& intervals,
                         core::Threads threads) {
  Experiment experiment =
      read_experiment(core::Config::from_text(record.config_toml, "configuration of the table"));
  const circuits::ColumnDesign& design = experiment.macro.design;
  const std::vector<MarginLevel> levels = margin_levels(design, active_rows, "--active-rows");
  for (const MarginLevel& level : levels) {
    if (active_rows == 0 || !record.table.find(level.column_class)) {
      throw core::UsageError(core::error_line(
          "--active-rows",
          fmt::format("the table has no levels to show at {}", counted(active_rows, "active row")),
          "one active row or more, with all its classes, is needed",
          "choose another number, or make the table with it in table.active_rows"));
    }
  }
  experiment.margin.active_rows = active_rows;
  ReportInput input;
  input.title = record.name;
  input.modelled = modelled_by(experiment.macro);
  input.provenance = provenance_of(record, accuracy);
  input.program = record.source;
  input.content_hash = record.content_sha256;
  input.how_sure = record.reason;
  if (record.table.guaranteed) input.how_sure += "; " + stopping_summary(record.table);
  input.intervals = interval_text(intervals);
  input.rows = experiment.macro.design.rows;
  input.active_rows = active_rows;
  input.confidence = record.confidence;
  input.sigmas = experiment.margin.sigmas;
  input.tail_probability = experiment.margin.tail_probability;
  input.config_toml = record.config_toml;
  input.accuracy = accuracy_conditions(accuracy, record.content_sha256);
  input.unit = circuits::reading_unit(design);
  input.quantity = input.unit == "A" ? "current" : "voltage";
  const bool is_digital = design.row_states.is_digital();
  if (!design.row_states.empty()) {
    input.level_note =
        level_note(levels, is_digital ? "Codes are differences of the codes of two columns."
                                      : "Pattern margins are over all classes.");
  }
  input.confusion = confusion_of(record.table, levels, intervals);
  add_active_rows(input, record, experiment, intervals, threads);
  for (const MarginLevel& level : levels) {
    const std::size_t row = row_of(record.table, level);
    input.misread.push_back(misread_point(record.table, row, intervals));
    const std::uint64_t trials = record.table.trials(row);
    if (&level == &levels.front() || trials < input.trials) input.trials = trials;
    input.most_trials = std::max(input.most_trials, trials);
  }
  if (is_digital) return input;  // what follows is about what one converter sees
  const auto references = experiment.macro.design.ladder.at(active_rows);
  input.references.assign(references.begin(), references.end());
  std::vector<Density> densities = level_densities(experiment, active_rows, density_points);
  for (std::size_t k = 0; k < levels.size(); ++k) {
    input.distributions.push_back({.label = fmt::format("{}", levels[k].value),
                                   .level = levels[k].value,
                                   .current = std::move(densities[k].current),
                                   .density = std::move(densities[k].density)});
  }
  const MarginResult margins = measure_margins(experiment, record.table, threads);
  for (std::size_t k = 0; k < levels.size(); ++k) {
    const LevelFigures& level = margins.levels[k];
    const bool last = k + 1 == levels.size();
    const GapFigures gap = last ? GapFigures{.level = level.level,
                                             .next = level.level + 1,
                                             .input_aware = missing,
                                             .pattern = missing,
                                             .quantile = missing,
                                             .overlap = missing}
                                : margins.gaps[k];
    input.margins.push_back({.level = level.level,
                             .mean = level.mean,
                             .sd = level.sd,
                             .low_quantile = level.low_quantile,
                             .high_quantile = level.high_quantile,
                             .input_aware_margin = gap.input_aware,
                             .pattern_margin = gap.pattern,
                             .quantile_margin = gap.quantile,
                             .overlap = gap.overlap,
                             .misread = input.misread[k],
                             .next = gap.next});
  }
  input.before = comparison_of(experiment, levels, intervals, threads);
  if (input.before) {
    for (const MisreadPoint& point : input.misread) {
      input.before->mean_misread_after += point.rate / static_cast<double>(input.misread.size());
    }
  }
  return input;
}

}  // namespace cimstat::experiments
