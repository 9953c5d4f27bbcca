#include "experiments/sweep/chunk_computation.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/error.h"

#include "circuits/exact/exact_column.h"

#include "experiments/margin/margin.h"

namespace cimstat::experiments {

void ChunkComputation::add_margins(const PreparedPoint& point, core::Threads threads,
                                   ChunkResult& result) const {
  const MarginResult margins = measure_gaps(point.experiment(), threads);
  double* numbers = result.numbers.data() + places_.margins;
  if (margins.gaps.empty()) {
    std::fill_n(numbers, margin_count, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  const auto least = [&](double GapFigures::*figure) {
    double value = margins.gaps.front().*figure;
    for (const GapFigures& gap : margins.gaps) value = std::min(value, gap.*figure);
    return value;
  };
  numbers[0] = least(&GapFigures::quantile);
  numbers[1] = least(&GapFigures::input_aware);
  numbers[2] = least(&GapFigures::pattern);
  numbers[3] = 0.0;
  for (const GapFigures& gap : margins.gaps) numbers[3] = std::max(numbers[3], gap.overlap);
  result.integers[places_.gap] = static_cast<std::uint64_t>(margins.gaps[margins.worst_gap].level -
                                                            margins.levels.front().level);
}

void ChunkComputation::add_exact(const PreparedPoint& point, core::Threads threads,
                                 ChunkResult& result) const {
  ChosenTable chosen;
  try {
    chosen = exact_table(point.experiment(), point.classes(), threads);
  } catch (const circuits::ExactObstacle& error) {
    throw core::UsageError(core::error_line("table.method", "the exact engine can't be used here",
                                            error.why(), "set table.method = \"monte_carlo\""));
  }
  const circuits::ErrorTable& table = chosen.table;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const double misread = table.misread(row);
    const core::Interval bounds = misread_bounds(table, row);
    result.numbers[places_.misread + row] = misread;
    result.numbers[places_.bound + row] = std::max(misread - bounds.lower, bounds.upper - misread);
    if (!places_.has_table) continue;
    std::copy_n(table.row(row), table.codes,
                result.numbers.data() + places_.probability + row * places_.codes);
    result.numbers[places_.entry_bound + row] = table.error_bound[row];
  }
}

std::vector<std::uint64_t> ChunkComputation::wanted(std::size_t class_count,
                                                    const std::vector<ChunkResult>& before) const {
  std::vector<std::uint64_t> wanted(class_count, layout_.misreads_wanted);
  for (const ChunkResult& result : before) {
    for (std::size_t row = 0; row < class_count; ++row) {
      wanted[row] -= std::min(wanted[row], result.integers[places_.misreads + row]);
      if (result.integers[places_.last + row] > 0) wanted[row] = 0;
    }
  }
  return wanted;
}

void ChunkComputation::add_sampled(const PreparedPoint& point, circuits::TrialRange range,
                                   const std::vector<ChunkResult>& before, core::Threads threads,
                                   ChunkResult& result) const {
  const circuits::ColumnDesign& design = point.experiment().macro.design;
  const std::size_t codes = design.ladder.codes;
  std::vector<std::uint64_t> counts;
  if (layout_.misreads_wanted > 0) {
    circuits::StoppedCounts stopped =
        point.counter(threads).counts_until(range, wanted(point.classes().size(), before), threads);
    std::copy(stopped.last.begin(), stopped.last.end(),
              result.integers.begin() + static_cast<std::ptrdiff_t>(places_.last));
    counts = std::move(stopped.counts);
  } else {
    counts = point.counter(threads).counts(range, threads);
  }
  for (std::size_t row = 0; row < point.classes().size(); ++row) {
    const std::uint64_t* of_class = counts.data() + row * codes;
    std::uint64_t trials = 0;
    for (std::size_t code = 0; code < codes; ++code) trials += of_class[code];
    result.integers[places_.trials + row] = trials;
    result.integers[places_.misreads + row] =
        trials -
        of_class[design.ladder.ideal_code(circuits::mac_value(design, point.classes()[row]))];
    if (places_.has_table) {
      std::copy_n(of_class, codes, result.integers.data() + places_.counts + row * places_.codes);
    }
  }
}

void ChunkComputation::add_tables(const PreparedPoint& point, circuits::TrialRange range,
                                  const std::vector<ChunkResult>& before, core::Threads threads,
                                  ChunkResult& result) const {
  if (range.first == 0) {
    if (places_.has_keys) {
      for (std::size_t row = 0; row < point.classes().size(); ++row) {
        result.integers[places_.lrs_count + row] = point.classes()[row].lrs_count;
        result.integers[places_.active_rows + row] = point.classes()[row].active_rows;
        result.integers[places_.present + row] = 1;
      }
    }
    if (places_.has_table && !layout_.same_codes) {
      result.integers[places_.code_count] = point.experiment().macro.design.ladder.codes;
    }
    if (places_.has_margin) add_margins(point, threads, result);
    if (places_.has_rates && !layout_.is_sampled) add_exact(point, threads, result);
  }
  if (places_.has_rates && layout_.is_sampled) {
    add_sampled(point, range, before, threads, result);
  }
}

void ChunkComputation::add_accuracy(const PreparedPoint& point, std::uint64_t first_image,
                                    std::uint64_t images, core::Threads threads,
                                    ChunkResult& result) const {
  const AccuracySums sums = point.accuracy(first_image, images, threads);
  const std::array<std::uint64_t, accuracy_count> parts = {sums.images, sums.exact, sums.sampled,
                                                           sums.squared, sums.sampled_exact};
  std::copy(parts.begin(), parts.end(),
            result.integers.begin() + static_cast<std::ptrdiff_t>(places_.accuracy));
}

}  // namespace cimstat::experiments
