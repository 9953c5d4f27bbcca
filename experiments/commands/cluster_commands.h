#pragma once

namespace CLI {
class App;
}

/// Subcommands for sweeps that many machines share.
namespace cimstat::experiments {

void add_submit_command(CLI::App& app);
void add_status_command(CLI::App& app);

}  // namespace cimstat::experiments
