#pragma once

#include <string>

#include "experiments/report/markup.h"
#include "experiments/report/report.h"

namespace cimstat::experiments::report {

/// The head of the page: what a reader with twenty seconds looks for - what was modelled, the worst
/// MAC values, how sure that is. HTML.
std::string summary(const ReportInput& input, const CurrentUnit& unit);

}  // namespace cimstat::experiments::report
