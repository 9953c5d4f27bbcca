#include "circuits/references/references.h"

#include <utility>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/line_reading.h"

namespace cimstat::circuits {

namespace {

// The mean of (j, n) continued to j > n: linear in j, as mu(j, n) is.
double continued_mean(const ColumnDesign& design, std::uint32_t level, std::uint32_t active_rows) {
  if (!is_ideal(design.bit_line)) return nominal_reading(design, level, active_rows);
  const double base = mean_current(design, {0, active_rows});
  return base + level * (design.lrs.mean() - design.hrs.mean());
}

void check_reference_rows(const ColumnDesign& design, std::uint32_t reference_rows) {
  if (reference_rows < 1 || reference_rows > design.rows) {
    throw core::UsageError(core::error_line(
        "references", fmt::format("{} reference_rows are out of range", reference_rows),
        fmt::format("1 to the {} rows of the column", design.rows)));
  }
}

enum class Spacing { readings, sums };

/// References of a column of more than two states a row, as the header says: half way between the
/// readings of `codes` even steps, of readings or of what the line makes readings of.
Ladder even_ladder(const ColumnDesign& design, std::uint32_t reference_rows, std::uint32_t codes,
                   Spacing spacing) {
  const RowStates& rows = design.row_states;
  ColumnClass lowest;
  lowest.active_rows = reference_rows;
  lowest.states[0] = static_cast<std::uint16_t>(reference_rows);
  ColumnClass highest = lowest;
  std::swap(highest.states[0], highest.states[rows.states.size() - 1]);
  const double span = double(rows.highest()) - double(rows.lowest());
  Ladder ladder{.codes = codes,
                .references = {},
                .code_step = reference_rows * span / (codes - 1),
                .code_origin = double(reference_rows) * rows.lowest()};
  const auto curve = curve_of(design.bit_line);
  if (curve && spacing == Spacing::sums) {
    const double low = mean_current(design, lowest);
    const double step = (mean_current(design, highest) - low) / (codes - 1);
    for (std::uint32_t j = 0; j + 1 < codes; ++j) {
      ladder.references.push_back(0.5 *
                                  ((*curve)(low + j * step) + (*curve)(low + (j + 1) * step)));
    }
    return ladder;
  }
  const double low = mean_reading(design, lowest);
  const double step = (mean_reading(design, highest) - low) / (codes - 1);
  for (std::uint32_t j = 0; j + 1 < codes; ++j) ladder.references.push_back(low + (j + 0.5) * step);
  return ladder;
}

void refuse_states(const ColumnDesign& design, std::string_view placement) {
  if (design.row_states.empty()) return;
  throw core::UsageError(core::error_line("converter.references",
                                          fmt::format("\"{}\" places none here", placement),
                                          "rows of this column have more than two states",
                                          "choose \"midpoint\", \"uniform\" or \"listed\""));
}

}  // namespace

std::uint32_t code_per_value(const ColumnDesign& design, std::uint32_t reference_rows) {
  if (design.row_states.empty()) return reference_rows + 1;
  const std::int64_t span = std::int64_t{design.row_states.highest()} - design.row_states.lowest();
  return static_cast<std::uint32_t>(reference_rows * span + 1);
}

Ladder midpoint_ladder(const ColumnDesign& design, std::uint32_t reference_rows) {
  check_reference_rows(design, reference_rows);
  if (!design.row_states.empty()) {
    return even_ladder(design, reference_rows, code_per_value(design, reference_rows),
                       Spacing::sums);
  }
  Ladder ladder{.codes = reference_rows + 1, .references = {}};
  for (std::uint32_t j = 0; j < reference_rows; ++j) {
    ladder.references.push_back(0.5 * (continued_mean(design, j, reference_rows) +
                                       continued_mean(design, j + 1, reference_rows)));
  }
  return ladder;
}

Ladder dual_ladder(const ColumnDesign& design, std::uint32_t reference_rows) {
  refuse_states(design, "dual");
  check_reference_rows(design, reference_rows);
  Ladder ladder{.codes = reference_rows + 1, .references = {}};
  for (std::uint32_t j = 0; j < reference_rows; ++j) {
    ladder.references.push_back(
        0.5 * (mean_reading(design, {j, reference_rows}) + mean_reading(design, {j + 1, j + 1})));
  }
  return ladder;
}

Ladder replica_ladder(const ColumnDesign& design, std::uint32_t reference_rows) {
  refuse_states(design, "replica");
  check_reference_rows(design, reference_rows);
  Ladder ladder{.codes = reference_rows + 1, .references = {}, .follows_active_rows = true};
  ladder.references.reserve((std::size_t{design.rows} + 1) * reference_rows);
  // As continued_mean, with what a run shares worked out once: points of a sweep wait for this.
  const double step = design.lrs.mean() - design.hrs.mean();
  for (std::uint32_t n = 0; n <= design.rows; ++n) {
    if (!is_ideal(design.bit_line)) {
      for (std::uint32_t j = 0; j < reference_rows; ++j) {
        ladder.references.push_back(
            0.5 * (continued_mean(design, j, n) + continued_mean(design, j + 1, n)));
      }
      continue;
    }
    const double base = mean_current(design, {0, n});
    for (std::uint32_t j = 0; j < reference_rows; ++j) {
      ladder.references.push_back(0.5 * ((base + j * step) + (base + (j + 1) * step)));
    }
  }
  return ladder;
}

Ladder uniform_ladder(const ColumnDesign& design, std::uint32_t reference_rows,
                      std::uint32_t codes) {
  check_reference_rows(design, reference_rows);
  if (codes < 2)
    throw core::UsageError(core::error_line("references", "a converter needs at least 2 codes"));
  if (!design.row_states.empty())
    return even_ladder(design, reference_rows, codes, Spacing::readings);
  const double low = mean_reading(design, {0, reference_rows});
  const double step = (mean_reading(design, {reference_rows, reference_rows}) - low) / (codes - 1);
  Ladder ladder{
      .codes = codes, .references = {}, .code_step = double(reference_rows) / (codes - 1)};
  for (std::uint32_t j = 0; j + 1 < codes; ++j) ladder.references.push_back(low + (j + 0.5) * step);
  return ladder;
}

}  // namespace cimstat::circuits
