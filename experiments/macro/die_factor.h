#pragma once

#include <cstdint>
#include <string_view>

#include "core/random/random.h"

#include "experiments/macro/macro.h"

namespace cimstat::experiments {

/// How many times as much as their laws say the cells of a die conduct: conditions.corner, or a
/// draw of column.common_factor_sd (that of circuits/columns/frozen_pool.h); not below a
/// thousandth.
double die_factor(const Macro& macro, core::StreamKey key, std::uint64_t die);

/// Throws UsageError for [spatial_field]: `who` draws cells or columns that share nothing with
/// their neighbours.
void refuse_field(const Macro& macro, std::string_view who);

}  // namespace cimstat::experiments
