#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/file/json.h"

#include "experiments/commands/cluster_commands.h"
#include "experiments/commands/command.h"
#include "experiments/commands/status_text.h"

namespace cimstat::experiments {

void add_status_command(CLI::App& app) {
  struct Options {
    std::filesystem::path folder;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("status", "How far a sweep is, from the files of its folder alone");
  command->add_option("folder", options->folder, "the folder in which its workers meet")
      ->required()
      ->type_name("FOLDER");
  command->add_flag("--json", options->json, "print JSON, with every worker");
  command->footer(
      "Workers write what they have finished, and how they fare, at least every --segment-seconds. "
      "One that says it\nruns, but has not written for more than three times that and a minute "
      "(or, on this host, whose process is no\nmore), is named: it was killed, or its host went "
      "down. Rates are those of the workers that run.\n"
      "Example: cimstat status big.sweep");
  command->callback([options] {
    const SweepStatus status = sweep_status(options->folder, this_observer());
    std::fputs(
        (options->json ? core::json_text(status_as_json(status)) : status_as_text(status)).c_str(),
        stdout);
  });
}

}  // namespace cimstat::experiments
