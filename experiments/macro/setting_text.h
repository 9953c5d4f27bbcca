#pragma once

#include <string>
#include <string_view>

/// Settings of a resolved configuration in the words of people: with units instead of powers of
/// ten.
namespace cimstat::experiments {

/// The value of a dotted key: "2e-06" of sense_amplifier.offset_sd gives "2 uA", with as many
/// digits as tell it from every other value; texts lose their quotes; "" (no such key) is "not
/// set". Of a key that this version doesn't know the value stays as it is.
std::string setting_value(std::string_view key, std::string_view toml_value);

/// The shortest end of a dotted key that is not the end of another key of an experiment file:
/// "offset_sd", but "lrs.sigma".
std::string short_key(std::string_view key);

/// "14 uS" -> "14 µS", "2 kohm" -> "2 kΩ": texts of the command line keep to ASCII, a page need
/// not.
std::string typeset(std::string text);

}  // namespace cimstat::experiments
