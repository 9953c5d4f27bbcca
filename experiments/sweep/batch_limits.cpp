#include "experiments/sweep/batch_limits.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

namespace cimstat::experiments {

namespace {

struct Measured {
  double number = 0.0;
  std::string_view unit;
};

std::optional<Measured> measured(std::string_view text) {
  Measured result;
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, result.number);
  if (error != std::errc{} || !std::isfinite(result.number) || result.number < 0.0) {
    return std::nullopt;
  }
  result.unit = text.substr(static_cast<std::size_t>(behind - text.data()));
  while (result.unit.starts_with(' ')) result.unit.remove_prefix(1);
  return result;
}

template <std::size_t N>
std::optional<double> scaled(std::string_view text,
                             const std::array<std::pair<std::string_view, double>, N>& units) {
  const std::optional<Measured> value = measured(text);
  if (!value) return std::nullopt;
  for (const auto& [unit, factor] : units) {
    if (value->unit == unit) return value->number * factor;
  }
  return std::nullopt;
}

/// One to four digits.
std::optional<double> few_digits(std::string_view text) {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  if (text.size() > 4) return std::nullopt;
  const auto [behind, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && behind == end ? std::optional<double>(value) : std::nullopt;
}

/// H:MM:SS or D-HH:MM:SS.
std::optional<double> clock_seconds(std::string_view text) {
  double seconds = 0.0;
  if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) {
    const auto days = few_digits(text.substr(0, dash));
    if (!days) return std::nullopt;
    seconds = *days * 86400.0;
    text.remove_prefix(dash + 1);
  }
  const std::size_t first = text.find(':');
  if (first == std::string_view::npos || text.size() != first + 6 || text[first + 3] != ':') {
    return std::nullopt;
  }
  const auto hours = few_digits(text.substr(0, first));
  const auto minutes = few_digits(text.substr(first + 1, 2));
  const auto rest = few_digits(text.substr(first + 4));
  if (!hours || !minutes || !rest || *minutes >= 60.0 || *rest >= 60.0) return std::nullopt;
  return seconds + *hours * 3600.0 + *minutes * 60.0 + *rest;
}

}  // namespace

std::optional<std::uint64_t> parse_time_limit(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 4> units = {
      {{"s", 1.0}, {"min", 60.0}, {"h", 3600.0}, {"d", 86400.0}}};
  const std::optional<double> seconds =
      text.find(':') != std::string_view::npos ? clock_seconds(text) : scaled(text, units);
  if (!seconds || *seconds < double(least_job_seconds) || *seconds > double(most_job_seconds)) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*seconds);
}

std::optional<std::uint64_t> parse_memory(std::string_view text) {
  constexpr double giga = 1024.0;
  constexpr double tera = 1024.0 * 1024.0;
  constexpr std::array<std::pair<std::string_view, double>, 6> units = {
      {{"M", 1.0}, {"MB", 1.0}, {"G", giga}, {"GB", giga}, {"T", tera}, {"TB", tera}}};
  const std::optional<double> megabytes = scaled(text, units);
  if (!megabytes || *megabytes <= 0.0 || *megabytes > 1024.0 * tera) return std::nullopt;
  return static_cast<std::uint64_t>(std::ceil(*megabytes));
}

}  // namespace cimstat::experiments
