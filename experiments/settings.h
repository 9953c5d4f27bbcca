#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/random/random.h"

#include "circuits/sampled/sampled_column.h"
#include "circuits/weights/row_classes.h"

#include "experiments/columns/column_settings.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/level_options.h"
#include "experiments/layer_table_settings.h"

/// What a configuration asks for, besides the macro: the sections [table], [margin],
/// [columns], [accuracy].
namespace cimstat::experiments {

enum class Method {
  automatic,
  exact,
  monte_carlo,
  measured,  ///< what the table of a chip says; no engine makes it
};

struct TableSettings {
  Method method = Method::automatic;
  std::vector<std::uint32_t> active_rows;
  circuits::Compositions compositions = circuits::Compositions::all;
  std::uint64_t trials = 0;  ///< per class, when sampled; with a target, the most
  std::optional<double> target_relative_error;  ///< of the misread rate of each class
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

/// What a network's accuracy takes for noise.
enum class AccuracyNoise {
  table,   ///< each partial sum's code drawn afresh from the error table
  frozen,  ///< chips: each column with cells, offset and converter of its own, fresh noise on top
};

struct AccuracySettings {
  std::string network;   ///< "fashion-cnn" (shipped) or a file
  std::string data_set;  ///< "fashion-mnist" or a folder
  std::uint64_t images = 0;
  std::uint32_t reads = 1;  ///< of each image
  ArrayOptions array;       ///< rows are the column's
  core::Stream stream = core::Stream::philox;
  AccuracyNoise noise = AccuracyNoise::table;
  std::uint32_t chips = 1;                 ///< where frozen
  LevelOptions levels;                     ///< ... and on cells of several levels
  std::uint64_t recalibration_images = 0;  ///< by which scales are counted anew; 0: they stay
  std::optional<double> half_width;        ///< of the accuracy, at which a run ends before `images`
  std::vector<LayerTableSettings> layer_tables;  ///< of layers with tables of their own
  bool layers = false;                           ///< figures of each layer on arrays
  bool sensitivity = false;  ///< accuracy with each layer alone on arrays, and spared
};

std::vector<core::Section> settings_sections();

// `rows` is the column's: no more of them can be active. Each throws UsageError.
TableSettings read_table_settings(const core::SectionReader& section, std::uint32_t rows);
MarginSettings read_margin_settings(const core::SectionReader& section, std::uint32_t rows);
AccuracySettings read_accuracy_settings(const core::SectionReader& section, std::uint32_t rows);

}  // namespace cimstat::experiments
