#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/law/law.h"

#include "circuits/bit_line/bit_line.h"

/// One column of binary cells: which currents flow together, and what turns them into a code.
namespace cimstat::circuits {

/// Rows of a column at the most. Bounded by the random-number contract (11 bits of the draw).
inline constexpr std::uint32_t row_limit = 1024;

/// States of an active row at the most (RowStates).
inline constexpr std::size_t row_state_limit = 16;
using StateCounts = std::array<std::uint16_t, row_state_limit>;

/// What an error table is keyed by: `lrs_count` of the `active_rows` selected cells are in LRS; in
/// a column of more than two states a row, how many active rows are in each.
struct ColumnClass {
  std::uint32_t lrs_count = 0;    ///< k, the MAC value of binary inputs and weights; else 0
  std::uint32_t active_rows = 0;  ///< n >= k; the sum of states, where there are any
  StateCounts states{};           ///< [state]; all 0 in a binary column
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
  /// s_1: it sees I (1 + gain_sd N(0, 1)), frozen per column. ColumnDesign::common_factor_sd has it
  /// already; here for who tells columns from dies.
  double gain_sd = 0.0;
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
  /// Stages of 1.5 bits, each with two comparators at a quarter of the range to either side of its
  /// middle, whose residue is doubled for the next; the last comparator decides the lowest bit.
  pipeline,
  cyclic,  ///< one such stage, used again and again
};

/// What of a converter is frozen: other values for each converter.
struct ConverterMismatch {
  /// Offset of each comparator: one for each reference (flash), one for all decisions (sar, ramp),
  /// those of each stage (pipeline, cyclic), as a current at the input of the stage [A].
  double offset_sd = 0.0;
  /// Relative sd of one element: a resistor of the string that the references of a flash converter
  /// are tapped from, a unit capacitor (sar, pipeline, cyclic), a step of a ramp.
  double element_sd = 0.0;
  std::uint32_t split_bits = 0;  ///< sar: bits behind a bridge capacitor; 0: one binary array
  double radix = 2.0;            ///< sar: of successive weights; below 2 they overlap
  /// pipeline, cyclic: of the amplifiers that double the residues.
  double amplifier_gain = std::numeric_limits<double>::infinity();
  std::uint32_t columns_per_converter = 1;  ///< neighbours that share one, where columns are kept
};

/// Noise of a converter's decisions, beside that of the sense amplifier, which all decisions of one
/// conversion share.
struct Comparator {
  ConverterKind kind = ConverterKind::flash;
  double noise_sd = 0.0;  ///< [A], normal, fresh at each decision
  /// Of the noise of any two steps of a ramp, 0 .. 1; 0 for the other kinds. The noise of a step is
  /// noise_sd (sqrt(correlation) N_0 + sqrt(1 - correlation) N_j).
  double correlation = 0.0;
  ConverterMismatch mismatch = {};

  double shared_variance() const { return correlation * noise_sd * noise_sd; }  ///< [A^2]
  double decision_sd() const;  ///< [A], of the part that is drawn for each decision
};

/// Whether converters of this kind differ from each other or from an ideal one.
bool has_mismatch(const Comparator& comparator);

/// Which code stands for a current that lies between what two codes stand for.
enum class Rounding {
  nearest,  ///< the lower of two equally near
  down,     ///< the lower one: codes stand for the lower edge of what they are given for
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
  Rounding rounding = Rounding::nearest;

  std::span<const double> at(std::uint32_t active_rows) const;
  /// The code that stands for a MAC value, clamped.
  std::uint32_t ideal_code(std::int64_t mac_value) const;
};

/// What an active row may be where that is more than LRS or HRS: cells of several levels, inputs of
/// several steps, differential pairs. Laws are those of single cells, negated where their current
/// is subtracted; a row adds one independent draw of each law that its state names.
struct RowStates {
  struct State {
    std::int32_t value = 0;            ///< what the row adds to the MAC value
    std::vector<std::uint32_t> cells;  ///< indices of laws
    double share = 0.0;                ///< how often, where nothing else is known; sums to 1
    /// Where codes are subtracted: the row's cells in the other column, not negated.
    std::vector<std::uint32_t> subtracted = {};
  };
  std::vector<core::Law> laws;
  std::vector<State> states;        ///< ascending in value; empty in a binary column
  std::vector<std::uint32_t> idle;  ///< indices of laws of an unselected row
  /// Not 0: two columns, each with a sense amplifier and a converter of its own, whose codes are
  /// subtracted (circuits/weights/code_difference.h): what one step of their difference adds to the
  /// MAC value. What knows one column only refuses it.
  std::int32_t difference_value = 0;

  bool is_digital() const { return difference_value != 0; }
  bool empty() const { return states.empty(); }
  std::int32_t lowest() const { return states.front().value; }
  std::int32_t highest() const { return states.back().value; }
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
  /// Where not empty, it stands for lrs, hrs, leakage and dummy (lrs and hrs still are the highest
  /// and the lowest current of one cell).
  RowStates row_states = {};
  /// What becomes of the sum of the currents. Offset, noise and references are in what it delivers.
  BitLine bit_line = {};
};

/// One kind of independent, identically distributed current in a class, and how many there are.
/// The dummy column's law is negated, so that the bit-line sum is the plain sum of the parts.
struct ColumnPart {
  core::Law law;
  std::uint32_t count = 0;
};

/// The laws of the cells, and how many of each a class has: LRS, HRS, leakage and (negated) dummy
/// where there are any; or those of row_states.
std::vector<core::Law> laws_of(const ColumnDesign& design);
std::vector<std::uint32_t> counts_of(const ColumnDesign& design, ColumnClass column_class);

/// The MAC value of a class.
std::int64_t mac_value(const ColumnDesign& design, const ColumnClass& column_class);

/// Number of a class among all of its column's, for random numbers: 2048 n + k in a binary column
/// (`states` 0), below 2^22; else a number of the counts of its states, below 2^26. Throws
/// UsageError where they are too many.
std::uint64_t class_number(const ColumnClass& column_class, std::size_t states);

/// LRS cells, HRS cells, leakage of the unselected rows, dummy cells; parts with count 0 left out.
std::vector<ColumnPart> parts_of(const ColumnDesign& design, ColumnClass column_class);

/// Mean and variance of the bit-line current of a class, common factor included, before offset and
/// noise [A], [A^2].
double mean_current(const ColumnDesign& design, ColumnClass column_class);
double current_variance(const ColumnDesign& design, ColumnClass column_class);

/// All classes (k, n), 0 <= k <= n, of a binary column, for each n in `active_rows`, ascending in
/// n, then k.
std::vector<ColumnClass> classes_for(std::span<const std::uint32_t> active_rows);

/// What a design has beyond a sum of independent currents that one comparison with each reference
/// reads: another bit line, noise of the comparators or a common factor. Nothing where it has none.
std::optional<std::string> beyond_plain_sum(const ColumnDesign& design);

/// Throws UsageError where rows have more than two states, for what knows LRS and HRS only.
void require_binary(const ColumnDesign& design, std::string_view what);

/// Throws UsageError where it has something, for methods that know of neither.
void require_plain_sum(const ColumnDesign& design, std::string_view method);

/// Throws UsageError when a class does not fit the design, the ladder has not the right size, is
/// not ascending or not finite, or a noise of the comparators or a common factor makes no sense.
void check(const ColumnDesign& design, std::span<const ColumnClass> classes);

}  // namespace cimstat::circuits
