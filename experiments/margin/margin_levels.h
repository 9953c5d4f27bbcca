#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "circuits/column.h"
#include "circuits/weights/composition_range.h"

/// Which MAC values a number of active rows has, and what stands for each.
namespace cimstat::experiments {

/// In a binary column there is one class of each MAC value. Else it is the typical one: the most
/// probable numbers of rows in each state.
struct MarginLevel {
  std::int64_t value = 0;  ///< the MAC value
  circuits::ColumnClass column_class;
  double weight = 1.0;  ///< circuits::composition_weights
};

/// Of n active rows, ascending. Throws UsageError where typical classes of so many rows can't be
/// found; `key` is what set the number.
std::vector<MarginLevel> margin_levels(const circuits::ColumnDesign& design,
                                       std::uint32_t active_rows,
                                       std::string_view key = "margin.active_rows");

/// Throws UsageError for two columns whose codes are subtracted: margins are distances of what one
/// converter sees.
void require_margins(const circuits::ColumnDesign& design);

/// The standard deviation of what the sense amplifier sees of a class: bit line, offset and noise
/// together [A] or [V]; behind a line that is more than a sum to first order, NaN along a resistive
/// wire.
double sensed_sd(const circuits::ColumnDesign& design, circuits::ColumnClass column_class);

/// The extremes of each MAC value over all patterns of rows of more than two states: any number of
/// active rows so far, in any states. Means and spreads are taken at their worst each on its own,
/// so that no pattern has a smaller margin.
class StatePatterns {
 public:
  /// For up to `most_rows` active rows. Refers to `design`.
  StatePatterns(const circuits::ColumnDesign& design, std::uint32_t most_rows, double sigmas);
  void include(std::uint32_t active_rows);
  /// From the largest of `value` to the least of `next`; infinite for values that never came.
  double margin(std::int64_t value, std::int64_t next) const;

 private:
  struct Edges {
    double least;
    double most;
  };
  const circuits::ColumnDesign& design_;
  double sigmas_;
  circuits::ValueGrid grid_;
  circuits::CompositionRange range_;
  std::map<std::int64_t, Edges> edges_;
};

}  // namespace cimstat::experiments
