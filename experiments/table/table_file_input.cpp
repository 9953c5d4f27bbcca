#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"
#include "core/file/provenance.h"

#include "circuits/bit_line/line_reading.h"
#include "circuits/weights/code_difference.h"

#include "experiments/result_header.h"
#include "experiments/table/table_derived.h"
#include "experiments/table/table_file.h"
#include "experiments/table/table_stopping.h"

namespace cimstat::experiments {

namespace {

using circuits::ColumnClass;
using circuits::ErrorTable;
using circuits::TableMethod;

constexpr std::int64_t table_schema_minor = states_schema_minor;  // the latest that it knows
constexpr std::uint64_t class_limit = 1'000'000;
constexpr std::uint64_t code_limit = 65'536;
constexpr std::uint64_t entry_limit = std::uint64_t{1} << 27;  // what make_table makes
constexpr double reference_tolerance = 1e-9;                   // of another machine's mathematics
constexpr double sum_tolerance = 1e-6;
constexpr std::string_view again = "make the table again";

bool has_target(const ResultHeader& header, TableMethod method) {
  const TableSettings& settings = header.experiment.table;
  return method == TableMethod::monte_carlo && settings.method != Method::measured &&
         settings.target_relative_error;
}

void check_members(const core::Hdf5Input& file, const ResultHeader& header, TableMethod method) {
  const bool exact = method == TableMethod::exact;
  std::vector<std::string> members = {
      "class",           "code",        "active_rows",
      "ideal",           "mac_value",   "probability",
      "lower",           "upper",       "reference",
      "reference_index", "ladder_rows", exact ? "error_bound" : "counts"};
  if (header.experiment.macro.design.row_states.empty()) {
    members.emplace_back("lrs_count");
  } else {
    for (const char* name : {"state", "state_value", "state_count", "class_value"}) {
      members.emplace_back(name);
    }
  }
  const std::string_view other = exact ? "/counts" : "/error_bound";
  if (file.has(other)) {
    file.fail(other, "has no place in this table",
              fmt::format("its method is {}", exact ? "exact" : "monte_carlo"), again);
  }
  std::vector<std::string> attributes =
      header_attributes({"content_sha256", "method", "method_reason"});
  if (header.schema_minor >= stopping_schema_minor) {
    for (const std::string& name : stopping_datasets()) {
      if (!has_target(header, method) && file.has("/" + name)) {
        file.fail("/" + name, "has no place in this table",
                  "it was not sampled until a target_relative_error", again);
      }
      members.push_back(name);
    }
    for (const std::string& name : stopping_attributes()) attributes.push_back(name);
  }
  file.require_known("/", members, attributes);
}

std::vector<std::uint32_t> read_key(const core::Hdf5Input& file, std::string_view path,
                                    std::uint64_t size, std::uint64_t limit) {
  require_units(file, path, "1");
  const core::Shape64 shape = file.shape(path);
  if (shape != core::Shape64{size}) {
    file.fail(path, "does not go with the class axis of /probability",
              fmt::format("shape {} instead of {}", core::shape_text(shape), size), again);
  }
  std::vector<std::uint32_t> key;
  key.reserve(size);
  for (const std::uint64_t value : file.unsigneds(path, size)) {
    if (value > limit) {
      file.fail(path, fmt::format("{} is out of range", value), fmt::format("0 to {}", limit),
                again);
    }
    key.push_back(static_cast<std::uint32_t>(value));
  }
  return key;
}

/// Follows from the configuration, and is checked against it.
void read_states(const core::Hdf5Input& file, ErrorTable& table, const Experiment& experiment) {
  const circuits::RowStates& rows = experiment.macro.design.row_states;
  const std::vector<ColumnClass> expected = experiment.classes();
  const auto contradiction = [&](std::string_view path, std::string_view what) {
    file.fail(path, fmt::format("contradicts config_toml: {}", what), {}, again);
  };
  std::vector<std::int64_t> values;
  for (const auto& state : rows.states) values.push_back(state.value);
  require_units(file, "/state_value", "1");
  if (file.shape("/state_value") != core::Shape64{values.size()} ||
      file.integers("/state_value", values.size()) != values) {
    contradiction("/state_value", "other states of a row");
  }
  table.state_values.assign(values.begin(), values.end());
  require_units(file, "/state_count", "1");
  if (file.shape("/state_count") != core::Shape64{expected.size(), values.size()}) {
    contradiction("/state_count", "another number of classes or states");
  }
  const auto counts = file.unsigneds("/state_count", expected.size() * values.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (std::size_t state = 0; state < values.size(); ++state) {
      if (counts[i * values.size() + state] == expected[i].states[state]) continue;
      contradiction("/state_count", fmt::format("class {}, state {}", i, state));
    }
  }
  table.classes = expected;
  const std::vector<std::uint32_t> active =
      read_key(file, "/active_rows", expected.size(), circuits::row_limit);
  require_units(file, "/class_value", "1");
  if (file.shape("/class_value") != core::Shape64{expected.size()}) {
    contradiction("/class_value", "another number of classes");
  }
  const std::vector<std::int64_t> value = file.integers("/class_value", expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (active[i] != expected[i].active_rows)
      contradiction("/active_rows", fmt::format("class {}", i));
    if (value[i] != table.mac_value(i)) contradiction("/class_value", fmt::format("class {}", i));
  }
}

void read_classes(const core::Hdf5Input& file, ErrorTable& table, std::uint64_t classes) {
  const auto lrs = read_key(file, "/lrs_count", classes, circuits::row_limit);
  const auto active = read_key(file, "/active_rows", classes, circuits::row_limit);
  for (std::size_t i = 0; i < classes; ++i) {
    if (lrs[i] > active[i]) {
      file.fail("/lrs_count", fmt::format("class {} has more LRS cells than active rows", i),
                fmt::format("{} of {}", lrs[i], active[i]), again);
    }
    if (i > 0 && std::pair(active[i], lrs[i]) <= std::pair(active[i - 1], lrs[i - 1])) {
      file.fail("/active_rows", fmt::format("class {} is out of order", i),
                "classes ascend in active_rows, then lrs_count", again);
    }
    table.classes.push_back({lrs[i], active[i]});
  }
}

void read_code_axis(const core::Hdf5Input& file, ErrorTable& table) {
  require_units(file, "/mac_value", "1");
  table.code_step = file.number_attribute("/mac_value", "step");
  table.code_origin = file.number_attribute("/mac_value", "origin");
  if (!(table.code_step > 0.0 && std::isfinite(table.code_step) &&
        std::isfinite(table.code_origin))) {
    file.fail("/mac_value", "attribute 'step' or 'origin' is no usable number",
              fmt::format("step {}, origin {}; a positive and a finite one are needed",
                          table.code_step, table.code_origin),
              again);
  }
}

void check_rows(const core::Hdf5Input& file, const ErrorTable& table) {
  for (std::size_t row = 0; row < table.size(); ++row) {
    double sum = 0.0;
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      const double value = table.row(row)[code];
      if (!(value >= 0.0 && value <= 1.0)) {
        file.fail("/probability", fmt::format("{} is no probability", value),
                  fmt::format("class {}, code {}", row, code), again);
      }
      sum += value;
    }
    if (std::abs(sum - 1.0) > sum_tolerance) {
      file.fail("/probability", fmt::format("class {} sums to {} instead of 1", row, sum), {},
                again);
    }
  }
}

/// The trials of a class are those of the configuration; with a target, at the most; what was
/// measured has its own.
void read_counts(const core::Hdf5Input& file, ErrorTable& table, const TableSettings& settings) {
  constexpr std::uint64_t any = std::uint64_t{1} << 47;  // 65,536 of them can be added up
  const bool measured = settings.method == Method::measured;
  const std::uint64_t most = measured ? any : settings.trials;
  require_units(file, "/counts", "1");
  if (file.shape("/counts") != core::Shape64{table.size(), table.codes}) {
    file.fail("/counts", "its shape is not that of /probability", {}, again);
  }
  table.counts = file.unsigneds("/counts", entry_limit);
  for (std::size_t row = 0; row < table.size(); ++row) {
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      const std::uint64_t count = table.counts[row * table.codes + code];
      if (count > most) {
        file.fail("/counts", fmt::format("{} is more than the trials of a class", count),
                  fmt::format("class {}, code {}: {} trials in config_toml", row, code, most),
                  again);
      }
    }
    const std::uint64_t sum = table.trials(row);
    const std::uint64_t trials = settings.target_relative_error || measured ? sum : most;
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      const std::uint64_t count = table.counts[row * table.codes + code];
      const double share = static_cast<double>(count) / static_cast<double>(trials);
      if (!(std::abs(table.row(row)[code] - share) <= 1e-12)) {
        file.fail("/probability", "contradicts /counts",
                  fmt::format("class {}, code {}: {} instead of {}", row, code,
                              table.row(row)[code], share),
                  again);
      }
    }
    if (sum != trials || sum > most) {
      file.fail("/counts", fmt::format("class {} has {} trials", row, sum),
                fmt::format("{} in config_toml", most), again);
    }
  }
}

void read_bounds(const core::Hdf5Input& file, ErrorTable& table) {
  require_units(file, "/error_bound", "1");
  if (file.shape("/error_bound") != core::Shape64{table.size()}) {
    file.fail("/error_bound", "its length is not that of the class axis", {}, again);
  }
  table.error_bound = file.doubles("/error_bound", class_limit);
  for (std::size_t row = 0; row < table.size(); ++row) {
    const double bound = table.error_bound[row];
    if (!(bound >= 0.0 && std::isfinite(bound))) {
      file.fail("/error_bound", fmt::format("{} is no bound", bound), fmt::format("class {}", row),
                again);
    }
  }
}

void check_against_design(const core::Hdf5Input& file, const ErrorTable& table,
                          const Experiment& experiment) {
  const circuits::ColumnDesign& design = experiment.macro.design;
  const auto contradiction = [&](std::string_view path, std::string_view problem,
                                 const std::string& why) {
    file.fail(path, fmt::format("contradicts config_toml: {}", problem), why, again);
  };
  const circuits::Ladder ladder = circuits::table_ladder(design);
  const bool exact = table.method == TableMethod::exact;
  const bool measured = file.text_attribute("/", "method") == "measured";
  if (measured != (experiment.table.method == Method::measured)) {
    contradiction("/", "another method", measured ? "measured" : "computed");
  }
  if (experiment.table.method == (exact ? Method::monte_carlo : Method::exact)) {
    contradiction("/", "another method", exact ? "exact" : "monte_carlo");
  }
  if (table.codes != ladder.codes) {
    contradiction("/probability", "another number of codes",
                  fmt::format("{} instead of {}", table.codes, ladder.codes));
  }
  if (table.classes.back().active_rows > design.rows) {
    contradiction("/active_rows", "more rows than the column has",
                  fmt::format("{} of {}", table.classes.back().active_rows, design.rows));
  }
  if (table.classes != experiment.classes()) {
    contradiction("/active_rows", "other classes than table.active_rows asks for", {});
  }
  if (table.code_step != ladder.code_step || table.code_origin != ladder.code_origin) {
    contradiction("/mac_value", "another step or origin",
                  fmt::format("step {}, origin {} instead of {}, {}", table.code_step,
                              table.code_origin, ladder.code_step, ladder.code_origin));
  }
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::uint32_t ideal = ladder.ideal_code(table.mac_value(i));
    if (table.ideal_code[i] != ideal) {
      contradiction("/ideal", "another ideal code",
                    fmt::format("class {}: {} instead of {}", i, table.ideal_code[i], ideal));
    }
  }
}

void check_references(const core::Hdf5Input& file, const circuits::ColumnDesign& design) {
  require_units(file, "/reference", reading_unit(design));
  const circuits::Ladder& ladder = design.ladder;
  core::Shape64 shape = {ladder.codes - 1};
  if (ladder.follows_active_rows) shape.insert(shape.begin(), design.rows + 1);
  if (file.shape("/reference") != shape) {
    file.fail("/reference", "its shape is not that of the references in config_toml",
              fmt::format("{} instead of {}", core::shape_text(file.shape("/reference")),
                          core::shape_text(shape)),
              again);
  }
  const std::vector<double> references = file.doubles("/reference", ladder.references.size());
  for (std::size_t i = 0; i < references.size(); ++i) {
    const double expected = ladder.references[i];
    if (!(std::abs(references[i] - expected) <= reference_tolerance * std::abs(expected))) {
      file.fail("/reference", "contradicts config_toml",
                fmt::format("value {}: {} A instead of {} A", i, references[i], expected), again);
    }
  }
}

TableMethod read_method(const core::Hdf5Input& file) {
  const std::string method = file.text_attribute("/", "method");
  if (method == "monte_carlo") return TableMethod::monte_carlo;
  if (method == "exact") return TableMethod::exact;
  if (method == "measured") {
    return file.has("/counts") ? TableMethod::monte_carlo : TableMethod::exact;
  }
  file.fail("/", fmt::format("method '{}' is not known", method), "exact, monte_carlo or measured",
            again);
}

}  // namespace

TableRecord read_table(const std::filesystem::path& path) {
  const core::Hdf5Input file(path);
  const ResultHeader header = read_result_header(file, table_filetype, table_schema_minor);
  TableRecord record;
  record.name = header.title;
  record.config_toml = header.config_toml;
  record.source = header.source;
  record.rng = header.rng;
  record.seed = header.seed;
  record.confidence = header.confidence;
  record.reason = file.text_attribute("/", "method_reason");
  record.content_sha256 = file.text_attribute("/", "content_sha256");

  ErrorTable& table = record.table;
  table.method = read_method(file);
  if (header.is_known_version) check_members(file, header, table.method);
  const core::Shape64 shape = file.shape("/probability");
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 2 || shape[0] > class_limit ||
      shape[1] > code_limit || shape[0] * shape[1] > entry_limit) {
    file.fail("/probability", "is not a [class, code] array of a size that a table can have",
              fmt::format("{}; {} classes, {} codes and {} entries at most",
                          core::shape_text(shape), class_limit, code_limit, entry_limit),
              again);
  }
  table.codes = static_cast<std::uint32_t>(shape[1]);
  if (header.experiment.macro.design.row_states.empty()) {
    read_classes(file, table, shape[0]);
  } else {
    read_states(file, table, header.experiment);
    if (shape[0] != table.size()) {
      file.fail("/probability", "contradicts config_toml: another number of classes",
                fmt::format("{} instead of {}", shape[0], table.size()), again);
    }
  }
  table.ideal_code = read_key(file, "/ideal", shape[0], table.codes - 1);
  read_code_axis(file, table);
  const Experiment& experiment = header.experiment;
  check_against_design(file, table, experiment);
  check_references(file, experiment.macro.design);
  require_units(file, "/probability", "1");
  table.probability = file.doubles("/probability", entry_limit);
  check_rows(file, table);
  if (table.method == TableMethod::monte_carlo) {
    read_counts(file, table, experiment.table);
    if (has_target(header, table.method)) read_stopping(file, header, table);
  } else {
    read_bounds(file, table);
  }
  check_what_follows(file, header, table);
  if (content_hash(table, record.config_toml) != record.content_sha256) {
    file.fail("/", "content_sha256 is not that of the keys, counts and configuration",
              "damaged or edited", again);
  }
  return record;
}

}  // namespace cimstat::experiments
