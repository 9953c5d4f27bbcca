#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/report/markup.h"
#include "experiments/report/report.h"

namespace cimstat::experiments::report {

/// A figure with its heading and texts, all escaped here.
std::string card(std::string_view title, std::string_view value,
                 const std::vector<std::string>& texts);

/// The head of the page: what a reader with twenty seconds looks for - what was modelled, the worst
/// MAC values, how sure that is. HTML.
std::string summary(const ReportInput& input, const CurrentUnit& unit);

}  // namespace cimstat::experiments::report
