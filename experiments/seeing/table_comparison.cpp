#include "experiments/seeing/table_comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <tuple>

#include "core/error.h"
#include "core/statistics/statistics_comparison.h"

#include "experiments/margin/margin.h"
#include "experiments/seeing/table_figures.h"

namespace cimstat::experiments {

namespace {

using circuits::ErrorTable;
using circuits::TableMethod;

/// One class of a table.
struct Row {
  const ErrorTable& table;
  std::size_t index;

  bool is_sampled() const { return table.method == TableMethod::monte_carlo; }
  std::span<const double> probability() const { return {table.row(index), table.codes}; }
  std::span<const std::uint64_t> counts() const {
    return {table.counts.data() + index * table.codes, table.codes};
  }
  std::uint64_t trials() const { return table.trials(index); }
  std::uint64_t misreads() const { return table.misreads(index); }
  double bound() const { return is_sampled() ? 0.0 : table.error_bound[index]; }
};

ComparisonBasis basis_of(const ErrorTable& a, const ErrorTable& b) {
  const bool a_exact = a.method == TableMethod::exact;
  const bool b_exact = b.method == TableMethod::exact;
  if (a_exact && b_exact) return ComparisonBasis::exact;
  return a_exact || b_exact ? ComparisonBasis::exact_and_sampled : ComparisonBasis::sampled;
}

Estimate difference_of(const Estimate& a, const Estimate& b) {
  return {b.value - a.value, core::difference_interval(a.interval, b.interval)};
}

Estimate variation_between(const Row& a, const Row& b, double confidence) {
  const double value = core::total_variation(a.probability(), b.probability());
  core::Interval interval = core::total_variation_interval(a.probability(), a.trials(),
                                                           b.probability(), b.trials(), confidence);
  const double bound = 0.5 * a.table.codes * (a.bound() + b.bound());
  return {value, {std::max(0.0, interval.lower - bound), std::min(1.0, interval.upper + bound)}};
}

double excess_over_bounds(const Row& a, const Row& b) {
  const double bound = a.bound() + b.bound();
  double largest = 0.0;
  for (std::size_t code = 0; code < a.table.codes; ++code) {
    largest = std::max(largest, std::abs(a.probability()[code] - b.probability()[code]));
  }
  if (largest <= bound) return bound > 0.0 ? largest / bound : 0.0;
  return bound > 0.0 ? largest / bound : std::numeric_limits<double>::infinity();
}

double codes_p_value(const Row& a, const Row& b) {
  if (a.is_sampled() && b.is_sampled()) {
    return core::homogeneity(a.counts(), b.counts(), smallest_expectation).p_value;
  }
  const Row& exact = a.is_sampled() ? b : a;
  const Row& sampled = a.is_sampled() ? a : b;
  return core::goodness_of_fit(sampled.counts(), exact.probability(), smallest_expectation).p_value;
}

double misread_p_value(const Row& a, const Row& b, const Estimate& misread_a,
                       const Estimate& misread_b) {
  if (a.is_sampled() && b.is_sampled()) {
    return core::fisher_p_value(a.misreads(), a.trials(), b.misreads(), b.trials());
  }
  const Row& sampled = a.is_sampled() ? a : b;
  return core::binomial_p_value(sampled.misreads(), sampled.trials(),
                                (a.is_sampled() ? misread_b : misread_a).interval);
}

/// What the misreads of the classes sum up to, as core::pooled_p_value takes it.
struct MisreadSum {
  double sum = 0.0;
  double count = 0.0;
  core::Interval mean{0.0, 0.0};

  void add(const Row& a, const Row& b) {
    if (a.is_sampled() && b.is_sampled()) {
      // Given how many misreads there are in both, those of b are hypergeometric.
      const auto misreads = static_cast<double>(a.misreads() + b.misreads());
      const auto trials = static_cast<double>(b.trials());
      const double expected = misreads * trials / (static_cast<double>(a.trials()) + trials);
      sum += static_cast<double>(b.misreads());
      count += std::min(misreads, trials);
      mean = {mean.lower + expected, mean.upper + expected};
      return;
    }
    const Row& exact = a.is_sampled() ? b : a;
    const Row& sampled = a.is_sampled() ? a : b;
    const auto trials = static_cast<double>(sampled.trials());
    const core::Interval misread = misread_bounds(exact.table, exact.index);
    sum += static_cast<double>(sampled.misreads());
    count += trials;
    mean = {mean.lower + trials * misread.lower, mean.upper + trials * misread.upper};
  }
};

ClassComparison compare_class(const Row& a, const Row& b, bool same_codes, double confidence) {
  // Both random: each interval takes half of what may go wrong.
  const double each = a.is_sampled() && b.is_sampled() ? 0.5 * (1.0 + confidence) : confidence;
  ClassComparison comparison;
  comparison.column_class = a.table.classes[a.index];
  comparison.label = a.table.label(a.index);
  comparison.misread_a = misread_estimate(a.table, a.index, {.confidence = each});
  comparison.misread_b = misread_estimate(b.table, b.index, {.confidence = each});
  comparison.misread_difference = difference_of(comparison.misread_a, comparison.misread_b);
  const bool exact = !a.is_sampled() && !b.is_sampled();
  if (same_codes) comparison.total_variation = variation_between(a, b, confidence);
  if (exact) {
    const core::Interval& difference = comparison.misread_difference.interval;
    comparison.beyond_bounds = same_codes ? excess_over_bounds(a, b) : 0.0;
    comparison.differs =
        comparison.beyond_bounds > 1.0 || difference.lower > 0.0 || difference.upper < 0.0;
  } else {
    if (same_codes) comparison.codes_p_value = codes_p_value(a, b);
    comparison.misread_p_value = misread_p_value(a, b, comparison.misread_a, comparison.misread_b);
  }
  return comparison;
}

/// Every class has two tests; all of them and the one of all misreads are one family.
void adjust(TableComparison& comparison, double level) {
  std::vector<double> p_values;
  for (const ClassComparison& item : comparison.classes) {
    p_values.push_back(item.codes_p_value);
    p_values.push_back(item.misread_p_value);
  }
  p_values.push_back(comparison.pooled.p_value);
  const std::vector<double> adjusted = core::holm(p_values);
  comparison.pooled.p_value = adjusted.back();
  comparison.pooled.differs = adjusted.back() <= level;
  for (std::size_t i = 0; i < comparison.classes.size(); ++i) {
    ClassComparison& item = comparison.classes[i];
    item.codes_p_value = adjusted[2 * i];
    item.misread_p_value = adjusted[2 * i + 1];
    item.differs = item.p_value() <= level;
  }
}

}  // namespace

std::vector<std::size_t> TableComparison::by_difference() const {
  std::vector<std::size_t> order(classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto rank = [&](std::size_t i) {
    const ClassComparison& item = classes[i];
    return std::tuple(!item.differs, item.p_value(), -item.total_variation.value,
                      -std::abs(item.misread_difference.value));
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return rank(x) < rank(y); });
  return order;
}

TableComparison compare_tables(const ErrorTable& a, const ErrorTable& b, double level,
                               double confidence) {
  if (a.state_values != b.state_values) {
    throw core::UsageError(core::error_line(
        "diff", "the rows of the two tables have other states", "their classes count other things",
        "compare tables of one mapping, levels and input steps"));
  }
  TableComparison comparison;
  comparison.state_values = a.state_values;
  comparison.basis = basis_of(a, b);
  comparison.same_codes =
      a.codes == b.codes && a.code_step == b.code_step && a.code_origin == b.code_origin;
  MisreadSum misreads;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (const auto other = b.find(a.classes[i])) {
      comparison.classes.push_back(
          compare_class({a, i}, {b, *other}, comparison.same_codes, confidence));
      comparison.pooled.a += comparison.classes.back().misread_a.value;
      comparison.pooled.b += comparison.classes.back().misread_b.value;
      if (comparison.basis != ComparisonBasis::exact) misreads.add({a, i}, {b, *other});
    } else {
      comparison.only_in_a.push_back(a.classes[i]);
    }
  }
  for (const circuits::ColumnClass& column_class : b.classes) {
    if (!a.find(column_class)) comparison.only_in_b.push_back(column_class);
  }
  if (comparison.classes.empty()) {
    throw core::UsageError(core::error_line(
        "diff", "the tables have no class in common",
        a.state_values.empty() ? "none with the same LRS count and number of active rows"
                               : "none with the same numbers of rows in each state",
        "make one of them again with the active rows of the other"));
  }
  comparison.pooled.a /= static_cast<double>(comparison.classes.size());
  comparison.pooled.b /= static_cast<double>(comparison.classes.size());
  if (comparison.basis != ComparisonBasis::exact) {
    comparison.pooled.p_value = core::pooled_p_value(misreads.sum, misreads.count, misreads.mean);
    adjust(comparison, level);
  }
  comparison.differing = static_cast<std::size_t>(
      std::count_if(comparison.classes.begin(), comparison.classes.end(),
                    [](const ClassComparison& item) { return item.differs; }));
  return comparison;
}

}  // namespace cimstat::experiments
