#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/report/report.h"
#include "experiments/report/svg_plot.h"

/// Lines below each other, each a dot with its interval.
namespace cimstat::experiments::report {

/// One line of a picture: a dot with its interval, its name above and its figures behind it.
struct Entry {
  std::string shown;  ///< the name, shortened where it would not fit
  std::string name;
  std::string value;
  std::string detail;     ///< what the name leaves out
  AccuracyFigure figure;  ///< in the unit of the axis
  std::string style;
  bool hollow = false;
};

enum class Zero { shown, not_needed };

/// `name` is unique on its page; not without entries.
std::string entries_plot(std::string_view name, std::string_view description,
                         const std::vector<Entry>& entries, std::string_view title,
                         const std::vector<LegendItem>& legend, Zero zero);

}  // namespace cimstat::experiments::report
