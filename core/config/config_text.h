#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// Text work of config.cpp that needs no TOML parser.
namespace cimstat::core::config_text {

/// The largest file that is read.
inline constexpr std::uintmax_t kMostBytes = 1 << 20;

/// The file's text. Throws UsageError when it is missing, a directory, unreadable or too long.
std::string read_file(const std::filesystem::path& file);

/// Throws UsageError at the place of what would harm the parser or the reader: bytes that are not
/// UTF-8, text beyond kMostBytes, keys or brackets nested more than 16 deep (each level costs
/// stack in the parser).
void require_sound(std::string_view text, std::string_view name);

struct TextPlace {
  std::uint32_t line = 1;
  std::uint32_t column = 1;  ///< in characters
};
TextPlace place_in(std::string_view text, std::size_t at);

/// The first character beyond ASCII outside of strings and comments, where TOML has none (a mark of
/// the byte order in front is let be). Finds the common slips; the parser has the last word.
std::optional<std::size_t> stray_character(std::string_view text);

/// The text with U+0080 .. U+FFFF moved up to the same places of plane 13, which Unicode leaves
/// unassigned; a mark of the byte order in front stays. toml++ 3.3 takes some of them, U+00B5 among
/// them, for unreachable code outside of quotes, and what is outside of quotes only it can tell.
std::string sheltered(std::string_view text);
/// The way back.
std::string unsheltered(std::string_view text);

/// "..." with TOML's escapes: one line whatever `text` holds.
std::string quoted(std::string_view text);
/// A key as TOML writes it: bare where it can be, quoted otherwise.
std::string key_text(std::string_view key);
/// path.key, with hostile keys quoted; unique for each sequence of keys.
std::string joined(std::string_view path, std::string_view key);

/// Shortest text that reads back as the same number; always a TOML float ("6000.0", "4e-05").
std::string float_text(double value);
/// The same for people: no ".0".
std::string plain_text(double value);

}  // namespace cimstat::core::config_text
