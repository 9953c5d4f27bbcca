#include "experiments/columns/columns_file.h"

#include <array>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/file/hdf5_file.h"

#include "experiments/result_header.h"

namespace cimstat::experiments {

namespace {

constexpr std::string_view columns_filetype = "cimstat columns";
constexpr std::int64_t columns_schema_minor = 0;
constexpr std::string_view again = "make the result again with cimstat columns";
constexpr std::uint64_t rate_limit = std::uint64_t{1} << 26;
/// Of sums over patterns and another machine's mathematics.
constexpr double rate_tolerance = 1e-9;

struct Rates {
  const char* path;
  const char* long_name;
  std::vector<double> circuits::ColumnRates::*values;
};
constexpr std::array<Rates, 3> rate_datasets = {
    {{"/misread", "probability that a read gives another code than the ideal one",
      &circuits::ColumnRates::misread},
     {"/both_wrong", "probability that two reads of one input are both misread",
      &circuits::ColumnRates::both_wrong},
     {"/vote_wrong", "probability that the vote of several reads of one input is wrong",
      &circuits::ColumnRates::vote_wrong}}};

void write_integers(core::Hdf5Output& file, const std::string& path,
                    const std::vector<std::uint32_t>& values, std::string_view long_name) {
  file.dataset(path, std::span<const std::uint32_t>(values), {values.size()});
  file.attribute(path, "units", "1");
  file.attribute(path, "long_name", long_name);
}

void write_axis(core::Hdf5Output& file, const std::string& name, std::size_t size,
                std::string_view long_name) {
  std::vector<std::uint32_t> index(size);
  std::iota(index.begin(), index.end(), 0U);
  write_integers(file, "/" + name, index, long_name);
  file.make_scale("/" + name, name);
}

std::vector<std::uint32_t> dies_of(const ColumnsResult& result) {
  std::vector<std::uint32_t> dies;
  for (std::uint64_t c = 0; c < result.rates.columns; ++c) {
    dies.push_back(static_cast<std::uint32_t>(c / result.settings.columns));
  }
  return dies;
}

struct ClassColumn {
  const char* path;
  const char* long_name;
  std::uint32_t circuits::ColumnClass::*value;
};
constexpr std::array<ClassColumn, 2> class_datasets = {
    {{"/lrs_count", "active rows whose cell is in LRS: the ideal MAC value",
      &circuits::ColumnClass::lrs_count},
     {"/active_rows", "active rows", &circuits::ColumnClass::active_rows}}};

std::vector<std::uint32_t> of_classes(const ColumnsResult& result, const ClassColumn& column) {
  std::vector<std::uint32_t> values;
  for (const circuits::ColumnClass& column_class : result.rates.classes) {
    values.push_back(column_class.*column.value);
  }
  return values;
}

void require_equal(const core::Hdf5Input& file, const std::string& path,
                   const std::vector<std::uint32_t>& expected) {
  if (file.shape(path) != core::Shape64{expected.size()}) {
    file.fail(
        path, "contradicts config_toml",
        fmt::format("shape {} instead of {}", core::shape_text(file.shape(path)), expected.size()),
        again);
  }
  const std::vector<std::uint64_t> found = file.unsigneds(path, expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (found[i] == expected[i]) continue;
    file.fail(path, fmt::format("element {} contradicts config_toml", i),
              fmt::format("{} instead of {}", found[i], expected[i]), again);
  }
}

std::vector<double> read_rates(const core::Hdf5Input& file, const char* path,
                               const core::Shape64& shape) {
  if (file.shape(path) != shape) {
    file.fail(path, "is not a [class, column] array that goes with config_toml",
              fmt::format("{} instead of {}", core::shape_text(file.shape(path)),
                          core::shape_text(shape)),
              again);
  }
  std::vector<double> values = file.doubles(path, rate_limit);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] >= 0.0 && values[i] <= 1.0 + rate_tolerance) continue;
    file.fail(path, fmt::format("element {} is {}", i, values[i]),
              "a probability lies between 0 and 1", again);
  }
  return values;
}

/// Two reads of one input are both wrong at most as often as one, and at least as often as if the
/// inputs of the column did not differ.
void check_pairs(const core::Hdf5Input& file, const circuits::ColumnRates& rates) {
  for (std::size_t i = 0; i < rates.misread.size(); ++i) {
    const double p = rates.misread[i];
    const double both = rates.both_wrong[i];
    if (both <= p + rate_tolerance && both >= p * p - rate_tolerance) continue;
    file.fail("/both_wrong", fmt::format("element {} contradicts /misread", i),
              fmt::format("{} with a rate of {}", both, p), again);
  }
}

}  // namespace

void write_columns(const Experiment& experiment, const ColumnsResult& result,
                   const std::filesystem::path& target) {
  core::Hdf5Output file(target);
  write_result_header(file, experiment, columns_toml(experiment), columns_filetype,
                      columns_schema_minor);
  write_axis(file, "class", result.rates.classes.size(), "index of the class");
  write_axis(file, "column", result.rates.columns, "index of the simulated column");
  for (const ClassColumn& column : class_datasets) {
    write_integers(file, column.path, of_classes(result, column), column.long_name);
    file.attach_scale(column.path, "/class", 0);
  }
  write_integers(file, "/die", dies_of(result), "die that the column belongs to");
  file.attach_scale("/die", "/column", 0);
  for (const Rates& rates : rate_datasets) {
    file.dataset(rates.path, std::span<const double>(result.rates.*rates.values),
                 {result.rates.classes.size(), result.rates.columns});
    file.attribute(rates.path, "units", "1");
    file.attribute(rates.path, "long_name", rates.long_name);
    file.attach_scale(rates.path, "/class", 0);
    file.attach_scale(rates.path, "/column", 1);
  }
  file.commit();
}

ColumnsResult read_columns(const std::filesystem::path& path) {
  const core::Hdf5Input file(path);
  const ResultHeader header = read_result_header(file, columns_filetype, columns_schema_minor);
  if (header.is_known_version) {
    const std::vector<std::string> members = {"class", "column",  "lrs_count",  "active_rows",
                                              "die",   "misread", "both_wrong", "vote_wrong"};
    file.require_known("/", members, header_attributes({}));
  }
  ColumnsResult result{.name = header.title,
                       .config_toml = header.config_toml,
                       .confidence = header.confidence,
                       .settings = header.experiment.columns,
                       .rates = {}};
  take_likeness(result, header.experiment.macro.design);
  result.rates.columns = result.settings.all_columns();
  result.rates.classes = circuits::classes_for(std::array{result.settings.active_rows});
  const core::Shape64 shape{result.rates.classes.size(), result.rates.columns};
  for (const char* axis : {"/class", "/column", "/lrs_count", "/active_rows", "/die"}) {
    require_form(file, header, {axis, "uint32"});
  }
  require_index_axis(file, "/class", shape[0]);
  require_index_axis(file, "/column", shape[1]);
  for (const ClassColumn& column : class_datasets) {
    require_equal(file, column.path, of_classes(result, column));
  }
  require_equal(file, "/die", dies_of(result));
  for (const Rates& rates : rate_datasets) {
    require_form(file, header, {rates.path, "float64"});
    result.rates.*rates.values = read_rates(file, rates.path, shape);
  }
  check_pairs(file, result.rates);
  return result;
}

}  // namespace cimstat::experiments
