#include "core/config/section_reader.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/config/section_rule.h"
#include "core/utf8.h"

namespace cimstat::core {
namespace {

bool contains(const std::vector<std::string_view>& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// "a and b; or c and d".
std::string words_of(const std::vector<std::vector<std::string_view>>& ways) {
  std::string words;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (i > 0) words += i + 1 == ways.size() ? ", or " : ", ";
    words += fmt::format("{}", fmt::join(ways[i], " and "));
  }
  return words;
}

/// Where a limit comes from, said in the reason and in the remedy: changing one key of a file can
/// make another one wrong.
[[noreturn]] void fail_beyond(const ConfigTable& table, std::string_view key, std::uint64_t value,
                              std::uint64_t low, std::uint64_t high, std::string_view high_key) {
  table.fail(key, fmt::format("{} is out of range", value),
             fmt::format("must be a whole number from {} to {}, the {} here", low, high, high_key),
             fmt::format("lower it too, for example --set {}={}", table.path_of(key), high));
}

}  // namespace

const Parameter* find(const std::vector<Parameter>& parameters, std::string_view key) {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const Parameter& parameter) { return parameter.key == key; });
  return found == parameters.end() ? nullptr : &*found;
}

bool is_required(const Parameter& parameter) {
  struct Visitor {
    bool operator()(const NumberRule& rule) const { return !rule.fallback; }
    bool operator()(const NumbersRule&) const { return true; }
    bool operator()(const CountRule& rule) const { return !rule.fallback && rule.high_key.empty(); }
    bool operator()(const CountsRule&) const { return false; }
    bool operator()(const ChoiceRule& rule) const { return rule.fallback.empty(); }
    bool operator()(const TextRule& rule) const { return rule.fallback.empty(); }
    bool operator()(const FlagRule&) const { return false; }
    bool operator()(const ChoicesRule& rule) const { return rule.fallback.empty(); }
    bool operator()(const TextsRule&) const { return true; }
    bool operator()(ValueRule) const { return true; }
    bool operator()(ValuesRule) const { return true; }
  };
  return parameter.absent.empty() && std::visit(Visitor{}, parameter.rule);
}

SectionReader::SectionReader(ConfigTable table, const Section& section)
    : table_(std::move(table)), section_(&section) {
  if (!section.selector.empty()) {
    std::vector<std::string_view> names;
    for (const Variant& variant : section.variants) names.push_back(variant.name);
    const std::string chosen =
        section.selector_fallback.empty()
            ? table_.choice(section.selector, names)
            : table_.choice_or(section.selector, names, section.selector_fallback);
    for (const Variant& variant : section.variants) {
      if (variant.name == chosen) variant_ = &variant;
    }
  }
  expect_all();
  check_ways();
}

void SectionReader::expect_all() const {
  for (const Parameter& parameter : section_->parameters) table_.expect(parameter.key, {});
  for (const Variant& variant : section_->variants) {
    for (const Parameter& parameter : variant.parameters) {
      if (variant_ != nullptr && find(variant_->parameters, parameter.key) != nullptr) {
        table_.expect(parameter.key, {});
        continue;
      }
      std::vector<std::string> owners;
      for (const Variant& other : section_->variants) {
        if (find(other.parameters, parameter.key) == nullptr) continue;
        owners.push_back(fmt::format("{} = \"{}\"", section_->selector, other.name));
      }
      table_.expect(parameter.key, fmt::format("it belongs to {}", fmt::join(owners, " or ")));
    }
  }
}

void SectionReader::check_ways() const {
  if (variant_ == nullptr || variant_->ways.empty()) return;
  std::vector<std::string_view> given;
  for (const auto& way : variant_->ways) {
    for (const std::string_view key : way) {
      if (has(key) && !contains(given, key)) given.push_back(key);
    }
  }
  const bool fits = std::any_of(variant_->ways.begin(), variant_->ways.end(), [&](const auto& way) {
    return std::all_of(given.begin(), given.end(),
                       [&](std::string_view key) { return contains(way, key); });
  });
  if (fits) return;
  // The later of the first two keys that no way holds together.
  for (std::size_t later = 1; later < given.size(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      const bool together =
          std::any_of(variant_->ways.begin(), variant_->ways.end(), [&](const auto& way) {
            return contains(way, given[later]) && contains(way, given[earlier]);
          });
      if (together) continue;
      fail(given[later], fmt::format("contradicts {}", given[earlier]),
           fmt::format("a {} is given by {}", variant_->name, words_of(variant_->ways)),
           "keep one of these");
    }
  }
}

double SectionReader::number(std::string_view key) const {
  const auto [parameter, kind] = rule<NumberRule>(key);
  return kind->fallback ? table_.number_or(key, kind->quantity, kind->range, *kind->fallback)
                        : table_.number(key, kind->quantity, kind->range);
}

std::optional<double> SectionReader::optional_number(std::string_view key) const {
  rule<NumberRule>(key);
  if (!has(key)) return std::nullopt;
  return number(key);
}

std::vector<double> SectionReader::numbers(std::string_view key) const {
  const auto [parameter, kind] = rule<NumbersRule>(key);
  return table_.numbers(key, kind->quantity, kind->range);
}

std::uint64_t SectionReader::count(std::string_view key) const {
  const auto [parameter, kind] = rule<CountRule>(key);
  return kind->fallback ? table_.count_or(key, kind->low, kind->high, *kind->fallback)
                        : table_.count(key, kind->low, kind->high);
}

std::uint64_t SectionReader::count(std::string_view key, std::uint64_t high) const {
  const auto [parameter, kind] = rule<CountRule>(key);
  const std::uint64_t value =
      table_.count_or(key, kind->low, kind->high, kind->fallback.value_or(high));
  if (value > high) fail_beyond(table_, key, value, kind->low, high, kind->high_key);
  return value;
}

std::uint64_t SectionReader::count_or(std::string_view key, std::uint64_t fallback) const {
  const auto [parameter, kind] = rule<CountRule>(key);
  return table_.count_or(key, kind->low, kind->high, fallback);
}

std::vector<std::uint64_t> SectionReader::counts(std::string_view key, std::uint64_t high) const {
  const auto [parameter, kind] = rule<CountsRule>(key);
  const std::string_view written = table_.kind_of(key);
  std::vector<std::uint64_t> values;
  if (written.empty() || written == "text") {
    const std::vector<std::string_view> words = {kind->word};
    if (const std::string word = table_.text_or(key, kind->word);
        word.find_first_not_of("0123456789, ") == word.npos) {
      fail(key, fmt::format("\"{}\" is a text", word), "several numbers are a list in brackets",
           fmt::format("write [{}]", word));
    }
    table_.choice_or(key, words, kind->word);
    values.resize(high - kind->low + 1);
    std::iota(values.begin(), values.end(), kind->low);
  } else if (written == "array") {
    values = table_.counts(key, kind->low, kind->high);
    if (values.empty()) {
      fail(key, "is empty", "at least one number is needed",
           fmt::format("list some, or write \"{}\"", kind->word));
    }
  } else {
    values.push_back(table_.count(key, kind->low, kind->high));
  }
  for (const std::uint64_t value : values) {
    if (value > high) fail_beyond(table_, key, value, kind->low, high, kind->high_key);
  }
  return values;
}

std::string SectionReader::choice(std::string_view key) const {
  const auto [parameter, kind] = rule<ChoiceRule>(key);
  const std::vector<std::string_view> names = names_of(kind->choices);
  return kind->fallback.empty() ? table_.choice(key, names)
                                : table_.choice_or(key, names, kind->fallback);
}

void SectionReader::check_line(std::string_view key, const std::string& value,
                               std::size_t longest) const {
  if (value.size() > longest) {
    fail(key, fmt::format("is {} bytes long", value.size()), fmt::format("{} are allowed", longest),
         "shorten it");
  }
  if (one_line(value) != value) {
    fail(key, "holds a control character", "it is shown on one line", "remove it");
  }
}

std::string SectionReader::text(std::string_view key) const {
  const auto [parameter, kind] = rule<TextRule>(key);
  std::string value =
      is_required(*parameter) ? table_.text(key) : table_.text_or(key, kind->fallback);
  check_line(key, value, kind->longest);
  return value;
}

bool SectionReader::flag(std::string_view key) const {
  const auto [parameter, kind] = rule<FlagRule>(key);
  return table_.flag_or(key, kind->fallback);
}

SectionReader SectionReader::section(std::string_view key) const {
  const auto find_in = [&](const std::vector<Section>& sections) -> const Section* {
    for (const Section& section : sections) {
      if (section.key == key) return &section;
    }
    return nullptr;
  };
  const Section* found = find_in(section_->sections);
  if (found == nullptr && variant_ != nullptr) found = find_in(variant_->sections);
  if (found == nullptr) {
    throw std::logic_error(fmt::format("[{}] is not in its list", table_.path_of(key)));
  }
  return {found->need == Need::required ? table_.table(key) : table_.table_or_empty(key), *found};
}

}  // namespace cimstat::core
