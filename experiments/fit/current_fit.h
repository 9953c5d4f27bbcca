#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "experiments/fit/sum_regression.h"
#include "experiments/fit/unit.h"

/// Cells from the currents of a column under known inputs.
namespace cimstat::experiments {

/// Which columns of the table hold what; empty ones are looked for by their usual names. Cells are
/// counted (LRS with HRS or with active rows) or told one by one by two texts of 0 and 1, a digit
/// for each row: inputs (1: active) and weights (1: LRS).
struct CurrentColumns {
  std::string lrs_count;    ///< else "lrs_count" or "k"
  std::string hrs_count;    ///< else "hrs_count" or "n-k"
  std::string active_rows;  ///< else "active_rows" or "n"
  std::string inputs;       ///< else "inputs"
  std::string weights;      ///< else "weights"
  std::string current;      ///< else "current" or "i"
  Unit unit{core::Quantity::current, 1.0, "A"};
};

/// Reads any number of rows; memory goes with the number of different counts. Throws UsageError or
/// DataError.
SumGroups read_currents(const std::filesystem::path& file, const CurrentColumns& columns);

struct CurrentFitReport {
  std::filesystem::path file;
  SumFit fit;
  SumModel model;
  std::optional<double> read_voltage;  ///< [V]: without it there are no conductances to print
};

std::string current_fit_as_text(const CurrentFitReport& report);
/// [cell.lrs], [cell.hrs] (normal laws) and [sense_amplifier], where the read voltage is known.
std::string current_fit_as_toml(const CurrentFitReport& report);
std::string current_fit_as_json(const CurrentFitReport& report);

}  // namespace cimstat::experiments
