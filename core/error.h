#pragma once

#include <stdexcept>
#include <string>

namespace cimstat::core {

/// What the program tells its caller when it ends. The values are part of the command line's
/// promise.
enum class ExitCode : int {
  done = 0,
  failure = 1,
  usage = 2,       ///< wrong command line or configuration
  data = 3,        ///< incomplete, damaged or foreign data
  resumable = 75,  ///< stopped early; starting again goes on
  interrupted = 130,
};

/// An error at the rim: one clear line, "place: problem (why) suggestion", and the exit code.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// A configuration or a command line that can't be used. Exit code 2.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(ExitCode::usage, message) {}
};

/// A file that is damaged, incomplete or of another kind. Exit code 3.
class DataError : public Error {
 public:
  explicit DataError(const std::string& message) : Error(ExitCode::data, message) {}
};

}  // namespace cimstat::core
