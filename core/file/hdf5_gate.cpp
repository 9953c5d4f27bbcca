#include "core/file/hdf5_gate.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <limits>
#include <span>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/readable_file.h"

namespace cimstat::core::detail {
namespace {

constexpr std::array<std::uint8_t, 8> signature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
constexpr std::size_t superblock_bytes = 48;
constexpr std::string_view rewrite =
    "rewrite it with h5repack -L OLD NEW, or in h5py with libver=\"latest\"";
constexpr std::string_view fetch = "copy it again or make it again";

struct Beginning {
  std::uint64_t file_bytes = 0;
  std::array<std::uint8_t, superblock_bytes> bytes{};

  std::uint64_t number(std::size_t place) const {
    std::uint64_t value = 0;
    for (std::size_t byte = 8; byte-- > 0;) value = value << 8 | bytes[place + byte];
    return value;
  }
};

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& file)
      : number_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void refuse_to_open(const std::filesystem::path& file, std::string_view why) {
  throw UsageError(error_line(file.string(), "can't be read", why, "check the path"));
}

Beginning beginning_of(const std::filesystem::path& file) {
  require_readable(file);
  const Descriptor descriptor(file);
  const auto system_cause = [] { return std::generic_category().message(errno); };
  struct stat status {};
  if (descriptor.number() < 0 || ::fstat(descriptor.number(), &status) != 0) {
    refuse_to_open(file, system_cause());
  }
  Beginning beginning;
  beginning.file_bytes = static_cast<std::uint64_t>(status.st_size);
  const std::size_t wanted = std::min<std::size_t>(beginning.file_bytes, superblock_bytes);
  if (::pread(descriptor.number(), beginning.bytes.data(), wanted, 0) !=
      static_cast<ssize_t>(wanted)) {
    refuse_to_open(file, system_cause());
  }
  return beginning;
}

}  // namespace

std::uint64_t checked_container(const std::filesystem::path& file) {
  const Beginning beginning = beginning_of(file);
  const auto refuse = [&](std::string_view problem, std::string_view why, std::string_view remedy) {
    throw DataError(error_line(file.string(), problem, why, remedy));
  };
  const std::uint64_t size = beginning.file_bytes;
  const auto& bytes = beginning.bytes;
  if (size == 0) refuse("is empty", {}, fetch);
  const std::size_t shown = std::min<std::size_t>(size, signature.size());
  if (!std::equal(bytes.begin(), bytes.begin() + shown, signature.begin())) {
    refuse("is not an HDF5 file, or its beginning is lost", {}, "check the path");
  }
  const auto require_whole = [&](std::uint64_t whole) {
    if (size < whole) {
      refuse("is truncated", fmt::format("{} of {} bytes are there", size, whole), fetch);
    }
  };
  require_whole(9);
  const unsigned version = bytes[8];
  if (version < 2) {
    refuse("is of an old HDF5 format whose structure has no checksums",
           fmt::format("superblock version {}", version), rewrite);
  }
  if (version > 3) {
    refuse("is of an HDF5 format that is not known here",
           fmt::format("superblock version {}", version), rewrite);
  }
  require_whole(superblock_bytes);
  if (bytes[9] != 8 || bytes[10] != 8) {
    refuse("has addresses of another width",
           fmt::format("{} and {} bytes instead of 8", bytes[9], bytes[10]), rewrite);
  }
  if (bytes[11] != 0) {
    refuse("was not closed by the program that wrote it", {},
           "wait until it is, or make the file again");
  }
  if (beginning.number(12) != 0) refuse("does not begin at its first byte", {}, rewrite);
  if (beginning.number(20) != std::numeric_limits<std::uint64_t>::max()) {
    refuse("has settings of a file driver, file space or cache", "a superblock extension", rewrite);
  }
  require_whole(beginning.number(28));
  return size;
}

}  // namespace cimstat::core::detail
