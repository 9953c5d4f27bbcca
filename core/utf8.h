#pragma once

#include <cstddef>
#include <string_view>

namespace cimstat::core {

/// Bytes of the UTF-8 character that starts at text[at]; 0 where there is none (RFC 3629,
/// section 4). at < text.size().
std::size_t utf8_length(std::string_view text, std::size_t at);

}  // namespace cimstat::core
