#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "core/file/text_table.h"

namespace cimstat::experiments {

/// Where the column that `option` asked for is or, where nothing was asked for, the first of the
/// usual names that the table has. Throws UsageError where what was asked for is not there.
std::optional<std::size_t> find_column(const core::TextTable& table, const std::string& asked,
                                       std::string_view option,
                                       std::initializer_list<std::string_view> usual);

}  // namespace cimstat::experiments
