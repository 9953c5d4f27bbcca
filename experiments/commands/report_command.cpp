#include <memory>
#include <optional>

#include <fmt/format.h>

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/utf8.h"

#include "experiments/accuracy_file.h"
#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/report_input.h"
#include "experiments/table_file.h"

namespace cimstat::experiments {

namespace {

/// An accuracy result as the command line names it: FILE, or LABEL=FILE.
struct AccuracyArgument {
  std::filesystem::path file;
  std::string label;
};

/// A path that exists as given is one, whatever signs are in it. Else the label ends at the first
/// equals sign behind which there is a file; where there is none, at the first one.
AccuracyArgument accuracy_argument(const std::string& text) {
  std::error_code ignored;
  const std::size_t first = text.find('=');
  if (first == text.npos || std::filesystem::exists(text, ignored)) return {text, {}};
  std::size_t end = first;
  for (std::size_t at = first; at != text.npos; at = text.find('=', at + 1)) {
    if (!std::filesystem::exists(text.substr(at + 1), ignored)) continue;
    end = at;
    break;
  }
  if (end == 0) {
    throw core::UsageError(core::error_line(text, "has no label before its equals sign", {},
                                            "write it as LABEL=FILE, or the file alone"));
  }
  return {text.substr(end + 1), text.substr(0, end)};
}

/// Two conditions of one name could not be told apart.
void refuse_repeated_labels(const std::vector<AccuracyArgument>& arguments) {
  for (std::size_t later = 1; later < arguments.size(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      if (arguments[later].label.empty() || arguments[earlier].label != arguments[later].label) {
        continue;
      }
      throw core::UsageError(
          core::error_line(arguments[later].file.string(),
                           fmt::format("has the label of {}", arguments[earlier].file.string()),
                           arguments[later].label, "give each accuracy result a label of its own"));
    }
  }
}

/// A result compared with itself says nothing.
void refuse_repetition(const std::vector<std::filesystem::path>& files) {
  std::error_code ignored;
  for (std::size_t later = 1; later < files.size(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      if (!std::filesystem::equivalent(files[earlier], files[later], ignored)) continue;
      throw core::UsageError(core::error_line(
          files[later].string(), "is given twice",
          files[earlier] == files[later] ? "" : "it is the same file as " + files[earlier].string(),
          "name each accuracy result once"));
    }
  }
}

}  // namespace

void add_report_command(CLI::App& app) {
  struct Options {
    std::filesystem::path table;
    std::vector<std::string> accuracy;
    std::filesystem::path output_file;
    std::optional<std::uint32_t> active_rows;
    unsigned threads = 0;
    bool quiet = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "report", "One self-contained HTML page from an error table and accuracy results");
  command->add_option("table", options->table, "error table")->required()->type_name("FILE.h5");
  command
      ->add_option("accuracy", options->accuracy,
                   "accuracy results to show with it; several are compared, and all but one may be "
                   "of other macros. LABEL=FILE.h5 says what one is to be called, else it is what "
                   "differs from the first")
      ->type_name("FILE.h5");
  add_output_option(*command, options->output_file,
                    "page to write (default: the table's name with .html, here)")
      ->type_name("FILE.html");
  command
      ->add_option("--active-rows", options->active_rows,
                   "number of active rows to show (default: the largest up to 16)")
      ->type_name("N")
      ->transform(whole_number(1, circuits::row_limit));
  command->add_option("--threads", options->threads, "threads to use; 0 = all cores")
      ->type_name("N")
      ->capture_default_str()
      ->transform(whole_number(0, 4096));
  command->add_flag("--quiet,-q", options->quiet, "no progress on stderr");
  command->footer(
      "The page needs no network: level distributions with references, which code each MAC value "
      "gives, misread rates,\nmargins, accuracy with intervals, all figures and the resolved "
      "configuration.\n"
      "Example: cimstat report macro.table.h5 macro.accuracy.h5 -o macro.html");
  command->callback([options] {
    std::filesystem::path file = options->output_file;
    if (file.empty()) file = options->table.stem().string() + ".html";
    std::vector<AccuracyArgument> arguments;
    std::vector<std::filesystem::path> inputs;
    for (const std::string& text : options->accuracy) {
      arguments.push_back(accuracy_argument(text));
      inputs.push_back(arguments.back().file);
    }
    refuse_repetition(inputs);
    refuse_repeated_labels(arguments);
    inputs.push_back(options->table);
    check_output(file, inputs);
    const TableRecord record = read_table(options->table);
    std::vector<NamedAccuracy> accuracy;
    bool any_of_this_table = arguments.empty();
    for (const AccuracyArgument& argument : arguments) {
      accuracy.push_back(
          {read_accuracy(argument.file), result_stem(argument.file), argument.label});
      any_of_this_table =
          any_of_this_table || accuracy.back().record.table_sha256 == record.content_sha256;
    }
    // Results of other macros are other conditions; but a page needs one of its own.
    if (!any_of_this_table) {
      throw core::DataError(core::error_line(
          arguments.front().file.string(),
          fmt::format("was made with another error table than {}", options->table.string()),
          "table_content_sha256 differs", "run cimstat accuracy with this table"));
    }
    const std::uint32_t active_rows =
        options->active_rows.value_or(default_active_rows(record.table));
    const std::string page = [&] {
      const PhaseNote note("drawing " + core::one_line(file.string()),
                           options->quiet ? Verbosity::quiet : Verbosity::normal);
      return render_report(report_input(record, accuracy, active_rows, {options->threads}));
    }();
    core::write_atomically(file, page);
    fmt::print("written {}\n", core::one_line(file.string()));
  });
}

}  // namespace cimstat::experiments
