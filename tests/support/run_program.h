#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <sys/wait.h>

/// Runs a shell command and keeps what it said.
namespace cimstat::tests {

struct Outcome {
  int exit_code = -1;  ///< minus the signal where one ended it
  std::string output;  ///< stdout; stderr too where the command sends it there
};

inline Outcome run_program(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) outcome.output += buffer.data();
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return outcome;
}

}  // namespace cimstat::tests
