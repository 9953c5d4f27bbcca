#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <poll.h>
#include <string>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/interrupt.h"

#include "experiments/commands/command_line.h"
#include "experiments/commands/program_model.h"
#include "experiments/commands/progress_meter.h"

namespace {

using cimstat::core::ExitCode;

int fail(std::string_view message, ExitCode code) {
  // fmt::print would throw where standard error is closed.
  std::fputs(fmt::format("cimstat: {}\n", message).c_str(), stderr);
  return static_cast<int>(code);
}

/// diff answers with the code of a failure that its files differ: its failures have that of wrong
/// use, as those of diff(1) have.
ExitCode failure_of(const CLI::App& app) {
  return app.got_subcommand("diff") ? ExitCode::usage : ExitCode::failure;
}

/// Whoever read standard output has seen enough, as `head` does.
bool reader_has_left() {
  pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

/// Results on stdout are lost without a word when nobody looks (a full disk).
int finish(const CLI::App& app, int code) {
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout) {
    if (reader_has_left()) return static_cast<int>(failure_of(app));
    return fail("standard output: can't be written (full disk?); send it elsewhere",
                failure_of(app));
  }
  return code;
}

}  // namespace

// What a handler throws ends the program, as it should. NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  cimstat::core::note_interrupts(&cimstat::experiments::clear_progress);
  CLI::App app;
  cimstat::experiments::add_command_line(app);
  if (argc < 2) {
    std::fputs(cimstat::experiments::brief_help(app).c_str(), stderr);
    return static_cast<int>(ExitCode::usage);
  }
  try {
    app.parse(argc, argv);
    return finish(app, 0);
  } catch (const CLI::Success& success) {
    app.exit(success);
    return finish(app, 0);
  } catch (const CLI::RuntimeError& outcome) {  // an answer, not an error: diff found a difference
    return finish(app, outcome.get_exit_code());
  } catch (const CLI::ParseError& error) {
    return fail(cimstat::experiments::usage_line(app, error, argc, argv), ExitCode::usage);
  } catch (const cimstat::core::Error& error) {
    return fail(error.what(), error.code() == ExitCode::failure ? failure_of(app) : error.code());
  } catch (const std::bad_alloc&) {
    return fail(
        "out of memory (the configuration asks for more than this machine has); make it smaller",
        failure_of(app));
  } catch (const std::exception& error) {
    if (std::ferror(stdout) != 0) return finish(app, static_cast<int>(failure_of(app)));
    return fail(error.what(), failure_of(app));
  }
}
