#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cimstat::core {

/// Bytes of the UTF-8 character that starts at text[at]; 0 where there is none (RFC 3629,
/// section 4). at < text.size().
std::size_t utf8_length(std::string_view text, std::size_t at);

/// Text that a terminal shows as one line: bytes that are not UTF-8, control characters, line
/// separators and the marks that turn the direction of writing become \xNN, byte by byte.
std::string one_line(std::string_view text);

/// The text, or its first `most_bytes` or so and "..." where it is longer: for messages that quote
/// what a file holds.
std::string excerpt(std::string_view text, std::size_t most_bytes = 200);

}  // namespace cimstat::core
