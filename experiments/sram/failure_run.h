#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/parallel.h"

#include "circuits/rare/limit_state.h"

#include "experiments/sram/failure_settings.h"

/// How often an SRAM cell fails, two ways: importance sampling around the most likely failures, and
/// an integral that knows the boundary in closed form. They share nothing but the cell.
namespace cimstat::experiments {

struct FailureOptions {
  std::uint64_t samples = 100'000;            ///< for each supply
  std::optional<double> relative_error = {};  ///< fewer samples where it is reached (95 %)
  std::uint64_t cells = 1'048'576;            ///< of the memory whose yield is asked for
  double confidence = 0.95;
};

struct FailureLine {
  std::optional<double> supply;  ///< [V]
  circuits::RareEstimate estimate;
  double integral = 0.0;
  std::vector<circuits::DesignPoint> points;  ///< where failures are most likely, in variables_of()

  /// Standard errors from the integral; none where the estimate was refused or is exact.
  std::optional<double> agreement() const;
  /// (1 - integral)^cells.
  double yield(std::uint64_t cells) const;
};

struct FailureResult {
  SramFailureSettings settings;
  FailureOptions options;
  std::vector<FailureLine> lines;  ///< [supply]
};

/// The same bits for any number of threads. `progress` counts supplies.
FailureResult run_sram_failure(const SramFailureSettings& settings, const FailureOptions& options,
                               core::Threads threads, const core::Progress& progress = {});

std::string sram_failure_as_text(const FailureResult& result);
std::string sram_failure_as_json(const FailureResult& result);

}  // namespace cimstat::experiments
