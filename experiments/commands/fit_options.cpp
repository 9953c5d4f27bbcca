#include "experiments/commands/fit_options.h"

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"

namespace cimstat::experiments {

std::optional<double> quantity_of(const std::string& text, core::Quantity quantity,
                                  std::string_view option, double least) {
  if (text.empty()) return std::nullopt;
  const std::string place = fmt::format("{} {}", option, text);
  try {
    const double value = core::parse_quantity(text, quantity);
    if (value >= least) return value;
  } catch (const std::invalid_argument& error) {
    throw core::UsageError(core::error_line(place, "is not such a quantity", error.what()));
  }
  throw core::UsageError(
      core::error_line(place, "is out of range",
                       least > 0.0 ? "a positive one is needed" : "it must not be negative"));
}

void FitOptions::add_to(CLI::App& command) {
  command
      .add_option("kind", kind,
                  "what was measured: cells (one value each), currents (of columns under known "
                  "inputs) or codes (of a converter)")
      ->required()
      ->type_name("KIND")
      ->check(CLI::IsMember({"cells", "currents", "codes"}));
  command.add_option("file", file, "table: CSV, other text, HSPICE or Spectre measure file")
      ->required()
      ->type_name("FILE");
  const auto column = [&](const char* name, std::string& to, const char* meaning) {
    command.add_option(name, to, meaning)->type_name("COLUMN");
  };
  column("--lrs", cells.lrs, "cells: column of the cells in LRS, a name or a number from 1");
  column("--hrs", cells.hrs, "cells: column of the cells in HRS");
  command.add_option("--law", law, "cells: law to print; best is normal or lognormal, by AIC")
      ->type_name("LAW")
      ->check(CLI::IsMember({"best", "normal", "lognormal", "empirical"}))
      ->capture_default_str();
  command.add_option("--low", low, "cells: no cell lies below, as after a verify: \"30 uS\"")
      ->type_name("QUANTITY");
  command.add_option("--high", high, "cells: no cell lies above")->type_name("QUANTITY");
  column("--current", currents.current, "currents: column of the currents (default: current, i)");
  column("--lrs-count", currents.lrs_count,
         "currents: column of the active LRS cells (default: lrs_count, k)");
  column("--hrs-count", currents.hrs_count,
         "currents: column of the active HRS cells (default: hrs_count, n-k)");
  column("--active-rows", active_rows,
         "currents, codes: column of the active rows (default: active_rows, n)");
  column("--inputs", currents.inputs,
         "currents: column of inputs as digits 0 and 1, with --weights, instead (default: inputs)");
  column("--weights", currents.weights,
         "currents: column of weights as digits, 1 for LRS (default: weights)");
  command
      .add_option("--macro", macro, "codes: experiment file of the column that the codes come from")
      ->type_name("FILE.toml");
  column("--mac", codes.mac, "codes: column of the MAC values (default: mac, lrs_count, k)");
  column("--code", codes.code, "codes: column of the codes (default: code)");
  column("--count", codes.count,
         "codes: column of how often each came (default: count; else each row is one read)");
  column("--mean", codes.mean,
         "codes: column of the mean current of each MAC value, with --sd, instead (default: mean)");
  column("--sd", codes.sd, "codes: column of its standard deviation (default: sd)");
  command
      .add_option("--rows", rows, "codes: active rows where no column has them (default: all rows)")
      ->type_name("N")
      ->transform(whole_number(1, circuits::row_limit));
  command.add_flag("--constant", constant,
                   "currents: fit a constant current too, such as leakage or an offset");
  command
      .add_option("--noise-sd", noise_sd,
                  "currents: known noise of one read, such as \"0.5 uA\" (default: fitted)")
      ->type_name("QUANTITY");
  command
      .add_option("--unit", unit,
                  "unit of the measured numbers: uS, kohm, nA, ... (default: S for cells, A for "
                  "currents)")
      ->type_name("UNIT");
  command
      .add_option("--read-voltage", read_voltage,
                  "voltage of the reads, \"0.2 V\": makes conductances of currents")
      ->type_name("QUANTITY");
  command.add_option("--samples", samples, "cells: samples of the bootstrap behind p")
      ->type_name("N")
      ->transform(whole_number(99, 1'000'000).description("99 - 1000000"))
      ->capture_default_str();
  command.add_option("--seed", seed, "seed of the bootstrap")
      ->type_name("N")
      ->transform(
          whole_number(0, std::numeric_limits<std::int64_t>::max()).description("at least 0"))
      ->capture_default_str();
  command.add_option("--threads", threads, "threads to use; 0 = all cores. Never changes a result")
      ->type_name("N")
      ->transform(whole_number(0, 4096))
      ->capture_default_str();
  command.add_flag("--json", json, "print JSON");
  add_output_option(
      command, output,
      "file to write: sections (TOML) with the report as comments; codes: the table (HDF5)")
      ->type_name("FILE");
}

void FitOptions::check(const CLI::App& command) const {
  // Which kinds an option is for, where it is not for all of them.
  const std::map<std::string, std::vector<std::string>> kinds = {
      {"--lrs", {"cells"}},
      {"--hrs", {"cells"}},
      {"--law", {"cells"}},
      {"--low", {"cells"}},
      {"--high", {"cells"}},
      {"--samples", {"cells"}},
      {"--seed", {"cells"}},
      {"--current", {"currents"}},
      {"--lrs-count", {"currents"}},
      {"--hrs-count", {"currents"}},
      {"--active-rows", {"currents", "codes"}},
      {"--inputs", {"currents"}},
      {"--weights", {"currents"}},
      {"--constant", {"currents"}},
      {"--noise-sd", {"currents"}},
      {"--read-voltage", {"cells", "currents"}},
      {"--json", {"cells", "currents"}},
      {"--macro", {"codes"}},
      {"--mac", {"codes"}},
      {"--code", {"codes"}},
      {"--count", {"codes"}},
      {"--mean", {"codes"}},
      {"--sd", {"codes"}},
      {"--rows", {"codes"}}};
  for (const auto& [name, ones] : kinds) {
    if (command.count(name) == 0 || std::find(ones.begin(), ones.end(), kind) != ones.end()) {
      continue;
    }
    throw core::UsageError(core::error_line(
        name, fmt::format("changes nothing in fit {}", kind),
        fmt::format("it is for fit {}", fmt::join(ones, " and ")), "leave it out"));
  }
}

}  // namespace cimstat::experiments
