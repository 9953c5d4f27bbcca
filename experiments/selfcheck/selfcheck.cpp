#include "experiments/selfcheck/selfcheck.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/law/shape.h"
#include "core/statistics/statistics_comparison.h"

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"
#include "circuits/sampled/sampled_column.h"

namespace cimstat::experiments {

namespace {

using circuits::ColumnClass;
using circuits::ColumnDesign;
using circuits::MisreadTail;
using core::Law;
using core::Tail;

constexpr double microampere = 1e-6;
/// With fewer misreads expected and none seen there is nothing to compare.
constexpr double fewest_expected = 0.1;

CheckedColumn built_in(std::string name, std::uint32_t rows, const Law& lrs, const Law& hrs,
                       const circuits::SenseAmplifier& sense) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = lrs.scaled(microampere);
  design.hrs = hrs.scaled(microampere);
  design.sense = sense;
  design.ladder = midpoint_ladder(design, rows);
  return {std::move(name), std::move(design), rows};
}

std::vector<MisreadTail> tails_of(const CheckedColumn& column) {
  const std::uint32_t n = column.active_rows;
  std::vector<std::uint32_t> levels{0, n / 2, n};
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  const circuits::Ladder& ladder = column.design.ladder;
  const auto references = ladder.at(n);
  std::vector<MisreadTail> tails;
  for (const std::uint32_t k : levels) {
    const std::uint32_t code = ladder.ideal_code(k);
    if (code > 0) tails.push_back({{k, n}, Tail::lower, references[code - 1]});
    if (code + 1 < ladder.codes) tails.push_back({{k, n}, Tail::upper, references[code]});
  }
  return tails;
}

/// A p-value's standard errors, with the sign of a difference.
double in_standard_errors(double p_value, double difference) {
  if (p_value >= 1.0) return 0.0;
  const double half = std::clamp(0.5 * p_value, 1e-300, 0.5);
  return std::copysign(core::normal_quantile(Tail::upper, half), difference);
}

/// A difference whose error is known from `degrees` + 1 independent means, apart from `allowed`.
double beyond(double difference, double allowed, double error, double degrees) {
  const double rest = std::max(std::abs(difference) - allowed, 0.0);
  return in_standard_errors(core::student_p_value(rest / error, degrees), difference);
}

void compare_smoothed(CheckedTail& check) {
  if (!check.smoothed.trustworthy()) return;
  const double p = check.smoothed.mean();
  // Cells are interpolated to about 1e-6 of their spread.
  const double least = 1e-5 * p;
  const double error = std::max(check.smoothed.standard_error(), 1e-9 * p);
  const double degrees = static_cast<double>(check.smoothed.means.size() - 1);
  if (check.exact && *check.exact > 10.0 * check.exact_bound) {
    check.smoothed_exact = beyond(p - *check.exact, check.exact_bound + least, error, degrees);
  } else if (check.importance.trustworthy()) {
    const core::WeightedSums sums = check.importance.sums();
    check.smoothed_importance =
        beyond(p - sums.mean(), least, std::hypot(error, sums.standard_error()), degrees);
  }
}

void compare(CheckedTail& check) {
  const double trials = static_cast<double>(check.trials);
  const double seen = static_cast<double>(check.misread);
  const core::WeightedSums sums = check.importance.sums();
  if (check.exact) {
    const double exact = *check.exact;
    const core::Interval within{std::max(exact - check.exact_bound, 0.0),
                                std::min(exact + check.exact_bound, 1.0)};
    if (check.misread > 0 || trials * exact > fewest_expected) {
      check.monte_carlo_exact = in_standard_errors(
          core::binomial_p_value(check.misread, check.trials, within), seen - trials * exact);
    }
    if (check.importance.trustworthy() && exact > 10.0 * check.exact_bound) {
      const double difference = sums.mean() - exact;
      // What the exact engine may be wrong by is no disagreement; rounding is none either.
      const double beyond = std::max(std::abs(difference) - check.exact_bound - 1e-9 * exact, 0.0);
      const double error = std::max(sums.standard_error(), 1e-9 * exact);
      check.importance_exact = std::copysign(beyond / error, difference);
    }
  } else if (check.importance.trustworthy()) {
    const double reach = 2.0 * sums.standard_error();
    const core::Interval within{std::max(sums.mean() - reach, 0.0),
                                std::min(sums.mean() + reach, 1.0)};
    check.importance_monte_carlo = in_standard_errors(
        core::binomial_p_value(check.misread, check.trials, within), trials * sums.mean() - seen);
  }
}

/// Of tails whose classes follow one another.
std::vector<ColumnClass> classes_of(const std::vector<MisreadTail>& tails) {
  std::vector<ColumnClass> classes;
  for (const MisreadTail& tail : tails) classes.push_back(tail.column_class);
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  return classes;
}

std::size_t place_of(ColumnClass column_class, const std::vector<ColumnClass>& classes) {
  return static_cast<std::size_t>(std::find(classes.begin(), classes.end(), column_class) -
                                  classes.begin());
}

/// P(code on the wrong side of the ideal one), and a bound on its error.
struct ExactTail {
  double probability = 0.0;
  double bound = 0.0;
};

/// From the distribution of the sensed current, or, where the comparators add noise to it, from
/// that of the code.
std::vector<ExactTail> exact_tails(const ColumnDesign& design,
                                   const std::vector<MisreadTail>& tails, core::Threads threads) {
  const std::vector<ColumnClass> classes = classes_of(tails);
  std::vector<ExactTail> result;
  if (design.comparator.noise_sd == 0.0) {
    const auto currents = sensed_currents(design, classes, {}, threads);
    for (const MisreadTail& tail : tails) {
      const auto& current = currents[place_of(tail.column_class, classes)];
      result.push_back(
          {current.tail_probability(tail.side, tail.reference), current.error_bound()});
    }
    return result;
  }
  const auto exact = exact_probabilities(design, classes, {}, threads);
  for (const MisreadTail& tail : tails) {
    const std::size_t place = place_of(tail.column_class, classes);
    const double* row = exact.probability.data() + place * design.ladder.codes;
    const std::uint32_t ideal = design.ladder.ideal_code(tail.column_class.lrs_count);
    ExactTail& sum = result.emplace_back();
    for (std::uint32_t code = 0; code < design.ladder.codes; ++code) {
      if (tail.side == Tail::upper ? code <= ideal : code >= ideal) continue;
      sum.probability += row[code];
      sum.bound += exact.error_bound[place];
    }
  }
  return result;
}

/// How many trials of each tail's class were read on the wrong side of its reference.
std::vector<std::uint64_t> misread_counts(const ColumnDesign& design,
                                          const std::vector<MisreadTail>& tails,
                                          const SelfCheckOptions& options, core::Threads threads) {
  const std::vector<ColumnClass> classes = classes_of(tails);
  const std::vector<std::uint64_t> counts =
      sampled_counts(design, classes, {.trials = options.trials, .key = options.key}, threads);
  std::vector<std::uint64_t> misread;
  for (const MisreadTail& tail : tails) {
    const std::uint64_t* row =
        counts.data() + place_of(tail.column_class, classes) * design.ladder.codes;
    const std::uint32_t ideal = design.ladder.ideal_code(tail.column_class.lrs_count);
    std::uint64_t sum = 0;
    for (std::uint32_t code = 0; code < design.ladder.codes; ++code) {
      if (tail.side == Tail::upper ? code > ideal : code < ideal) sum += row[code];
    }
    misread.push_back(sum);
  }
  return misread;
}

}  // namespace

std::vector<CheckedColumn> builtin_columns() {
  const Law lrs = Law::normal(60.0, 1.0);
  const Law hrs = Law::lognormal(3.0, 0.3);
  std::vector<CheckedColumn> columns;
  columns.push_back(built_in("4 rows", 4, lrs, hrs, {.noise_sd = 3.0 * microampere}));
  columns.push_back(
      built_in("4 rows, logistic noise", 4, lrs, hrs,
               {.noise_sd = 1.2 * microampere, .noise_shape = circuits::NoiseShape::logistic}));
  columns.push_back(built_in("8 rows, wide HRS", 8, Law::normal(97.0, 6.2),
                             Law::lognormal(5.3, 0.62), {.noise_sd = 4.9 * microampere}));
  CheckedColumn busy =
      built_in("9 of 16 rows, leakage", 16, Law::lognormal(50.0, 0.05), Law::lognormal(4.0, 0.4),
               {.offset_sd = 2.0 * microampere, .noise_sd = 3.0 * microampere});
  busy.active_rows = 9;
  busy.design.leakage = Law::lognormal(0.3, 0.8).scaled(microampere);
  busy.design.dummy = Law::normal(4.0, 0.2).scaled(microampere);
  busy.design.ladder = midpoint_ladder(busy.design, 9);
  columns.push_back(std::move(busy));
  CheckedColumn deciding =
      built_in("6 rows, SAR, noise of each decision", 6, Law::normal(60.0, 2.0),
               Law::lognormal(3.0, 0.3), {.offset_sd = 3.0 * microampere});
  deciding.design.comparator = {.kind = circuits::ConverterKind::sar,
                                .noise_sd = 8.0 * microampere};
  columns.push_back(std::move(deciding));
  CheckedColumn common = built_in("6 rows, common factor", 6, Law::lognormal(60.0, 0.03),
                                  Law::lognormal(3.0, 0.3), {.noise_sd = 4.0 * microampere});
  common.design.common_factor_sd = 0.02;
  columns.push_back(std::move(common));
  return columns;
}

std::size_t tail_count(const std::vector<CheckedColumn>& columns) {
  std::size_t count = 0;
  for (const CheckedColumn& column : columns) count += tails_of(column).size();
  return count;
}

namespace {

/// Three of the four ways know nothing of what a bit line does to the sum.
void require_sums_of_currents(const std::vector<CheckedColumn>& columns) {
  for (const CheckedColumn& column : columns) {
    if (circuits::is_ideal(column.design.bit_line)) continue;
    throw core::UsageError(core::error_line(
        "bit_line", "selfcheck knows sums of currents only",
        fmt::format("{} delivers more than a sum", name_of(column.design.bit_line)),
        "use cimstat table"));
  }
}

}  // namespace

SelfCheckResult self_check(const std::vector<CheckedColumn>& columns,
                           const SelfCheckOptions& options, core::Threads threads,
                           const core::Progress& progress) {
  require_sums_of_currents(columns);
  const std::size_t total = tail_count(columns);
  circuits::RareOptions importance{.samples = options.samples, .key = options.key};
  if (options.relative_error) {
    importance.until = core::BatchRule{.relative_error = *options.relative_error};
  }
  SelfCheckResult result;
  for (const CheckedColumn& column : columns) {
    const std::vector<MisreadTail> tails = tails_of(column);
    std::vector<ExactTail> exact;
    if (!circuits::exact_obstacle(column.design)) {
      exact = exact_tails(column.design, tails, threads);
    }
    const auto unfit = circuits::beyond_plain_sum(column.design);
    const std::vector<std::uint64_t> misread =
        misread_counts(column.design, tails, options, threads);
    for (std::size_t i = 0; i < tails.size(); ++i) {
      CheckedTail check;
      check.column = column.name;
      check.tail = tails[i];
      if (!exact.empty()) {
        check.exact = exact[i].probability;
        check.exact_bound = exact[i].bound;
      }
      check.misread = misread[i];
      check.trials = options.trials;
      if (unfit) {
        check.importance.refusal = *unfit;
        check.smoothed.refusal = *unfit;
      } else {
        check.importance = misread_tail(column.design, tails[i], importance, threads);
        check.smoothed = smoothed_tail(column.design, tails[i], {.key = options.key}, threads);
      }
      compare(check);
      compare_smoothed(check);
      result.tails.push_back(std::move(check));
      if (progress) progress(result.tails.size(), total);
    }
  }
  for (const CheckedTail& check : result.tails) {
    for (const Agreement& agreement :
         {check.monte_carlo_exact, check.importance_exact, check.importance_monte_carlo,
          check.smoothed_exact, check.smoothed_importance}) {
      if (!agreement) continue;
      ++result.comparisons;
      result.worst = std::max(result.worst, std::abs(*agreement));
    }
  }
  result.agrees = result.comparisons > 0 && result.worst <= options.limit;
  return result;
}

}  // namespace cimstat::experiments
