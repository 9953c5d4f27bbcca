#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Text and numbers as HTML and SVG need them.
namespace cimstat::experiments::report {

/// Fit for element content and quoted attributes of HTML and XML: markup characters become
/// entities; control characters and bytes that are not UTF-8 become U+FFFD.
std::string escaped(std::string_view text);

/// Letters of a UTF-8 text (code points).
std::size_t letters_of(std::string_view text);

/// At most so many letters: of a longer text both ends, which tell it from its like, with an
/// ellipsis between them.
std::string shortened(std::string_view text, std::size_t letters);

/// No line breaks between a number and its unit: "40 \u00b5S", "0.1 %".
std::string unbroken(std::string_view text);

/// A coordinate in tenths of a pixel, as short as possible.
std::string pixels(double coordinate);

/// To `digits` significant digits with a true minus sign; powers of ten below 1e-3 and from 1e6
/// on: "3.2 × 10⁻⁵", "10⁻⁵". A dash where it is not a number.
std::string number_text(double value, int digits = 3);

/// The same of an upper limit: rounded up, so that it stays one.
std::string limit_text(double value, int digits = 2);

/// "10⁻⁵".
std::string power_of_ten(int exponent);

/// 0.8731 -> "87.3 %".
std::string percent_text(double fraction, int decimals = 1);

/// "1,000,000".
std::string grouped_text(std::uint64_t count);

/// "+1.50", "−3.17", "0.00".
std::string signed_text(double value, int decimals);

/// The unit in which currents (or voltages) of this page read best.
struct CurrentUnit {
  double size = 1.0;
  std::string name;
};
CurrentUnit unit_for(double largest_current, std::string_view si_unit = "A");

}  // namespace cimstat::experiments::report
