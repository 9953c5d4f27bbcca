#include "circuits/column.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/bit_line/line_reading.h"
#include "circuits/converters/converter_circuit.h"

namespace cimstat::circuits {

std::span<const double> Ladder::at(std::uint32_t active_rows) const {
  const std::size_t count = codes - 1;
  const std::size_t first = follows_active_rows ? active_rows * count : 0;
  return std::span(references).subspan(first, count);
}

std::uint32_t Ladder::ideal_code(std::int64_t mac_value) const {
  const double position = (double(mac_value) - code_origin) / code_step;
  // Whole positions are met to roundings only.
  constexpr double slack = 1e-9;
  const double code =
      rounding == Rounding::down ? std::floor(position + slack) : std::ceil(position - 0.5);
  return static_cast<std::uint32_t>(std::clamp(code, 0.0, double(codes - 1)));
}

bool has_mismatch(const Comparator& comparator) {
  const ConverterMismatch& mismatch = comparator.mismatch;
  return mismatch.offset_sd > 0.0 || mismatch.element_sd > 0.0 ||
         std::isfinite(mismatch.amplifier_gain);
}

double Comparator::decision_sd() const { return noise_sd * std::sqrt(1.0 - correlation); }

std::vector<core::Law> laws_of(const ColumnDesign& design) {
  if (!design.row_states.empty()) return design.row_states.laws;
  std::vector<core::Law> laws{design.lrs, design.hrs};
  if (design.leakage) laws.push_back(*design.leakage);
  if (design.dummy) laws.push_back(design.dummy->scaled(-1.0));
  return laws;
}

std::vector<std::uint32_t> counts_of(const ColumnDesign& design, ColumnClass column_class) {
  const std::uint32_t n = column_class.active_rows;
  if (!design.row_states.empty()) {
    const RowStates& rows = design.row_states;
    std::vector<std::uint32_t> counts(rows.laws.size(), 0);
    for (std::size_t state = 0; state < rows.states.size(); ++state) {
      for (const std::uint32_t cell : rows.states[state].cells) {
        counts[cell] += column_class.states[state];
      }
    }
    for (const std::uint32_t cell : rows.idle) counts[cell] += design.rows - n;
    return counts;
  }
  std::vector<std::uint32_t> counts{column_class.lrs_count, n - column_class.lrs_count};
  if (design.leakage) counts.push_back(design.rows - n);
  if (design.dummy) counts.push_back(n);
  return counts;
}

std::vector<ColumnPart> parts_of(const ColumnDesign& design, ColumnClass column_class) {
  std::vector<core::Law> laws = laws_of(design);
  const std::vector<std::uint32_t> counts = counts_of(design, column_class);
  std::vector<ColumnPart> parts;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    if (counts[i] > 0) parts.push_back({std::move(laws[i]), counts[i]});
  }
  return parts;
}

std::int64_t mac_value(const ColumnDesign& design, const ColumnClass& column_class) {
  if (design.row_states.empty()) return column_class.lrs_count;
  std::int64_t value = 0;
  for (std::size_t state = 0; state < design.row_states.states.size(); ++state) {
    value += std::int64_t{design.row_states.states[state].value} * column_class.states[state];
  }
  return value;
}

std::uint64_t class_number(const ColumnClass& column_class, std::size_t states) {
  if (states == 0) {
    return std::uint64_t{2048} * column_class.active_rows + column_class.lrs_count;
  }
  // The combinatorial number system: sums of the first i counts, each plus i - 1, ascend strictly.
  constexpr std::uint64_t most = std::uint64_t{1} << 26;
  std::uint64_t number = 0;
  std::uint64_t sum = 0;
  for (std::size_t i = 1; i <= states; ++i) {
    sum += column_class.states[i - 1];
    std::uint64_t binomial = 1;  // of sum + i - 1 over i
    for (std::size_t factor = 1; factor <= i && binomial < most; ++factor) {
      binomial = binomial * (sum + factor - 1) / factor;
    }
    number += binomial;
    if (number >= most) {
      throw core::UsageError(
          core::error_line("table.active_rows", "too many classes to number",
                           fmt::format("{} rows in {} states", column_class.active_rows, states),
                           "list smaller numbers of active rows, or use table.method = \"exact\""));
    }
  }
  return number;
}

namespace {

/// LRS, HRS, leakage, as they always were added; the order decides the last bits.
template <class Value>
double sum_over_parts(const ColumnDesign& design, ColumnClass column_class, Value&& value) {
  if (!design.row_states.empty()) {
    const std::vector<std::uint32_t> counts = counts_of(design, column_class);
    double sum = 0.0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      sum += counts[i] * value(design.row_states.laws[i]);
    }
    return sum;
  }
  const std::uint32_t k = column_class.lrs_count;
  const std::uint32_t n = column_class.active_rows;
  double sum = k * value(design.lrs) + (n - k) * value(design.hrs);
  if (design.leakage) sum += (design.rows - n) * value(*design.leakage);
  return sum;
}

/// What a binary column's dummy column adds.
template <class Value>
double sum_over_dummy(const ColumnDesign& design, ColumnClass column_class, Value&& value) {
  if (!design.row_states.empty() || !design.dummy) return 0.0;
  return column_class.active_rows * value(*design.dummy);
}

}  // namespace

double mean_current(const ColumnDesign& design, ColumnClass column_class) {
  const auto mean = [](const core::Law& law) { return law.mean(); };
  return sum_over_parts(design, column_class, mean) - sum_over_dummy(design, column_class, mean);
}

double current_variance(const ColumnDesign& design, ColumnClass column_class) {
  const auto variance = [](const core::Law& law) { return law.variance(); };
  const double cells = sum_over_parts(design, column_class, variance) +
                       sum_over_dummy(design, column_class, variance);
  if (design.common_factor_sd == 0.0) return cells;
  const double factor = design.common_factor_sd * design.common_factor_sd;
  const double mean = mean_current(design, column_class);
  return (1.0 + factor) * cells + factor * mean * mean;
}

std::vector<ColumnClass> classes_for(std::span<const std::uint32_t> active_rows) {
  std::vector<std::uint32_t> sorted(active_rows.begin(), active_rows.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<ColumnClass> classes;
  for (const std::uint32_t n : sorted) {
    for (std::uint32_t k = 0; k <= n; ++k) {
      classes.push_back({.lrs_count = k, .active_rows = n});
    }
  }
  return classes;
}

std::optional<std::string> beyond_plain_sum(const ColumnDesign& design) {
  if (design.row_states.is_digital()) return "it is two columns, whose codes are subtracted";
  if (!design.row_states.empty()) return "its rows have more than two states";
  if (!is_ideal(design.bit_line)) {
    return fmt::format("its bit line ({}) delivers more than a sum", name_of(design.bit_line));
  }
  if (design.comparator.noise_sd > 0.0) return "its comparators have noise of their own";
  if (has_mismatch(design.comparator)) return "its converters have mismatch";
  if (design.common_factor_sd > 0.0) return "its currents have a common factor";
  return std::nullopt;
}

void require_binary(const ColumnDesign& design, std::string_view what) {
  if (design.row_states.empty()) return;
  throw core::UsageError(core::error_line(
      "mapping", fmt::format("{} can't do this column", what), *beyond_plain_sum(design),
      design.row_states.is_digital() ? "use cimstat table"
                                     : "use cimstat table, or cells of two levels"));
}

void require_plain_sum(const ColumnDesign& design, std::string_view method) {
  const auto why = beyond_plain_sum(design);
  if (!why) return;
  require_binary(design, method);
  throw core::UsageError(core::error_line(
      "column", fmt::format("{} can't do this design", method), *why,
      fmt::format("leave {} out, or use cimstat table",
                  !is_ideal(design.bit_line)         ? "[bit_line]"
                  : design.comparator.noise_sd > 0.0 ? "converter.comparator_noise"
                  : has_mismatch(design.comparator)  ? "what [converter] says of mismatch"
                                                     : "column.common_factor_sd")));
}

void check(const ColumnDesign& design, std::span<const ColumnClass> classes) {
  const auto refuse = [](std::string_view place, const std::string& problem,
                         const std::string& why) {
    throw core::UsageError(core::error_line(place, problem, why));
  };
  if (design.rows < 1 || design.rows > row_limit) {
    refuse("column", fmt::format("{} rows are out of range", design.rows),
           fmt::format("1 to {}", row_limit));
  }
  if (design.row_states.is_digital()) {
    refuse("mapping", "two columns whose codes are subtracted are no single column",
           "each has a sense amplifier and a converter of its own");
  }
  check_line(design);
  const auto& [kind, noise_sd, correlation, mismatch] = design.comparator;
  if (!(noise_sd >= 0.0) || !std::isfinite(noise_sd)) {
    refuse("converter", fmt::format("a comparator noise of {:g} A", noise_sd), "0 or more");
  }
  const double most = kind == ConverterKind::ramp ? 1.0 : 0.0;
  if (!(correlation >= 0.0 && correlation <= most)) {
    refuse("converter", fmt::format("a correlation of {:g} between comparisons", correlation),
           "0 to 1 along a ramp, 0 else");
  }
  if (!(design.common_factor_sd >= 0.0) || !std::isfinite(design.common_factor_sd)) {
    refuse("column", fmt::format("a common factor of sd {:g}", design.common_factor_sd),
           "0 or more");
  }
  const std::size_t states = design.row_states.states.size();
  if (states > row_state_limit) {
    refuse("column", fmt::format("{} states of a row", states),
           fmt::format("{} at the most", row_state_limit));
  }
  for (const ColumnClass& column_class : classes) {
    const std::uint32_t k = column_class.lrs_count;
    const std::uint32_t n = column_class.active_rows;
    const auto known = column_class.states.begin() + static_cast<std::ptrdiff_t>(states);
    const std::uint32_t in_states = std::accumulate(column_class.states.begin(), known, 0U);
    if (in_states != (states > 0 ? n : 0) || (states > 0 && k > 0) ||
        std::any_of(known, column_class.states.end(), [](auto count) { return count > 0; })) {
      refuse("column", fmt::format("a class of {} rows in {} states", in_states, states),
             fmt::format("n = {}", n));
    }
    if (k > n || n > design.rows) {
      refuse("column", fmt::format("class k = {}, n = {} does not fit {} rows", k, n, design.rows),
             "k <= n <= rows");
    }
  }
  const Ladder& ladder = design.ladder;
  const std::size_t runs = ladder.follows_active_rows ? design.rows + 1 : 1;
  if (ladder.codes < 2 || ladder.references.size() != runs * (ladder.codes - 1)) {
    refuse("ladder",
           fmt::format("{} references for {} codes do not fit", ladder.references.size(),
                       ladder.codes),
           fmt::format("{} are needed", runs * (std::max(ladder.codes, 2U) - 1)));
  }
  for (std::size_t run = 0; run < runs; ++run) {
    const std::span<const double> references = ladder.at(static_cast<std::uint32_t>(run));
    const bool finite = std::all_of(references.begin(), references.end(),
                                    [](double reference) { return std::isfinite(reference); });
    const bool ascending = std::adjacent_find(references.begin(), references.end(),
                                              std::greater_equal<>()) == references.end();
    if (!finite || !ascending) {
      refuse(
          "ladder",
          fmt::format("references for {} active rows are not finite and strictly ascending", run),
          "is the mean LRS current above the mean HRS current?");
    }
    if (const auto problem = circuit_problem(design.comparator, references)) {
      refuse("converter", problem->what + " can't be", problem->why);
    }
  }
}

}  // namespace cimstat::circuits
