#include "circuits/error_table.h"

#include <algorithm>
#include <numeric>

namespace cimstat::circuits {

std::optional<std::size_t> ErrorTable::find(ColumnClass column_class) const {
  const auto before = [](const ColumnClass& a, const ColumnClass& b) {
    return std::pair(a.active_rows, a.lrs_count) < std::pair(b.active_rows, b.lrs_count);
  };
  const auto place = std::lower_bound(classes.begin(), classes.end(), column_class, before);
  if (place == classes.end() || *place != column_class) return std::nullopt;
  return static_cast<std::size_t>(place - classes.begin());
}

double ErrorTable::misread(std::size_t class_index) const {
  // Summed from the wrong codes, not 1 - P(right), which would lose what is below 1e-16.
  const double* probabilities = row(class_index);
  double sum = 0.0;
  for (std::uint32_t code = 0; code < codes; ++code) {
    if (code != ideal_code[class_index]) sum += probabilities[code];
  }
  return sum;
}

std::uint64_t ErrorTable::trials(std::size_t class_index) const {
  if (counts.empty()) return 0;
  const auto first = counts.begin() + static_cast<std::ptrdiff_t>(class_index * codes);
  return std::accumulate(first, first + codes, std::uint64_t{0});
}

std::uint64_t ErrorTable::misreads(std::size_t class_index) const {
  if (counts.empty()) return 0;
  return trials(class_index) - counts[class_index * codes + ideal_code[class_index]];
}

StopReason ErrorTable::stop_reason(std::size_t class_index) const {
  if (guaranteed->classes[class_index].trials > 0) return StopReason::target_met;
  return misreads(class_index) > 0 ? StopReason::trials_spent : StopReason::none_seen;
}

}  // namespace cimstat::circuits
