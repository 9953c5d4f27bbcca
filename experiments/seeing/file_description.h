#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/file/hdf5_file.h"
#include "core/file/json.h"

/// What every file of ours says about itself: who made it and how, its axes, its datasets.
namespace cimstat::experiments {

enum class FileKind {
  error_table,
  accuracy,
  columns,
  sweep,
  network,
  run_record,
  experiment,
  onnx_model
};

/// By its content; a run record, an experiment and an ONNX model by their names' ends (.run.json,
/// .toml, .onnx).
/// Throws UsageError where there is no such file, DataError where it is none of these.
FileKind file_kind(const std::filesystem::path& file);
/// "error table", "accuracy result", "columns result", "sweep result", "network", "run record",
/// "experiment", "ONNX model".
std::string_view name_of(FileKind kind);

struct Fact {
  std::string name;
  std::string value;
};

struct DatasetFacts {
  std::string path;
  std::string type;  ///< of an element, as stored
  core::Shape64 shape;
  std::string unit;
  std::string meaning;
};

struct AxisFacts {
  DatasetFacts dataset;
  double first = 0.0;
  double last = 0.0;
};

struct FileDescription {
  FileKind kind = FileKind::error_table;
  std::string schema_version;
  std::vector<Fact> facts;             ///< provenance, in reading order
  std::vector<AxisFacts> axes;         ///< dimension scales
  std::vector<DatasetFacts> datasets;  ///< all others, groups walked through
};

/// Of an HDF5 file. Attributes that the kind doesn't have are left out. Throws DataError where
/// config_sha256 isn't that of config_toml.
FileDescription describe_file(const std::filesystem::path& file, FileKind kind);

/// For people; texts from the file are made safe for a terminal.
std::string format_description(const std::filesystem::path& file,
                               const FileDescription& description);
core::Json description_as_json(const std::filesystem::path& file,
                               const FileDescription& description);

/// The resolved configuration in a result file, byte for byte. Throws UsageError for a kind
/// without.
std::string config_of(const std::filesystem::path& file, FileKind kind);

}  // namespace cimstat::experiments
