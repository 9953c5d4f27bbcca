#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/hdf5_file.h"

#include "experiments/experiment.h"

/// What error tables and accuracy results have in common. experiments/README.md documents it.
namespace cimstat::experiments {

/// Of error tables and accuracy results.
constexpr std::int64_t result_schema_major = 1;
constexpr std::int64_t result_schema_minor = 0;

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
