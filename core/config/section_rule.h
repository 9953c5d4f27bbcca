#pragma once

#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/config/section_reader.h"

/// What the parts of SectionReader share.
namespace cimstat::core {

inline std::vector<std::string_view> names_of(const std::vector<Choice>& choices) {
  std::vector<std::string_view> names;
  names.reserve(choices.size());
  for (const Choice& choice : choices) names.push_back(choice.name);
  return names;
}

/// The parameter of that key, which must be of this kind.
template <class Kind>
std::pair<const Parameter*, const Kind*> SectionReader::rule(std::string_view key) const {
  const Parameter* parameter = find(section_->parameters, key);
  if (parameter == nullptr && variant_ != nullptr) parameter = find(variant_->parameters, key);
  if (parameter == nullptr && !section_->entries.empty()) parameter = &section_->entries.front();
  const auto* kind = parameter == nullptr ? nullptr : std::get_if<Kind>(&parameter->rule);
  if (kind == nullptr) {
    throw std::logic_error(fmt::format("{} is not in its list in this way", table_.path_of(key)));
  }
  return {parameter, kind};
}

}  // namespace cimstat::core
