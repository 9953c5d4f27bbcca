#include "core/utf8.h"

#include <algorithm>

#include <fmt/format.h>

namespace cimstat::core {
namespace {

unsigned byte_of(char letter) { return static_cast<unsigned char>(letter); }

/// Whether a character of UTF-8 (C0 and C1 controls, U+2028 .. U+202E, U+2066 .. U+2069) would act
/// on the terminal instead of being seen.
bool acts_on_terminal(std::string_view character) {
  const unsigned first = byte_of(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  const unsigned second = byte_of(character[1]);
  if (character.size() == 2) return first == 0xC2 && second < 0xA0;
  if (character.size() != 3 || first != 0xE2) return false;
  const unsigned third = byte_of(character[2]);
  return (second == 0x80 && third >= 0xA8 && third <= 0xAE) ||
         (second == 0x81 && third >= 0xA6 && third <= 0xA9);
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const unsigned first = byte_of(text[at]);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length == 0 || first > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t next = 1; next < length; ++next) {
    if ((byte_of(text[at + next]) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte_of(text[at + 1]);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second >= 0xA0;
  const bool beyond = first == 0xF4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

std::string one_line(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const std::string_view character = text.substr(at, length == 0 ? 1 : length);
    at += character.size();
    if (length > 0 && !acts_on_terminal(character)) {
      result += character;
      continue;
    }
    for (const char byte : character) result += fmt::format("\\x{:02x}", byte_of(byte));
  }
  return result;
}

std::string excerpt(std::string_view text, std::size_t most_bytes) {
  if (text.size() <= most_bytes) return std::string(text);
  std::size_t at = 0;
  while (at < most_bytes) at += std::max<std::size_t>(utf8_length(text, at), 1);
  return std::string(text.substr(0, at)) + "...";
}

}  // namespace cimstat::core
