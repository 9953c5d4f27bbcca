#include "circuits/weights/code_difference.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <utility>

#include "core/error.h"

#include "circuits/sampled/column_kernel.h"
#include "circuits/sampled/prepared_column.h"

namespace cimstat::circuits {

namespace {

constexpr Half halves[] = {Half::positive, Half::negative};

/// Of the negative column: none of the positive one's.
constexpr std::uint64_t first_negative_trial = core::instance_limit / 2;

const std::vector<std::uint32_t>& cells_of(const RowStates::State& state, Half half) {
  return half == Half::positive ? state.cells : state.subtracted;
}

/// Binary cells and inputs: other levels or steps have a state of a higher value.
bool is_binary(const RowStates& rows) { return rows.highest() == 1; }

/// A binary column, and which cells are in LRS in each state.
struct BinaryHalf {
  ColumnDesign design;
  std::vector<std::uint32_t> lrs;  ///< [state]: 0 or 1

  BinaryHalf(const ColumnDesign& pair, Half half) : design(pair) {
    const RowStates& rows = pair.row_states;
    const std::uint32_t top = rows.states.back().cells.front();
    const std::uint32_t bottom = rows.states.front().cells.front();
    design.lrs = rows.laws[top];
    design.hrs = rows.laws[bottom];
    if (!rows.idle.empty()) design.leakage = rows.laws[rows.idle.front()];
    for (const RowStates::State& state : rows.states) {
      const std::uint32_t cell = cells_of(state, half).front();
      lrs.push_back(cell == bottom ? 0 : 1);
      // A dummy column has one kind of cell, which is neither.
      if (cell != bottom && cell != top) design.lrs = rows.laws[cell];
    }
    design.row_states = {};
  }

  ColumnClass column_class(const ColumnClass& pair) const {
    ColumnClass one{.lrs_count = 0, .active_rows = pair.active_rows};
    for (std::size_t state = 0; state < lrs.size(); ++state) {
      one.lrs_count += lrs[state] * pair.states[state];
    }
    return one;
  }
};

ColumnDesign half_of_states(const ColumnDesign& pair, Half half) {
  ColumnDesign column = pair;
  column.row_states.difference_value = 0;
  for (RowStates::State& state : column.row_states.states) {
    if (half == Half::negative) state.cells = state.subtracted;
    state.subtracted.clear();
  }
  return column;
}

}  // namespace

HalfColumn half_of(const ColumnDesign& design, Half half, std::span<const ColumnClass> classes) {
  HalfColumn result;
  std::optional<BinaryHalf> binary;
  if (is_binary(design.row_states)) binary.emplace(design, half);
  result.design = binary ? binary->design : half_of_states(design, half);
  std::map<std::pair<std::uint32_t, std::vector<std::uint32_t>>, std::size_t> known;
  for (const ColumnClass& pair : classes) {
    const ColumnClass one = binary ? binary->column_class(pair) : pair;
    const auto [place, is_new] = known.try_emplace(
        std::pair(one.active_rows, counts_of(result.design, one)), result.classes.size());
    if (is_new) result.classes.push_back(one);
    result.index.push_back(place->second);
  }
  return result;
}

Ladder table_ladder(const ColumnDesign& design) {
  if (!design.row_states.is_digital()) return design.ladder;
  const std::uint32_t codes = design.ladder.codes;
  const double step = design.ladder.code_step * design.row_states.difference_value;
  return {.codes = 2 * codes - 1,
          .references = {},
          .code_step = step,
          .code_origin = -step * (codes - 1.0)};
}

void check_columns(const ColumnDesign& design, std::span<const ColumnClass> classes) {
  if (!design.row_states.is_digital()) return check(design, classes);
  // A gain of the sense amplifier is each column's own.
  if (design.common_factor_sd > 0.0 && design.sense.gain_sd == 0.0) {
    throw core::UsageError(core::error_line(
        "mapping.subtraction", "\"digital\" can't be had with a common factor",
        "both columns share it, so their codes are not independent",
        "leave column.common_factor_sd and [spatial_field] out, or subtract currents"));
  }
  for (const Half half : halves) {
    const HalfColumn column = half_of(design, half, classes);
    check(column.design, column.classes);
  }
}

std::optional<std::string> table_obstacle(const ColumnDesign& design) {
  if (!design.row_states.is_digital()) return exact_obstacle(design);
  for (const Half half : halves) {
    if (auto obstacle = exact_obstacle(half_of(design, half, {}).design)) return obstacle;
  }
  return std::nullopt;
}

ExactProbabilities difference_probabilities(const ColumnDesign& design,
                                            std::span<const ColumnClass> classes,
                                            const ExactOptions& options, core::Threads threads,
                                            const core::Progress& progress) {
  check_columns(design, classes);
  const HalfColumn first = half_of(design, Half::positive, classes);
  const HalfColumn second = half_of(design, Half::negative, classes);
  const auto part = [&](std::size_t number) -> core::Progress {
    if (!progress) return {};
    return [&progress, number](std::size_t done, std::size_t total) {
      progress(number * total + done, 2 * total);
    };
  };
  const ExactProbabilities p1 =
      exact_probabilities(first.design, first.classes, options, threads, part(0));
  const ExactProbabilities p2 =
      exact_probabilities(second.design, second.classes, options, threads, part(1));
  const std::size_t codes = design.ladder.codes;
  const std::size_t differences = 2 * codes - 1;
  ExactProbabilities result;
  result.probability.assign(classes.size() * differences, 0.0);
  result.error_bound.resize(classes.size());
  result.entry_error.resize(classes.size() * differences);
  core::for_each_block(classes.size(), threads, [&](std::size_t i, std::size_t) {
    const double* one = p1.probability.data() + first.index[i] * codes;
    const double* other = p2.probability.data() + second.index[i] * codes;
    double* row = result.probability.data() + i * differences;
    for (std::size_t c1 = 0; c1 < codes; ++c1) {
      if (one[c1] == 0.0) continue;
      for (std::size_t c2 = 0; c2 < codes; ++c2) {
        row[c1 + codes - 1 - c2] += one[c1] * other[c2];
      }
    }
    // Rounded parts may lie below 0 by their bounds.
    for (std::size_t d = 0; d < differences; ++d) row[d] = std::clamp(row[d], 0.0, 1.0);
    const double e1 = p1.error_bound[first.index[i]];
    const double e2 = p2.error_bound[second.index[i]];
    const auto count = static_cast<double>(codes);
    const double rounding = count * std::numeric_limits<double>::epsilon();
    const double bound = e1 + e2 + count * e1 * e2 + rounding;
    result.error_bound[i] = bound;
    std::fill_n(result.entry_error.begin() + static_cast<std::ptrdiff_t>(i * differences),
                differences, bound);
  });
  return result;
}

namespace {

/// One column of a pair, made ready.
class SampledHalf {
 public:
  SampledHalf(const ColumnDesign& design, Half half, std::span<const ColumnClass> classes,
              const SamplingOptions& options, core::Threads threads)
      : column_(half_of(design, half, classes)),
        first_trial_(half == Half::positive ? 0 : first_negative_trial),
        prepared_(column_.design, column_.classes, options, threads) {}

  /// Codes of trials of class `i` of the pair, which has this number.
  void sample(std::size_t i, std::uint64_t number, TrialRange trials,
              std::span<std::uint32_t> codes) const {
    const ColumnClass& one = column_.classes[column_.index[i]];
    ColumnProgram program = prepared_.program(one);
    program.schedule = core::BlockSchedule(program.schedule.key(), core::Domain::row_state_sum,
                                           number << 12, (program.words() + 3) / 4);
    sample_each_code(program, prepared_.search(one),
                     {first_trial_ + trials.first, first_trial_ + trials.end}, codes);
  }

 private:
  HalfColumn column_;
  std::uint64_t first_trial_;
  PreparedColumn prepared_;
};

}  // namespace

std::vector<std::uint64_t> difference_counts(const ColumnDesign& design,
                                             std::span<const ColumnClass> classes,
                                             const SamplingOptions& options, core::Threads threads,
                                             const core::Progress& progress) {
  check_columns(design, classes);
  check_trials(options.trials < first_negative_trial ? options.trials : core::instance_limit + 1);
  const SampledHalf positive(design, Half::positive, classes, options, threads);
  const SampledHalf negative(design, Half::negative, classes, options, threads);
  const std::size_t codes = design.ladder.codes;
  const std::size_t differences = 2 * codes - 1;
  std::vector<std::uint64_t> numbers;
  for (const ColumnClass& one : classes) {
    numbers.push_back(class_number(one, design.row_states.states.size()));
  }
  std::vector<std::uint64_t> counts(classes.size() * differences, 0);
  constexpr std::uint64_t chunk = std::uint64_t{1} << 14;
  const auto chunks = static_cast<std::size_t>((options.trials + chunk - 1) / chunk);
  const auto body = [&](std::size_t block, std::size_t) {
    const std::size_t i = block / chunks;
    const std::uint64_t first = (block % chunks) * chunk;
    const TrialRange trials{first, std::min(first + chunk, options.trials)};
    std::vector<std::uint32_t> c1(trials.end - trials.first);
    std::vector<std::uint32_t> c2(c1.size());
    positive.sample(i, numbers[i], trials, c1);
    negative.sample(i, numbers[i], trials, c2);
    std::vector<std::uint64_t> found(differences, 0);
    for (std::size_t trial = 0; trial < c1.size(); ++trial) {
      ++found[c1[trial] + codes - 1 - c2[trial]];
    }
    for (std::size_t d = 0; d < differences; ++d) {
      if (found[d] == 0) continue;
      std::atomic_ref(counts[i * differences + d]).fetch_add(found[d], std::memory_order_relaxed);
    }
  };
  core::for_each_block(classes.size() * chunks, threads, body, progress);
  return counts;
}

}  // namespace cimstat::circuits
