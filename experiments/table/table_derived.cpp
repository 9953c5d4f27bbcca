#include "experiments/table/table_derived.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "core/statistics/statistics.h"

#include "circuits/bit_line/line_reading.h"

namespace cimstat::experiments {

namespace {

using circuits::ErrorTable;
using circuits::TableMethod;

constexpr double tolerance = 1e-9;  // of another machine's mathematics
constexpr std::string_view again = "make the table again";

bool is_close(double found, double expected) {
  return std::abs(found - expected) <= tolerance * std::abs(expected);
}

std::vector<DatasetForm> forms_of(const ErrorTable& table, const circuits::ColumnDesign& design) {
  const circuits::Ladder& ladder = design.ladder;
  std::vector<DatasetForm> forms;
  for (const char* path : {"/class", "/code", "/active_rows", "/ideal", "/reference_index"}) {
    forms.push_back({path, "uint32"});
  }
  if (table.state_values.empty()) {
    forms.push_back({"/lrs_count", "uint32"});
  } else {
    for (const char* path : {"/state", "/state_count"}) forms.push_back({path, "uint32"});
    for (const char* path : {"/state_value", "/class_value"}) forms.push_back({path, "int32"});
  }
  if (ladder.follows_active_rows) forms.push_back({"/ladder_rows", "uint32"});
  forms.push_back({"/mac_value", "float64", "1", {"step", "origin"}});
  forms.push_back({"/probability", "float64"});
  for (const char* path : {"/lower", "/upper"})
    forms.push_back({path, "float64", "1", {"comment"}});
  forms.push_back({"/reference", "float64", reading_unit(design)});
  if (table.method == TableMethod::monte_carlo) {
    forms.push_back({"/counts", "uint64"});
  } else {
    forms.push_back({"/error_bound", "float64"});
  }
  return forms;
}

void check_axes(const core::Hdf5Input& file, const ErrorTable& table,
                const circuits::ColumnDesign& design) {
  require_index_axis(file, "/class", table.size());
  require_index_axis(file, "/code", table.codes);
  if (!table.state_values.empty()) require_index_axis(file, "/state", table.state_values.size());
  require_index_axis(file, "/reference_index", design.ladder.codes - 1);
  if (design.ladder.follows_active_rows) {
    require_index_axis(file, "/ladder_rows", design.rows + std::uint64_t{1});
  } else if (file.has("/ladder_rows")) {
    file.fail("/ladder_rows", "has no place in this table",
              "its references are the same for all numbers of active rows", again);
  }
}

void check_mac_values(const core::Hdf5Input& file, const ErrorTable& table) {
  if (file.shape("/mac_value") != core::Shape64{table.codes}) {
    file.fail(
        "/mac_value", "its length is not that of the code axis",
        fmt::format("{} instead of {}", core::shape_text(file.shape("/mac_value")), table.codes),
        again);
  }
  const std::vector<double> values = file.doubles("/mac_value", table.codes);
  for (std::uint32_t code = 0; code < table.codes; ++code) {
    const double expected = table.code_origin + table.code_step * code;
    if (!is_close(values[code], expected)) {
      file.fail("/mac_value", "contradicts its attributes step and origin",
                fmt::format("code {}: {} instead of {}", code, values[code], expected), again);
    }
  }
}

void check_ends(const core::Hdf5Input& file, std::string_view path, const ErrorTable& table,
                const std::vector<double>& expected) {
  if (file.shape(path) != core::Shape64{table.size(), table.codes}) {
    file.fail(path, "its shape is not that of /probability",
              fmt::format("{} instead of {} x {}", core::shape_text(file.shape(path)), table.size(),
                          table.codes),
              again);
  }
  const std::vector<double> found = file.doubles(path, expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (is_close(found[i], expected[i])) continue;
    const bool exact = table.method == TableMethod::exact;
    file.fail(path,
              exact ? "contradicts /probability and /error_bound"
                    : "contradicts /counts and confidence_level",
              fmt::format("class {}, code {}: {} instead of {}", i / table.codes, i % table.codes,
                          found[i], expected[i]),
              again);
  }
}

}  // namespace

TableBounds interval_bounds(const ErrorTable& table, double confidence) {
  TableBounds bounds;
  bounds.lower.reserve(table.probability.size());
  bounds.upper.reserve(table.probability.size());
  if (table.method == TableMethod::exact) {
    for (std::size_t i = 0; i < table.probability.size(); ++i) {
      const double bound = table.error_bound[i / table.codes];
      bounds.lower.push_back(std::max(table.probability[i] - bound, 0.0));
      bounds.upper.push_back(std::min(table.probability[i] + bound, 1.0));
    }
    return bounds;
  }
  // Most entries are 0 or one of few counts, and a beta quantile is dear.
  std::unordered_map<std::uint64_t, core::Interval> known;
  std::uint64_t known_trials = 0;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const std::uint64_t trials = table.trials(row);
    if (trials != known_trials) known.clear();
    known_trials = trials;
    for (std::size_t code = 0; code < table.codes; ++code) {
      const std::uint64_t count = table.counts[row * table.codes + code];
      auto place = known.find(count);
      if (place == known.end()) {
        place = known.emplace(count, core::clopper_pearson(count, trials, confidence)).first;
      }
      bounds.lower.push_back(place->second.lower);
      bounds.upper.push_back(place->second.upper);
    }
  }
  return bounds;
}

void check_what_follows(const core::Hdf5Input& file, const ResultHeader& header,
                        const ErrorTable& table) {
  const circuits::ColumnDesign& design = header.experiment.macro.design;
  for (const DatasetForm& form : forms_of(table, design)) require_form(file, header, form);
  for (const std::string_view path : {"/lower", "/upper"}) file.text_attribute(path, "comment");
  check_axes(file, table, design);
  check_mac_values(file, table);
  const TableBounds bounds = interval_bounds(table, header.confidence);
  check_ends(file, "/lower", table, bounds.lower);
  check_ends(file, "/upper", table, bounds.upper);
}

}  // namespace cimstat::experiments
