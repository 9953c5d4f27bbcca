#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/statistics/proportion_interval.h"

#include "circuits/error_table.h"

#include "experiments/inference/accuracy_run.h"

/// Figures of single classes of an error table, with what is known of their error.
namespace cimstat::experiments {

/// What holds together at the confidence.
enum class IntervalScope {
  entry,  ///< each interval for itself
  row,    ///< those of all codes of a class
  table,  ///< those of all codes of all classes
};

/// How counts are given intervals. Files store counts, so that a reader may choose.
struct IntervalChoice {
  double confidence = 0.95;
  core::IntervalMethod method = core::IntervalMethod::clopper_pearson;
  IntervalScope scope = IntervalScope::entry;
};

/// "Clopper-Pearson, each by itself", "Goodman, all codes of a class at once".
std::string interval_text(const IntervalChoice& choice);

/// Of `count` in the trials of a class of a sampled table.
core::Interval interval_of(const circuits::ErrorTable& table, std::size_t class_index,
                           std::uint64_t count, const IntervalChoice& choice);

/// P(code != ideal code | class) with its interval (sampled: that of the one entry which it is the
/// complement of), or with the bound on its error (exact: that of the same entry, and the sum's
/// rounding).
Estimate misread_estimate(const circuits::ErrorTable& table, std::size_t class_index,
                          const IntervalChoice& choice);

/// P(code | class) in the same way.
Estimate entry_estimate(const circuits::ErrorTable& table, std::size_t class_index,
                        std::uint32_t code, const IntervalChoice& choice);

}  // namespace cimstat::experiments
