#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/config/option.h"

#include "circuits/column.h"

/// The classes of a column of more than two states a row.
namespace cimstat::circuits {

enum class Compositions {
  all,      ///< every way in which n rows fall into the states
  typical,  ///< of those of one MAC value the most probable one, states coming as RowStates::share
};

inline constexpr core::Option<Compositions> composition_options[] = {
    {Compositions::all, {"all", "every number of rows in each state"}},
    {Compositions::typical,
     {"typical", "for each MAC value the most probable numbers of rows in each state"}}};

/// Rows of which typical classes are found, at the most.
inline constexpr std::uint32_t typical_row_limit = 256;
inline constexpr std::size_t class_limit = 1'000'000;

/// Classes of a design for each n in `active_rows`, ascending in n, then MAC value, then states. A
/// binary column has classes_for(active_rows), whatever `compositions`. Throws UsageError for more
/// than class_limit, or typical ones of more than typical_row_limit rows.
std::vector<ColumnClass> classes_of(const ColumnDesign& design,
                                    std::span<const std::uint32_t> active_rows,
                                    Compositions compositions);

/// What typical classes leave out: how far the mean current and the standard deviation (both of the
/// cells) of other compositions of the same (MAC value, n) lie from the typical one's, the largest
/// over `classes`.
struct CompositionSpread {
  double mean_below = 0.0;  ///< [A]
  double mean_above = 0.0;  ///< [A]
  double sd_below = 0.0;    ///< relative to the typical one's sd
  double sd_above = 0.0;
};
CompositionSpread composition_spread(const ColumnDesign& design,
                                     std::span<const ColumnClass> classes);

}  // namespace cimstat::circuits
