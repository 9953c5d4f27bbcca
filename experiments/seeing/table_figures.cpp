#include "experiments/seeing/table_figures.h"

#include <algorithm>
#include <limits>

namespace cimstat::experiments {

namespace {

Estimate with_bound(double value, double bound) {
  return {value, {std::max(value - bound, 0.0), std::min(value + bound, 1.0)}};
}

}  // namespace

std::string interval_text(const IntervalChoice& choice) {
  std::string text = "Clopper-Pearson";
  if (choice.method == core::IntervalMethod::jeffreys) text = "Jeffreys";
  if (choice.method == core::IntervalMethod::goodman) {
    text = choice.scope == IntervalScope::entry ? "Wilson" : "Goodman";
  }
  switch (choice.scope) {
    case IntervalScope::row:
      return text + ", all codes of a class at once";
    case IntervalScope::table:
      return text + ", all codes of all classes at once";
    case IntervalScope::entry:
      break;
  }
  return text + ", each by itself";
}

core::Interval interval_of(const circuits::ErrorTable& table, std::size_t class_index,
                           std::uint64_t count, const IntervalChoice& choice) {
  std::uint64_t members = 1;
  if (choice.scope == IntervalScope::row) members = table.codes;
  if (choice.scope == IntervalScope::table) members = std::uint64_t{table.codes} * table.size();
  return core::proportion_interval(choice.method, count, table.trials(class_index),
                                   core::simultaneous_level(choice.confidence, members));
}

Estimate misread_estimate(const circuits::ErrorTable& table, std::size_t class_index,
                          const IntervalChoice& choice) {
  const double value = table.misread(class_index);
  if (table.method == circuits::TableMethod::exact) {
    return with_bound(value, table.error_bound[class_index] +
                                 table.codes * std::numeric_limits<double>::epsilon());
  }
  return {value, interval_of(table, class_index, table.misreads(class_index), choice)};
}

Estimate entry_estimate(const circuits::ErrorTable& table, std::size_t class_index,
                        std::uint32_t code, const IntervalChoice& choice) {
  const std::size_t entry = class_index * table.codes + code;
  if (table.method == circuits::TableMethod::exact) {
    return with_bound(table.probability[entry], table.error_bound[class_index]);
  }
  return {table.probability[entry], interval_of(table, class_index, table.counts[entry], choice)};
}

}  // namespace cimstat::experiments
