#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/exact/exact_column.h"
#include "circuits/sampled/sampled_column.h"

/// Two columns whose codes are subtracted (RowStates::is_digital()): the halves of pairs, or a
/// column and its dummy column.
///
/// Each has cells, line, sense amplifier and converter of its own, none of which the two share. So
/// given the class their codes are independent, whatever of it is frozen, and P(c1 - c2 = d) is the
/// convolution of P(c1) and P(-c2). What they would share, a common factor of the die, is refused.
/// All this is about one read of one pair of columns.
namespace cimstat::circuits {

enum class Half { positive, negative };

/// One of the two columns by itself, with the design's ladder, and what each class of the pair is
/// to it. A column of binary cells and inputs is a binary one.
struct HalfColumn {
  ColumnDesign design;
  std::vector<ColumnClass> classes;  ///< those that differ
  std::vector<std::size_t> index;    ///< [class of the pair]: which of them
};
HalfColumn half_of(const ColumnDesign& design, Half half, std::span<const ColumnClass> classes);

/// The codes of a design's table: those of its ladder or, of two columns, 2 codes - 1 differences
/// d, of which code d + codes - 1 stands for d steps (and has no reference).
Ladder table_ladder(const ColumnDesign& design);

/// As check() does, of one column or both of a pair. Throws UsageError.
void check_columns(const ColumnDesign& design, std::span<const ColumnClass> classes);

/// Why the exact engine can't do a design's table, that of one column or of a pair, or nothing.
std::optional<std::string> table_obstacle(const ColumnDesign& design);

/// P(d | class) by convolution; for a bound of each column's entries e1 and e2 an entry is known to
/// within e1 + e2 + codes e1 e2, and rounding. Throws ExactObstacle where it can't.
ExactProbabilities difference_probabilities(const ColumnDesign& design,
                                            std::span<const ColumnClass> classes,
                                            const ExactOptions& options, core::Threads threads,
                                            const core::Progress& progress = {});

/// [class][d + codes - 1]: how often each difference came. The words of a trial of the positive
/// column are those of sampled_column.h with the number of the pair's class, from
/// Domain::row_state_sum; those of the negative column the same of instance 2^47 + trial. Throws
/// UsageError for 2^47 trials or more.
std::vector<std::uint64_t> difference_counts(const ColumnDesign& design,
                                             std::span<const ColumnClass> classes,
                                             const SamplingOptions& options, core::Threads threads,
                                             const core::Progress& progress = {});

}  // namespace cimstat::circuits
