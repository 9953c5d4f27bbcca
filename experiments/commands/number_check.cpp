#include "experiments/commands/number_check.h"

#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

template <class Number>
std::optional<Number> parsed(const std::string& text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && behind == end ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> parsed_whole(const std::string& text) {
  if (const auto whole = parsed<std::uint64_t>(text)) return whole;
  constexpr double most = 9007199254740992.0;  // up to here every whole number is a double
  const auto number = parsed<double>(text);
  if (!number || std::signbit(*number) || *number > most || std::floor(*number) != *number) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

CLI::Validator whole_number(std::uint64_t low, std::uint64_t high) {
  const auto check = [low, high](std::string& text) -> std::string {
    const auto value = parsed_whole(text);
    if (!value || *value < low || *value > high) {
      return fmt::format("\"{}\" is not a whole number from {} to {}", text, low, high);
    }
    text = fmt::format("{}", *value);
    return {};
  };
  return {check, fmt::format("{} - {}", low, high)};
}

CLI::Validator number_between(double low, double high) {
  const auto check = [low, high](std::string& text) -> std::string {
    const auto value = parsed<double>(text);
    // Not a number is in no range.
    if (value && *value >= low && *value <= high) return {};
    return fmt::format("\"{}\" is not a number from {} to {}", text, low, high);
  };
  return {check, fmt::format("{} - {}", low, high)};
}

}  // namespace cimstat::experiments
