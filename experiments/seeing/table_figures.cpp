#include "experiments/seeing/table_figures.h"

#include <algorithm>
#include <limits>

namespace cimstat::experiments {

namespace {

Estimate with_bound(double value, double bound) {
  return {value, {std::max(value - bound, 0.0), std::min(value + bound, 1.0)}};
}

}  // namespace

Estimate misread_estimate(const circuits::ErrorTable& table, std::size_t class_index,
                          double confidence) {
  const double value = table.misread(class_index);
  if (table.method == circuits::TableMethod::exact) {
    return with_bound(value, table.error_bound[class_index] +
                                 table.codes * std::numeric_limits<double>::epsilon());
  }
  const std::uint64_t trials = table.trials(class_index);
  const std::uint64_t right =
      table.counts[class_index * table.codes + table.ideal_code[class_index]];
  return {value, core::clopper_pearson(trials - right, trials, confidence)};
}

Estimate entry_estimate(const circuits::ErrorTable& table, std::size_t class_index,
                        std::uint32_t code, double confidence) {
  const std::size_t entry = class_index * table.codes + code;
  if (table.method == circuits::TableMethod::exact) {
    return with_bound(table.probability[entry], table.error_bound[class_index]);
  }
  return {table.probability[entry],
          core::clopper_pearson(table.counts[entry], table.trials(class_index), confidence)};
}

}  // namespace cimstat::experiments
