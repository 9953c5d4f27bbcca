#include "circuits/column.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

std::span<const double> Ladder::at(std::uint32_t active_rows) const {
  const std::size_t count = codes - 1;
  const std::size_t first = follows_active_rows ? active_rows * count : 0;
  return std::span(references).subspan(first, count);
}

std::uint32_t Ladder::ideal_code(std::uint32_t mac_value) const {
  const double position = (double(mac_value) - code_origin) / code_step;
  const double code = std::ceil(position - 0.5);  // the lower of two equally near
  return static_cast<std::uint32_t>(std::clamp(code, 0.0, double(codes - 1)));
}

double Comparator::decision_sd() const { return noise_sd * std::sqrt(1.0 - correlation); }

std::vector<ColumnPart> parts_of(const ColumnDesign& design, ColumnClass column_class) {
  const auto [k, n] = column_class;
  std::vector<ColumnPart> parts;
  const auto add = [&](const core::Law& law, std::uint32_t count) {
    if (count > 0) parts.push_back({law, count});
  };
  add(design.lrs, k);
  add(design.hrs, n - k);
  if (design.leakage) add(*design.leakage, design.rows - n);
  if (design.dummy) add(design.dummy->scaled(-1.0), n);
  return parts;
}

namespace {

template <class Value>
double sum_over_parts(const ColumnDesign& design, ColumnClass column_class, Value&& value) {
  const auto [k, n] = column_class;
  double sum = k * value(design.lrs) + (n - k) * value(design.hrs);
  if (design.leakage) sum += (design.rows - n) * value(*design.leakage);
  return sum;
}

}  // namespace

double mean_current(const ColumnDesign& design, ColumnClass column_class) {
  const auto mean = [](const core::Law& law) { return law.mean(); };
  const double dummy = design.dummy ? column_class.active_rows * design.dummy->mean() : 0.0;
  return sum_over_parts(design, column_class, mean) - dummy;
}

double current_variance(const ColumnDesign& design, ColumnClass column_class) {
  const auto variance = [](const core::Law& law) { return law.variance(); };
  const double dummy = design.dummy ? column_class.active_rows * design.dummy->variance() : 0.0;
  const double cells = sum_over_parts(design, column_class, variance) + dummy;
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
    for (std::uint32_t k = 0; k <= n; ++k) classes.push_back({k, n});
  }
  return classes;
}

std::optional<std::string> beyond_plain_sum(const ColumnDesign& design) {
  if (design.comparator.noise_sd > 0.0) return "its comparators have noise of their own";
  if (design.common_factor_sd > 0.0) return "its currents have a common factor";
  return std::nullopt;
}

void require_plain_sum(const ColumnDesign& design, std::string_view method) {
  const auto why = beyond_plain_sum(design);
  if (!why) return;
  throw core::UsageError(core::error_line(
      "column", fmt::format("{} can't do this design", method), *why,
      fmt::format("leave {} out, or use cimstat table", design.comparator.noise_sd > 0.0
                                                            ? "converter.comparator_noise"
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
  const auto [kind, noise_sd, correlation] = design.comparator;
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
  for (const auto& [k, n] : classes) {
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
  }
}

}  // namespace cimstat::circuits
