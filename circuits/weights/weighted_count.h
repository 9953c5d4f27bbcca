#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "circuits/column.h"

/// Columns whose rows count more than 0 or 1: an input of b bits drives a row at one of 2^b - 1
/// even steps of the full drive, and a cell that holds several bits of a weight conducts at one of
/// even steps from HRS to LRS.
namespace cimstat::circuits {

/// What the inputs of one read add up to. A row at full drive with a full cell adds `span`.
struct WeightedCount {
  std::int64_t value = 0;    ///< m: of the rows' levels, each times that of its cell
  std::uint32_t levels = 0;  ///< A >= m: of the rows' levels, each times that of a full cell
};

/// What a cell adds to a count.
enum class CellValues {
  binary,         ///< 0 or 1
  levels,         ///< several bits of a magnitude
  signed_levels,  ///< a weight with its sign; a sum of 0 lies in the middle of the range
};

/// Which code a reading at a reference gets, where no noise decides.
enum class Ties {
  up,    ///< the one above
  even,  ///< the even one of both, as ASiM rounds
};

struct TieRule {
  Ties ties = Ties::up;
  std::uint32_t zero_code = 0;  ///< that even codes are counted from
};

/// Codes `first`, `first` + 1 ... and their probabilities.
struct CodeWindow {
  std::uint32_t first = 0;
  std::vector<double> probability;
};

struct CountObstacle {
  std::string why;
  std::string remedy;
};

/// Why P(code) of a column does not follow from the weighted count alone, or nothing where it does.
/// Cells that vary are the main reason: one count is made of many numbers of rows at each level,
/// each with a spread of its own. Remedies end in `otherwise`: what would do on this column.
std::optional<CountObstacle> weighted_count_obstacle(const ColumnDesign& design, CellValues cells,
                                                     std::string_view otherwise);

/// Whether P(code) depends on A beside m: cells in HRS or dummy cells conduct.
bool needs_levels(const ColumnDesign& design);

/// P(code | m, A). The reading is that of the sum
///   (m I_LRS + (A - m) I_HRS - A I_dummy) / span,
/// of shared charge and of ASiM's noise that of m / span rows in LRS (ASiM's count-dependent noise
/// too); noise and offset are added in closed form, and codes below 2^-64 at both ends left out.
/// The design has no obstacle.
CodeWindow weighted_count_law(const ColumnDesign& design, std::uint32_t span, WeightedCount count,
                              const TieRule& rule = {});

/// The code that stands for m: that of Ladder::ideal_code, each code worth `span` times as much;
/// with Ties::even the even one of two equally near.
std::uint32_t ideal_weighted_code(const Ladder& ladder, std::uint32_t span, std::uint32_t value,
                                  Ties ties = Ties::up);

}  // namespace cimstat::circuits
