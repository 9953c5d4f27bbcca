#pragma once

#include <string>
#include <vector>

#include "experiments/report/markup.h"
#include "experiments/report/report.h"

/// The pictures of the report, each as HTML. Inputs are not empty.
namespace cimstat::experiments::report {

/// Densities with the references, on linear and on logarithmic axes to choose from.
std::string distribution_figure(const ReportInput& input, const CurrentUnit& unit);
/// A heat map of P(code | level); of a large banded one also the band alone.
std::string confusion_figure(const ConfusionMap& map);
/// How to read it.
std::string confusion_hint(const ConfusionMap& map);
/// The smallest probability that it still shades: a power of ten, 1e-9 or more.
double confusion_floor(const ConfusionMap& map);
/// Whether no rate was sampled.
bool all_computed(const std::vector<MisreadPoint>& points);
std::string misread_figure(const ReportInput& input);
/// Bars from 0 to 100 %, and where all are close together the same intervals on a zoomed axis.
std::string accuracy_figure(const ReportInput& input);

}  // namespace cimstat::experiments::report
