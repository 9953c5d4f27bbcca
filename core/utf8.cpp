#include "core/utf8.h"

namespace cimstat::core {
namespace {

unsigned byte_of(char letter) { return static_cast<unsigned char>(letter); }

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

}  // namespace cimstat::core
