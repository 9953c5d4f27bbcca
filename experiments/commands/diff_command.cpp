#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/provenance.h"
#include "core/utf8.h"

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/seeing/chips_comparison.h"
#include "experiments/seeing/comparison_text.h"
#include "experiments/seeing/file_description.h"
#include "experiments/seeing/sweep_comparison.h"

namespace cimstat::experiments {

namespace {

constexpr int exit_differ = 1;

struct DiffOptions {
  std::filesystem::path a;
  std::filesystem::path b;
  double level = 0.001;
  std::size_t listed = 10;
  bool json = false;
};

/// What is printed, and whether the files differ.
struct Finding {
  std::string text;
  std::string json;
  bool differ = false;
};

Finding identical(std::string_view what) {
  return {.text = fmt::format("identical: {}\n", what),
          .json = core::json_text({{"differ", false}, {"identical", true}})};
}

std::string headline(std::string_view label, const std::filesystem::path& file,
                     const std::string& rest) {
  return core::one_line(fmt::format("{}  {}: {}", label, file.string(), rest)) + "\n";
}

std::string how_made(const TableRecord& record) {
  return fmt::format("{}; {}; seed {}", record.reason, record.source, record.seed);
}

Finding compare_table_files(const DiffOptions& options) {
  const TableRecord a = read_table(options.a);
  const TableRecord b = read_table(options.b);
  // The hash covers counts, not computed doubles, which other versions may round otherwise.
  if (a.content_sha256 == b.content_sha256 &&
      a.table.method == circuits::TableMethod::monte_carlo) {
    return identical("the same content_sha256 (configuration, keys and counts)");
  }
  const ComparisonSettings settings{options.level, a.confidence, options.listed};
  const TableComparison comparison = compare_tables(a.table, b.table, options.level, a.confidence);
  const auto keys = differing_keys(a.config_toml, b.config_toml);
  Finding finding;
  finding.differ = comparison.differ();
  finding.text = headline("a", options.a, how_made(a)) + headline("b", options.b, how_made(b)) +
                 format_keys(keys) + format_comparison(a, b, comparison, settings);
  core::Json json = comparison_as_json(comparison, settings);
  json["keys"] = keys_as_json(keys);
  finding.json = core::json_text(json);
  return finding;
}

/// Chips share cells over all images, so that they have a comparison of their own.
Finding compare_chip_files(const DiffOptions& options, const AccuracyRecord& a,
                           const AccuracyRecord& b) {
  if (a.result.chips > 0 && b.result.chips > 0) {
    throw core::UsageError(core::error_line(
        options.b.string(), "is of frozen chips, and so is " + options.a.string(),
        "chips are compared with a table", "compare the intervals that cimstat show prints"));
  }
  const ComparisonSettings settings{options.level, a.confidence, options.listed};
  const bool a_is_table = a.result.chips == 0;
  const ChipsComparison comparison =
      compare_chips(a_is_table ? a : b, a_is_table ? b : a, settings);
  const auto keys = differing_keys(a.config_toml, b.config_toml);
  Finding finding;
  finding.differ = comparison.differ(options.level);
  finding.text = headline("a", options.a, a_is_table ? "error table" : "frozen chips") +
                 headline("b", options.b, a_is_table ? "frozen chips" : "error table") +
                 format_keys(keys) + format_comparison(comparison, settings);
  core::Json json = comparison_as_json(comparison, settings);
  json["keys"] = keys_as_json(keys);
  finding.json = core::json_text(json);
  return finding;
}

/// Tables of layers are told by what they hold: a file of the same name may be another one.
void add_layer_tables(const AccuracyRecord& a, const AccuracyRecord& b,
                      std::vector<KeyDifference>& keys) {
  for (const auto& [name, hash] : a.layer_tables) {
    for (const auto& [other, other_hash] : b.layer_tables) {
      if (name != other || hash == other_hash) continue;
      keys.push_back({.key = fmt::format("accuracy.layer_tables.{}: content", name),
                      .a = hash.substr(0, 16),
                      .b = other_hash.substr(0, 16)});
    }
  }
}

Finding compare_accuracy_files(const DiffOptions& options) {
  const AccuracyRecord a = read_accuracy(options.a);
  const AccuracyRecord b = read_accuracy(options.b);
  if (a.result.chips > 0 || b.result.chips > 0) return compare_chip_files(options, a, b);
  const ComparisonSettings settings{options.level, a.confidence, options.listed};
  const AccuracyComparison comparison = compare_accuracy(a, b, a.confidence);
  auto keys = differing_keys(config_of(options.a, FileKind::accuracy),
                             config_of(options.b, FileKind::accuracy));
  add_layer_tables(a, b, keys);
  const auto what = [](const AccuracyRecord& record) {
    return fmt::format("{} on {}, {} images x {} reads", record.network, record.data_set,
                       record.result.images(), record.result.reads);
  };
  Finding finding;
  finding.differ = comparison.p_value <= options.level;
  finding.text = headline("a", options.a, what(a)) + headline("b", options.b, what(b)) +
                 format_keys(keys) + format_comparison(comparison, settings);
  core::Json json = comparison_as_json(comparison, settings);
  json["keys"] = keys_as_json(keys);
  finding.json = core::json_text(json);
  return finding;
}

Finding compare_sweep_files(const DiffOptions& options) {
  const SweepRecord a = read_sweep_file(options.a);
  const SweepRecord b = read_sweep_file(options.b);
  const std::string difference = axes_difference(a, b);
  if (!difference.empty()) {
    throw core::UsageError(
        core::error_line(options.b.string(), "is over other points: " + difference,
                         options.a.string(), "compare two sweeps over the same points"));
  }
  const auto keys = differing_keys(a.config_toml, b.config_toml);
  const SweepComparison comparison = compare_sweeps(a, b, options.level);
  const auto what = [](const SweepRecord& record) {
    return fmt::format("{}; {}; seed {}",
                       record.origin.method == "exact" ? "computed" : "Monte Carlo", record.source,
                       record.seed);
  };
  Finding finding;
  finding.differ = comparison.differ();
  finding.text = headline("a", options.a, what(a)) + headline("b", options.b, what(b)) +
                 format_keys(keys) +
                 format_comparison(a, b, comparison, options.level, options.listed);
  core::Json json = comparison_as_json(a, b, comparison, options.level);
  json["keys"] = keys_as_json(keys);
  finding.json = core::json_text(json);
  return finding;
}

Finding compare(const DiffOptions& options) {
  const FileKind kind = file_kind(options.a);
  const FileKind other = file_kind(options.b);
  const bool is_known =
      kind == FileKind::error_table || kind == FileKind::accuracy || kind == FileKind::sweep;
  constexpr std::string_view comparable =
      "two error tables, two accuracy results or two results of sweeps can be compared";
  if (kind != other) {
    throw core::UsageError(
        core::error_line(options.b.string(),
                         fmt::format("is a file of the kind {}, {} is one of the kind {}",
                                     name_of(other), options.a.string(), name_of(kind)),
                         comparable, "name two of one kind"));
  }
  if (!is_known) {
    throw core::UsageError(core::error_line(options.b.string(),
                                            fmt::format("is a file of the kind {}", name_of(kind)),
                                            comparable, "name two of these"));
  }
  if (core::sha256_of_file(options.a) == core::sha256_of_file(options.b)) {
    // Read all the same: a damaged file isn't equal to anything.
    if (kind == FileKind::error_table) read_table(options.a);
    if (kind == FileKind::accuracy) read_accuracy(options.a);
    if (kind == FileKind::sweep) read_sweep_file(options.a);
    return identical("the same bytes");
  }
  if (kind == FileKind::sweep) return compare_sweep_files(options);
  return kind == FileKind::error_table ? compare_table_files(options)
                                       : compare_accuracy_files(options);
}

}  // namespace

void add_diff_command(CLI::App& app) {
  const auto options = std::make_shared<DiffOptions>();
  CLI::App* command = app.add_subcommand("diff",
                                         "Compare two error tables class by class, two sweeps "
                                         "point by point, or two accuracy results, "
                                         "with significance");
  command->add_option("a", options->a, "error table, accuracy or sweep result")
      ->required()
      ->type_name("FILE.h5");
  command->add_option("b", options->b, "another of the same kind")
      ->required()
      ->type_name("FILE.h5");
  command
      ->add_option("--level", options->level,
                   "chance of reporting any difference where there is none, over all classes "
                   "or points together")
      ->type_name("P")
      ->check(number_between(1e-12, 0.5))
      ->capture_default_str();
  command
      ->add_option("--classes", options->listed, "list at most so many differing classes or points")
      ->type_name("N")
      ->transform(whole_number(0, 1'000'000))
      ->capture_default_str();
  command->add_flag("--json", options->json, "print JSON, with every class");
  command->footer(
      "Exact tables are compared with the sum of their error bounds; with sampled ones each class "
      "has a G test of\nall codes and an exact test of its misreads, and the misreads of all "
      "classes together have one; all adjusted by Holm.\n"
      "Sweeps over the same points are compared value by value, beyond their intervals, adjusted "
      "by "
      "Holm.\nAccuracy results on the same images are "
      "paired; frozen chips are compared with a table over chips.\n"
      "Exit status: 0 no (significant) difference, 1 they differ, 2 wrong use or other "
      "trouble, 3 a file is\ndamaged.\n"
      "Example: cimstat diff exact.h5 sampled.h5 --level 0.01");
  command->callback([options] {
    const Finding finding = compare(*options);
    std::fputs((options->json ? finding.json : finding.text).c_str(), stdout);
    if (finding.differ) throw CLI::RuntimeError(exit_differ);
  });
}

}  // namespace cimstat::experiments
