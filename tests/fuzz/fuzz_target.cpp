#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <unistd.h>

#include "core/utf8.h"

namespace cimstat::fuzz {

namespace {

struct ScratchFolder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("cimstat-fuzz-{}", ::getpid());
  ScratchFolder() { std::filesystem::create_directories(path); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

void finding(std::string_view what) {
  std::fputs(fmt::format("FINDING: {}\n", what).c_str(), stderr);
  std::abort();
}

void require_clean_line(std::string_view message) {
  if (message.empty() || core::one_line(message) != message) {
    finding(fmt::format("a message that is not one clean line: \"{}\"", message));
  }
}

void require_clean_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (core::one_line(line) != line) finding(fmt::format("a line that is not clean: {}", line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

const std::filesystem::path& scratch_folder() {
  static const ScratchFolder folder;
  return folder.path;
}

std::filesystem::path scratch_file(std::string_view name, Bytes bytes) {
  std::filesystem::path file = scratch_folder() / name;
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(text_of(bytes).data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) finding("the scratch folder cannot be written to");
  return file;
}

std::uint8_t Recipe::byte() {
  if (rest_.empty()) return 0;
  const std::uint8_t first = rest_.front();
  rest_ = rest_.subspan(1);
  return first;
}

std::uint64_t Recipe::word() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 8) value |= std::uint64_t{byte()} << shift;
  return value;
}

std::string Recipe::text() {
  const std::size_t wanted = byte();  // before what is left is measured
  const std::size_t size = std::min(wanted, rest_.size());
  std::string result(text_of(rest_.first(size)));
  rest_ = rest_.subspan(size);
  return result;
}

std::string Recipe::text_to_end() {
  std::string result(text_of(rest_));
  rest_ = {};
  return result;
}

std::int64_t Recipe::integer() {
  constexpr std::array<std::int64_t, 12> edges = {std::numeric_limits<std::int64_t>::min(),
                                                  std::numeric_limits<std::int64_t>::max(),
                                                  std::numeric_limits<std::int32_t>::min(),
                                                  std::numeric_limits<std::int32_t>::max(),
                                                  std::int64_t{1} << 32,
                                                  std::int64_t{1} << 31,
                                                  65535,
                                                  65536,
                                                  1024,
                                                  1025,
                                                  128,
                                                  -129};
  const std::uint8_t first = byte();
  if (first < 200) return std::int64_t{first} - 40;
  if (first < 200 + edges.size()) return edges[first - 200U];
  return static_cast<std::int64_t>(word());
}

double Recipe::number() {
  using Limits = std::numeric_limits<double>;
  constexpr std::array<double, 14> edges = {0.0,
                                            -0.0,
                                            1.0,
                                            -1.0,
                                            0.5,
                                            1.0 + 1e-9,
                                            Limits::max(),
                                            Limits::min(),
                                            -Limits::max(),
                                            Limits::denorm_min(),
                                            Limits::infinity(),
                                            -Limits::infinity(),
                                            Limits::quiet_NaN(),
                                            1e-300};
  const std::uint8_t first = byte();
  if (first < edges.size()) return edges[first];
  if (first < 128) return (first - 64) / 16.0;
  return std::bit_cast<double>(word());
}

}  // namespace cimstat::fuzz
