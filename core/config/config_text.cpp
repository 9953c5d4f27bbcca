#include "core/config/config_text.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/error.h"
#include "core/file/readable_file.h"
#include "core/utf8.h"

namespace cimstat::core {
namespace config_text {
namespace {

constexpr int kDeepest = 16;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::uint32_t kShelter = 0xD0000;

bool is_bare(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
}

unsigned byte_of(char letter) { return static_cast<unsigned char>(letter); }

/// Of a whole character of UTF-8.
std::uint32_t code_point(std::string_view character) {
  std::uint32_t code = byte_of(character[0]);
  if (character.size() > 1) code &= 0x7FU >> character.size();
  for (const char next : character.substr(1)) code = code << 6 | (byte_of(next) & 0x3F);
  return code;
}

/// From U+0080 on.
void append_utf8(std::string& text, std::uint32_t code) {
  const unsigned length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  const unsigned lead = 0xF00U >> length & 0xFF;
  text += static_cast<char>(lead | code >> 6 * (length - 1));
  for (unsigned next = length - 1; next-- > 0;) {
    text += static_cast<char>(0x80 | (code >> 6 * next & 0x3F));
  }
}

std::string place_of(std::string_view name, std::string_view text, std::size_t at) {
  const auto [line, column] = place_in(text, at);
  return fmt::format("{}:{}:{}", name, line, column);
}

/// Where the string that opens at `at` ends (one past its closing quotes, or the end of the text).
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
  const bool many_lines = text.substr(at, 3) == triple;
  std::size_t next = at + (many_lines ? 3 : 1);
  while (next < text.size()) {
    if (quote == '"' && text[next] == '\\') {
      next += 2;
    } else if (many_lines && text.substr(next, 3) == triple) {
      next += 3;
      // The string may end in one or two such quotes itself.
      for (int more = 0; more < 2 && next < text.size() && text[next] == quote; ++more) ++next;
      return next;
    } else if (!many_lines && (text[next] == quote || text[next] == '\n')) {
      return next + 1;
    } else {
      ++next;
    }
  }
  return text.size();
}

/// Behind the string or comment that begins at `at`; `at` itself where neither does.
std::size_t behind_inert(std::string_view text, std::size_t at) {
  if (text[at] == '"' || text[at] == '\'') return end_of_string(text, at);
  return text[at] == '#' ? std::min(text.find('\n', at), text.size()) : at;
}

/// The first place nested too deep, if any: brackets within brackets, or a key of many parts.
std::optional<std::size_t> too_deep(std::string_view text) {
  int brackets = 0;
  int parts = 1;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t behind = behind_inert(text, at);
    if (behind != at) {
      at = behind;
      continue;
    }
    const char letter = text[at];
    if (letter == '[' || letter == '{') ++brackets;
    if ((letter == ']' || letter == '}') && brackets > 0) --brackets;
    if (letter == '.') {
      ++parts;
    } else if (!is_bare(letter) && letter != ' ' && letter != '\t') {
      parts = 1;
    }
    if (brackets > kDeepest || parts > kDeepest) return at;
    ++at;
  }
  return std::nullopt;
}

}  // namespace

std::string read_file(const std::filesystem::path& file) {
  const std::string name = file.string();
  require_readable(file, "name a TOML file");
  std::ifstream stream(file, std::ios::binary);
  // One byte beyond the limit tells a file that is too long, without trusting a reported size.
  std::string text(kMostBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad())
    throw UsageError(error_line(name, "can't be read", "input error", "check the disk"));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

void require_sound(std::string_view text, std::string_view name) {
  if (text.size() > kMostBytes) {
    throw UsageError(error_line(name, "is too long for a configuration", "more than 1 MiB",
                                "check that it is the right file"));
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      throw UsageError(error_line(place_of(name, text, at), "is not UTF-8 text",
                                  fmt::format("byte 0x{:02x}", byte_of(text[at])),
                                  "name a TOML file, saved as UTF-8"));
    }
    at += length;
  }
  if (const auto deep = too_deep(text)) {
    throw UsageError(error_line(place_of(name, text, *deep), "is nested too deep",
                                fmt::format("more than {} levels", kDeepest), "use fewer levels"));
  }
}

TextPlace place_in(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  const auto characters =
      std::count_if(before.begin() + static_cast<std::ptrdiff_t>(start), before.end(),
                    [](char c) { return (byte_of(c) & 0xC0) != 0x80; });
  return {static_cast<std::uint32_t>(1 + lines), static_cast<std::uint32_t>(1 + characters)};
}

std::optional<std::size_t> stray_character(std::string_view text) {
  std::size_t at = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  while (at < text.size()) {
    if (byte_of(text[at]) >= 0x80) return at;
    const std::size_t behind = behind_inert(text, at);
    at = behind == at ? at + 1 : behind;
  }
  return std::nullopt;
}

std::string sheltered(std::string_view text) {
  std::string result;
  std::size_t at = 0;
  if (text.starts_with(kByteOrderMark)) {
    result = kByteOrderMark;
    at = kByteOrderMark.size();
  }
  while (at < text.size()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text, at), 1);
    if (length == 2 || length == 3) {
      append_utf8(result, kShelter + code_point(text.substr(at, length)));
    } else {
      result += text.substr(at, length);
    }
    at += length;
  }
  return result;
}

std::string unsheltered(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text, at), 1);
    const std::string_view character = text.substr(at, length);
    at += length;
    const std::uint32_t code = length == 4 ? code_point(character) : 0;
    const std::uint32_t home = code - kShelter;
    // What an escape in the text put there need not have come from a character.
    const bool moved =
        code >= kShelter + 0x80 && home <= 0xFFFF && (home < 0xD800 || home > 0xDFFF);
    if (moved) {
      append_utf8(result, home);
    } else {
      result += character;
    }
  }
  return result;
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char letter : text) {
    switch (letter) {
      case '"':
        result += "\\\"";
        break;
      case '\\':
        result += "\\\\";
        break;
      case '\n':
        result += "\\n";
        break;
      case '\r':
        result += "\\r";
        break;
      case '\t':
        result += "\\t";
        break;
      default:
        if (byte_of(letter) < 0x20 || byte_of(letter) == 0x7F) {
          result += fmt::format("\\u{:04X}", byte_of(letter));
        } else {
          result += letter;
        }
    }
  }
  return result + '"';
}

std::string key_text(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), is_bare);
  return bare ? std::string(key) : quoted(key);
}

std::string joined(std::string_view path, std::string_view key) {
  return path.empty() ? key_text(key) : fmt::format("{}.{}", path, key_text(key));
}

std::string plain_text(double value) { return fmt::format("{}", value); }

std::string float_text(double value) {
  std::string text = plain_text(value);
  if (text.find_first_of(".en") == text.npos) text += ".0";
  return text;
}

}  // namespace config_text

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
  constexpr std::size_t kLongest = 64;  // longer words aren't misspelt keys, only costly
  const auto lower = [](std::string_view text) {
    std::string result(text);
    for (char& letter : result) {
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    return result;
  };
  const auto distance = [](std::string_view one, std::string_view other) {
    // Rows of the optimal string alignment table: before last, last, current.
    std::vector<std::size_t> before(other.size() + 1), last(other.size() + 1),
        current(other.size() + 1);
    for (std::size_t j = 0; j <= other.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= one.size(); ++i) {
      current[0] = i;
      for (std::size_t j = 1; j <= other.size(); ++j) {
        const std::size_t change = one[i - 1] == other[j - 1] ? 0 : 1;
        current[j] = std::min({last[j] + 1, current[j - 1] + 1, last[j - 1] + change});
        const bool swapped =
            i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
        if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
      }
      std::swap(before, last);
      std::swap(last, current);
    }
    return last[other.size()];
  };

  // A word that is the start of one known word alone is that word cut short, or the other way.
  const auto begins_as = [&](const std::string& candidate) {
    constexpr std::size_t kTelling = 4;
    const std::string one = lower(word);
    const std::string other = lower(candidate);
    return std::min(one.size(), other.size()) >= kTelling &&
           (other.starts_with(one) || one.starts_with(other));
  };
  std::optional<std::string> best;
  std::size_t least = kLongest;
  if (word.size() > kLongest) return best;
  for (const std::string& candidate : known) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    if (candidate.empty() || longer > kLongest) continue;
    const std::size_t apart = distance(lower(word), lower(candidate));
    if (apart < least && apart <= std::max<std::size_t>(1, longer / 3) && apart < longer) {
      best = candidate;
      least = apart;
    }
  }
  if (!best && std::count_if(known.begin(), known.end(), begins_as) == 1) {
    best = *std::find_if(known.begin(), known.end(), begins_as);
  }
  return best;
}

}  // namespace cimstat::core
