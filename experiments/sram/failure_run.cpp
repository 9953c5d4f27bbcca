#include "experiments/sram/failure_run.h"

#include <cmath>

#include "core/interrupt.h"
#include "core/statistics/batch_rule.h"

namespace cimstat::experiments {

std::optional<double> FailureLine::agreement() const {
  const core::WeightedSums sums = estimate.sums();
  const double error = sums.standard_error();
  if (!estimate.trustworthy() || !(error > 0.0)) return std::nullopt;
  return (sums.mean() - integral) / error;
}

double FailureLine::yield(std::uint64_t cells) const {
  return std::exp(double(cells) * std::log1p(-std::min(integral, 1.0)));
}

FailureResult run_sram_failure(const SramFailureSettings& settings, const FailureOptions& options,
                               core::Threads threads, const core::Progress& progress) {
  FailureResult result{.settings = settings, .options = options, .lines = {}};
  circuits::RareOptions rare{.samples = options.samples, .key = {.seed = settings.seed}};
  if (options.relative_error) {
    rare.until = core::BatchRule{.relative_error = *options.relative_error};
  }
  for (std::size_t i = 0; i < settings.cells.size(); ++i) {
    core::stop_if_requested();
    FailureLine& line = result.lines.emplace_back();
    if (!settings.supplies.empty()) line.supply = settings.supplies[i];
    std::visit(
        [&](const auto& cell) {
          const circuits::LimitState limit = cell.limit();
          line.points = circuits::find_design_points(limit, rare.key, threads);
          line.estimate = circuits::sample_around(limit, line.points, line.points, rare, threads);
          line.integral = cell.failure_probability();
        },
        settings.cells[i]);
    if (progress) progress(i + 1, settings.cells.size());
  }
  return result;
}

}  // namespace cimstat::experiments
