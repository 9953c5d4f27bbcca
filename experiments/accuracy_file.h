#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "experiments/experiment.h"
#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/layer_statistics.h"

/// Accuracy results in HDF5. experiments/formats/accuracy.md documents them.
namespace cimstat::experiments {

struct AccuracyRecord {
  std::string name;
  std::string network;
  std::string data_set;
  std::string table_sha256;      ///< content hash of the error table that was used; of chips ""
  std::string config_toml = {};  ///< resolved; set by read_accuracy
  /// Sections of [accuracy.layer_tables] with the content hashes of their tables.
  std::vector<std::pair<std::string, std::string>> layer_tables = {};
  double confidence = 0.95;
  std::uint64_t recalibration_images = 0;  ///< 0: scales are the network's own
  AccuracyResult result;
  LayerReport layers = {};  ///< what result.layers amounts to, which no file holds itself
};

void write_accuracy(const Experiment& experiment, const AccuracyRecord& record,
                    const std::filesystem::path& file);

/// Throws UsageError when the file can't be opened, DataError when it is not a whole result whose
/// estimates agree with its answers.
AccuracyRecord read_accuracy(const std::filesystem::path& file);

}  // namespace cimstat::experiments
