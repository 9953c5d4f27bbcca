#pragma once

#include <string>

#include "core/parallel.h"

#include "circuits/columns/column_rates.h"

#include "experiments/columns/column_statistics.h"
#include "experiments/experiment.h"

/// Misread rates of the columns and dies that [columns] asks for.
namespace cimstat::experiments {

struct ColumnsResult {
  std::string name;
  std::string config_toml = {};  ///< resolved; set by read_columns
  double confidence = 0.95;
  ColumnsSettings settings;
  double common_factor_sd = 0.0;  ///< relative, of the cells of a die
  bool share_converters = false;  ///< neighbours on a die do
  circuits::ColumnRates rates;
};

/// Takes from the design what makes columns of a die alike.
void take_likeness(ColumnsResult& result, const circuits::ColumnDesign& design);

ColumnQuestions questions_of(const ColumnsResult& result);

/// The same bits for any number of threads and instruction set. Throws UsageError where only the
/// offset is frozen and the exact engine can't do the column.
ColumnsResult run_columns(const Experiment& experiment, core::Threads threads,
                          const core::Progress& progress = {});

/// For people and for scripts.
std::string columns_as_text(const ColumnsResult& result);
std::string columns_as_json(const ColumnsResult& result);

}  // namespace cimstat::experiments
