#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "circuits/weights/weighted_count.h"

#include "experiments/inference/array_options.h"
#include "experiments/inference/column_kernel.h"
#include "experiments/inference/input_cycles.h"

/// Reads whose codes follow from weighted counts: rows driven at several levels, several bits of a
/// weight in a column.
namespace cimstat::experiments {

/// Which bits of a weight share a column: slices of `cell_bits` planes from the lowest on, the top
/// one shorter where they don't divide `planes`; with a sign all planes, which are those of two's
/// complement.
struct WeightSlices {
  std::uint32_t planes = 1;
  std::uint32_t cell_bits = 1;
  bool has_sign = false;

  std::uint32_t count() const { return has_sign ? 1 : (planes + cell_bits - 1) / cell_bits; }
  std::uint32_t first_plane(std::uint32_t slice) const { return slice * cell_bits; }
  std::uint32_t bits(std::uint32_t slice) const {
    return has_sign ? planes : std::min(cell_bits, planes - first_plane(slice));
  }
  /// The largest magnitude of a cell.
  std::uint32_t full(std::uint32_t slice) const {
    return highest_level(has_sign ? planes - 1 : bits(slice));
  }
  /// From the least that a cell can hold to the largest.
  std::uint32_t span(std::uint32_t slice) const { return has_sign ? 2 * full(slice) : full(slice); }
};

WeightSlices slices_of(std::uint32_t planes, const ArrayOptions& options);

/// Makes one count of those of each slice's planes, counts[vector][lane], at its first plane, and 0
/// of the others; sums with a sign are two's complement numbers.
void gather_slices(const WeightSlices& slices, const ColumnGroups& groups,
                   std::span<std::uint32_t> counts);

/// Whether codes are drawn from laws of weighted counts, not from a table of LRS counts.
bool reads_weighted_counts(const ArrayOptions& options);

circuits::CellValues cell_values(const ArrayOptions& options);

/// What of the options asks for weighted counts, in the words of messages.
struct CountDemand {
  std::string key;     ///< of [accuracy]
  std::string given;   ///< its value
  std::string plain;   ///< the value that asks for none
  std::string what;    ///< "2 bits at a time", in the plural
  std::string fact;    ///< "rows that are on or off": what others know
  std::string others;  ///< "1 bit": what would do elsewhere
};
/// Nothing where none is asked for.
std::optional<CountDemand> count_demand(const ArrayOptions& options);

/// Throws UsageError where they are asked for, of which `what` knows nothing.
void require_plain_reads(const ArrayOptions& options, std::string_view what);

/// Throws UsageError for cells of several bits whose weights are not differential, for votes beside
/// weighted counts, and for any protected diagonals where a column holds several bits of a weight.
void check_weighted_reads(const ArrayOptions& options);

}  // namespace cimstat::experiments
