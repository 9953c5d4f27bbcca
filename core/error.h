#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

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

/// The one form of every message to users: "place: problem (why); remedy". An empty reason or
/// remedy leaves its part out; one of more than 1,024 bytes is cut. One line of visible text
/// whatever the parts hold (core/utf8.h, one_line).
///
/// place: `file`, `file:line:column: key`, `file: /object/path` or `--option`.
/// remedy: what to do, in the imperative, or a question such as "did you mean sigma?".
std::string error_line(std::string_view place, std::string_view problem, std::string_view why = {},
                       std::string_view remedy = {});

/// An error at the rim: one clear line, made by error_line, and the exit code.
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
