#include "experiments/sweep/sweep_content.h"

#include <array>
#include <string_view>
#include <utility>

namespace cimstat::experiments {

namespace {

std::array<std::byte, 8> little_endian(std::uint64_t value) {
  std::array<std::byte, 8> bytes{};
  for (unsigned byte = 0; byte < 8; ++byte) {
    bytes[byte] = static_cast<std::byte>(value >> (8 * byte) & 0xFF);
  }
  return bytes;
}

}  // namespace

SweepContent::SweepContent(std::vector<std::string> integer_fields)
    : names_(std::move(integer_fields)), hashes_(names_.size()) {}

// As LEB128: most counts are small, and hashing costs by the byte.
void SweepContent::add(std::size_t field, std::span<const std::uint64_t> values) {
  constexpr std::size_t longest = 10;
  bytes_.resize(longest * values.size());
  std::byte* end = bytes_.data();
  for (std::uint64_t value : values) {
    for (; value >= 0x80; value >>= 7) *end++ = static_cast<std::byte>((value & 0x7F) | 0x80);
    *end++ = static_cast<std::byte>(value);
  }
  hashes_[field].add({bytes_.data(), end});
}

std::string SweepContent::sha256(const std::string& config_toml,
                                 const std::vector<circuits::ColumnClass>& classes) {
  constexpr std::string_view end("\0", 1);
  core::Sha256 all;
  all.add(config_toml);
  all.add(end);
  for (const auto& [k, n, states] : classes) {
    all.add(little_endian(k));
    all.add(little_endian(n));
  }
  for (std::size_t field = 0; field < names_.size(); ++field) {
    all.add(names_[field]);
    all.add(end);
    all.add(hashes_[field].hexadecimal());
  }
  return all.hexadecimal();
}

}  // namespace cimstat::experiments
