#include "experiments/seeing/text_bar.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool is_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {  // the first that is set decides
    const std::string_view value = environment(name);
    if (!value.empty()) return value.ends_with("UTF-8") || value.ends_with("utf8");
  }
  return false;
}

std::string filled(double length, Glyphs glyphs) {
  if (glyphs == Glyphs::ascii) {
    return std::string(static_cast<std::size_t>(std::lround(length)), '#');
  }
  static constexpr std::array<std::string_view, 8> eighths = {"",  "▏", "▎", "▍",
                                                              "▌", "▋", "▊", "▉"};
  const auto parts = static_cast<std::size_t>(std::lround(8.0 * length));
  std::string text;
  for (std::size_t whole = 0; whole < parts / 8; ++whole) text += "█";
  return text + std::string(eighths[parts % 8]);
}

}  // namespace

TextStyle style_of_stdout() {
  if (isatty(STDOUT_FILENO) != 1) return {};
  const bool plain = !environment("NO_COLOR").empty() || environment("TERM") == "dumb";
  return {is_utf8_locale() ? Glyphs::blocks : Glyphs::ascii, plain ? Colour::none : Colour::ansi};
}

DecadeAxis DecadeAxis::down_to(double smallest, std::size_t columns) {
  const double decade = smallest > 0.0 ? std::floor(std::log10(smallest)) : -1.0;
  return {static_cast<int>(std::clamp(decade, -18.0, -1.0)), columns};
}

std::string DecadeAxis::caption() const {
  const std::string left = fmt::format("1e{}", low);
  const std::size_t dots = columns - std::min(columns, left.size() + 3);
  return fmt::format("{} {} 1", left, std::string(dots, '.'));
}

double DecadeAxis::position(double probability) const {
  if (!(probability > 0.0)) return 0.0;
  const double share = 1.0 - std::log10(probability) / low;
  return std::clamp(share, 0.0, 1.0) * static_cast<double>(columns);
}

std::string bar(const DecadeAxis& axis, double probability, double upper, TextStyle style) {
  if (probability <= 0.0) {
    if (upper <= 0.0) return {};
    return std::string(static_cast<std::size_t>(axis.position(upper)), ' ') + "<";
  }
  std::string text = filled(axis.position(probability), style.glyphs);
  if (style.colour == Colour::none || text.empty()) return text;
  return fmt::format("\033[{}m{}\033[0m", probability >= 0.1 ? 31 : 36, text);
}

std::string probability_text(double value) {
  // 0.99999 and 1.00000 would hide what matters.
  if (value > 0.9999 && value < 1.0) return fmt::format("1-{:.2g}", 1.0 - value);
  return value >= 0.001 || value == 0.0 ? fmt::format("{:.5f}", value)
                                        : fmt::format("{:.3e}", value);
}

}  // namespace cimstat::experiments
