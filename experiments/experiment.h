#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/random.h"

#include "devices/rram.h"

#include "circuits/column.h"
#include "circuits/error_table.h"
#include "circuits/references.h"
#include "circuits/sampled_column.h"

#include "experiments/inference/forward_pass.h"

/// What a configuration file asks for, read and checked once.
namespace cimstat::experiments {

/// A column of cells with its sense amplifier and converter, as described and as the engines see
/// it.
struct Macro {
  devices::RramCell cell;
  std::optional<core::Shape> leakage;  ///< conductance of one unselected row [S]
  double read_voltage = 0.0;           ///< [V]
  circuits::Placement placement = circuits::Placement::midpoint;
  std::uint32_t reference_rows = 0;
  circuits::ColumnDesign design;
};

enum class Method { automatic, exact, monte_carlo };

struct TableSettings {
  Method method = Method::automatic;
  std::vector<std::uint32_t> active_rows;
  std::uint64_t trials = 0;  ///< per class, when sampled
  double confidence = 0.95;
  double tolerance = 1e-13;  ///< of the exact engine
  bool closed_form = true;   ///< the exact engine may use it where all parts are normal
  core::Stream stream = core::Stream::philox;
  circuits::Summation summation = circuits::Summation::block_tables;
};

struct MarginSettings {
  std::uint32_t active_rows = 0;
  double sigmas = 3.0;             ///< z of the input-aware and pattern margins
  double tail_probability = 1e-3;  ///< of the quantile margin
};

struct AccuracySettings {
  std::string network;   ///< "fashion-cnn" (shipped) or a file
  std::string data_set;  ///< "fashion-mnist" or a folder
  std::uint64_t images = 0;
  std::uint32_t reads = 1;  ///< of each image
  ArrayOptions array;       ///< rows are the column's
  core::Stream stream = core::Stream::philox;
};

struct Experiment {
  std::string name;
  std::uint64_t seed = 0;
  Macro macro;
  TableSettings table;
  MarginSettings margin;
  AccuracySettings accuracy;
  std::string config_toml;  ///< resolved, canonical
  std::string table_toml;   ///< what of it decides an error table: all but [accuracy] and [margin]
  std::string
      macro_toml;  ///< what of it describes the macro: cell, column, sense amplifier, converter
};

/// Reads and checks a whole configuration; unknown keys are refused. Throws UsageError.
Experiment read_experiment(const core::Config& config);

struct ChosenTable {
  circuits::ErrorTable table;
  std::string reason;  ///< which engine made it, and why
};

/// Makes the error table for `classes` by the engine that the settings ask for; `automatic` takes
/// the exact one wherever it can.
ChosenTable make_table(const Experiment& experiment,
                       const std::vector<circuits::ColumnClass>& classes, core::Threads threads,
                       const core::Progress& progress = {});

}  // namespace cimstat::experiments
