#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "core/config/config.h"

#include "experiments/fit/cell_fit.h"
#include "experiments/fit/code_fit.h"
#include "experiments/fit/current_fit.h"

namespace cimstat::experiments {

/// The options of cimstat fit, as they were given.
struct FitOptions {
  std::string kind;
  std::filesystem::path file;
  CellColumns cells;
  CurrentColumns currents;
  CodeColumns codes;
  std::string active_rows;  ///< column, of currents and codes
  std::optional<std::uint32_t> rows;
  std::filesystem::path macro;
  std::string unit;
  std::string read_voltage;
  std::string low;
  std::string high;
  std::string noise_sd;
  std::string law = "best";
  bool constant = false;
  std::uint64_t samples = 999;
  std::uint64_t seed = 1;
  unsigned threads = 0;
  bool json = false;
  std::filesystem::path output;

  void add_to(CLI::App& command);
  /// Throws UsageError for options that change nothing in a fit of this kind.
  void check(const CLI::App& command) const;
};

/// The kind "codes": reads, writes the table, prints what was done.
void run_fit_codes(FitOptions& options);

/// The value of an option such as "0.2 V", at least `least`; nothing where it was not given.
std::optional<double> quantity_of(const std::string& text, core::Quantity quantity,
                                  std::string_view option, double least);

}  // namespace cimstat::experiments
