#include "experiments/macro/die_factor.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/columns/frozen_pool.h"

namespace cimstat::experiments {

namespace {

constexpr double least_factor = 1e-3;

}  // namespace

double die_factor(const Macro& macro, core::StreamKey key, std::uint64_t die) {
  const double sd = circuits::die_factor_sd(macro.design);
  if (sd == 0.0) return macro.corner_factor;
  return std::max(macro.corner_factor * circuits::die_factor(key, die, sd), least_factor);
}

void refuse_field(const Macro& macro, std::string_view who) {
  if (!macro.has_field) return;
  throw core::UsageError(core::error_line("spatial_field", fmt::format("{} knows no field", who),
                                          "neighbours would share a part of it",
                                          "leave it out, or use cimstat table"));
}

}  // namespace cimstat::experiments
