#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"
#include "core/utf8.h"

#include "experiments/accuracy_conditions.h"
#include "experiments/accuracy_text.h"
#include "experiments/commands/accuracy_check.h"
#include "experiments/commands/command.h"
#include "experiments/commands/plan.h"
#include "experiments/frozen_accuracy.h"
#include "experiments/inference/chip_accuracy.h"
#include "experiments/inference/dataset.h"
#include "experiments/inference/network.h"
#include "experiments/inference/parallel_accuracy.h"
#include "experiments/inference/stopped_accuracy.h"
#include "experiments/layer_tables_file.h"
#include "experiments/seeing/chips_comparison.h"
#include "experiments/seeing/config_difference.h"
#include "experiments/table/table_file.h"

namespace cimstat::experiments {

namespace {

/// That a configuration may ask for.
constexpr std::uint32_t most_reads = 10'000;

/// The table that accuracy makes has every class: the configuration that is recorded says so.
Experiment read_for_every_class(const CommonOptions& options) {
  Experiment experiment = read_experiment(options.open());
  const std::uint32_t rows = experiment.macro.design.rows;
  if (experiment.table.active_rows.size() == std::size_t{rows} + 1) return experiment;
  fmt::print(stderr, "cimstat: warning: {}\n",
             core::error_line("table.active_rows", "is taken, and recorded, as \"all\"",
                              "a network can make any number of rows active", "leave it out"));
  CommonOptions all = options;
  all.overrides.emplace_back("table.active_rows=all");
  return read_experiment(all.open());
}

/// The result says how many images it is of, also where more were asked for than there are.
Experiment read_for_images(CommonOptions options, std::size_t images, const Experiment& asked) {
  options.overrides.push_back(fmt::format("accuracy.images={}", images));
  const std::size_t every = asked.macro.design.rows + std::size_t{1};
  if (asked.table.active_rows.size() == every) {
    options.overrides.emplace_back("table.active_rows=all");
  }
  return read_experiment(options.open());
}

/// The result carries the configuration that makes its numbers again: what decided those of a given
/// table is the table's. Numbers of a class do not depend on the others, nor on the confidence.
std::vector<std::string> overrides_of_table(const Experiment& asked, const TableRecord& table) {
  std::vector<std::string> overrides;
  for (const KeyDifference& key : differing_keys(asked.config_toml, table.config_toml)) {
    const bool decides = key.key.starts_with("table.") && key.key != "table.active_rows" &&
                         key.key != "table.confidence";
    if (decides) overrides.push_back(fmt::format("{}={}", key.key, key.b));
  }
  return overrides;
}

circuits::ErrorTable table_of_every_class(const Experiment& experiment,
                                          const CommonOptions& options) {
  check_every_class(experiment);
  const auto classes = every_class(experiment);
  ProgressMeter meter("table", table_unit(experiment, classes.size()), options.verbosity());
  return make_table(experiment, classes, options.thread_count(), meter.callback()).table;
}

/// Cells, offsets and converters come from the configuration: a table has none.
void refuse_table_of_chips(const Experiment& experiment, const std::filesystem::path& table) {
  if (experiment.accuracy.noise != AccuracyNoise::frozen || table.empty()) return;
  throw core::UsageError(core::error_line("--table " + table.string(),
                                          "is of no use to frozen chips",
                                          "a table holds no cells: it draws each code afresh",
                                          "leave it out, or write accuracy.noise = \"table\""));
}

/// Its classes are numbers of rows that are on or off, with binary cells.
void refuse_table_of_weighted_counts(const Experiment& experiment,
                                     const std::filesystem::path& table) {
  const auto demand = count_demand(experiment.accuracy.array);
  if (!demand || table.empty()) return;
  throw core::UsageError(core::error_line(
      "--table " + table.string(), fmt::format("is of no use to {}", demand->what),
      fmt::format("a table knows {}", demand->fact),
      fmt::format("leave it out, or write accuracy.{} = {}", demand->key, demand->plain)));
}

/// All images, or as many as the wanted half-width takes.
AccuracyResult run_images(
    const Experiment& experiment, const AccuracyOptions& all, const CommonOptions& options,
    const std::function<AccuracyResult(const AccuracyOptions&, const core::Progress&)>& run) {
  const std::size_t chips = std::max(all.chips, 1U);
  ProgressMeter meter("accuracy", {"images", static_cast<double>(all.images * chips)},
                      options.verbosity());
  const core::Progress progress = meter.callback();
  if (!experiment.accuracy.half_width) return run(all, progress);
  const StoppingRule rule{*experiment.accuracy.half_width, experiment.table.confidence, all.images};
  return accuracy_until(rule, [&](std::size_t first, std::size_t count) {
    AccuracyOptions part = all;
    part.first_image = first;
    part.images = count;
    const auto progress_of_all = [&, first](std::size_t done, std::size_t) {
      progress(first * chips + done, all.images * chips);
    };
    return run(part, progress ? progress_of_all : core::Progress());
  });
}

AccuracyResult run_on_chips(const Experiment& experiment, const Network& network,
                            const ImageSet& images, const AccuracyOptions& run,
                            const CommonOptions& options) {
  return run_images(
      experiment, run, options, [&](const AccuracyOptions& part, const core::Progress& progress) {
        return frozen_accuracy(experiment, network, images, part, options.thread_count(), progress);
      });
}

AccuracyRecord empty_record(const Experiment& experiment, const Network& network,
                            const ImageSet& images) {
  return {.name = experiment.name,
          .network = network.name,
          .data_set = images.name,
          .table_sha256 = {},
          .config_toml = experiment.accuracy_toml,
          .confidence = experiment.table.confidence,
          .recalibration_images = experiment.accuracy.recalibration_images,
          .result = {}};
}

AccuracyResult run_with_table(const Experiment& experiment, const Network& network,
                              const ImageSet& images, const circuits::ErrorTable& table,
                              const AccuracyOptions& run, const CommonOptions& options) {
  return run_images(
      experiment, run, options, [&](const AccuracyOptions& part, const core::Progress& progress) {
        return accuracy_with_table(network, images, table, part, options.thread_count(), progress);
      });
}

/// With codes that follow from weighted counts.
void run_in_parallel(const Experiment& experiment, const Network& network, const ImageSet& images,
                     const AccuracyOptions& run, const CommonOptions& options,
                     AccuracyRecord& record) {
  const ParallelTables tables = parallel_tables(network, experiment.macro.design, run.array);
  record.table_sha256 = tables.drawn.sha256(experiment.table_toml);
  record.result = run_images(experiment, run, options,
                             [&](const AccuracyOptions& part, const core::Progress& progress) {
                               return accuracy_in_parallel(network, images, tables, part,
                                                           options.thread_count(), progress);
                             });
}

/// What chips are compared with: their images and network, codes drawn from the error table, as
/// many reads as all chips have together.
Experiment beside_chips(CommonOptions options, const Experiment& chips) {
  const AccuracySettings& settings = chips.accuracy;
  const std::uint64_t reads =
      std::min(std::uint64_t{settings.chips} * settings.reads, std::uint64_t{most_reads});
  options.overrides.insert(options.overrides.end(),
                           {"accuracy.noise=table", "accuracy.chips=1", "table.active_rows=all",
                            fmt::format("accuracy.images={}", settings.images),
                            fmt::format("accuracy.reads={}", reads)});
  return read_experiment(options.open());
}

AccuracyRecord table_beside_chips(const Experiment& experiment, const Network& network,
                                  const ImageSet& images, const CommonOptions& options) {
  AccuracyRecord record = empty_record(experiment, network, images);
  const circuits::ErrorTable table = table_of_every_class(experiment, options);
  record.table_sha256 = content_hash(table, experiment.table_toml);
  record.result =
      run_with_table(experiment, network, images, table, accuracy_options(experiment, {}), options);
  record.layers = layer_report(record.result, record.confidence);
  return record;
}

/// Next to that of the chips: NAME.table.accuracy.h5.
std::filesystem::path file_beside(const std::filesystem::path& file) {
  return file.parent_path() / (result_stem(file) + ".table.accuracy.h5");
}

}  // namespace

void add_accuracy_command(CLI::App& app) {
  struct Options : CommonOptions {
    std::filesystem::path output_file;
    std::filesystem::path table_file;
    bool beside_table = false;
    bool json = false;
    bool layers = false;
    bool sensitivity = false;
    std::string half_width;

    /// As --set would.
    void add_overrides() {
      if (layers) overrides.emplace_back("accuracy.layers=true");
      if (sensitivity) overrides.emplace_back("accuracy.sensitivity=true");
      if (!half_width.empty()) overrides.push_back("accuracy.half_width=" + half_width);
    }
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "accuracy", "Accuracy of a network whose partial sums are read through the column");
  options->add_to(*command);
  command
      ->add_option("--table", options->table_file,
                   "error table to use (default: make it from the configuration)")
      ->type_name("FILE.h5");
  add_output_option(*command, options->output_file,
                    "result file (default: the configuration's name with .accuracy.h5, here)")
      ->type_name("FILE.h5");
  command->add_flag("--beside-table", options->beside_table,
                    "frozen chips: read the same images with codes of the error table too, and "
                    "compare");
  command->add_flag("--layers", options->layers,
                    "figures of each layer: signal to noise, codes, classes (accuracy.layers)");
  command->add_flag("--sensitivity", options->sensitivity,
                    "accuracy with each layer alone on columns, and with all but it; two more runs "
                    "for each layer (accuracy.sensitivity)");
  command
      ->add_option("--half-width", options->half_width,
                   "end where the accuracy is known to +- this share (accuracy.half_width)")
      ->type_name("SHARE");
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Runs accuracy.network on accuracy.images images of accuracy.data_set, each accuracy.reads "
      "times: once in exact\nintegers, once with every partial sum drawn from the error table. "
      "Accuracies are shares of images, with intervals\nover images at table.confidence. With "
      "accuracy.noise = \"frozen\" on accuracy.chips chips instead, each with cells, offsets\nand "
      "converters of its own, and with intervals over chips too;\n--beside-table also "
      "reads the same images through the table, as often as all chips together, into "
      "NAME.table.accuracy.h5,\nand tells what the table leaves out. Layers that "
      "[accuracy.layer_tables.NAME] names "
      "have error tables of their own.\n"
      "Example: cimstat accuracy experiments/configs/rram_128rows.toml --set accuracy.images=1000");
  command->callback([options] {
    const RunClock clock;
    options->add_overrides();
    const bool has_table = !options->table_file.empty();
    CommonOptions all = *options;
    Experiment experiment = read_experiment(options->open());
    const bool frozen = experiment.accuracy.noise == AccuracyNoise::frozen;
    refuse_table_of_chips(experiment, options->table_file);
    refuse_table_of_weighted_counts(experiment, options->table_file);
    if (options->beside_table && !frozen) {
      throw core::UsageError(core::error_line("--beside-table", "is for frozen chips",
                                              "nothing else stands beside the table",
                                              "write accuracy.noise = \"frozen\""));
    }
    if (options->beside_table && experiment.accuracy.levels.any()) {
      throw core::UsageError(
          core::error_line("--beside-table", "knows binary cells alone",
                           "an error table has no levels and no range of a batch",
                           "leave out cell_bits, converter_range and subtraction of [accuracy]"));
    }
    if (options->beside_table && experiment.accuracy.half_width) {
      throw core::UsageError(core::error_line("--beside-table", "is for a fixed number of images",
                                              "chips and table would end at different ones",
                                              "leave out accuracy.half_width"));
    }
    if (!frozen && !has_table) experiment = read_for_every_class(*options);
    print_warnings(experiment);
    TableRecord given;
    if (has_table) {
      given = read_table(options->table_file);
      require_binary_table(given, options->table_file);
      const std::string table_name = options->table_file.string();
      const Experiment made_from =
          read_experiment(core::Config::from_text(given.config_toml, table_name));
      if (made_from.macro_toml != experiment.macro_toml) {
        throw core::UsageError(core::error_line(
            "--table " + table_name, "was made for another macro",
            "cell, column, sense amplifier or converter differ from " + options->config.string(),
            "make it again from this configuration"));
      }
      if (given.table.method == circuits::TableMethod::monte_carlo &&
          made_from.seed != experiment.seed) {
        fmt::print(stderr, "cimstat: warning: {}\n",
                   core::error_line("--table " + table_name,
                                    fmt::format("was sampled with seed {}", made_from.seed),
                                    fmt::format("the configuration has {}", experiment.seed),
                                    "keep the table: the result names it by its hash alone"));
      }
      const std::vector<std::string> overrides = overrides_of_table(experiment, given);
      all.overrides.insert(all.overrides.end(), overrides.begin(), overrides.end());
      if (!overrides.empty()) experiment = read_experiment(all.open());
    }
    const AccuracySettings& settings = experiment.accuracy;
    const std::filesystem::path network_path = network_file(settings.network);
    std::vector<std::filesystem::path> read_files{options->table_file, network_path};
    for (const LayerTableSettings& layers : settings.layer_tables) {
      read_files.emplace_back(layers.table);
    }
    const std::filesystem::path file =
        options->output(options->output_file, ".accuracy.h5", read_files);
    const LayerTables layers = read_layer_tables(experiment);
    if (options->beside_table) check_output(file_beside(file), {options->config, network_path});
    const Network network = read_network(network_path);
    const ImageSet images = [&] {
      const PhaseNote note("reading " + settings.data_set, options->verbosity());
      return read_named_images(settings.data_set, Split::test);
    }();
    if (images.size() < settings.images) {
      experiment = read_for_images(all, images.size(), experiment);
    }
    AccuracyOptions run = accuracy_options(experiment, layers.tables);
    if (has_table) run.table_name = options->table_file.string();
    check_accuracy_run(experiment, network, images, run);
    // Chips may take hours: what their table can't be is found before.
    std::optional<Experiment> beside;
    if (options->beside_table) {
      beside = beside_chips(*options, experiment);
      check_every_class(*beside);
      check_accuracy_run(*beside, network, images, accuracy_options(*beside, {}));
    }
    AccuracyRecord record = empty_record(experiment, network, images);
    record.layer_tables = layers.sha256;
    if (frozen) {
      record.result = run_on_chips(experiment, network, images, run, *options);
    } else if (reads_weighted_counts(settings.array)) {
      run_in_parallel(experiment, network, images, run, *options, record);
    } else {
      circuits::ErrorTable table;
      if (has_table) {
        table = std::move(given.table);
        record.table_sha256 = given.content_sha256;
      } else {
        table = table_of_every_class(experiment, *options);
        record.table_sha256 = content_hash(table, experiment.table_toml);
      }
      record.result = run_with_table(experiment, network, images, table, run, *options);
    }
    if (record.result.images() < run.images) {
      experiment = read_for_images(all, record.result.images(), experiment);
      record.config_toml = experiment.accuracy_toml;
    }
    record.layers = layer_report(record.result, record.confidence);
    write_accuracy(experiment, record, file);
    clock.write_record("accuracy", file, options->thread_count());
    core::Json json = accuracy_as_json(record);
    std::string text = format_accuracy(record);
    std::string files = file.string();
    if (beside) {
      const AccuracyRecord table = table_beside_chips(*beside, network, images, *options);
      write_accuracy(*beside, table, file_beside(file));
      clock.write_record("accuracy", file_beside(file), options->thread_count());
      const ComparisonSettings how{.confidence = record.confidence};
      const ChipsComparison comparison = compare_chips(table, record, how);
      json["beside_table"] = comparison_as_json(comparison, how);
      text += "\n" + format_comparison(comparison, how);
      files += " and " + file_beside(file).string();
    }
    if (options->json) {
      fmt::print("{}", core::json_text(json));
      return;
    }
    fmt::print("{}written {} in {:.2f} s\n", text, core::one_line(files), clock.wall_seconds());
  });
}

}  // namespace cimstat::experiments
