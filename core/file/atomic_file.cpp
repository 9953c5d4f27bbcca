#include "core/file/atomic_file.h"

#include <algorithm>
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

std::string_view remedy_for(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "make room, or name a file elsewhere";
    case ENAMETOOLONG:
      return "choose a shorter name";
    default:
      return "check the folder, or name a file elsewhere";
  }
}

[[noreturn]] void fail(const std::filesystem::path& file, std::string_view problem, int number) {
  throw Error(ExitCode::failure,
              error_line(file.string(), problem, std::generic_category().message(number),
                         remedy_for(number)));
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
    throw UsageError(error_line(target.string(), "is not a regular file", {}, "name another file"));
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

// Results pass through the temporary: what stands there and can't be one is in their way.
[[noreturn]] void fail_to_open(const std::filesystem::path& target,
                               const std::filesystem::path& temporary, int number) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::symlink_status(temporary, ignored);
  if (!std::filesystem::exists(status)) fail(target, "can't be created", number);
  throw Error(ExitCode::failure, error_line(temporary.string(), "is in the way of the result",
                                            std::filesystem::is_regular_file(status)
                                                ? std::generic_category().message(number)
                                                : "not a regular file",
                                            "remove it, or name another file"));
}

bool is_regular(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

// The lock tells a temporary that a killed run left behind (taken over) from one that another run
// is writing now (refused). It is taken on the open file, which may have been renamed in between.
// Not through a link, and without waiting for the other end of a pipe.
int open_locked(const std::filesystem::path& target, const std::filesystem::path& temporary) {
  for (;;) {
    const int descriptor =
        ::open(temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (descriptor < 0) fail_to_open(target, temporary, errno);
    if (!is_regular(descriptor)) {
      ::close(descriptor);
      fail_to_open(target, temporary, EEXIST);
    }
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

std::filesystem::path behind_links(std::filesystem::path file) {
  constexpr int most_links = 40;  // as many as Linux follows
  for (int links = 0; links <= most_links; ++links) {
    std::error_code not_a_link;
    const std::filesystem::path next = std::filesystem::read_symlink(file, not_a_link);
    if (not_a_link) return file;
    file = file.parent_path() / next;  // `next` alone where it is absolute
  }
  fail(file, "can't be followed", ELOOP);
}

std::filesystem::path temporary_of(const std::filesystem::path& target) {
  std::filesystem::path name = behind_links(target);
  name += ".tmp";
  return name;
}

AtomicFile::AtomicFile(std::filesystem::path target)
    : target_(std::move(target)), place_(behind_links(target_)), temporary_(temporary_of(place_)) {
  refuse_special(target_);
  descriptor_ = open_locked(target_, temporary_);
}

AtomicFile::~AtomicFile() {
  if (committed()) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::require_open() const {
  if (committed()) throw std::logic_error("AtomicFile: used after commit");
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  require_open();
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(target_, "can't be written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write_at(std::uint64_t place, std::span<const std::byte> bytes) {
  require_open();
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(target_, "can't be written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    place += static_cast<std::uint64_t>(written);
  }
}

void AtomicFile::read_at(std::uint64_t place, std::span<std::byte> bytes) const {
  require_open();
  while (!bytes.empty()) {
    const ssize_t found =
        ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (found < 0 && errno == EINTR) continue;
    if (found < 0) fail(temporary_, "can't be read", errno);
    if (found == 0) break;
    bytes = bytes.subspan(static_cast<std::size_t>(found));
    place += static_cast<std::uint64_t>(found);
  }
  std::fill(bytes.begin(), bytes.end(), std::byte{0});
}

void AtomicFile::resize(std::uint64_t bytes) {
  require_open();
  while (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) {
    if (errno != EINTR) fail(target_, "can't be written", errno);
  }
}

void AtomicFile::commit() {
  require_open();
  if (::fsync(descriptor_) != 0) fail(target_, "can't be flushed to the disk", errno);
  if (::rename(temporary_.c_str(), place_.c_str()) != 0) {
    fail(target_, "can't be put in place", errno);
  }
  ::close(std::exchange(descriptor_, -1));
  synchronise_folder(place_.has_parent_path() ? place_.parent_path() : std::filesystem::path("."));
}

void require_writable(const std::filesystem::path& target) { const AtomicFile trial(target); }

void write_atomically(const std::filesystem::path& target, std::string_view text) {
  AtomicFile file(target);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

}  // namespace cimstat::core
