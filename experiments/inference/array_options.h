#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "circuits/weights/weighted_count.h"

/// How a network's weighted layers lie on arrays and how these are read.
namespace cimstat::experiments {

/// How signed weights become columns of binary cells.
enum class WeightMapping {
  twos_complement,  ///< one column per bit; the top one counts negatively
  differential,  ///< magnitudes of positive and of negative weights on columns of their own, both
                 ///< read, subtracted
  offset,  ///< one column per bit of w + 2^(bits - 1), whose current is taken with that of a dummy
           ///< column half way between the levels off: k - n / 2 of n active rows, k in LRS
           ///< (NeuroSim). Half the number of active rows is digital logic's to take off.
  biased,  ///< one column per bit of w + 2^(bits - 1), whose codes are LRS counts; 2^(bits - 1)
           ///< times the number of active rows is digital logic's to take off (ISAAC)
  xnor,    ///< weights and inputs -1 and 1: a weight is two cells in opposite states, on two word
           ///< lines that the input and its complement drive. Of n inputs that are there k cells in
           ///< LRS agree, and the sum is 2 k - n (XNOR-SRAM, XNOR-RRAM)
  native,  ///< all bits of a weight, with its sign, in one column, whose sum is converted with its
           ///< sign: a sum of 0 lies in the middle of the converter's range (PIM-QAT)
};

/// Word lines of one input.
constexpr std::uint32_t rows_of_an_input(WeightMapping mapping) {
  return mapping == WeightMapping::xnor ? 2 : 1;
}

/// Which inputs of a convolution share an array. Fully connected layers are cut into runs of `rows`
/// in each way.
enum class Tiling {
  im2col,            ///< runs of `rows` inputs in the order channel, kernel row, kernel column
  whole_channels,    ///< the same, but no channel's window is cut (ASiM; none is dropped here)
  kernel_positions,  ///< each position of the kernel has arrays of its own, with runs of `rows`
                     ///< channels (NeuroSim's "novel" mapping: Peng et al., ISCAS 2019)
};

/// How levels of which one stands for a real 0 drive word lines.
enum class InputSigns {
  zero_point,  ///< as they are; what that level adds is digital logic's to take off
  cycle,       ///< less that level, in two's complement, whose sign bit is a cycle of its own: its
               ///< codes count negatively (ASiM)
};

enum class LayerPlace { analog, digital };

/// What the most significant partial sums are spared. A diagonal holds the pairs of an activation
/// plane and a weight plane at one distance from the two top planes together; the topmost ones are
/// protected (ASiM's hybrid levels).
enum class Protection {
  digital,    ///< counted in exact integers, by logic beside the array
  converter,  ///< converted without errors: what the code stands for is all that is lost (ASiM)
  vote,       ///< read several times, of which one code is made
};

/// One code of several.
enum class VoteRule {
  mode,    ///< the most frequent, the lowest of equally frequent ones (ASiM)
  median,  ///< of an even number the lower of the two in the middle
  mean,    ///< not rounded
};

struct ProtectedDiagonals {
  std::uint32_t count = 0;  ///< so many; 0: nothing is protected
  Protection kind = Protection::digital;
  std::uint32_t votes = 3;  ///< reads, where they vote
  VoteRule rule = VoteRule::median;
};

/// Columns of one layer that differ from those of the others.
struct LayerColumns {
  std::string layer;
  std::uint32_t rows = 0;   ///< as below
  double zero_value = 0.0;  ///< as below
  std::string rows_place;   ///< as below
};

struct ArrayOptions {
  std::uint32_t rows = 0;           ///< word lines of a column
  std::uint32_t rows_per_read = 0;  ///< of them active at a time, at the most; 0: all. Reads of one
                                    ///< column follow each other, and their codes add up.
  std::uint32_t input_bits_per_cycle = 1;  ///< activation bits that drive a row at once: its levels
  InputSigns input_signs = InputSigns::zero_point;
  Tiling tiling = Tiling::im2col;
  WeightMapping weights = WeightMapping::twos_complement;
  std::uint32_t cell_bits = 1;  ///< of a magnitude in each cell of differential columns
  double zero_value = 0.0;      ///< with WeightMapping::offset and native: the MAC value that codes
                                ///< of a column without current stand for, half of the range. Above
                                ///< 0 with xnor: its columns, too, have a dummy column
  /// Of converters, where no noise decides, and of digital logic that rounds to levels.
  circuits::Ties ties = circuits::Ties::up;
  LayerPlace first_layer = LayerPlace::analog;  ///< the first weighted layer
  LayerPlace last_layer = LayerPlace::analog;   ///< the last one
  LayerPlace attention = LayerPlace::digital;   ///< products of two maps, one of them written
  ProtectedDiagonals diagonals = {};
  std::string rows_place = "column.rows";        ///< what gives `rows`, for messages
  std::vector<LayerColumns> layer_columns = {};  ///< of layers with columns of their own
};

}  // namespace cimstat::experiments
