#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "circuits/column.h"

/// Evenly spaced codes over a range that is narrower than all that can come: calibrated on data, or
/// clipped at percentiles; and the floor quantiser of NeuroSim. mu(k, n) as in references.h, n =
/// reference_rows.
namespace cimstat::circuits {

struct CurrentRange {
  double low = 0.0;   ///< [A]
  double high = 0.0;  ///< [A], above low
};

/// mu(low, n) to mu(high, n).
CurrentRange mac_range(const ColumnDesign& design, std::uint32_t reference_rows,
                       std::uint32_t lowest_mac, std::uint32_t highest_mac);

/// How often MAC values 0 .. n come.
enum class MacPrior {
  uniform,   ///< all alike
  binomial,  ///< each of n rows adds one with a probability
};
std::vector<double> prior_weights(MacPrior prior, std::uint32_t rows, double density);

/// The currents below which and above which lies a share `tail` of all sensed currents (cells,
/// offset and noise), MAC values k of n active rows weighted by `weights`. Exact, to 1e-9 of the
/// range. 0 < tail < 1/2. Throws ExactObstacle where the exact engine can't do the currents.
CurrentRange percentile_range(const ColumnDesign& design, std::span<const double> weights,
                              double tail);

/// Codes 0 .. codes - 1 stand for evenly spaced currents from `low` to `high`, references half way
/// between them; MAC values are those of currents at n active rows.
Ladder range_ladder(const ColumnDesign& design, std::uint32_t reference_rows, CurrentRange range,
                    std::uint32_t codes);

/// NeuroSim's linear converter (V1.4 inference): step = (high - low) / codes and
///   code = clamp(floor((I - low) / step), 0, codes - 1), read as low + step code,
/// the lower edge of what the code stands for: half a step too low on average. There the range is
/// that of the batch at hand; here it is given. References are the least currents of each code by
/// that arithmetic, roundings included: ideal partial sums lie on them.
Ladder floor_ladder(const ColumnDesign& design, std::uint32_t reference_rows, CurrentRange range,
                    std::uint32_t codes);

}  // namespace cimstat::circuits
