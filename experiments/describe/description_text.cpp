#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/config/config.h"
#include "core/error.h"

#include "experiments/describe/description.h"

namespace cimstat::experiments {

namespace {

constexpr std::size_t width = 96;
constexpr std::size_t key_width = 20;

/// `text` in lines of `width` columns, all but the first moved in by `indent`; `at` is the column
/// that the first one starts in.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t at) {
  std::string result;
  for (bool first = true; !text.empty(); first = false) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!first && at + 1 + word.size() > width) {
      result += '\n' + std::string(indent, ' ');
      at = indent;
    } else if (!first) {
      result += ' ';
      ++at;
    }
    result += word;
    at += word.size();
  }
  return result;
}

std::string paragraph(std::string_view text, std::size_t indent) {
  return std::string(indent, ' ') + wrapped(text, indent, indent) + '\n';
}

std::string entry(std::string_view key, const std::vector<std::string>& lines) {
  constexpr std::size_t indent = key_width + 2;
  std::string text = fmt::format("  {:<{}}", key, key_width);
  if (key.size() >= key_width) text += ' ';
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) text += std::string(indent, ' ');
    text += wrapped(lines[i], indent, i == 0 ? std::max(indent, key.size() + 3) : indent) + '\n';
  }
  return text;
}

std::string with_default(std::string_view what, const std::string& fallback, bool required,
                         std::string_view example) {
  std::string text(what);
  if (required) text += "; required";
  if (!required && !fallback.empty()) text += "; default: " + fallback;
  if (!example.empty()) text += fmt::format("; such as {}", example);
  return text;
}

std::string entry(const core::Parameter& parameter, bool in_way) {
  const bool required = !in_way && core::is_required(parameter);
  std::vector<std::string> lines = {with_default(
      allowed_words(parameter.rule), default_words(parameter), required, parameter.example)};
  lines.emplace_back(parameter.meaning);
  if (const auto* rule = std::get_if<core::ChoiceRule>(&parameter.rule)) {
    for (const core::Choice& choice : rule->choices) {
      lines.push_back(fmt::format("\"{}\": {}", choice.name, choice.meaning));
    }
  }
  if (!parameter.source.empty()) lines.push_back(fmt::format("source: {}", parameter.source));
  return entry(parameter.key, lines);
}

bool is_in_way(const core::Variant& variant, std::string_view key) {
  return variant.ways.size() > 1 &&
         std::any_of(variant.ways.begin(), variant.ways.end(), [&](const auto& way) {
           return std::find(way.begin(), way.end(), key) != way.end();
         });
}

std::string selector_entry(const core::Section& section) {
  core::ChoiceRule rule{.choices = {}, .fallback = section.selector_fallback};
  for (const core::Variant& variant : section.variants) {
    rule.choices.push_back({variant.name, variant.meaning});
  }
  return entry({.key = section.selector, .rule = rule, .meaning = section.selector_meaning}, false);
}

std::string variant_text(const core::Section& section, const core::Variant& variant) {
  if (variant.parameters.empty() && variant.source.empty() && variant.note.empty()) return {};
  std::string text = fmt::format("\nWith {} = \"{}\":\n", section.selector, variant.name);
  if (variant.ways.size() > 1) {
    std::string ways;
    for (std::size_t i = 0; i < variant.ways.size(); ++i) {
      const std::string_view separator = i == 0                         ? ""
                                         : i + 1 == variant.ways.size() ? ", or "
                                                                        : ", ";
      ways += fmt::format("{}{}", separator, fmt::join(variant.ways[i], " and "));
    }
    text += paragraph(fmt::format("given by {}", ways), 2);
  }
  if (!variant.note.empty()) text += paragraph(variant.note, 2);
  if (!variant.source.empty()) text += paragraph(fmt::format("source: {}", variant.source), 2);
  if (!variant.parameters.empty()) text += '\n';
  for (const core::Parameter& parameter : variant.parameters) {
    text += entry(parameter, is_in_way(variant, parameter.key));
  }
  return text;
}

std::string heading(const PlacedSection& placed) {
  const std::string name = placed.path.empty() ? "top of the file" : "[" + placed.path + "]";
  std::string text = name;
  if (!placed.path.empty()) {
    text += placed.section->need == core::Need::required ? "  required" : "  optional";
  }
  if (!placed.condition.empty()) text += ", with " + placed.condition;
  return text + '\n' + paragraph(placed.section->meaning, 2);
}

std::string section_text(const core::Section& root, const PlacedSection& placed) {
  const core::Section& section = *placed.section;
  std::string text = heading(placed) + '\n';
  if (!section.selector.empty()) text += selector_entry(section);
  for (const core::Parameter& parameter : section.parameters) text += entry(parameter, false);
  for (const core::Parameter& any : section.entries) text += entry(any, false);
  for (const core::Variant& variant : section.variants) text += variant_text(section, variant);
  std::string inner;
  for (const PlacedSection& other : placed_sections(root)) {
    if (placed.path.empty() || !other.path.starts_with(placed.path + ".")) continue;
    inner += fmt::format("{}[{}]", inner.empty() ? "" : ", ", other.path);
  }
  if (!inner.empty()) text += "\nsections in it: " + inner + '\n';
  return text;
}

std::vector<std::string_view> keys_of(const core::Section& section) {
  std::vector<std::string_view> keys;
  if (!section.selector.empty()) keys.push_back(section.selector);
  const auto add = [&](const std::vector<core::Parameter>& parameters) {
    for (const core::Parameter& parameter : parameters) {
      if (std::find(keys.begin(), keys.end(), parameter.key) == keys.end()) {
        keys.push_back(parameter.key);
      }
    }
  };
  add(section.parameters);
  add(section.entries);
  for (const core::Variant& variant : section.variants) add(variant.parameters);
  return keys;
}

std::string key_text(const PlacedSection& placed, std::string_view key) {
  const core::Section& section = *placed.section;
  std::string text =
      placed.path.empty() ? std::string("top of the file\n") : fmt::format("[{}]\n", placed.path);
  if (key == section.selector) return text + selector_entry(section);
  for (const auto* parameters : {&section.parameters, &section.entries}) {
    if (const auto* parameter = core::find(*parameters, key)) {
      return text + entry(*parameter, false);
    }
  }
  for (const core::Variant& variant : section.variants) {
    const auto* parameter = core::find(variant.parameters, key);
    if (parameter == nullptr) continue;
    text += fmt::format("with {} = \"{}\":\n", section.selector, variant.name);
    text += entry(*parameter, is_in_way(variant, key));
  }
  return text;
}

}  // namespace

std::string sections_as_text(const core::Section& root) {
  std::string text =
      "Sections of an experiment file (TOML). `cimstat describe SECTION` shows the keys of one,\n"
      "`cimstat describe SECTION.KEY` a single key.\n\n";
  for (const PlacedSection& placed : placed_sections(root)) {
    text += heading(placed);
    text += paragraph(fmt::format("keys: {}", fmt::join(keys_of(*placed.section), ", ")), 2) + '\n';
  }
  text +=
      "A number with a unit is a text such as \"40 uS\" (prefixes a f p n u m k M G T), or a "
      "plain\n"
      "number in the SI unit. `--set SECTION.KEY=VALUE` overrides a key on the command line.\n";
  return text;
}

namespace {

/// A key or section may be asked for by its last name alone: "lrs" is cell.lrs.
std::optional<std::string> ending_as(std::string_view name, const std::vector<std::string>& known) {
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const std::string& path : known) names.push_back(path.substr(path.rfind('.') + 1));
  const auto meant = core::nearest(name, names);
  if (!meant) return std::nullopt;
  return known[static_cast<std::size_t>(std::find(names.begin(), names.end(), *meant) -
                                        names.begin())];
}

}  // namespace

std::string described(const core::Section& root, std::string_view path) {
  std::vector<std::string> known;
  for (const PlacedSection& placed : placed_sections(root)) {
    if (!placed.path.empty() && placed.path == path) return section_text(root, placed);
    known.push_back(placed.path);
    for (const std::string_view key : keys_of(*placed.section)) {
      known.push_back(placed.path.empty() ? std::string(key)
                                          : fmt::format("{}.{}", placed.path, key));
      if (known.back() == path) return key_text(placed, key);
    }
  }
  auto meant = core::nearest(path, known);
  if (!meant) meant = ending_as(path, known);
  throw core::UsageError(core::error_line(
      path.empty() ? "\"\"" : path, "is no section or key of an experiment file", {},
      meant ? fmt::format("did you mean {}?", *meant)
            : std::string("see cimstat describe for all sections")));
}

}  // namespace cimstat::experiments
