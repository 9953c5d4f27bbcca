#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/hdf5_file.h"

#include "circuits/error_table.h"

#include "experiments/experiment.h"

/// Error tables in HDF5. experiments/formats/error_table.md documents them.
namespace cimstat::experiments {

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

/// Throws DataError when the file is not a whole, consistent table.
TableRecord read_table(const std::filesystem::path& file);

/// Attributes that every result file carries: Conventions, filetype, schema_version, source,
/// config_toml, config_sha256, rng, seed.
void write_result_header(core::Hdf5Output& file, const Experiment& experiment,
                         const std::string& config_toml, std::string_view filetype);

}  // namespace cimstat::experiments
