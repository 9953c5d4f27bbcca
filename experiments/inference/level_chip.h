#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"

#include "circuits/column.h"

#include "experiments/inference/aligned_vector.h"
#include "experiments/inference/chip_cells.h"
#include "experiments/inference/column_layer.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/level_options.h"

/// Chips whose cells hold several bits of an offset weight.
///
/// W = w + 2^(bits - 1) is cut into digits d_k of base L = 2^cell_bits, digit 0 the least
/// significant, of which the highest may lack bits; slice k of an output is a column of its own.
/// Conductances are in steps: HRS is (L - 1) / R, LRS is L - 1, R their ratio. A cell's target is
///     G(d) = (1 - 1/R) d + (L - 1) / R
/// and its dummy cell's (L - 1) (1 + 1/R) / 2 (NeuroSim V1.4, in its own order of operations:
/// partial sums often lie on a reference of an observed range, where the last bit of a double
/// decides). A cell of the chip has, beside its target, the deviations that one random word gives
/// of the laws of HRS and LRS, shared out as its target lies between them: with normal laws of one
/// relative sd each level has this relative sd.
///
/// Random words are those of binary chips (chip_cells.h), a slice in place of a weight plane. The
/// cells of a tile's own dummy column, where codes are subtracted, have the words that the dummy
/// cells of the tile's first column would have. They have the spread of their level as others do
/// (NeuroSim's have none). Cells that are redrawn have those of instance 2^47 + 2^46 + 2^32 chip +
/// 2^17 batch + 2^14 bit + layer, bit that of the inputs, and a tile's own dummy column no spread.
namespace cimstat::experiments {

/// What all chips have in common. Immutable.
struct LevelDesign {
  /// Throws UsageError for what ChipDesign refuses, for fresh noise, for offsets, gains, leakage
  /// and mismatched converters, for references that follow the active rows, and for cells whose LRS
  /// conducts no more than HRS.
  LevelDesign(const circuits::ColumnDesign& design, const LevelOptions& wanted);

  double target(std::uint32_t digit) const { return slope * digit + base; }
  double top() const { return static_cast<double>((1U << options.cell_bits) - 1); }

  LevelOptions options;
  ChipDesign chip;          ///< laws of LRS and HRS, less their means what a cell deviates by
  double slope = 0.0;       ///< 1 - 1/R
  double base = 0.0;        ///< (L - 1) / R
  double middle = 0.0;      ///< of a dummy cell
  double hrs_mean = 0.0;    ///< in units of LRS
  double dummy_mean = 0.0;  ///< ... of the macro's own dummy cells
  std::uint32_t codes = 0;
  /// Of converters with the column's range: references and what a code stands for, in steps.
  std::vector<double> references;
  double code_step = 0.0;
  double code_origin = 0.0;
};

/// The columns of one layer on one chip.
struct LevelLayer {
  std::uint32_t slices = 0;
  std::uint32_t width = 0;             ///< columns of a slice: outputs, filled up to 16
  std::vector<std::size_t> first_row;  ///< [tile]
  /// [row][slice][width], less dummy cells where analog; one, or for each bit of the inputs.
  std::vector<AlignedVector<double>> cells;
  std::vector<double> dummy;  ///< [row], of the tile's dummy column; empty where analog

  std::size_t columns() const { return std::size_t{slices} * width; }
  const AlignedVector<double>& cells_of(std::uint32_t bit) const {
    return cells[cells.size() == 1 ? 0 : bit];
  }
};

using LevelNetwork = std::map<std::uint32_t, LevelLayer>;  ///< by the layer's index()

/// Which cells: those of a chip, or of one batch on it where they are redrawn.
struct LevelDraw {
  std::uint32_t chip = 0;
  std::uint32_t batch = 0;  ///< below batch_limit
};
inline constexpr std::uint32_t batch_limit = 1U << 15;

LevelLayer draw_level_layer(const LevelDesign& design, const ColumnLayer& layer,
                            core::StreamKey key, const LevelDraw& draw, core::Threads threads);
/// The layers of one node of the network.
void draw_level_node(const LevelDesign& design, const ForwardPass& pass, std::size_t node,
                     core::StreamKey key, const LevelDraw& draw, core::Threads threads,
                     LevelNetwork& network);

/// Columns that hold weights and are converted for one image.
std::uint64_t level_partial_sums(const ForwardPass& pass, std::uint32_t cell_bits);

}  // namespace cimstat::experiments
