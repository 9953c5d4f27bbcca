#include "core/atomic_file.h"

#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "core/error.h"

namespace cimstat::core {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, std::string_view problem, int number) {
  throw Error(ExitCode::failure,
              error_line(file.string(), problem, std::generic_category().message(number),
                         number == ENOSPC || number == EDQUOT || number == EFBIG
                             ? "make room, or name a file elsewhere"
                             : "check the folder, or name a file elsewhere"));
}

std::filesystem::path temporary_name(const std::filesystem::path& target) {
  std::filesystem::path name = target;
  name += ".tmp";
  return name;
}

void synchronise_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(folder, "can't be opened", errno);
  const int number = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some file systems cannot fsync a folder and say so with EINVAL: there is nothing to be done.
  if (number != 0 && number != EINVAL) fail(folder, "can't be flushed to the disk", number);
}

// Renaming over a device or a folder would replace it.
void refuse_special(const std::filesystem::path& target) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(target, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw UsageError(
        error_line(target.string(), "is not a regular file", {}, "name a file to make"));
  }
}

bool is_still(const std::filesystem::path& file, int descriptor) {
  struct stat named {};
  struct stat opened {};
  return ::lstat(file.c_str(), &named) == 0 && ::fstat(descriptor, &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

[[noreturn]] void refuse_living(const std::filesystem::path& temporary) {
  throw Error(ExitCode::failure, error_line(temporary.string(), "another run is writing it", {},
                                            "wait for it, or name another file"));
}

// The lock tells a temporary that a killed run left behind (taken over) from one that another run
// is writing now (refused). It is taken on the open file, which may have been renamed in between.
int open_locked(const std::filesystem::path& temporary) {
  for (;;) {
    const int descriptor =
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0) fail(temporary, "can't be created", errno);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int number = errno;
      ::close(descriptor);
      if (number != EWOULDBLOCK) fail(temporary, "can't be locked", number);
      refuse_living(temporary);
    }
    if (is_still(temporary, descriptor)) {
      if (::ftruncate(descriptor, 0) == 0) return descriptor;
      const int number = errno;
      ::close(descriptor);
      fail(temporary, "can't be emptied", number);
    }
    ::close(descriptor);
  }
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target)
    : target_(std::move(target)), temporary_(temporary_name(target_)) {
  refuse_special(target_);
  descriptor_ = open_locked(temporary_);
}

AtomicFile::~AtomicFile() {
  if (committed()) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (committed()) throw std::logic_error("AtomicFile: used after commit");
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(target_, "can't be written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  if (committed()) throw std::logic_error("AtomicFile: used after commit");
  if (::fsync(descriptor_) != 0) fail(target_, "can't be flushed to the disk", errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail(target_, "can't be put in place", errno);
  }
  ::close(std::exchange(descriptor_, -1));
  synchronise_folder(target_.has_parent_path() ? target_.parent_path()
                                               : std::filesystem::path("."));
}

void clear_stale_temporary(const std::filesystem::path& target) {
  const std::filesystem::path temporary = temporary_name(target);
  // Not through a link, and without waiting for the other end of a pipe.
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return;  // none, or none of ours
  const int number = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  struct stat status {};
  if (number == 0 && ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
      is_still(temporary, descriptor)) {
    ::unlink(temporary.c_str());
  }
  ::close(descriptor);
  if (number == EWOULDBLOCK) refuse_living(temporary);
}

void write_atomically(const std::filesystem::path& target, std::string_view text) {
  AtomicFile file(target);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

}  // namespace cimstat::core
