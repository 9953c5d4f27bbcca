#include "core/file/abandoned_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace cimstat::core {

void remove_abandoned(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> temporaries;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".tmp") temporaries.push_back(entry->path());
  }
  for (const std::filesystem::path& temporary : temporaries) {
    const int descriptor =
        ::open(temporary.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;
    struct stat opened {};
    struct stat named {};
    // Whoever writes it holds the lock, and looks whether the name is still that of its file.
    const bool is_free = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    if (is_free && ::fstat(descriptor, &opened) == 0 && S_ISREG(opened.st_mode) &&
        ::lstat(temporary.c_str(), &named) == 0 && named.st_ino == opened.st_ino &&
        named.st_dev == opened.st_dev) {
      ::unlink(temporary.c_str());
    }
    ::close(descriptor);
  }
}

}  // namespace cimstat::core
