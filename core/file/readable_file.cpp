#include "core/file/readable_file.h"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include "core/error.h"

namespace cimstat::core {

void require_readable(const std::filesystem::path& file, std::string_view other_kind) {
  const auto refuse = [&](std::string_view why, std::string_view remedy) {
    throw UsageError(error_line(file.string(), "can't be read", why, remedy));
  };
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(file, ignored);
  if (std::filesystem::is_directory(status)) refuse("it is a directory", other_kind);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    refuse("it is a pipe or a device", other_kind);
  }
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor >= 0) {
    ::close(descriptor);
    return;
  }
  const int cause = errno;
  if (cause == ENOENT || cause == ENOTDIR) refuse("no such file", "check the path");
  if (cause == EACCES || cause == EPERM) refuse("access denied", "check its permissions");
  refuse(std::generic_category().message(cause), "check the path");
}

}  // namespace cimstat::core
