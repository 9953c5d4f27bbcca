#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Writing JSON (RFC 8259).
namespace cimstat::core {

/// In quotation marks; bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);
/// Shortest digits that read back the same; null for what is not finite.
std::string json_number(double value);

/// Objects and arrays, built member by member and printed one member of an object a line.
class JsonArray;
class JsonObject {
 public:
  JsonObject& add(std::string_view name, std::string_view value);
  JsonObject& add(std::string_view name, const char* value);
  JsonObject& add(std::string_view name, double value);
  JsonObject& add(std::string_view name, std::uint64_t value);
  JsonObject& add(std::string_view name, const JsonObject& value);
  JsonObject& add(std::string_view name, const JsonArray& value);
  JsonObject& add_flag(std::string_view name, bool value);
  JsonObject& add_null(std::string_view name);
  std::string text() const;  ///< without a newline at the end

 private:
  std::vector<std::pair<std::string, std::string>> members_;  ///< both as JSON
};

class JsonArray {
 public:
  JsonArray() = default;
  explicit JsonArray(std::span<const double> values);
  JsonArray& add(std::string_view value);
  JsonArray& add(const char* value);
  JsonArray& add(double value);
  JsonArray& add(std::uint64_t value);
  JsonArray& add(const JsonObject& value);
  std::string text() const;

 private:
  std::vector<std::string> items_;  ///< as JSON
};

}  // namespace cimstat::core
