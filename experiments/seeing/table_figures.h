#pragma once

#include <cstddef>

#include "core/statistics/statistics.h"

#include "circuits/error_table.h"

#include "experiments/inference/accuracy_run.h"

/// Figures of single classes of an error table, with what is known of their error.
namespace cimstat::experiments {

/// P(code != ideal code | class) with its Clopper-Pearson interval (sampled), or with the bound on
/// its error (exact: that of the one entry which it is the complement of, and the sum's rounding).
Estimate misread_estimate(const circuits::ErrorTable& table, std::size_t class_index,
                          double confidence);

/// P(code | class) in the same way.
Estimate entry_estimate(const circuits::ErrorTable& table, std::size_t class_index,
                        std::uint32_t code, double confidence);

}  // namespace cimstat::experiments
