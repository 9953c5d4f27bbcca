#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// Sums of currents of many columns, and codes between their bounds, in doubles. Lanes are columns:
/// the same bits for every instruction set. Sizes are multiples of group_channels.
namespace cimstat::experiments {

/// sums[column] = the cells of these rows, added in their order; 0 of none. `cells` [row][columns].
void add_rows(const double* cells, std::span<const std::uint32_t> rows, std::span<double> sums);

/// Lowers low and raises high to what they must hold.
void widen(std::span<const double> sums, std::span<double> low, std::span<double> high);

/// Codes 0 .. last, each for the sums from low + code * step on; where step is 0, all are low.
struct EvenCodes {
  double low = 0.0;
  double step = 0.0;
  double last = 0.0;
  double first_value = 0.0;  ///< what code 0 stands for; the next ones are step apart

  /// What the code of a sum stands for.
  double operator()(double sum) const;
};

/// to[column] += weight * (codes(sums[column]) - subtracted).
void add_converted(std::span<const double> sums, const EvenCodes& codes, double subtracted,
                   double weight, std::span<double> to);

}  // namespace cimstat::experiments
