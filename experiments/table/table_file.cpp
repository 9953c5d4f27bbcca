#include "experiments/table/table_file.h"

#include <numeric>

#include <fmt/format.h>

#include "core/file/hdf5_file.h"
#include "core/file/provenance.h"

#include "circuits/bit_line/line_reading.h"

#include "experiments/result_header.h"
#include "experiments/table/table_derived.h"
#include "experiments/table/table_stopping.h"

namespace cimstat::experiments {

namespace {

using circuits::ColumnClass;
using circuits::ErrorTable;
using circuits::TableMethod;

template <class Value>
void append(std::string& bytes, const std::vector<Value>& values) {
  for (const Value value : values) {
    const auto word = static_cast<std::uint64_t>(value);
    for (unsigned byte = 0; byte < 8; ++byte) {
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(word >> (8 * byte))));
    }
  }
}

void describe_dataset(core::Hdf5Output& file, std::string_view path, std::string_view units,
                      std::string_view long_name) {
  file.attribute(path, "units", units);
  file.attribute(path, "long_name", long_name);
}

template <class Value>
void write_described(core::Hdf5Output& file, std::string_view path,
                     const std::vector<Value>& values, const core::Shape64& shape,
                     std::string_view units, std::string_view long_name) {
  file.dataset(path, std::span<const Value>(values), shape);
  describe_dataset(file, path, units, long_name);
}

std::vector<std::uint32_t> index_axis(std::size_t size) {
  std::vector<std::uint32_t> axis(size);
  std::iota(axis.begin(), axis.end(), 0U);
  return axis;
}

void write_axes(core::Hdf5Output& file, const ErrorTable& table) {
  write_described(file, "/class", index_axis(table.size()), {table.size()}, "1",
                  "index of the class");
  file.make_scale("/class", "class");
  write_described(file, "/code", index_axis(table.codes), {table.codes}, "1",
                  "converter output code");
  file.make_scale("/code", "code");
}

/// What tells classes of one number of active rows apart where rows have more than two states.
void write_states(core::Hdf5Output& file, const ErrorTable& table) {
  const std::size_t states = table.state_values.size();
  std::vector<std::int32_t> value;
  std::vector<std::uint32_t> counts;
  for (std::size_t row = 0; row < table.size(); ++row) {
    value.push_back(static_cast<std::int32_t>(table.mac_value(row)));
    for (std::size_t state = 0; state < states; ++state) {
      counts.push_back(table.classes[row].states[state]);
    }
  }
  write_described(file, "/state", index_axis(states), {states}, "1",
                  "index of a state of an active row");
  file.make_scale("/state", "state");
  write_described(file, "/state_value", table.state_values, {states}, "1",
                  "what a row in the state adds to the MAC value");
  file.attach_scale("/state_value", "/state", 0);
  write_described(file, "/class_value", value, {table.size()}, "1", "the ideal MAC value");
  file.attach_scale("/class_value", "/class", 0);
  write_described(file, "/state_count", counts, {table.size(), states}, "1",
                  "active rows in each state");
  file.attach_scale("/state_count", "/class", 0);
  file.attach_scale("/state_count", "/state", 1);
}

void write_keys(core::Hdf5Output& file, const ErrorTable& table) {
  std::vector<std::uint32_t> lrs;
  std::vector<std::uint32_t> active;
  for (const ColumnClass& one : table.classes) {
    lrs.push_back(one.lrs_count);
    active.push_back(one.active_rows);
  }
  const core::Shape64 shape = {table.size()};
  if (table.state_values.empty()) {
    write_described(file, "/lrs_count", lrs, shape, "1",
                    "active cells in LRS (the ideal MAC value)");
    file.attach_scale("/lrs_count", "/class", 0);
  } else {
    write_states(file, table);
  }
  write_described(file, "/active_rows", active, shape, "1", "active rows");
  write_described(file, "/ideal", table.ideal_code, shape, "1",
                  "code that stands for the ideal MAC value");
  for (const std::string_view key : {"/active_rows", "/ideal"}) {
    file.attach_scale(key, "/class", 0);
  }
  std::vector<double> value;
  for (std::uint32_t code = 0; code < table.codes; ++code) {
    value.push_back(table.code_origin + table.code_step * code);
  }
  write_described(file, "/mac_value", value, {table.codes}, "1",
                  "MAC value that a code stands for");
  file.attribute("/mac_value", "step", table.code_step);
  file.attribute("/mac_value", "origin", table.code_origin);
  file.attach_scale("/mac_value", "/code", 0);
}

void write_values(core::Hdf5Output& file, const ErrorTable& table, double confidence) {
  const core::Shape64 shape = {table.size(), table.codes};
  const auto write = [&](std::string_view path, const auto& values, std::string_view long_name) {
    write_described(file, path, values, shape, "1", long_name);
    file.attach_scale(path, "/class", 0);
    file.attach_scale(path, "/code", 1);
  };
  if (table.method == TableMethod::monte_carlo)
    write("/counts", table.counts, "times the code came");
  write("/probability", table.probability, "P(code | class)");
  const TableBounds bounds = interval_bounds(table, confidence);
  write("/lower", bounds.lower, "lower end of the interval of the probability");
  write("/upper", bounds.upper, "upper end of the interval of the probability");
  const bool exact = table.method == TableMethod::exact;
  for (const std::string_view path : {"/lower", "/upper"}) {
    file.attribute(path, "comment",
                   exact ? "probability -+ error_bound"
                         : "Clopper-Pearson at confidence_level, for each entry on its own");
  }
  if (exact) {
    write_described(file, "/error_bound", table.error_bound, {table.size()}, "1",
                    "bound on the absolute error of each probability of the class");
    file.attach_scale("/error_bound", "/class", 0);
  }
}

std::string_view reference_name(const circuits::ColumnDesign& design) {
  return delivered_quantity(design.bit_line) == core::Quantity::current ? "reference current"
                                                                        : "reference voltage";
}

void write_ladder(core::Hdf5Output& file, const circuits::ColumnDesign& design) {
  const std::size_t count = design.ladder.codes - 1;
  write_described(file, "/reference_index", index_axis(count), {count}, "1",
                  "index of the reference between code i and code i + 1");
  file.make_scale("/reference_index", "reference_index");
  if (!design.ladder.follows_active_rows) {
    write_described(file, "/reference", design.ladder.references, {count}, reading_unit(design),
                    reference_name(design));
    file.attach_scale("/reference", "/reference_index", 0);
    return;
  }
  const std::size_t runs = design.rows + 1;
  write_described(file, "/ladder_rows", index_axis(runs), {runs}, "1",
                  "active rows that a ladder serves");
  file.make_scale("/ladder_rows", "ladder_rows");
  write_described(file, "/reference", design.ladder.references, {runs, count}, reading_unit(design),
                  reference_name(design));
  file.attach_scale("/reference", "/ladder_rows", 0);
  file.attach_scale("/reference", "/reference_index", 1);
}

}  // namespace

void require_binary_table(const TableRecord& record, const std::filesystem::path& file) {
  if (record.table.state_values.empty()) return;
  throw core::UsageError(core::error_line(
      file.string(), "is a table of rows of more than two states",
      "this command knows tables keyed by LRS count", "look at it with cimstat show"));
}

std::string content_hash(const ErrorTable& table, const std::string& config_toml) {
  std::string bytes = config_toml;
  bytes.push_back('\0');
  std::vector<std::uint64_t> keys = {table.codes, table.size(), table.counts.size()};
  for (const ColumnClass& one : table.classes) {
    if (table.state_values.empty()) keys.push_back(one.lrs_count);
    keys.push_back(one.active_rows);
    for (std::size_t state = 0; state < table.state_values.size(); ++state) {
      keys.push_back(one.states[state]);
    }
  }
  append(bytes, keys);
  append(bytes, table.ideal_code);
  append(bytes, table.counts);
  if (table.guaranteed) {
    std::vector<std::uint64_t> last;
    for (const core::GammaBernoulli& found : table.guaranteed->classes)
      last.push_back(found.trials);
    append(bytes, last);
  }
  return core::sha256(bytes);
}

void write_table(const Experiment& experiment, const ChosenTable& chosen,
                 const std::filesystem::path& target) {
  core::Hdf5Output file(target);
  const ErrorTable& table = chosen.table;
  const bool measured = experiment.table.method == Method::measured;
  write_result_header(file, experiment, experiment.table_toml, table_filetype,
                      !table.state_values.empty()    ? states_schema_minor
                      : table.guaranteed || measured ? stopping_schema_minor
                                                     : 0);
  const bool exact = table.method == TableMethod::exact;
  file.attribute("/", "content_sha256", content_hash(table, experiment.table_toml));
  file.attribute("/", "method", measured ? "measured" : exact ? "exact" : "monte_carlo");
  file.attribute("/", "method_reason", chosen.reason);
  write_axes(file, table);
  write_keys(file, table);
  write_values(file, table, experiment.table.confidence);
  if (table.guaranteed) write_stopping(file, table);
  write_ladder(file, experiment.macro.design);
  file.commit();
}

}  // namespace cimstat::experiments
