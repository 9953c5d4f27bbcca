#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/provenance.h"
#include "core/utf8.h"

#include "circuits/weights/code_difference.h"

#include "experiments/accuracy_text.h"
#include "experiments/columns/columns_file.h"
#include "experiments/commands/command.h"
#include "experiments/commands/interval_options.h"
#include "experiments/commands/number_check.h"
#include "experiments/counted.h"
#include "experiments/inference/network.h"
#include "experiments/onnx/onnx_text.h"
#include "experiments/report_input.h"
#include "experiments/seeing/file_description.h"
#include "experiments/seeing/network_summary.h"
#include "experiments/seeing/sweep_table.h"
#include "experiments/seeing/table_csv.h"
#include "experiments/seeing/table_summary.h"
#include "experiments/table/table_file.h"

namespace cimstat::experiments {

namespace {

struct ShowOptions {
  std::filesystem::path file;
  std::optional<std::uint32_t> active_rows;
  std::string column_class;
  std::vector<std::string> at;
  std::optional<double> confidence;
  IntervalOptions intervals;
  bool config = false;
  bool json = false;
  bool csv = false;
};

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

void show_table(const ShowOptions& options, const FileDescription& description) {
  const TableRecord record = read_table(options.file);
  const std::uint32_t active_rows = options.active_rows.value_or(default_active_rows(record.table));
  const IntervalChoice intervals =
      options.intervals.choice(options.confidence.value_or(record.confidence));
  std::optional<circuits::ColumnClass> wanted;
  if (!options.column_class.empty()) wanted = parse_class(options.column_class);
  if (options.csv) {
    return print(wanted ? class_as_csv(record, *wanted, intervals)
                        : levels_as_csv(record, options.active_rows, intervals));
  }
  if (options.json) {
    core::Json object = description_as_json(options.file, description);
    object["summary"] = levels_as_json(record, active_rows, intervals);
    if (wanted) object["class"] = class_as_json(record, *wanted, intervals);
    object["config_toml"] = record.config_toml;
    return print(core::json_text(object));
  }
  if (wanted) return print(format_class(record, *wanted, intervals, style_of_stdout()));
  print(format_description(options.file, description) + "\n" +
        format_levels(record, active_rows, intervals, style_of_stdout()));
}

void show_accuracy(const ShowOptions& options, const FileDescription& description) {
  const AccuracyRecord record = read_accuracy(options.file);
  if (!options.json) {
    return print(format_description(options.file, description) + "\n" + format_accuracy(record));
  }
  core::Json object = description_as_json(options.file, description);
  object["summary"] = accuracy_as_json(record);
  object["config_toml"] = config_of(options.file, FileKind::accuracy);
  print(core::json_text(object));
}

void show_columns(const ShowOptions& options, const FileDescription& description) {
  const ColumnsResult result = read_columns(options.file);
  if (!options.json) {
    return print(format_description(options.file, description) + "\n" + columns_as_text(result));
  }
  core::Json object = description_as_json(options.file, description);
  object["summary"] = core::Json::parse(columns_as_json(result));
  object["config_toml"] = result.config_toml;
  print(core::json_text(object));
}

void show_sweep(const ShowOptions& options, const FileDescription& description) {
  const SweepRecord record = read_sweep_file(options.file);
  const SweepSlice slice = slice_of(record, options.at);
  if (options.csv) {
    for (const std::string& note : slice.notes) {
      fmt::print(stderr, "note: {}\n", core::one_line(note));
    }
    return print(sweep_as_csv(record, slice));
  }
  if (!options.json) {
    return print(format_description(options.file, description) + "\n" +
                 format_sweep(record, slice));
  }
  core::Json object = description_as_json(options.file, description);
  object["summary"] = sweep_as_json(record, slice);
  object["config_toml"] = record.config_toml;
  print(core::json_text(object));
}

void show_network(const ShowOptions& options, const FileDescription& description) {
  const Network network = read_network(options.file);
  if (!options.json) {
    return print(format_description(options.file, description) + "\n" + format_network(network));
  }
  core::Json object = description_as_json(options.file, description);
  object["summary"] = network_as_json(network);
  print(core::json_text(object));
}

/// Whether the result beside a run record is the one that it speaks of.
std::string result_state(const std::filesystem::path& record, const std::string& name,
                         const std::string& hash) {
  const std::filesystem::path result =
      record.parent_path() / std::filesystem::path(name).filename();
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(result, ignored)) return "not beside this record";
  return core::sha256_of_file(result) == hash
             ? "verified: the file beside this record has this hash"
             : "the file beside this record has another hash";
}

void show_run_record(const ShowOptions& options) {
  std::string name;
  std::string hash;
  const auto fields = core::read_run_record(options.file);
  for (const auto& [field, value] : fields) {
    if (field == "result_file") name = value;
    if (field == "result_sha256") hash = value;
  }
  const std::string state = result_state(options.file, name, hash);
  if (options.json) {
    core::Json facts = core::Json::object();
    for (const auto& [field, value] : fields) facts[field] = value;
    return print(core::json_text({{"file", options.file.string()},
                                  {"kind", name_of(FileKind::run_record)},
                                  {"facts", facts},
                                  {"result", state}}));
  }
  std::string text = core::one_line(options.file.string()) + ": run record\n";
  for (const auto& [field, value] : fields) {
    text += core::one_line(fmt::format("  {:<14}  {}", field, value)) + "\n";
  }
  print(text + fmt::format("  {:<14}  {}\n", "result", state));
}

void show_experiment(const ShowOptions& options) {
  const Experiment experiment = read_experiment(core::Config::from_file(options.file));
  const std::string file = core::one_line(options.file.string());
  if (options.config) return print(experiment.config_toml);
  if (options.json) {
    return print(core::json_text({{"file", options.file.string()},
                                  {"kind", name_of(FileKind::experiment)},
                                  {"name", experiment.name},
                                  {"config_toml", experiment.config_toml}}));
  }
  print(fmt::format(
      "{0}: experiment file, \"{1}\", {2}, {3}\n"
      "  cimstat validate {0}    checks it and says what it will cost\n"
      "  cimstat describe    lists every key with unit, range and default\n"
      "  cimstat show {0} --config    prints it resolved, defaults included\n",
      file, core::one_line(experiment.name), counted(experiment.macro.design.rows, "row"),
      counted(circuits::table_ladder(experiment.macro.design).codes, "code")));
}

void show_onnx(const ShowOptions& options) {
  const OnnxModel model(options.file);
  print(options.json ? core::json_text(onnx_as_json(model)) : onnx_as_text(model));
}

void refuse_options_of_others(const ShowOptions& options, FileKind kind) {
  const bool is_table = kind == FileKind::error_table;
  constexpr std::string_view axes = "only the result of a sweep has axes";
  constexpr std::string_view points = "only an error table and the result of a sweep are tables";
  constexpr std::string_view classes = "only an error table has classes";
  constexpr std::string_view counts = "only an error table has counts to give intervals";
  struct Refusal {
    bool is_given;
    std::string_view option;
    std::string_view why;
  };
  const Refusal refusals[] = {
      {!is_table && options.active_rows.has_value(), "--active-rows", classes},
      {!is_table && !options.column_class.empty(), "--class", classes},
      {!is_table && kind != FileKind::sweep && options.csv, "--csv", points},
      {!is_table && options.confidence.has_value(), "--confidence", counts},
      {!is_table && !options.intervals.simultaneous.empty(), "--simultaneous", counts},
      {!is_table && options.intervals.is_given(), "--interval", counts},
      {kind != FileKind::sweep && !options.at.empty(), "--at", axes}};
  const auto refused = std::find_if(std::begin(refusals), std::end(refusals),
                                    [](const Refusal& refusal) { return refusal.is_given; });
  if (refused == std::end(refusals)) return;
  throw core::UsageError(core::error_line(
      refused->option,
      fmt::format("{} is a file of another kind ({})", options.file.string(), name_of(kind)),
      refused->why, "leave the option out"));
}

void show(const ShowOptions& options) {
  const FileKind kind = file_kind(options.file);
  refuse_options_of_others(options, kind);
  if (kind == FileKind::run_record && !options.config) return show_run_record(options);
  if (kind == FileKind::experiment) return show_experiment(options);
  if (options.config) return print(config_of(options.file, kind));
  if (kind == FileKind::onnx_model) return show_onnx(options);
  const FileDescription description = describe_file(options.file, kind);
  if (kind == FileKind::error_table) return show_table(options, description);
  if (kind == FileKind::accuracy) return show_accuracy(options, description);
  if (kind == FileKind::columns) return show_columns(options, description);
  if (kind == FileKind::sweep) return show_sweep(options, description);
  show_network(options, description);
}

}  // namespace

void add_show_command(CLI::App& app) {
  const auto options = std::make_shared<ShowOptions>();
  CLI::App* command =
      app.add_subcommand("show", "What made a file, its axes and datasets, and what it says");
  command
      ->add_option(
          "file", options->file,
          "error table, accuracy, columns or sweep result, network, ONNX model, run record or "
          "experiment")
      ->required()
      ->type_name("FILE");
  CLI::Option* rows =
      command
          ->add_option("--active-rows", options->active_rows,
                       "of a table: misread rates at so many active rows (default: the largest "
                       "number in it up to 16)")
          ->type_name("N")
          ->transform(whole_number(0, circuits::row_limit));
  command
      ->add_option("--class", options->column_class,
                   "of a table: P(code) of one class, such as 3,16 for 3 LRS cells among 16 active "
                   "rows")
      ->type_name("LRS,ACTIVE")
      ->excludes(rows);
  command
      ->add_option("--confidence", options->confidence,
                   "of a sampled table: level of the intervals (default: that of the file)")
      ->type_name("P")
      ->check(number_between(0.5, 0.999999));
  command
      ->add_option("--at", options->at,
                   "of a sweep: only points at this value of an axis, or at the nearest to it; "
                   "repeat for several axes")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  options->intervals.add_to(*command);
  command->add_flag("--config", options->config,
                    "print the resolved configuration only: making the file again from it gives "
                    "the same bytes");
  CLI::Option* json = command->add_flag("--json", options->json, "print JSON, with everything");
  command
      ->add_flag("--csv", options->csv,
                 "of a table: print the misread rates of all classes (or those of --active-rows), "
                 "or the row of --class, as CSV; of a sweep: all points, or those of --at")
      ->excludes(json);
  command->footer(
      "Rates are probabilities; exact ones have an error bound (+-), sampled ones an interval: "
      "files "
      "store counts,\nwhich any method and level can be applied to. What was never seen has an "
      "upper "
      "limit. Hashes are checked; a\ndamaged file is refused with exit code 3. NO_COLOR switches "
      "colours off.\n"
      "Example: cimstat show macro.table.h5 --active-rows 8\n"
      "         cimstat show macro.table.h5 --class 3,16 --interval goodman --simultaneous row\n"
      "         cimstat show macro.sweep.h5 --at sigma=0.1 --at corner=slow --csv");
  command->callback([options] { show(*options); });
}

}  // namespace cimstat::experiments
