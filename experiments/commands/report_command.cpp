#include <memory>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/atomic_file.h"
#include "core/utf8.h"

#include "experiments/columns/columns_report.h"
#include "experiments/commands/command.h"
#include "experiments/commands/interval_options.h"
#include "experiments/commands/number_check.h"
#include "experiments/commands/report_files.h"
#include "experiments/report/sweep_report.h"
#include "experiments/report_input.h"

namespace cimstat::experiments {

namespace {

struct ReportOptions {
  std::filesystem::path table;
  std::vector<std::string> accuracy;
  std::filesystem::path columns;
  std::filesystem::path output_file;
  std::optional<std::uint32_t> active_rows;
  IntervalOptions intervals;
  unsigned threads = 0;
  bool quiet = false;
};

PhaseNote drawing_note(const std::filesystem::path& file, const ReportOptions& options) {
  return PhaseNote("drawing " + core::one_line(file.string()),
                   options.quiet ? Verbosity::quiet : Verbosity::normal);
}

void refuse_options_of_tables(const ReportOptions& options) {
  const auto refuse = [&](bool is_given, std::string_view place) {
    if (!is_given) return;
    throw core::UsageError(
        core::error_line(place, fmt::format("{} is the result of a sweep", options.table.string()),
                         "only the page of an error table takes it", "leave it out"));
  };
  refuse(!options.accuracy.empty(), options.accuracy.empty() ? "" : options.accuracy.front());
  refuse(!options.columns.empty(), "--columns");
  refuse(options.active_rows.has_value(), "--active-rows");
  refuse(!options.intervals.simultaneous.empty(), "--simultaneous");
  refuse(options.intervals.is_given(), "--interval");
}

std::string sweep_page(const ReportOptions& options, const std::filesystem::path& file) {
  refuse_options_of_tables(options);
  const SweepRecord record = read_sweep_file(options.table);
  const PhaseNote note = drawing_note(file, options);
  return render_sweep_report(record);
}

}  // namespace

void add_report_command(CLI::App& app) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand(
      "report",
      "One self-contained HTML page from an error table and accuracy results, or from a sweep");
  command->add_option("table", options->table, "error table, or result of a sweep")
      ->required()
      ->type_name("FILE.h5");
  command
      ->add_option("accuracy", options->accuracy,
                   "accuracy results to show with it; several are compared, and all but one may be "
                   "of other macros. LABEL=FILE.h5 says what one is to be called, else it is what "
                   "differs from the first")
      ->type_name("FILE.h5");
  command
      ->add_option("--columns", options->columns,
                   "result of cimstat columns to show with it, of the same macro")
      ->type_name("FILE.h5");
  add_output_option(*command, options->output_file,
                    "page to write (default: the table's name with .html, here)")
      ->type_name("FILE.html");
  command
      ->add_option("--active-rows", options->active_rows,
                   "number of active rows to show (default: the largest up to 16)")
      ->type_name("N")
      ->transform(whole_number(1, circuits::row_limit));
  options->intervals.add_to(*command);
  command->add_option("--threads", options->threads, "threads to use; 0 = all cores")
      ->type_name("N")
      ->capture_default_str()
      ->transform(whole_number(0, 4096));
  command->add_flag("--quiet,-q", options->quiet, "no progress on stderr");
  command->footer(
      "The page needs no network: level distributions with references, which code each MAC value "
      "gives, misread rates,\nmargins, accuracy with intervals, all figures and the resolved "
      "configuration.\n"
      "Of a sweep: its axes, the best and the worst points, and pictures whose quantity, axes and "
      "slices are chosen on the page.\n"
      "Example: cimstat report macro.table.h5 macro.accuracy.h5 -o macro.html\n"
      "         cimstat report a.table.h5 'as made=a.accuracy.h5' 'twice the offset=b.accuracy.h5' "
      "-o compared.html\n"
      "         cimstat report macro.sweep.h5");
  command->callback([options] {
    std::filesystem::path file = options->output_file;
    if (file.empty()) file = options->table.stem().string() + ".html";
    std::vector<AccuracyArgument> arguments;
    std::vector<std::filesystem::path> inputs;
    for (const std::string& text : options->accuracy) {
      arguments.push_back(accuracy_argument(text));
      inputs.push_back(arguments.back().file);
    }
    refuse_repetition(arguments);
    inputs.push_back(options->table);
    if (!options->columns.empty()) inputs.push_back(options->columns);
    check_output(file, inputs);
    if (is_sweep_result(options->table)) {
      core::write_atomically(file, sweep_page(*options, file));
      fmt::print("written {}\n", core::one_line(file.string()));
      return;
    }
    require_kinds(options->table, arguments);
    const TableRecord record = read_table(options->table);
    const std::vector<NamedAccuracy> accuracy = read_conditions(arguments, options->table, record);
    std::optional<ColumnsResult> columns;
    if (!options->columns.empty()) columns = read_columns_of(options->columns, record);
    const std::uint32_t active_rows =
        options->active_rows.value_or(default_active_rows(record.table));
    const std::string page = [&] {
      const PhaseNote note = drawing_note(file, *options);
      ReportInput input =
          report_input(record, accuracy, active_rows, options->intervals.choice(record.confidence),
                       {options->threads});
      if (columns) input.columns = column_spread(*columns);
      return render_report(input);
    }();
    core::write_atomically(file, page);
    fmt::print("written {}\n", core::one_line(file.string()));
  });
}

}  // namespace cimstat::experiments
