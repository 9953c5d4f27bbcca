#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/atomic_file.h"

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/fit/cell_fit.h"
#include "experiments/fit/current_fit.h"

namespace cimstat::experiments {

namespace {

struct Options {
  std::string kind;
  std::filesystem::path file;
  CellColumns cells;
  CurrentColumns currents;
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
  void check(const CLI::App& command) const;
};

std::optional<double> quantity(const std::string& text, core::Quantity what,
                               std::string_view option, double least) {
  if (text.empty()) return std::nullopt;
  const std::string place = fmt::format("{} {}", option, text);
  try {
    const double value = core::parse_quantity(text, what);
    if (value >= least) return value;
  } catch (const std::invalid_argument& error) {
    throw core::UsageError(core::error_line(place, "is not such a quantity", error.what()));
  }
  throw core::UsageError(
      core::error_line(place, "is out of range",
                       least > 0.0 ? "a positive one is needed" : "it must not be negative"));
}

constexpr double tiny = 1e-15;

std::optional<double> read_voltage(const Options& options) {
  return quantity(options.read_voltage, core::Quantity::voltage, "--read-voltage", tiny);
}

/// What a run prints and writes.
struct Outputs {
  std::string text;
  std::string toml;
  std::string json;
};

Outputs fit_of_cells(Options& options) {
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
  const auto low = quantity(options.low, core::Quantity::conductance, "--low", 0.0);
  const auto high = quantity(options.high, core::Quantity::conductance, "--high", tiny);
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

Outputs fit_of_currents(Options& options) {
  CurrentColumns& columns = options.currents;
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
  if (const auto sd = quantity(options.noise_sd, core::Quantity::current, "--noise-sd", 0.0)) {
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

void run(Options& options) {
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

void Options::add_to(CLI::App& command) {
  command
      .add_option("kind", kind,
                  "what was measured: cells (one value each) or currents (of columns under known "
                  "inputs)")
      ->required()
      ->type_name("KIND")
      ->check(CLI::IsMember({"cells", "currents"}));
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
  column("--active-rows", currents.active_rows,
         "currents: column of the active rows, instead (default: active_rows, n)");
  column("--inputs", currents.inputs,
         "currents: column of inputs as digits 0 and 1, with --weights, instead (default: inputs)");
  column("--weights", currents.weights,
         "currents: column of weights as digits, 1 for LRS (default: weights)");
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
  add_output_option(command, output, "write the sections there (TOML), the report as comments")
      ->type_name("FILE.toml");
}

/// Refuses options of the other kind, which would change nothing.
void Options::check(const CLI::App& command) const {
  const std::map<std::string, std::vector<std::string>> others = {
      {"cells",
       {"--current", "--lrs-count", "--hrs-count", "--active-rows", "--inputs", "--weights",
        "--constant", "--noise-sd"}},
      {"currents", {"--lrs", "--hrs", "--law", "--low", "--high", "--samples", "--seed"}}};
  for (const std::string& name : others.at(kind)) {
    if (command.count(name) == 0) continue;
    throw core::UsageError(core::error_line(
        name, fmt::format("changes nothing in fit {}", kind),
        fmt::format("it is for fit {}", kind == "cells" ? "currents" : "cells"), "leave it out"));
  }
}

}  // namespace

void add_fit_command(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "fit", "Cells of an experiment file from measurements or circuit simulations");
  options->add_to(*command);
  command->footer(
      "Prints TOML: the report as comments, then [cell.lrs], [cell.hrs] for the experiment file.\n"
      "fit cells: conductances, resistances or currents of single cells; normal and lognormal laws "
      "by maximum likelihood,\nwith standard errors, AIC, BIC and the Anderson-Darling statistic "
      "(p by parametric bootstrap).\n"
      "fit currents: means and spreads of LRS and HRS cells and the noise of a read from sums of "
      "known cells.\n"
      "Tables: commas, semicolons, tabs or blanks; a first row without numbers names the columns; "
      "# starts a comment.\n"
      "Measure files: HSPICE (.mt0), Spectre (mt_format = horizontal); .mcdata by column number.\n"
      "Example: cimstat fit cells measured.csv --lrs lrs_ohm --hrs hrs_ohm --unit ohm");
  command->callback([options, command] {
    options->check(*command);
    run(*options);
  });
}

}  // namespace cimstat::experiments
