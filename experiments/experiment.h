#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "core/config/parameter.h"
#include "core/parallel.h"
#include "core/random/random.h"

#include "circuits/error_table.h"

#include "experiments/macro/macro.h"
#include "experiments/settings.h"
#include "experiments/wires/wires_settings.h"

/// What a configuration file asks for, read and checked once.
namespace cimstat::experiments {

struct Experiment {
  std::string name;
  std::uint64_t seed = 0;
  /// Of a sweep with independent random numbers; else 0.
  std::uint32_t point = 0;
  Macro macro;
  TableSettings table;
  MarginSettings margin;
  ColumnsSettings columns;
  WiresSettings wires;
  AccuracySettings accuracy;
  std::string config_toml;    ///< resolved, canonical; without [sweep] and [wires]
  std::string accuracy_toml;  ///< what of it an accuracy result carries: all but [columns]
  std::string table_toml;     ///< what of it decides an error table: nor [accuracy] nor [margin]
  std::string
      macro_toml;  ///< what of it describes the macro: cell, column, sense amplifier, converter

  /// Those that its error table has.
  std::vector<circuits::ColumnClass> classes() const {
    return circuits::classes_of(macro.design, table.active_rows, table.compositions);
  }
  /// Of all its random numbers.
  core::StreamKey key() const { return {.seed = seed, .point = point}; }
};

/// All that a configuration file may hold: the list that it is read through.
const core::Section& experiment_file();

/// Reads and checks a whole configuration; unknown keys are refused. Throws UsageError.
Experiment read_experiment(const core::Config& config);

/// What of a canonical configuration decides the rates of columns: all but [accuracy] and [margin].
std::string columns_toml(const Experiment& experiment);

struct ChosenTable {
  circuits::ErrorTable table;
  std::string reason;  ///< which engine made it, and why
};

/// Of a table: three doubles an entry stand in memory when it is written.
inline constexpr std::size_t most_table_entries = std::size_t{1} << 27;

/// Throws UsageError where make_table would before it computes anything: too many entries, or the
/// exact engine asked for where it can't be used.
void check_table(const Experiment& experiment, const std::vector<circuits::ColumnClass>& classes);

/// By the exact engine, whatever the settings' method. Throws circuits::ExactObstacle where it
/// can't.
ChosenTable exact_table(const Experiment& experiment,
                        const std::vector<circuits::ColumnClass>& classes, core::Threads threads,
                        const core::Progress& progress = {});

/// Makes the error table for `classes` by the engine that the settings ask for; `automatic` takes
/// the exact one wherever it can.
ChosenTable make_table(const Experiment& experiment,
                       const std::vector<circuits::ColumnClass>& classes, core::Threads threads,
                       const core::Progress& progress = {});

}  // namespace cimstat::experiments
