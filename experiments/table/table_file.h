#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "circuits/error_table.h"

#include "experiments/experiment.h"

/// Error tables in HDF5. experiments/formats/error_table.md documents them.
namespace cimstat::experiments {

constexpr std::string_view table_filetype = "cimstat error table";
/// Of the file's format, where rows of the column have more than two states.
constexpr std::int64_t states_schema_minor = 2;

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

/// SHA-256 over what doesn't depend on the machine: keys, counts, trials of last misreads,
/// configuration. The criterion for
/// "the same result" across machines.
std::string content_hash(const circuits::ErrorTable& table, const std::string& config_toml);

void write_table(const Experiment& experiment, const ChosenTable& chosen,
                 const std::filesystem::path& file);

/// Throws UsageError when the file can't be opened, DataError when it is not a whole, consistent
/// table: keys, counts, references and hashes must agree with each other and with the
/// configuration that the file carries.
TableRecord read_table(const std::filesystem::path& file);

/// Throws UsageError where rows of its column have more than two states: for what knows LRS counts
/// only. `file` is where it was read from.
void require_binary_table(const TableRecord& record, const std::filesystem::path& file);

}  // namespace cimstat::experiments
