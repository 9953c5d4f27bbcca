#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "core/law/law.h"

/// One column of binary cells: which currents flow together, and what turns them into a code.
namespace cimstat::circuits {

/// Rows of a column at the most. Bounded by the random-number contract (11 bits of the draw).
inline constexpr std::uint32_t row_limit = 1024;

/// What an error table is keyed by: `lrs_count` of the `active_rows` selected cells are in LRS.
struct ColumnClass {
  std::uint32_t lrs_count = 0;    ///< k, the MAC value of binary inputs and weights
  std::uint32_t active_rows = 0;  ///< n >= k
  auto operator<=>(const ColumnClass&) const = default;
};

enum class NoiseShape { gaussian, logistic };

/// Current-mode sense amplifier. It sees I + offset + noise.
/// sd of the noise: noise_sd * sqrt(1 + I / noise_knee), I the bit-line current (pim-training:
/// SRMP, s_SA(I) = s_0 sqrt(1 + I / I_0)); an infinite knee makes it constant. Where 1 + I /
/// noise_knee < 0 the noise is 0.
struct SenseAmplifier {
  double offset_sd = 0.0;  ///< [A], normal, frozen per column
  double noise_sd = 0.0;   ///< [A], fresh per read; the sd also when the shape is logistic
  NoiseShape noise_shape = NoiseShape::gaussian;
  double noise_knee = std::numeric_limits<double>::infinity();  ///< I_0 [A]
};

/// The references of a flash converter, ascending [A]. Code = how many references lie below the
/// sensed current (a current equal to a reference counts as above it).
struct Ladder {
  std::uint32_t codes = 1;  ///< one more than references
  /// Shared by all numbers of active rows (codes - 1 values), or, where `follows_active_rows`, one
  /// run of codes - 1 values for each n = 0 .. rows (replica references).
  std::vector<double> references;
  bool follows_active_rows = false;
  /// The MAC value that a code stands for: code_origin + code_step * code.
  double code_step = 1.0;
  double code_origin = 0.0;

  std::span<const double> at(std::uint32_t active_rows) const;
  /// The code that stands for a MAC value: the nearest one, the lower of two equally near, clamped.
  std::uint32_t ideal_code(std::uint32_t mac_value) const;
};

/// Everything that decides the code of one read. Currents at the read voltage [A].
struct ColumnDesign {
  std::uint32_t rows = 0;            ///< word lines; 1 .. row_limit
  core::Law lrs;                     ///< current of an active row's cell in LRS
  core::Law hrs;                     ///< ... in HRS
  std::optional<core::Law> leakage;  ///< current of each unselected row
  std::optional<core::Law> dummy;    ///< current of each active row of a dummy column, subtracted
  SenseAmplifier sense;
  Ladder ladder;
};

/// One kind of independent, identically distributed current in a class, and how many there are.
/// The dummy column's law is negated, so that the bit-line sum is the plain sum of the parts.
struct ColumnPart {
  core::Law law;
  std::uint32_t count = 0;
};

/// LRS cells, HRS cells, leakage of the unselected rows, dummy cells; parts with count 0 left out.
std::vector<ColumnPart> parts_of(const ColumnDesign& design, ColumnClass column_class);

/// Mean and variance of the bit-line current of a class, before offset and noise [A], [A^2].
double mean_current(const ColumnDesign& design, ColumnClass column_class);
double current_variance(const ColumnDesign& design, ColumnClass column_class);

/// All classes (k, n), 0 <= k <= n, for each n in `active_rows`, ascending in n, then k.
std::vector<ColumnClass> classes_for(std::span<const std::uint32_t> active_rows);

/// Throws UsageError when a class does not fit the design or the ladder has not the right size,
/// is not ascending or not finite.
void check(const ColumnDesign& design, std::span<const ColumnClass> classes);

}  // namespace cimstat::circuits
