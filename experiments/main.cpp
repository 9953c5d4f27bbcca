#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>

#include <fmt/format.h>

#include "core/error.h"
#include "core/provenance.h"

#include "experiments/commands/command.h"

namespace {

using cimstat::core::ExitCode;

int fail(std::string_view message, ExitCode code) {
  fmt::print(stderr, "cimstat: {}\n", message);
  return static_cast<int>(code);
}

/// Results on stdout are lost without a word when nobody looks (a full disk, a closed pipe).
int finish(int code) {
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout) {
    return fail("standard output: cannot be written (is the disk full or the output closed?)",
                ExitCode::failure);
  }
  return code;
}

/// CLI11 answers a misspelt subcommand with "A subcommand is required" only.
std::string with_hint(const CLI::App& app, int argc, char** argv, std::string message) {
  if (argc < 2 || argv[1][0] == '-') return message;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  for (const std::string& name : names) {
    if (name == argv[1]) return message;
  }
  const auto nearest = cimstat::core::nearest(argv[1], names);
  return fmt::format("{}: no such subcommand ({}) see cimstat --help", argv[1],
                     nearest ? fmt::format("did you mean {}?", *nearest)
                             : fmt::format("known: {}", fmt::join(names, ", ")));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "cimstat: Monte Carlo device-and-circuit statistics for analog compute-in-memory.\n"
      "Describe cells, column and converter in one TOML file; get read margins, error tables and "
      "the "
      "accuracy of a network on them."};
  app.name("cimstat");
  app.set_version_flag("--version", cimstat::core::source_text());
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 failure, 2 usage or configuration, 3 damaged or foreign data.\n"
      "See experiments/configs for example files and `cimstat COMMAND --help`.");
  cimstat::experiments::add_margin_command(app);
  cimstat::experiments::add_table_command(app);
  cimstat::experiments::add_accuracy_command(app);
  cimstat::experiments::add_report_command(app);
  cimstat::experiments::add_show_command(app);
  cimstat::experiments::add_diff_command(app);
  try {
    app.parse(argc, argv);
    return finish(0);
  } catch (const CLI::Success& success) {
    app.exit(success);
    return finish(0);
  } catch (const CLI::RuntimeError& outcome) {  // an answer, not an error: diff found a difference
    return finish(outcome.get_exit_code());
  } catch (const CLI::ParseError& error) {
    return fail(with_hint(app, argc, argv, error.what()), ExitCode::usage);
  } catch (const cimstat::core::Error& error) {
    return fail(error.what(), error.code());
  } catch (const std::bad_alloc&) {
    return fail(
        "out of memory (the configuration asks for more than this machine has) make it smaller",
        ExitCode::failure);
  } catch (const std::exception& error) {
    return fail(error.what(), ExitCode::failure);
  }
}
