#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/report/markup.h"
#include "experiments/report/report.h"

/// The pictures of the report, each as HTML with the numbers behind it. Inputs are not empty.
namespace cimstat::experiments::report {

/// Densities with references and overlaps, on linear and on logarithmic axes to choose from.
std::string distribution_figure(const ReportInput& input, const CurrentUnit& unit);
/// The least margins against the number of active rows; "" for fewer than two numbers.
std::string margin_figure(const ReportInput& input);
/// A heat map of P(code | level); of a large banded one also the band alone.
std::string confusion_figure(const ReportInput& input);
/// How to read it.
std::string confusion_hint(const ConfusionMap& map);
/// The smallest probability that it still shades: a power of ten, 1e-9 or more.
double confusion_floor(const ConfusionMap& map);
/// Whether no rate was sampled.
bool all_computed(const std::vector<MisreadPoint>& points);
std::string misread_figure(const ReportInput& input);
/// Misread rates at all numbers of active rows; "" where the table holds one only.
std::string misread_rows_figure(const ReportInput& input);
/// Misreads with other references and with those of the converter, and how far each moved. Both
/// have as many references and MAC values.
std::string references_figure(const ReportInput& input, const CurrentUnit& unit);
/// Misread rates of single columns: their share above each rate, quantiles of each MAC value, and
/// what follows for dies.
std::string columns_figure(const ReportInput& input);
/// Accuracies and paired differences with their intervals.
std::string accuracy_figure(const ReportInput& input);

/// Answers by label as heat maps of each condition that has them; "" where none has.
std::string answers_figure(const ReportInput& input);
/// Layers of each condition that has them: signal-to-noise ratios, codes, costs; "" where none has.
std::string layers_figure(const ReportInput& input);

/// The start of the names of files that a figure's numbers are saved as.
std::string figure_file_stem(const ReportInput& input);

/// The shade of a probability, `floor` .. 1 on a logarithmic scale.
int heat_shade(double probability, double floor);

/// What the script needs to answer for each cell of a heat map.
struct HeatMapText {
  struct Side {
    std::string column;  ///< of the numbers: what its cells are looked up by
    int first = 0;
    int step = 1;
    int last = 0;  ///< a last cell may hold less than `step` values
    std::uint32_t cells = 0;
  };
  std::string name;     ///< unique on its page
  std::string numbers;  ///< name of the numbers that it shows
  std::string label;
  std::string text;            ///< "MAC value {y} gives code {x}"
  std::string absent;          ///< said of cells that the numbers don't have
  std::string value;           ///< column of the numbers
  std::vector<double> limits;  ///< by MAC value, said behind `absent`
  Side x, y;
};
/// The map with keyboard focus and a line that says what is under the pointer or cursor.
std::string heat_map_frame(const HeatMapText& text, std::string_view svg);
/// A picture that scrolls where the screen is narrow.
std::string plot_frame(std::string_view label, std::string_view svg);

}  // namespace cimstat::experiments::report
