#include "experiments/seeing/config_difference.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cimstat::experiments {

namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries entries_of(std::string_view canonical) {
  Entries entries;
  std::string table;
  while (!canonical.empty()) {
    const std::size_t end = std::min(canonical.find('\n'), canonical.size());
    const std::string_view line = canonical.substr(0, end);
    canonical.remove_prefix(std::min(end + 1, canonical.size()));
    const std::size_t equals = line.find(" = ");
    if (line.starts_with('[') && line.ends_with(']')) {
      table = std::string(line.substr(1, line.size() - 2)) + ".";
    } else if (equals != std::string_view::npos) {
      entries.emplace_back(table + std::string(line.substr(0, equals)), line.substr(equals + 3));
    }
  }
  return entries;
}

const std::string* find(const Entries& entries, const std::string& key) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return entry.first == key; });
  return found == entries.end() ? nullptr : &found->second;
}

bool is_of_macro(const std::string& key) {
  constexpr std::array<std::string_view, 4> sections = {"cell.", "column.", "sense_amplifier.",
                                                        "converter."};
  return std::any_of(sections.begin(), sections.end(),
                     [&](std::string_view section) { return key.starts_with(section); });
}

}  // namespace

std::vector<KeyDifference> differing_keys(std::string_view canonical_a,
                                          std::string_view canonical_b) {
  const Entries a = entries_of(canonical_a);
  const Entries b = entries_of(canonical_b);
  std::vector<KeyDifference> differences;
  for (const auto& [key, value] : a) {
    const std::string* other = find(b, key);
    if (other == nullptr || *other != value) {
      differences.push_back({key, value, other == nullptr ? "" : *other, is_of_macro(key)});
    }
  }
  for (const auto& [key, value] : b) {
    if (find(a, key) == nullptr) differences.push_back({key, "", value, is_of_macro(key)});
  }
  return differences;
}

}  // namespace cimstat::experiments
