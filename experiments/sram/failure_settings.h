#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/config/config.h"
#include "core/config/parameter.h"

#include "circuits/sram/noise_margin.h"
#include "circuits/sram/read_access.h"
#include "circuits/sram/read_upset.h"

/// What a file asks of the failures of an SRAM cell.
namespace cimstat::experiments {

/// One of a cell's random variables: z standard deviations away it is nominal + z sd.
struct CellVariable {
  std::string name;
  double nominal = 0.0;  ///< [V]
  double sd = 0.0;       ///< [V]
};

struct SramFailureSettings {
  using Cell = std::variant<circuits::ReadAccess, circuits::ReadUpset, circuits::NoiseMargin>;

  std::string name;
  std::uint64_t seed = 1;
  std::string failure;  ///< "read_access" and so on
  std::vector<double>
      supplies;             ///< ascending [V]; empty for a noise margin, whose cell has its own
  std::vector<Cell> cells;  ///< one for each supply, or one
};

/// All that such a file may hold: the list that it is read through.
const core::Section& sram_failure_file();

/// Reads and checks a whole file; unknown keys are refused. Throws UsageError.
SramFailureSettings read_sram_failure(const core::Config& config);

/// Of limit(), in its order.
std::vector<CellVariable> variables_of(const SramFailureSettings::Cell& cell);

}  // namespace cimstat::experiments
