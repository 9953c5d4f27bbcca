#pragma once

#include <string>

#include "experiments/report/sweep_view.h"

namespace cimstat::experiments::report {

/// The head of a sweep's page: what was swept, the best and the worst point of each quantity, how
/// sure that is. HTML. `view` is that of the record.
std::string sweep_summary(const SweepRecord& record, const SweepView& view);

/// A table of the axes: keys, values, meaning. HTML.
std::string sweep_axes(const SweepRecord& record);

/// A value of the configuration's [sweep], as it stands there; "" where there is none.
std::string sweep_setting(const std::string& config_toml, const std::string& key);

}  // namespace cimstat::experiments::report
