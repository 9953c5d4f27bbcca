#include "circuits/error_table.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace cimstat::circuits {

namespace {

std::int64_t mac_value_of(const std::vector<std::int32_t>& values, const ColumnClass& one) {
  if (values.empty()) return one.lrs_count;
  std::int64_t sum = 0;
  for (std::size_t state = 0; state < values.size(); ++state) {
    sum += std::int64_t{values[state]} * one.states[state];
  }
  return sum;
}

}  // namespace

std::int64_t ErrorTable::mac_value(std::size_t class_index) const {
  return mac_value_of(state_values, classes[class_index]);
}

std::string ErrorTable::label(std::size_t class_index) const {
  const ColumnClass& one = classes[class_index];
  const std::int64_t value = mac_value(class_index);
  std::string text = std::to_string(value);
  const auto shares_value = [&](std::size_t other) {
    return other < size() && classes[other].active_rows == one.active_rows &&
           mac_value(other) == value;
  };
  if (!shares_value(class_index + 1) && !(class_index > 0 && shares_value(class_index - 1))) {
    return text;
  }
  text += " (";
  for (std::size_t state = 0; state < state_values.size(); ++state) {
    text += (state > 0 ? " " : "") + std::to_string(one.states[state]);
  }
  return text + ")";
}

std::optional<std::size_t> ErrorTable::find(ColumnClass column_class) const {
  const auto before = [&](const ColumnClass& a, const ColumnClass& b) {
    return std::tuple(a.active_rows, mac_value_of(state_values, a), a.states) <
           std::tuple(b.active_rows, mac_value_of(state_values, b), b.states);
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
