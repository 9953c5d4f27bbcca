#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

/// What makes a code of the comparisons of the sensed current with the references T_1 < T_2 < ...
/// Without noise of the comparators all kinds are one: the code is how many references lie at or
/// below the current.
enum class ConverterKind {
  flash,              ///< a comparator each; code = how many say "above"
  flash_lowest_zero,  ///< a comparator each; code = how many say "above" before the first, from T_1
                      ///< up, that does not
  /// The bits of the code are decided from the highest down: each is set, the current compared with
  /// the reference of the code so far, and the bit kept if the current lies above. Codes beyond the
  /// last one have no reference: they are never reached, so any number of codes will do.
  sar,
  ramp,  ///< one comparator meets T_1, T_2 ... in turn; code = how many before it first says "not
         ///< above". Where nothing correlates its decisions that is flash_lowest_zero.
};

/// Noise of a converter's decisions, beside that of the sense amplifier, which all decisions of one
/// conversion share.
struct Comparator {
  ConverterKind kind = ConverterKind::flash;
  double noise_sd = 0.0;  ///< [A], normal, fresh at each decision
  /// Of the noise of any two steps of a ramp, 0 .. 1; 0 for the other kinds. The noise of a step is
  /// noise_sd (sqrt(correlation) N_0 + sqrt(1 - correlation) N_j).
  double correlation = 0.0;

  double shared_variance() const { return correlation * noise_sd * noise_sd; }  ///< [A^2]
  double decision_sd() const;  ///< [A], of the part that is drawn for each decision
};

/// The references of a converter, ascending [A]. Code = how many references lie below the sensed
/// current (a current equal to a reference counts as above it).
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
  Comparator comparator = {};
  /// All currents of cells, leakage and dummy column times 1 + this * N(0, 1), one draw for the
  /// column or its die, frozen like the offset. References don't follow it.
  double common_factor_sd = 0.0;
};

/// One kind of independent, identically distributed current in a class, and how many there are.
/// The dummy column's law is negated, so that the bit-line sum is the plain sum of the parts.
struct ColumnPart {
  core::Law law;
  std::uint32_t count = 0;
};

/// LRS cells, HRS cells, leakage of the unselected rows, dummy cells; parts with count 0 left out.
std::vector<ColumnPart> parts_of(const ColumnDesign& design, ColumnClass column_class);

/// Mean and variance of the bit-line current of a class, common factor included, before offset and
/// noise [A], [A^2].
double mean_current(const ColumnDesign& design, ColumnClass column_class);
double current_variance(const ColumnDesign& design, ColumnClass column_class);

/// All classes (k, n), 0 <= k <= n, for each n in `active_rows`, ascending in n, then k.
std::vector<ColumnClass> classes_for(std::span<const std::uint32_t> active_rows);

/// What a design has beyond a sum of independent currents that one comparison with each reference
/// reads: noise of the comparators or a common factor. Nothing where it has neither.
std::optional<std::string> beyond_plain_sum(const ColumnDesign& design);

/// Throws UsageError where it has something, for methods that know of neither.
void require_plain_sum(const ColumnDesign& design, std::string_view method);

/// Throws UsageError when a class does not fit the design, the ladder has not the right size, is
/// not ascending or not finite, or a noise of the comparators or a common factor makes no sense.
void check(const ColumnDesign& design, std::span<const ColumnClass> classes);

}  // namespace cimstat::circuits
