#include <array>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/error.h"
#include "core/utf8.h"

#include "experiments/commands/command.h"
#include "experiments/commands/fit_options.h"
#include "experiments/counted.h"
#include "experiments/table/table_file.h"

namespace cimstat::experiments {

void run_fit_codes(FitOptions& options) {
  const RunClock clock;
  if (options.macro.empty()) {
    throw core::UsageError(core::error_line("fit codes", "what column do these codes come from?",
                                            {}, "give --macro FILE.toml, its experiment file"));
  }
  if (options.output.empty()) {
    throw core::UsageError(core::error_line("fit codes", "has nowhere to write the table to", {},
                                            "give --out FILE.h5"));
  }
  CommonOptions common;
  common.config = options.macro;
  const std::filesystem::path target = common.output(options.output, ".table.h5", {options.file});
  CodeColumns& columns = options.codes;
  columns.active_rows = options.active_rows;
  columns.rows = options.rows;
  columns.unit = read_unit(options.unit.empty() ? "A" : options.unit, "--unit " + options.unit);
  if (columns.unit.quantity != core::Quantity::current) {
    throw core::UsageError(core::error_line("--unit " + options.unit, "is no unit of a current", {},
                                            "write one such as uA"));
  }
  const auto as_described = read_experiment(core::Config::from_file(options.macro));
  const MeasuredCodes measured = read_codes(options.file, columns, as_described.macro.design);
  // The table carries the configuration that its classes and codes follow from.
  const std::array overrides = {
      std::string("table.method=measured"),
      fmt::format("table.active_rows=[{}]", fmt::join(active_rows_of(measured), ","))};
  const Experiment experiment = read_experiment(core::Config::from_file(options.macro, overrides));
  const ChosenTable chosen = measured_table(measured, experiment.macro.design);
  write_table(experiment, chosen, target);
  clock.write_record("fit", target, {options.threads});
  fmt::print("{} x {}\n{}\nwritten {}\n", counted(chosen.table.size(), "class", "classes"),
             counted(chosen.table.codes, "code"), chosen.reason, core::one_line(target.string()));
}

}  // namespace cimstat::experiments
