#pragma once

#include <functional>
#include <optional>

#include "core/law/law.h"

#include "circuits/bit_line/line_curve.h"
#include "circuits/column.h"
#include "circuits/exact/exact_column.h"

/// The parts that the distribution of a reading behind a line is made of: what varies before the
/// line's end, and what is added to it there.
namespace cimstat::circuits {

/// P(N(0, 1) <= z) or P(N(0, 1) > z).
double normal_tail(core::Tail side, double z);

/// All that is added to a reading, independent of it: normal or logistic.
struct AddedNoise {
  double gaussian_sd = 0.0;
  double logistic_scale = 0.0;

  double sd() const;
  double tail(core::Tail side, double x) const;
  double density(double x) const;
  /// Beyond this a tail is below 1e-40.
  double reach() const { return 13.5 * gaussian_sd + 93.0 * logistic_scale; }
};

/// Offset and noise of the sense amplifier, and the line's own.
AddedNoise added_noise(const ColumnDesign& design, ColumnClass column_class);

/// A noiseless reading: a variable x with a density on [low, high], where nearly all of it lies,
/// and what the line delivers at x, rising.
struct NoiselessReading {
  double mean = 0.0;  ///< of x
  double sd = 0.0;    ///< of x; 0: a point
  double low = 0.0;
  double high = 0.0;
  double slope = 1.0;  ///< the steepest of `delivered`
  double error = 0.0;  ///< of what the density holds
  std::function<double(double)> density;
  std::function<double(double)> delivered;
};

/// Of a curve of the sum; refers to `sum`.
NoiselessReading reading_of(const LineCurve& curve, const SensedCurrent& sum);

/// The capacitors of a class that are driven, and all others with the parasitic one, as normals.
struct Divider {
  double supply = 0.0;
  core::Normal on;
  core::Normal off;

  Divider(const ColumnDesign& design, ColumnClass column_class);
  double nominal() const { return on.mean == 0.0 ? 0.0 : supply * on.mean / (on.mean + off.mean); }
  /// V <= v where mean(v) + sd(v) N(0, 1) <= 0.
  double mean(double v) const { return on.mean * (supply - v) - v * off.mean; }
  double sd(double v) const;
  double score(double v) const { return -mean(v) / sd(v); }
  double score_slope(double v) const;
  /// V does not vary: it is 0 or the supply, whatever the capacitors are, or they don't vary.
  bool is_point() const;
  double first_order_sd() const { return sd(nominal()) / (on.mean + off.mean); }
};

/// Of shared charge.
NoiselessReading reading_of(const ColumnDesign& design, const Divider& divider);

/// The column before its line: the sum alone, and nothing behind it.
ColumnDesign sum_alone(const ColumnDesign& design);

}  // namespace cimstat::circuits
