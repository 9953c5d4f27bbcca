#include "experiments/table_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>

#include <fmt/format.h>

#include "core/hdf5_file.h"
#include "core/provenance.h"
#include "core/statistics.h"

namespace cimstat::experiments {

namespace {

using circuits::ErrorTable;
using circuits::TableMethod;

constexpr std::string_view table_filetype = "cimstat error table";
constexpr std::int64_t schema_major = 1;
constexpr std::int64_t schema_minor = 0;
constexpr std::uint64_t class_limit = 1'000'000;
constexpr std::uint64_t entry_limit = std::uint64_t{1} << 30;

template <class Value>
void append(std::string& bytes, const std::vector<Value>& values) {
  for (const Value value : values) {
    const auto word = static_cast<std::uint64_t>(value);
    for (unsigned byte = 0; byte < 8; ++byte) {
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(word >> (8 * byte))));
    }
  }
}

struct Bounds {
  std::vector<double> lower;
  std::vector<double> upper;
};

Bounds interval_bounds(const ErrorTable& table, double confidence) {
  Bounds bounds;
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
  for (std::size_t row = 0; row < table.size(); ++row) {
    known.clear();
    const std::uint64_t trials = table.trials(row);
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

void write_keys(core::Hdf5Output& file, const ErrorTable& table) {
  std::vector<std::uint32_t> lrs;
  std::vector<std::uint32_t> active;
  for (const auto& [k, n] : table.classes) {
    lrs.push_back(k);
    active.push_back(n);
  }
  const core::Shape64 shape = {table.size()};
  write_described(file, "/lrs_count", lrs, shape, "1", "active cells in LRS (the ideal MAC value)");
  write_described(file, "/active_rows", active, shape, "1", "active rows");
  write_described(file, "/ideal", table.ideal_code, shape, "1",
                  "code that stands for the ideal MAC value");
  for (const std::string_view key : {"/lrs_count", "/active_rows", "/ideal"}) {
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
  const Bounds bounds = interval_bounds(table, confidence);
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

void write_ladder(core::Hdf5Output& file, const circuits::ColumnDesign& design) {
  const std::size_t count = design.ladder.codes - 1;
  write_described(file, "/reference_index", index_axis(count), {count}, "1",
                  "index of the reference between code i and code i + 1");
  file.make_scale("/reference_index", "reference_index");
  if (!design.ladder.follows_active_rows) {
    write_described(file, "/reference", design.ladder.references, {count}, "A",
                    "reference current");
    file.attach_scale("/reference", "/reference_index", 0);
    return;
  }
  const std::size_t runs = design.rows + 1;
  write_described(file, "/ladder_rows", index_axis(runs), {runs}, "1",
                  "active rows that a ladder serves");
  file.make_scale("/ladder_rows", "ladder_rows");
  write_described(file, "/reference", design.ladder.references, {runs, count}, "A",
                  "reference current");
  file.attach_scale("/reference", "/ladder_rows", 0);
  file.attach_scale("/reference", "/reference_index", 1);
}

std::vector<std::uint32_t> read_key(const core::Hdf5Input& file, std::string_view path,
                                    std::uint64_t size, std::uint64_t limit) {
  if (file.shape(path) != core::Shape64{size}) {
    file.fail(path, "its length is not that of the class axis", "make the table again");
  }
  std::vector<std::uint32_t> key;
  for (const std::uint64_t value : file.unsigneds(path, class_limit)) {
    if (value > limit) file.fail(path, fmt::format("{} is out of range (0 .. {})", value, limit));
    key.push_back(static_cast<std::uint32_t>(value));
  }
  return key;
}

void read_classes(const core::Hdf5Input& file, ErrorTable& table, std::uint64_t classes) {
  const auto lrs = read_key(file, "/lrs_count", classes, circuits::row_limit);
  const auto active = read_key(file, "/active_rows", classes, circuits::row_limit);
  for (std::size_t i = 0; i < classes; ++i) {
    const auto before = i == 0 ? std::pair(0U, 0U) : std::pair(active[i - 1], lrs[i - 1]);
    if (lrs[i] > active[i] || (i > 0 && std::pair(active[i], lrs[i]) <= before)) {
      file.fail("/active_rows",
                fmt::format("class {} is out of order or has more LRS cells than rows", i),
                "classes ascend in active_rows, then lrs_count");
    }
    table.classes.push_back({lrs[i], active[i]});
  }
}

void check_rows(const core::Hdf5Input& file, const ErrorTable& table) {
  for (std::size_t row = 0; row < table.size(); ++row) {
    double sum = 0.0;
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      const double value = table.row(row)[code];
      if (!(value >= 0.0 && value <= 1.0)) {
        file.fail("/probability",
                  fmt::format("class {}, code {}: {} is no probability", row, code, value));
      }
      sum += value;
    }
    if (std::abs(sum - 1.0) > 1e-6) {
      file.fail("/probability", fmt::format("class {} sums to {} instead of 1", row, sum));
    }
  }
}

}  // namespace

std::string content_hash(const ErrorTable& table, const std::string& config_toml) {
  std::string bytes = config_toml;
  bytes.push_back('\0');
  std::vector<std::uint64_t> keys = {table.codes, table.size(), table.counts.size()};
  for (const auto& [k, n] : table.classes) {
    keys.push_back(k);
    keys.push_back(n);
  }
  append(bytes, keys);
  append(bytes, table.ideal_code);
  append(bytes, table.counts);
  return core::sha256(bytes);
}

void write_result_header(core::Hdf5Output& file, const Experiment& experiment,
                         const std::string& config_toml, std::string_view filetype) {
  file.attribute("/", "Conventions", "CF-1.10");
  file.attribute("/", "filetype", filetype);
  file.attribute("/", "schema_version", std::vector<std::int64_t>{schema_major, schema_minor});
  file.attribute("/", "title", experiment.name);
  file.attribute("/", "source", core::source_text());
  file.attribute("/", "config_toml", config_toml);
  file.attribute("/", "config_sha256", core::sha256(config_toml));
  file.attribute("/", "rng", "philox4x32-10");
  file.attribute("/", "seed", static_cast<std::int64_t>(experiment.seed));
  file.attribute("/", "confidence_level", experiment.table.confidence);
}

void write_table(const Experiment& experiment, const ChosenTable& chosen,
                 const std::filesystem::path& target) {
  core::Hdf5Output file(target);
  write_result_header(file, experiment, experiment.table_toml, table_filetype);
  const ErrorTable& table = chosen.table;
  const bool exact = table.method == TableMethod::exact;
  file.attribute("/", "content_sha256", content_hash(table, experiment.table_toml));
  file.attribute("/", "method", exact ? "exact" : "monte_carlo");
  file.attribute("/", "method_reason", chosen.reason);
  write_axes(file, table);
  write_keys(file, table);
  write_values(file, table, experiment.table.confidence);
  write_ladder(file, experiment.macro.design);
  file.commit();
}

TableRecord read_table(const std::filesystem::path& path) {
  const core::Hdf5Input file(path);
  file.require_type(table_filetype, schema_major);
  TableRecord record;
  record.name = file.text_attribute("/", "title");
  record.config_toml = file.text_attribute("/", "config_toml");
  record.reason = file.text_attribute("/", "method_reason");
  record.source = file.text_attribute("/", "source");
  record.rng = file.text_attribute("/", "rng");
  record.seed = static_cast<std::uint64_t>(file.integer_attribute("/", "seed"));
  record.confidence = file.number_attribute("/", "confidence_level");
  record.content_sha256 = file.text_attribute("/", "content_sha256");

  ErrorTable& table = record.table;
  const core::Shape64 shape = file.shape("/probability");
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 2 || shape[0] > class_limit ||
      shape[1] > 65536 || shape[0] * shape[1] > entry_limit) {
    file.fail("/probability", "not a [class, code] array of a size that a table can have");
  }
  table.codes = static_cast<std::uint32_t>(shape[1]);
  read_classes(file, table, shape[0]);
  table.ideal_code = read_key(file, "/ideal", shape[0], table.codes - 1);
  table.code_step = file.number_attribute("/mac_value", "step");
  table.code_origin = file.number_attribute("/mac_value", "origin");
  if (!(table.code_step > 0.0 && std::isfinite(table.code_step) &&
        std::isfinite(table.code_origin))) {
    file.fail("/mac_value", "step must be positive and origin finite");
  }
  table.probability = file.doubles("/probability", entry_limit);
  check_rows(file, table);
  const std::string method = file.text_attribute("/", "method");
  if (method == "monte_carlo") {
    table.method = TableMethod::monte_carlo;
    if (file.shape("/counts") != shape)
      file.fail("/counts", "its shape is not that of /probability");
    table.counts = file.unsigneds("/counts", entry_limit);
  } else if (method == "exact") {
    table.method = TableMethod::exact;
    if (file.shape("/error_bound") != core::Shape64{shape[0]}) {
      file.fail("/error_bound", "its length is not that of the class axis");
    }
    table.error_bound = file.doubles("/error_bound", class_limit);
  } else {
    file.fail("/", fmt::format("method \"{}\" is not known", method),
              "expected exact or monte_carlo");
  }
  if (content_hash(table, record.config_toml) != record.content_sha256) {
    file.fail(
        "/", "content_sha256 does not match the keys, counts and configuration (damaged or edited)",
        "make the table again");
  }
  return record;
}

}  // namespace cimstat::experiments
