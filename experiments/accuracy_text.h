#pragma once

#include <string>

#include "core/file/json.h"

#include "experiments/accuracy_file.h"

/// Accuracy results for people and programs.
namespace cimstat::experiments {

std::string format_accuracy(const AccuracyRecord& record);

/// Images, reads, chips, partial sums and the estimates, each as [value, lower, upper].
core::Json accuracy_as_json(const AccuracyRecord& record);

}  // namespace cimstat::experiments
