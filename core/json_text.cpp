#include "core/json_text.h"

#include <cmath>

#include <fmt/format.h>

#include "core/utf8.h"

namespace cimstat::core {
namespace {

/// Moves all lines but the first two columns in; texts hold no newlines, so each is a line of JSON.
std::string indented(std::string_view json) {
  std::string result;
  for (const char letter : json) {
    result += letter;
    if (letter == '\n') result += "  ";
  }
  return result;
}

template <class Items, class TextOf>
std::string joined(const Items& items, char open, char close, const TextOf& text_of) {
  std::string body;
  bool on_lines = open == '{';
  for (const auto& item : items) on_lines = on_lines || text_of(item).starts_with('{');
  const std::string_view separator = on_lines ? ",\n  " : ", ";
  for (const auto& item : items) {
    if (!body.empty()) body += separator;
    body += on_lines ? indented(text_of(item)) : text_of(item);
  }
  if (body.empty()) return {open, close};
  return on_lines ? fmt::format("{}\n  {}\n{}", open, body, close)
                  : fmt::format("{}{}{}", open, body, close);
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const auto code = static_cast<unsigned char>(text[at]);
    if (length == 0) {
      result += "\\ufffd";
    } else if (text[at] == '"' || text[at] == '\\') {
      result += {'\\', text[at]};
    } else if (code < 0x20) {
      result += fmt::format("\\u{:04x}", code);
    } else {
      result += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return result + '"';
}

std::string json_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string("null");
}

JsonObject& JsonObject::add(std::string_view name, std::string_view value) {
  members_.emplace_back(json_string(name), json_string(value));
  return *this;
}
JsonObject& JsonObject::add(std::string_view name, const char* value) {
  return add(name, std::string_view(value));
}
JsonObject& JsonObject::add(std::string_view name, double value) {
  members_.emplace_back(json_string(name), json_number(value));
  return *this;
}
JsonObject& JsonObject::add(std::string_view name, std::uint64_t value) {
  members_.emplace_back(json_string(name), fmt::format("{}", value));
  return *this;
}
JsonObject& JsonObject::add(std::string_view name, const JsonObject& value) {
  members_.emplace_back(json_string(name), value.text());
  return *this;
}
JsonObject& JsonObject::add(std::string_view name, const JsonArray& value) {
  members_.emplace_back(json_string(name), value.text());
  return *this;
}
JsonObject& JsonObject::add_flag(std::string_view name, bool value) {
  members_.emplace_back(json_string(name), value ? "true" : "false");
  return *this;
}
JsonObject& JsonObject::add_null(std::string_view name) {
  members_.emplace_back(json_string(name), "null");
  return *this;
}

std::string JsonObject::text() const {
  return joined(members_, '{', '}',
                [](const auto& member) { return member.first + ": " + member.second; });
}

JsonArray::JsonArray(std::span<const double> values) {
  for (const double value : values) add(value);
}
JsonArray& JsonArray::add(std::string_view value) {
  items_.push_back(json_string(value));
  return *this;
}
JsonArray& JsonArray::add(const char* value) { return add(std::string_view(value)); }
JsonArray& JsonArray::add(double value) {
  items_.push_back(json_number(value));
  return *this;
}
JsonArray& JsonArray::add(std::uint64_t value) {
  items_.push_back(fmt::format("{}", value));
  return *this;
}
JsonArray& JsonArray::add(const JsonObject& value) {
  items_.push_back(value.text());
  return *this;
}

std::string JsonArray::text() const {
  return joined(items_, '[', ']', [](const std::string& item) { return item; });
}

}  // namespace cimstat::core
