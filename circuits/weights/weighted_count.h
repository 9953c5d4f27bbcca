#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "circuits/column.h"

/// Columns of binary cells whose rows are driven at several levels at once: an input of b bits is
/// one of 2^b - 1 even steps of the full drive.
namespace cimstat::circuits {

/// What the inputs of one read add up to.
struct WeightedCount {
  std::uint32_t value = 0;   ///< m: levels of the rows whose cells are in LRS
  std::uint32_t levels = 0;  ///< A >= m: levels of all rows
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
/// each with a spread of its own.
std::optional<CountObstacle> weighted_count_obstacle(const ColumnDesign& design);

/// Whether P(code) depends on A beside m: cells in HRS or dummy cells conduct.
bool needs_levels(const ColumnDesign& design);

/// P(code | m, A) of `bits` bits that drive a row at once. The reading is that of the sum
///   (m I_LRS + (A - m) I_HRS - A I_dummy) / (2^bits - 1),
/// of shared charge and of ASiM's noise that of m / (2^bits - 1) rows in LRS (ASiM's
/// count-dependent noise too); noise and offset are added in closed form, and codes below 2^-64 at
/// both ends left out. Without noise a reading at a reference lies above it. The design has no
/// obstacle.
CodeWindow weighted_count_law(const ColumnDesign& design, std::uint32_t bits, WeightedCount count);

/// The code that stands for m: that of Ladder::ideal_code, each code worth 2^bits - 1 times as
/// much.
std::uint32_t ideal_weighted_code(const Ladder& ladder, std::uint32_t bits, std::uint32_t value);

}  // namespace cimstat::circuits
