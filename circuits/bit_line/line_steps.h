#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <variant>
#include <vector>

#include "core/law/quantile_table.h"

#include "circuits/bit_line/line_curve.h"

/// What a bit line does to the sums of a tile in the kernels: LineCurve and its kin in single
/// precision, relative to the nominal reading.
namespace cimstat::circuits {

/// With x the deviation of the sum from its mean, in the unit of sums; results in that of readings.
struct CurveStep {
  CurveShape shape = CurveShape::linear;
  float gain = 1.0f;          ///< slope at the mean for linear and exponential ones, at 0 else
  float inverse_knee = 0.0f;  ///< times the unit of sums
  float mean = 0.0f;          ///< of the sum, for rational ones
  float shift = 0.0f;         ///< what the nominal reading lies below that of an endless curve
  float most = std::numeric_limits<float>::infinity();  ///< `most` less the nominal reading
};

/// Rows from the far end of a wire to its sense end, each with two words: its place in the order of
/// cells, where there is more than one kind of row, then its cell.
struct WireStep {
  static constexpr std::size_t kinds = 3;                  ///< LRS, HRS, unselected
  std::array<const core::QuantileTable*, kinds> tables{};  ///< none: no spread
  std::array<float, kinds> means{};                        ///< of a cell
  std::uint32_t rows = 0;
  std::array<std::uint32_t, kinds> counts{};
  float segment = 0.0f;  ///< segment resistance / read voltage, per unit
  float end = 0.0f;      ///< the same of the last segment and the sense resistance
  float nominal = 0.0f;  ///< reading
  bool is_mixed() const { return counts[0] != rows && counts[1] != rows && counts[2] != rows; }
  std::uint32_t words() const { return rows * (is_mixed() ? 2 : 1); }
};

/// Shared charge from deviations of the capacitances that are driven (a) and of all others (b):
/// supply (on + a) / (all + a + b) - nominal = (other a - on b) scale / (all + a + b).
struct SharingStep {
  float on = 0.0f;     ///< mean
  float other = 0.0f;  ///< mean of all others, with the parasitic one
  float scale = 0.0f;  ///< supply (1 + injected fraction) / (on + other), in readings
};

using LineStep = std::variant<std::monostate, CurveStep, WireStep, SharingStep>;

}  // namespace cimstat::circuits
