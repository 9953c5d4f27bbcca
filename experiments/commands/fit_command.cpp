#include <cstdio>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/atomic_file.h"

#include "experiments/commands/command.h"
#include "experiments/commands/fit_options.h"

namespace cimstat::experiments {

namespace {

constexpr double tiny = 1e-15;

std::optional<double> read_voltage(const FitOptions& options) {
  return quantity_of(options.read_voltage, core::Quantity::voltage, "--read-voltage", tiny);
}

/// What a run prints and writes.
struct Outputs {
  std::string text;
  std::string toml;
  std::string json;
};

Outputs fit_of_cells(FitOptions& options) {
  CellColumns& columns = options.cells;
  if (columns.lrs.empty() && columns.hrs.empty()) {
    throw core::UsageError(core::error_line("fit cells", "which column holds which level?", {},
                                            "give --lrs, --hrs or both, a name or a number each"));
  }
  columns.unit = read_unit(options.unit.empty() ? "S" : options.unit, "--unit " + options.unit);
  columns.read_voltage = read_voltage(options);
  CellFitReport report{.file = options.file, .options = {}, .fits = {}};
  static const std::map<std::string, LawChoice> laws = {{"best", LawChoice::best},
                                                        {"normal", LawChoice::normal},
                                                        {"lognormal", LawChoice::lognormal},
                                                        {"empirical", LawChoice::empirical}};
  report.options.law = laws.at(options.law);
  report.options.replicates = options.samples;
  report.options.seed = options.seed;
  const auto low = quantity_of(options.low, core::Quantity::conductance, "--low", 0.0);
  const auto high = quantity_of(options.high, core::Quantity::conductance, "--high", tiny);
  if ((low || high) && !columns.lrs.empty() && !columns.hrs.empty()) {
    throw core::UsageError(core::error_line(low ? "--low" : "--high", "is for one level",
                                            "both are fitted", "fit them one at a time"));
  }
  if (low || high) report.options.cut.low = low.value_or(0.0);
  if (high) report.options.cut.high = *high;
  if (report.options.cut.low >= report.options.cut.high) {
    throw core::UsageError(core::error_line("--low", "is not below --high"));
  }
  for (const MeasuredCells& cells : read_cells(options.file, columns)) {
    report.fits.push_back(fit_cells(cells, report.options, {options.threads}));
  }
  return {cell_fit_as_text(report), cell_fit_as_toml(report), cell_fit_as_json(report)};
}

Outputs fit_of_currents(FitOptions& options) {
  CurrentColumns& columns = options.currents;
  columns.active_rows = options.active_rows;
  columns.unit = read_unit(options.unit.empty() ? "A" : options.unit, "--unit " + options.unit);
  if (columns.unit.quantity != core::Quantity::current) {
    throw core::UsageError(core::error_line("--unit " + options.unit, "is no unit of a current", {},
                                            "write one such as uA"));
  }
  CurrentFitReport report{
      .file = options.file,
      .fit = {},
      .model = {.constant = options.constant ? Constant::fitted : Constant::none,
                .noise_variance = {}},
      .read_voltage = read_voltage(options)};
  if (const auto sd = quantity_of(options.noise_sd, core::Quantity::current, "--noise-sd", 0.0)) {
    report.model.noise_variance = *sd * *sd;
  }
  if (!options.output.empty() && !report.read_voltage) {
    throw core::UsageError(core::error_line("--out", "has nothing to write",
                                            "conductances need the voltage of the reads",
                                            "give --read-voltage as well"));
  }
  const SumGroups groups = read_currents(options.file, columns);
  if (const auto obstacle = unidentified(groups, report.model)) {
    throw core::DataError(core::error_line(options.file.string(), "can't be fitted", obstacle->why,
                                           obstacle->remedy));
  }
  report.fit = fit_sums(groups, report.model);
  return {current_fit_as_text(report), current_fit_as_toml(report), current_fit_as_json(report)};
}

/// Text as comments of TOML, so that what goes to standard output can be kept as a file.
std::string as_comments(const std::string& text) {
  std::string result;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = text.find('\n', start);
    result += "# " + text.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return result;
}

void run(FitOptions& options) {
  if (!options.output.empty()) check_output(options.output, {options.file});
  const Outputs outputs =
      options.kind == "cells" ? fit_of_cells(options) : fit_of_currents(options);
  const std::string document =
      as_comments(outputs.text) + (outputs.toml.empty() ? "" : "\n" + outputs.toml);
  if (!options.output.empty()) core::write_atomically(options.output, document);
  if (options.json) {
    std::fputs(outputs.json.c_str(), stdout);
  } else if (options.output.empty()) {
    std::fputs(document.c_str(), stdout);
  } else {
    fmt::print("{}written {}\n", outputs.text, options.output.string());
  }
}

}  // namespace

void add_fit_command(CLI::App& app) {
  const auto options = std::make_shared<FitOptions>();
  CLI::App* command =
      app.add_subcommand("fit", "Cells and error tables from measurements or circuit simulations");
  options->add_to(*command);
  command->footer(
      "Prints TOML: the report as comments, then [cell.lrs], [cell.hrs] for the experiment file.\n"
      "fit cells: conductances, resistances or currents of single cells; normal and lognormal laws "
      "by maximum likelihood,\nwith standard errors, AIC, BIC and the Anderson-Darling statistic "
      "(p by parametric bootstrap).\n"
      "fit currents: means and spreads of LRS and HRS cells and the noise of a read from sums of "
      "known cells.\n"
      "fit codes: the error table of a chip from counts of its codes, or from mean and sd of each "
      "MAC value.\n"
      "Tables: commas, semicolons, tabs or blanks; a first row without numbers names the columns; "
      "# starts a comment.\n"
      "Measure files: HSPICE (.mt0), Spectre (mt_format = horizontal); .mcdata by column number.\n"
      "Example: cimstat fit cells measured.csv --lrs lrs_ohm --hrs hrs_ohm --unit ohm");
  command->callback([options, command] {
    options->check(*command);
    options->kind == "codes" ? run_fit_codes(*options) : run(*options);
  });
}

}  // namespace cimstat::experiments
