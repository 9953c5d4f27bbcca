#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/report/report.h"

/// The page around the figures: style, script, and the texts that figures and tables share.
namespace cimstat::experiments::report {

/// A part of the page with its heading. Titles and hints are escaped by the page.
struct Section {
  std::string name;  ///< unique on its page: letters and hyphens
  std::string short_title;
  std::string title;
  std::string hint;
  std::string content;  ///< HTML
};

/// What the page's script can do beyond themes, tooltips, numbers and heat maps.
enum class PageScript { plain, sweep };

/// The whole document. `head` is HTML ahead of the sections; `title` is escaped here.
std::string page(std::string_view title, std::string_view head,
                 const std::vector<Section>& sections, PageScript parts = PageScript::plain);

/// One pane of up to three at a time, chosen by its name; all of them in print. `label` says what
/// is chosen.
std::string tabs(std::string_view name, std::string_view label,
                 const std::vector<std::pair<std::string, std::string>>& panes);

/// Whether only an upper limit is known: none was seen, or the error bound reaches down to zero.
bool is_upper_limit(const MisreadPoint& point);
/// "3.2 × 10⁻⁵"; "none seen"; "not above 2 × 10⁻¹³" where the error bound hides it.
std::string rate_text(const MisreadPoint& point);
/// "2.9 × 10⁻⁵ to 3.5 × 10⁻⁵"; "below 3.7 × 10⁻⁹" where none was seen; "± 10⁻¹³", "exact",
/// or "error bound" where that hides the rate.
std::string interval_text(const MisreadPoint& point);
/// Both: "3.2 × 10⁻⁵ (2.9 × 10⁻⁵ to 3.5 × 10⁻⁵)".
std::string misread_text(const MisreadPoint& point);
/// "87.31 % (86.60 to 88.00)".
std::string accuracy_text(const AccuracyFigure& figure);

}  // namespace cimstat::experiments::report
