#include "experiments/inference/item_file.h"

#include <array>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {

void ItemFile::fail(std::string_view problem, std::string_view why, std::string_view remedy) const {
  throw core::DataError(core::error_line(path_.string(), problem, why, remedy));
}

void ItemFile::read(std::span<std::uint8_t> bytes) {
  if (input_.read(bytes) < bytes.size()) fail("ends too early", {}, fetch_again);
}

void ItemFile::read_header(std::span<std::uint8_t> bytes) {
  read(bytes);
  header_bytes_ += bytes.size();
}

std::uint32_t ItemFile::number() {
  std::array<std::uint8_t, 4> bytes{};
  read_header(bytes);
  std::uint32_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

void ItemFile::require_room(std::uint64_t size) {
  const std::uint64_t stored = input_.stored_bytes();
  const std::uint64_t whole = header_bytes_ + size;
  if (input_.is_packed()) {
    if (whole / core::most_deflate_ratio <= stored) return;
    fail("ends too early", fmt::format("{} bytes can't unpack to {}", stored, whole), fetch_again);
  }
  if (stored < whole) {
    fail("ends too early", fmt::format("{} of {} bytes are there", stored, whole), fetch_again);
  }
}

void ItemFile::require_rest(std::uint64_t size) {
  std::vector<std::uint8_t> block(1 << 16);
  std::uint64_t rest = 0;
  std::size_t count = 0;
  do {
    count = input_.read(block);
    rest += count;
  } while (count == block.size() && rest <= size);
  if (rest < size) fail("ends too early", {}, fetch_again);
  if (rest > size) fail("goes on after its last item", {}, fetch_again);
}

}  // namespace cimstat::experiments
