#include "experiments/report/markup.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include <fmt/format.h>

#include "core/utf8.h"

namespace cimstat::experiments::report {
namespace {

constexpr std::string_view kMinus = "\u2212";

/// Not a byte within a letter.
bool starts_letter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

std::string with_minus(std::string text) {
  if (text.starts_with('-')) text.replace(0, 1, kMinus);
  return text;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = core::utf8_length(text, at);
    const unsigned code = static_cast<unsigned char>(text[at]);
    const bool blank = code == '\n' || code == '\t';
    if (length == 0 || (code < 0x20 && !blank) || code == 0x7F) {
      result += "\uFFFD";
      ++at;
      continue;
    }
    switch (code) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += text.substr(at, length);
    }
    at += length;
  }
  return result;
}

std::size_t letters_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_letter));
}

std::string shortened(std::string_view text, std::size_t letters) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (starts_letter(text[at])) starts.push_back(at);
  }
  if (starts.size() <= letters) return std::string(text);
  const std::size_t tail = letters / 3;
  const std::size_t head = letters - tail - 1;
  return fmt::format("{}\u2026{}", text.substr(0, starts[head]),
                     text.substr(starts[starts.size() - tail]));
}

std::string unbroken(std::string_view text) {
  constexpr std::array<std::string_view, 7> kUnits = {"S", "A",       "V",      "\u03a9",
                                                      "%", "\u00b5S", "\u00b5A"};
  const auto is_unit = [&](std::string_view word) {
    if (std::find(kUnits.begin(), kUnits.end(), word) != kUnits.end()) return true;
    return !word.empty() && std::string_view("afpnumkMGT").find(word.front()) != word.npos &&
           std::find(kUnits.begin(), kUnits.end(), word.substr(1)) != kUnits.end();
  };
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t end = std::min(text.find_first_of(" ,;:()", at + 1), text.size());
    const bool joins = text[at] == ' ' && at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9' &&
                       is_unit(text.substr(at + 1, end - at - 1));
    if (joins) {
      result += "\u00a0";
    } else {
      result += text[at];
    }
  }
  return result;
}

std::string pixels(double coordinate) {
  const double tenths = std::round(coordinate * 10.0);
  if (std::fmod(tenths, 10.0) == 0.0) return fmt::format("{:.0f}", tenths / 10.0 + 0.0);
  return fmt::format("{:.1f}", tenths / 10.0);
}

std::string power_of_ten(int exponent) {
  constexpr std::array<std::string_view, 10> kRaised = {"⁰", "¹", "²", "³", "⁴",
                                                        "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string result = exponent < 0 ? "10⁻" : "10";
  for (const char digit : std::to_string(std::abs(exponent))) {
    result += kRaised[static_cast<std::size_t>(digit - '0')];
  }
  return result;
}

std::string number_text(double value, int digits) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0.0 ? "∞" : "−∞";
  const double size = std::abs(value);
  if (size == 0.0) return "0";
  if (size >= 1e-3 && size < 1e6) {
    // %g would write 1e+05 for 100000 at 3 digits.
    const int whole = static_cast<int>(std::floor(std::log10(size))) + 1;
    return with_minus(fmt::format("{:.{}g}", value, std::max(digits, whole)));
  }
  const std::string text = fmt::format("{:.{}e}", value, digits - 1);
  const std::size_t mark = text.find('e');
  std::string mantissa = text.substr(0, mark);
  if (mantissa.find('.') != mantissa.npos) {
    mantissa.erase(mantissa.find_last_not_of('0') + 1);
    if (mantissa.ends_with('.')) mantissa.pop_back();
  }
  std::string power = power_of_ten(std::stoi(text.substr(mark + 1)));
  if (mantissa == "1") return power;
  return fmt::format("{} × {}", with_minus(mantissa), power);
}

std::string limit_text(double value, int digits) {
  if (!(value > 0.0) || std::isinf(value)) return number_text(value, digits);
  constexpr double slack = 1e-3;  // bounds that are differences carry rounding of their own
  const double step = std::pow(10.0, std::floor(std::log10(value)) - (digits - 1));
  return number_text(std::ceil(value / step * (1.0 - slack)) * step, digits);
}

std::string percent_text(double fraction, int decimals) {
  return with_minus(fmt::format("{:.{}f}", 100.0 * fraction, decimals)) + " %";
}

std::string signed_text(double value, int decimals) {
  std::string digits = fmt::format("{:.{}f}", std::abs(value), decimals);
  if (digits.find_first_not_of("0.") == digits.npos) return digits;
  return (value < 0.0 ? std::string(kMinus) : "+") + digits;
}

std::string grouped_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

CurrentUnit unit_for(double largest_current, std::string_view si_unit) {
  const double size = std::abs(largest_current);
  const auto named = [&](std::string prefix) { return prefix + std::string(si_unit); };
  if (size >= 1.0) return {1.0, named("")};
  if (size >= 1e-3) return {1e-3, named("m")};
  if (size >= 1e-6) return {1e-6, named("µ")};
  if (size >= 1e-9) return {1e-9, named("n")};
  return {1e-12, named("p")};
}

}  // namespace cimstat::experiments::report
