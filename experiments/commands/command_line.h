#pragma once

#include <string>

namespace CLI {
class App;
}

/// The whole command line of `cimstat`.
namespace cimstat::experiments {

/// Name, help, options of the program and all subcommands, in their groups.
void add_command_line(CLI::App& app);

/// What `cimstat` alone prints: each subcommand in a line.
std::string brief_help(const CLI::App& app);

}  // namespace cimstat::experiments
