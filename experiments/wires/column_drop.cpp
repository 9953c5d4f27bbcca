#include "experiments/wires/column_drop.h"

#include <algorithm>
#include <cmath>

#include "core/statistics/control_variate.h"

namespace cimstat::experiments {

namespace {

constexpr std::size_t neighbours_a_side = 4;

core::Moments differences(const ColumnReads& reads) {
  core::Moments moments;
  for (std::size_t i = 0; i < reads.real.size(); ++i) moments.add(reads.real[i] - reads.ideal[i]);
  return moments;
}

void estimate_by_control(const ColumnReads& reads, const DropScale& scale, ColumnDrop& drop) {
  const core::ControlledMean mean =
      core::controlled_mean(reads.real, reads.ideal, scale.ideal_mean);
  drop.mean = mean.mean;
  drop.mean_interval = mean.interval(scale.confidence);
  if (mean.standard_error > 0.0) drop.variance_reduction = mean.variance_reduction();
}

void estimate_by_difference(const ColumnReads& reads, const DropScale& scale, ColumnDrop& drop) {
  const core::Moments difference = differences(reads);
  const auto freedom = static_cast<double>(reads.real.size() - 1);
  const double own = core::student_t(scale.confidence, freedom) * difference.standard_error();
  const double common =
      core::student_t(scale.confidence, freedom * static_cast<double>(scale.neighbours)) *
      std::sqrt(scale.common_variance / static_cast<double>(reads.real.size()));
  const double half = std::max(own, common);
  drop.mean = scale.ideal_mean + difference.mean();
  drop.mean_interval = {drop.mean - half, drop.mean + half};
}

}  // namespace

MeanMethod mean_method(std::size_t arrays) {
  return arrays < least_fitted_arrays ? MeanMethod::paired_difference : MeanMethod::fitted_control;
}

double difference_variance(const ColumnReads& reads) { return differences(reads).variance(); }

void add_neighbours(const std::vector<double>& variances, std::size_t column, DropScale& scale) {
  const std::size_t first = column - std::min(column, neighbours_a_side);
  const std::size_t end = std::min(column + neighbours_a_side + 1, variances.size());
  double sum = 0.0;
  for (std::size_t i = first; i < end; ++i) sum += variances[i];
  scale.neighbours = end - first;
  scale.common_variance = sum / static_cast<double>(scale.neighbours);
}

ColumnDrop column_drop(const ColumnReads& reads, const DropScale& scale) {
  ColumnDrop drop{.ideal_mean = scale.ideal_mean};
  core::Moments error;
  double squares = 0.0;
  for (std::size_t i = 0; i < reads.real.size(); ++i) {
    const double real = reads.real[i];
    const double ideal = reads.ideal[i];
    error.add((real - ideal) / scale.step);
    drop.greatest_drop = std::max(drop.greatest_drop, std::abs(ideal) - std::abs(real));
    const double left = (scale.gain * real - ideal) / scale.step;
    squares += left * left;
  }
  drop.error_mean = error.mean();
  drop.error_sd = std::sqrt(error.variance());
  drop.left_over = std::sqrt(squares / static_cast<double>(reads.real.size()));
  switch (mean_method(reads.real.size())) {
    case MeanMethod::fitted_control:
      estimate_by_control(reads, scale, drop);
      break;
    case MeanMethod::paired_difference:
      estimate_by_difference(reads, scale, drop);
      break;
  }
  return drop;
}

}  // namespace cimstat::experiments
