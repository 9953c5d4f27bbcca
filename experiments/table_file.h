#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/hdf5_file.h"

#include "circuits/error_table.h"

#include "experiments/experiment.h"

/// Error tables in HDF5. experiments/formats/error_table.md documents them.
namespace cimstat::experiments {

constexpr std::string_view table_filetype = "cimstat error table";
/// Of error tables and accuracy results.
constexpr std::int64_t result_schema_major = 1;
constexpr std::int64_t result_schema_minor = 0;

/// What a table file holds besides the table.
struct TableRecord {
  circuits::ErrorTable table;
  std::string name;
  std::string config_toml;
  std::string reason;
  std::string source;
  std::string rng;
  std::uint64_t seed = 0;
  double confidence = 0.95;
  std::string content_sha256;
};

/// SHA-256 over what doesn't depend on the machine: keys, counts, configuration. The criterion for
/// "the same result" across machines.
std::string content_hash(const circuits::ErrorTable& table, const std::string& config_toml);

void write_table(const Experiment& experiment, const ChosenTable& chosen,
                 const std::filesystem::path& file);

/// Throws UsageError when the file can't be opened, DataError when it is not a whole, consistent
/// table: keys, counts, references and hashes must agree with each other and with the
/// configuration that the file carries.
TableRecord read_table(const std::filesystem::path& file);

/// Attributes that every result file carries: Conventions, filetype, schema_version, source,
/// config_toml, config_sha256, rng, seed.
void write_result_header(core::Hdf5Output& file, const Experiment& experiment,
                         const std::string& config_toml, std::string_view filetype);

/// What a reader takes from them; checked, the configuration's hash included.
struct ResultHeader {
  std::string title;
  std::string source;
  std::string config_toml;
  std::uint64_t seed = 0;
  double confidence = 0.95;
  bool is_known_version = true;  ///< false: of a later minor version, which may hold more
};
ResultHeader read_result_header(const core::Hdf5Input& file, std::string_view filetype);
/// Names of the attributes of the header, and `more`.
std::vector<std::string> header_attributes(std::initializer_list<std::string_view> more);

/// Throws DataError unless the dataset's attribute `units` is this.
void require_units(const core::Hdf5Input& file, std::string_view dataset, std::string_view units);

}  // namespace cimstat::experiments
