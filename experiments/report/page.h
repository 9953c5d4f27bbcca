#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/report/report.h"

/// The page around the figures: style, script, and the texts that figures and tables share.
namespace cimstat::experiments::report {

/// Classes h0 .. h31 (heat map, low to high) and v0 .. v15 (levels, low to high) of the style.
inline constexpr int kHeatShades = 32;
inline constexpr int kLevelShades = 16;
/// Classes s0 .. s6: colours of series.
inline constexpr int kSeries = 7;

/// The whole document. `body` is HTML; `title` is escaped here.
std::string page(std::string_view title, std::string_view body);

/// One pane at a time, chosen by its name; all of them in print.
std::string tabs(std::string_view name,
                 const std::vector<std::pair<std::string, std::string>>& panes);

/// Whether only an upper limit is known: none was seen, or the error bound reaches down to zero.
bool is_upper_limit(const MisreadPoint& point);
/// "3.2 × 10⁻⁵"; "none seen"; "< 2 × 10⁻¹³" where the error bound hides it.
std::string rate_text(const MisreadPoint& point);
/// "2.9 × 10⁻⁵ to 3.5 × 10⁻⁵"; "below 3.7 × 10⁻⁹" where none was seen; "± 10⁻¹³" or "exact".
std::string interval_text(const MisreadPoint& point);
/// Both: "3.2 × 10⁻⁵ (2.9 × 10⁻⁵ to 3.5 × 10⁻⁵)".
std::string misread_text(const MisreadPoint& point);
/// "87.31 % (86.60 to 88.00)".
std::string accuracy_text(const AccuracyBar& bar);

}  // namespace cimstat::experiments::report
