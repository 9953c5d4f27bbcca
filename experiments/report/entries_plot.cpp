#include "experiments/report/entries_plot.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "experiments/report/figures.h"

namespace cimstat::experiments::report {

std::string entries_plot(std::string_view name, std::string_view description,
                         const std::vector<Entry>& entries, std::string_view title,
                         const std::vector<LegendItem>& legend, Zero zero) {
  constexpr double kLine = 42.0;
  const bool with_zero = zero == Zero::shown;
  double low = with_zero ? 0.0 : std::numeric_limits<double>::infinity();
  double high = with_zero ? 0.0 : -std::numeric_limits<double>::infinity();
  for (const Entry& entry : entries) {
    low = std::min(low, entry.figure.lower);
    high = std::max(high, entry.figure.upper);
  }
  const double air = std::max(0.06 * (high - low), 0.1);
  const double count = static_cast<double>(entries.size());
  Plot plot(name, description, {960.0, kLine * count + 96.0, 40.0, 20.0},
            {std::string(title), low - air, high + air, Spacing::linear, {}},
            {"", -count + 0.5, 0.5, Spacing::linear, {{-2.0 * count, ""}}});
  if (with_zero) plot.vertical_line(0.0, "zero", "no difference");
  for (std::size_t index = 0; index < entries.size(); ++index) {
    const Entry& entry = entries[index];
    const double height = -static_cast<double>(index) - 0.2;
    const std::string hover = fmt::format("{}: {}{}{}", entry.name, entry.value,
                                          entry.detail.empty() ? "" : "\n", entry.detail);
    plot.whisker(height, entry.figure.lower, entry.figure.upper, entry.style, hover);
    plot.dot({entry.figure.value, height}, 5.0,
             entry.hollow ? "hollow " + entry.style : entry.style, hover);
    plot.note({low - 0.6 * air, height + 13.0 / kLine},
              fmt::format("{}: {}", entry.shown, entry.value), "name", hover);
  }
  plot.legend(legend);
  return plot_frame(description, plot.svg());
}

}  // namespace cimstat::experiments::report
