#include <cstdio>
#include <memory>

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/sram/failure_run.h"

namespace cimstat::experiments {

void add_sram_command(CLI::App& app) {
  struct Options : CommonOptions {
    FailureOptions failure;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "sram", "How often an SRAM cell fails: slow or upsetting reads, lost noise margin");
  options->add_to(*command);
  command->get_option("config")->description("file of the cell (TOML); see describe --file sram");
  command->add_option("--samples", options->failure.samples, "importance samples for each supply")
      ->type_name("N")
      ->transform(whole_number(1000, std::uint64_t{1} << 36).description("1000 - 2^36"))
      ->capture_default_str();
  command
      ->add_option("--relative-error", options->failure.relative_error,
                   "add samples in batches until each probability is known to this relative error "
                   "at 95 % (asymptotically), at most --samples")
      ->type_name("E")
      ->check(number_between(1e-4, 0.5));
  command->add_option("--cells", options->failure.cells, "cells of a memory, for its yield")
      ->type_name("N")
      ->transform(whole_number(1, std::uint64_t{1} << 50).description("1 - 2^50"))
      ->capture_default_str();
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Thresholds vary independently from device to device (sd of one device against its nominal "
      "value). Each probability\ncomes twice: by importance sampling around the most likely "
      "failures, and by an integral over the boundary's closed form.\n"
      "Example: cimstat sram experiments/configs/cells/sram_read_upset.toml");
  command->callback([options] {
    const SramFailureSettings settings = read_sram_failure(options->open());
    FailureResult result;
    {
      ProgressMeter meter("sram", {"supplies", static_cast<double>(settings.cells.size())},
                          options->verbosity());
      result =
          run_sram_failure(settings, options->failure, options->thread_count(), meter.callback());
    }
    std::fputs(
        (options->json ? sram_failure_as_json(result) : sram_failure_as_text(result)).c_str(),
        stdout);
  });
}

}  // namespace cimstat::experiments
