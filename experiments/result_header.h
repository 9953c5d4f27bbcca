#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/file/hdf5_file.h"

#include "experiments/experiment.h"

/// What error tables and accuracy results have in common. experiments/README.md documents it.
namespace cimstat::experiments {

/// Of error tables and accuracy results.
constexpr std::int64_t result_schema_major = 1;

/// Attributes that every result file carries: Conventions, filetype, schema_version, source,
/// config_toml, config_sha256, rng, seed. `schema_minor` is the least version that has all that the
/// file holds.
void write_result_header(core::Hdf5Output& file, const Experiment& experiment,
                         const std::string& config_toml, std::string_view filetype,
                         std::int64_t schema_minor);

/// What a reader takes from them; checked, the configuration's hash included, and against the
/// configuration.
struct ResultHeader {
  std::string title;
  std::string source;
  std::string config_toml;
  Experiment experiment;  ///< what config_toml asks for
  std::string rng;
  std::uint64_t seed = 0;
  double confidence = 0.95;
  std::int64_t schema_minor = 0;
  bool is_known_version = true;  ///< false: of a later minor version, which may hold more
};
/// `known_minor` is the latest minor version that the reader knows.
ResultHeader read_result_header(const core::Hdf5Input& file, std::string_view filetype,
                                std::int64_t known_minor);
/// Names of the attributes of the header, and `more`.
std::vector<std::string> header_attributes(std::initializer_list<std::string_view> more);

/// A dataset as the page of its file names it.
struct DatasetForm {
  std::string path;
  std::string_view type;  ///< "uint32", "float64", ...
  std::string_view units = "1";
  std::vector<std::string> attributes = {};  ///< besides `units` and `long_name`
};

/// Throws DataError unless the dataset is there with this type and unit, and with a text that says
/// what it is; in a file of a known version, with no attributes but these.
void require_form(const core::Hdf5Input& file, const ResultHeader& header, const DatasetForm& form);

/// Throws DataError unless the dataset has so many elements: 0, 1, 2, ...
void require_index_axis(const core::Hdf5Input& file, const std::string& path, std::uint64_t size);

/// Throws DataError unless the dataset's attribute `units` is this.
void require_units(const core::Hdf5Input& file, std::string_view dataset, std::string_view units);

}  // namespace cimstat::experiments
