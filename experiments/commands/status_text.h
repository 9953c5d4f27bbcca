#pragma once

#include <string>

#include "core/file/json.h"

#include "experiments/sweep/sweep_status.h"

/// What `cimstat status` prints.
namespace cimstat::experiments {

/// Lines for people, which end with what to do next.
std::string status_as_text(const SweepStatus& status);
core::Json status_as_json(const SweepStatus& status);

}  // namespace cimstat::experiments
