#include "experiments/fit/find_column.h"

#include <algorithm>

#include <fmt/format.h>

namespace cimstat::experiments {

std::optional<std::size_t> find_column(const core::TextTable& table, const std::string& asked,
                                       std::string_view option,
                                       std::initializer_list<std::string_view> usual) {
  if (!asked.empty()) return table.column(asked, fmt::format("{} {}", option, asked));
  for (const std::string_view name : usual) {
    const auto& names = table.names();
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return table.column(name, option);
    }
  }
  return std::nullopt;
}

}  // namespace cimstat::experiments
