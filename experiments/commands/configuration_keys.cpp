#include "experiments/commands/configuration_keys.h"

#include <set>

namespace cimstat::experiments {

namespace {

void collect_sections(const std::vector<core::Section>& sections, const std::string& prefix,
                      std::set<std::string>& keys);

void collect(const std::vector<core::Parameter>& parameters, const std::string& prefix,
             std::set<std::string>& keys) {
  for (const core::Parameter& parameter : parameters) {
    keys.insert(prefix + std::string(parameter.key));
  }
}

void collect(const core::Section& section, const std::string& prefix, std::set<std::string>& keys) {
  collect(section.parameters, prefix, keys);
  collect_sections(section.sections, prefix, keys);
  if (!section.selector.empty()) keys.insert(prefix + std::string(section.selector));
  for (const core::Variant& variant : section.variants) {
    collect(variant.parameters, prefix, keys);
    collect_sections(variant.sections, prefix, keys);
  }
}

void collect_sections(const std::vector<core::Section>& sections, const std::string& prefix,
                      std::set<std::string>& keys) {
  for (const core::Section& section : sections) {
    collect(section, prefix + std::string(section.key) + ".", keys);
  }
}

}  // namespace

std::vector<std::string> configuration_keys(const core::Section& section) {
  std::set<std::string> keys;
  collect(section, "", keys);
  return {keys.begin(), keys.end()};
}

}  // namespace cimstat::experiments
