#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "core/config/config.h"

namespace cimstat::core {
namespace {

constexpr double kZeroCelsius = 273.15;  // [K]

struct Prefix {
  std::string_view sign;
  int exponent;
};

/// The sign that is written comes first among those of one exponent.
constexpr std::array<Prefix, 12> kPrefixes = {{{"a", -18},
                                               {"f", -15},
                                               {"p", -12},
                                               {"n", -9},
                                               {"u", -6},
                                               {"\u00b5", -6},  // micro sign
                                               {"\u03bc", -6},  // Greek mu
                                               {"m", -3},
                                               {"k", 3},
                                               {"M", 6},
                                               {"G", 9},
                                               {"T", 12}}};

struct Unit {
  int exponent = 0;
  double offset = 0.0;
  double factor = 1.0;
};

/// Units that a prefix may stand before.
std::vector<std::string_view> base_units(Quantity quantity) {
  if (quantity == Quantity::ratio) return {};
  // Greek capital omega, and the ohm sign that looks like it.
  if (quantity == Quantity::resistance) return {"ohm", "Ohm", "\u03a9", "\u2126"};
  return {si_unit(quantity)};
}

bool is_base_unit(std::string_view text, Quantity quantity) {
  const std::vector<std::string_view> units = base_units(quantity);
  return std::find(units.begin(), units.end(), text) != units.end();
}

/// Units that stand alone, with what they mean.
struct WholeUnit {
  std::string_view sign;
  Unit unit;
};

std::vector<WholeUnit> whole_units(Quantity quantity) {
  if (quantity == Quantity::ratio) return {{"%", {.exponent = -2}}};
  if (quantity == Quantity::temperature) {
    return {{"degC", {.offset = kZeroCelsius}},
            {"\u00b0C", {.offset = kZeroCelsius}},
            {"C", {.offset = kZeroCelsius}}};  // coulombs only where a charge is asked for
  }
  if (quantity == Quantity::time) {
    constexpr double hour = 3600.0;
    return {{"min", {.factor = 60.0}},
            {"h", {.factor = hour}},
            {"day", {.factor = 24.0 * hour}},
            {"days", {.factor = 24.0 * hour}}};
  }
  return {};
}

std::string wrong_unit(std::string_view text, Quantity quantity) {
  if (quantity == Quantity::ratio) {
    return fmt::format("the unit \"{}\" where only % may stand", text);
  }
  if (quantity == Quantity::temperature) {
    return fmt::format("the unit \"{}\" where degC, C or K is needed", text);
  }
  return fmt::format("the unit \"{}\" where {} is needed", text, si_unit(quantity));
}

Unit parse_unit(std::string_view text, Quantity quantity) {
  if (text.empty() || is_base_unit(text, quantity)) return {};
  for (const WholeUnit& whole : whole_units(quantity)) {
    if (text == whole.sign) return whole.unit;
  }
  for (const Prefix& prefix : kPrefixes) {
    if (text.starts_with(prefix.sign) && is_base_unit(text.substr(prefix.sign.size()), quantity)) {
      return {prefix.exponent, 0.0};
    }
  }
  throw std::invalid_argument(wrong_unit(text, quantity));
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// The digits of a decimal number, its exponent apart, and what follows.
struct Decimal {
  std::string digits;
  int exponent = 0;
  std::string_view rest;
};

Decimal split_decimal(std::string_view text) {
  Decimal decimal;
  std::size_t at = 0;
  bool any_digit = false;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    if (text[at] == '-') decimal.digits += '-';
    ++at;
  }
  for (bool point = false; at < text.size(); ++at) {
    if (is_digit(text[at])) {
      any_digit = true;
    } else if (text[at] == '.' && !point) {
      point = true;
    } else {
      break;
    }
    decimal.digits += text[at];
  }
  if (!any_digit) throw std::invalid_argument("no number in it");
  // An exponent only where digits follow: "5 eV" has none.
  if (at + 1 < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const char* start = text.data() + at + 1;
    if (*start == '+') ++start;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(start, end, decimal.exponent);
    if (error == std::errc::result_out_of_range) {
      throw std::invalid_argument("beyond the range of numbers");
    }
    if (error == std::errc()) at = static_cast<std::size_t>(stop - text.data());
  }
  decimal.rest = text.substr(at);
  return decimal;
}

}  // namespace

double parse_quantity(std::string_view text, Quantity quantity) {
  const Decimal decimal = split_decimal(trimmed(text));
  const Unit unit = parse_unit(trimmed(decimal.rest), quantity);
  // The prefix joins the decimal exponent, so that "40 uS" is the double nearest to 40e-6.
  const std::string literal = fmt::format("{}e{}", decimal.digits,
                                          static_cast<long long>(decimal.exponent) + unit.exponent);
  double value = 0.0;
  const auto [stop, error] =
      std::from_chars(literal.data(), literal.data() + literal.size(), value);
  if (error == std::errc::result_out_of_range) {
    throw std::invalid_argument("beyond the range of numbers");
  }
  if (error != std::errc() || stop != literal.data() + literal.size()) {
    throw std::invalid_argument("no number in it");
  }
  return value * unit.factor + unit.offset;
}

std::string bound_text(double bound) {
  std::string text = fmt::format("{:.0e}", bound);
  if (std::stod(text) >= bound) return text;
  // One digit and its exponent: the next one up.
  if (text[0] != '9') {
    ++text[0];
    return text;
  }
  return fmt::format("1e{:+03}", std::stoi(text.substr(2)) + 1);
}

std::string quantity_pattern(Quantity quantity) {
  std::string units;
  for (const WholeUnit& whole : whole_units(quantity)) units += fmt::format("|{}", whole.sign);
  std::string prefixes;
  for (const Prefix& prefix : kPrefixes) {
    prefixes += fmt::format("{}{}", prefixes.empty() ? "" : "|", prefix.sign);
  }
  for (const std::string_view unit : base_units(quantity)) {
    units += fmt::format("|({})?{}", prefixes, unit);
  }
  return fmt::format(
      "^[ \\t]*[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?[ \\t]*(|{})[ \\t]*$",
      units.substr(1));
}

std::string format_quantity(double value, Quantity quantity, int digits) {
  const int precision = std::max(digits, 1);
  if (quantity == Quantity::ratio) return fmt::format("{:.{}g}", value, precision);
  if (quantity == Quantity::temperature) {
    return fmt::format("{:.{}g} degC", value - kZeroCelsius, precision);
  }
  if (value == 0.0 || !std::isfinite(value)) return fmt::format("{} {}", value, si_unit(quantity));
  // Rounded first, so that 999.97 becomes 1 k and not 1000.
  const std::string rounded = fmt::format("{:.{}e}", value, precision - 1);
  const int exponent = std::stoi(rounded.substr(rounded.find('e') + 1));
  const int wanted = std::clamp(static_cast<int>(std::floor(exponent / 3.0)) * 3, -18, 12);
  std::string_view sign;
  for (const Prefix& prefix : kPrefixes) {
    if (prefix.exponent == wanted && sign.empty()) sign = prefix.sign;
  }
  const double scaled = std::strtod(rounded.c_str(), nullptr) * std::pow(10.0, -wanted);
  return fmt::format("{:.{}g} {}{}", scaled, std::max(precision, 3), sign, si_unit(quantity));
}

std::string_view si_unit(Quantity quantity) {
  switch (quantity) {
    case Quantity::ratio:
      return "1";
    case Quantity::voltage:
      return "V";
    case Quantity::current:
      return "A";
    case Quantity::resistance:
      return "ohm";
    case Quantity::conductance:
      return "S";
    case Quantity::time:
      return "s";
    case Quantity::temperature:
      return "K";
    case Quantity::capacitance:
      return "F";
    case Quantity::charge:
      return "C";
    case Quantity::length:
      return "m";
  }
  return "";
}

}  // namespace cimstat::core
