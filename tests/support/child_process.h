#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

/// A program run as a child, which the test may signal.
namespace cimstat::tests {

class ChildProcess {
 public:
  struct Surroundings {
    std::filesystem::path output = "/dev/null";  ///< standard output goes there
    std::filesystem::path errors = "/dev/null";  ///< standard error
    int output_descriptor = -1;                  ///< used instead of `output` where it is given
    int error_descriptor = -1;                   ///< used instead of `errors` where it is given
    rlim_t largest_file = RLIM_INFINITY;         ///< as `ulimit -f` [bytes]
    std::vector<int> ignored_signals = {};       ///< as nohup does
  };

  ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments,
               const Surroundings& surroundings) {
    std::vector<char*> words = {const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) {
      words.push_back(const_cast<char*>(argument.c_str()));
    }
    words.push_back(nullptr);
    id_ = ::fork();
    if (id_ != 0) return;
    constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC;
    const int output = surroundings.output_descriptor >= 0
                           ? surroundings.output_descriptor
                           : ::open(surroundings.output.c_str(), flags, 0666);
    ::dup2(output, STDOUT_FILENO);
    const int errors = surroundings.error_descriptor >= 0
                           ? surroundings.error_descriptor
                           : ::open(surroundings.errors.c_str(), flags, 0666);
    ::dup2(errors, STDERR_FILENO);
    const rlimit limit{surroundings.largest_file, surroundings.largest_file};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (const int signal : surroundings.ignored_signals) ::signal(signal, SIG_IGN);
    ::execv(program.c_str(), words.data());
    ::_exit(127);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      ::waitpid(id_, nullptr, 0);
    }
  }

  /// Until the program has a handler for the signal. False when it has ended before, or a minute
  /// has gone by.
  bool wait_until_caught(int signal) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < end) {
      std::ifstream status("/proc/" + std::to_string(id_) + "/status");
      for (std::string line; std::getline(status, line);) {
        if (line.rfind("State:\tZ", 0) == 0) return false;
        if (line.rfind("SigCgt:", 0) != 0) continue;
        const auto caught = std::strtoull(line.c_str() + 7, nullptr, 16);
        if ((caught >> (signal - 1) & 1U) != 0) return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  void send(int signal) const { ::kill(id_, signal); }

  /// Its exit code, or minus the signal that ended it.
  int wait() {
    int status = 0;
    ::waitpid(id_, &status, 0);
    id_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t id_ = 0;
};

inline std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace cimstat::tests
