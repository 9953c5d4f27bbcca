#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "core/statistics/gamma_bernoulli.h"

#include "experiments/commands/plan.h"
#include "experiments/commands/sweep_options.h"
#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

/// Seconds of all chunks on one thread after another, from the first, middle and last point. Where
/// a probe takes too long, no further point is tried.
struct SweepProbe {
  double seconds_per_point = 0.0;
  std::size_t points = 0;
};

double seconds_of_point(const SweepWork& work, std::uint64_t point, core::Threads threads) {
  using Clock = std::chrono::steady_clock;
  const SweepLayout& layout = work.layout();
  const auto timed = [&](std::uint64_t which) {
    const Clock::time_point start = Clock::now();
    work.compute(point * layout.chunks_per_point() + which, {}, threads);
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  double seconds = 0.0;
  for (const auto& [first, count] : {std::pair(std::uint64_t{0}, layout.table_chunks),
                                     std::pair(layout.table_chunks, layout.accuracy_chunks)}) {
    if (count == 0) continue;
    // The first chunk of a kind prepares; another tells what each costs.
    const double preparing = timed(first);
    seconds += preparing;
    if (count > 1) seconds += static_cast<double>(count - 1) * timed(first);
  }
  return seconds;
}

SweepProbe probe(const SweepWork& work, core::Threads threads) {
  constexpr double most_seconds = 10.0;
  const std::uint64_t last = work.plan().points() - 1;
  SweepProbe result;
  double sum = 0.0;
  for (const std::uint64_t point : {std::uint64_t{0}, last / 2, last}) {
    sum += seconds_of_point(work, point, threads);
    ++result.points;
    if (sum > most_seconds || last == 0) break;
  }
  result.seconds_per_point = sum / static_cast<double>(result.points);
  return result;
}

}  // namespace

std::string sweep_plan_text(const SweepWork& work, core::Threads threads) {
  const SweepPlan& plan = work.plan();
  const SweepLayout& layout = work.layout();
  std::string shape;
  const std::vector<std::string> names = plan.dimensions();
  for (std::size_t i = 0; i < names.size(); ++i) {
    shape += fmt::format("{}{} {}", i == 0 ? "" : " x ", plan.shape()[i], names[i]);
  }
  const auto points = static_cast<double>(plan.points());
  std::string text = fmt::format("points   {}{}\n", plan.points(),
                                 shape.empty() ? std::string() : fmt::format(" ({})", shape));
  text +=
      fmt::format("chunks   {} ({} for each point)\n", work.chunks(), layout.chunks_per_point());
  if (layout.is_sampled) {
    const double trials = points * static_cast<double>(layout.classes) *
                          static_cast<double>(plan.base().table.trials);
    text += fmt::format("trials   {}{:.4g} ({} for each of {})\n",
                        layout.misreads_wanted > 0 ? "at most " : "", trials,
                        plan.base().table.trials, counted(layout.classes, "class", "classes"));
  } else if (layout.table_chunks > 0) {
    text += "trials   none: computed exactly\n";
  }
  if (layout.accuracy_chunks > 0) {
    text += fmt::format("images   {} x {} at each point\n",
                        layout.images_per_chunk * layout.accuracy_chunks,
                        counted(plan.base().accuracy.reads, "read"));
  }
  double values = 0.0;
  for (const SweepField& field : work.fields().integers) {
    values += static_cast<double>(work.fields().width(field));
  }
  for (const SweepField& field : work.fields().numbers) {
    values += static_cast<double>(work.fields().width(field));
  }
  text += fmt::format("bytes    {:.4g} before compression\n", 8.0 * values * points);
  const SweepProbe found = probe(work, threads);
  text += fmt::format(
      "time     {}about {} on {} (probe: {})\n", layout.misreads_wanted > 0 ? "at most " : "",
      estimate_text(found.seconds_per_point * points), counted(core::resolved(threads), "thread"),
      fmt::format("a chunk of each kind at {}", counted(found.points, "point")));
  return text;
}

}  // namespace cimstat::experiments
