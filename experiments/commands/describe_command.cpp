#include <cstdio>
#include <memory>

#include "core/error.h"

#include "experiments/commands/command.h"
#include "experiments/describe/description.h"
#include "experiments/sram/failure_settings.h"

namespace cimstat::experiments {

void add_describe_command(CLI::App& app) {
  struct Options {
    std::string path;
    std::string file = "experiment";
    bool json = false;
    bool schema = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "describe", "What an experiment file may hold: sections, keys, units, ranges, defaults");
  command->add_option("path", options->path,
                      "section (cell.lrs) or key (column.rows); default: all sections");
  command
      ->add_option("--file", options->file,
                   "which file: an experiment, or the cell of `cimstat sram`")
      ->type_name("NAME")
      ->check(CLI::IsMember({"experiment", "sram"}))
      ->capture_default_str();
  auto* json = command->add_flag("--json", options->json, "print the whole list as JSON");
  command
      ->add_flag("--json-schema", options->schema,
                 "print a JSON Schema (draft-07), for editors that check TOML")
      ->excludes(json);
  command->footer(
      "Example: cimstat describe cell.lrs\n"
      "Editors: cimstat describe --json-schema > cimstat.schema.json, and \"#:schema "
      "./cimstat.schema.json\" as the first line of the experiment file (Even Better TOML, "
      "taplo).");
  command->callback([options] {
    const core::Section& file = options->file == "sram" ? sram_failure_file() : experiment_file();
    if (!options->path.empty() && (options->json || options->schema)) {
      throw core::UsageError(core::error_line(options->path, "can't be described alone",
                                              "--json and --json-schema print the whole list",
                                              "leave it out"));
    }
    const std::string text = options->schema         ? json_schema(file)
                             : options->json         ? list_as_json(file)
                             : options->path.empty() ? sections_as_text(file)
                                                     : described(file, options->path);
    std::fputs(text.c_str(), stdout);
  });
}

}  // namespace cimstat::experiments
