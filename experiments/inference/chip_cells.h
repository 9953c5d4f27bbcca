#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/law/quantile_table.h"
#include "core/parallel.h"
#include "core/random/random.h"

#include "circuits/column.h"
#include "circuits/converters/converter_circuit.h"
#include "circuits/sampled/code_search.h"

#include "experiments/inference/aligned_vector.h"
#include "experiments/inference/column_layer.h"

/// What is frozen on a chip that holds a network: each column's own cells, offset, gain and
/// converter.
///
/// Frozen and fresh are those of circuits/columns/frozen_pool.h: of a cell's current all is frozen
/// (programming, stuck cells, telegraph states) but its relative read noise; offset and gain of a
/// sense amplifier are the column's, a common factor without gain the chip's, mismatch that of the
/// converter, which columns_per_converter neighbours share. Published simulators draw a cell's
/// variation anew at each forward pass or input bit (NeuroSim, ASiM): that is noise, and averages
/// out where a chip's does not.
///
/// Place of a column in a layer: u = (tile * vectors + vector) * 16 + lane, a vector being a weight
/// plane of 16 channels (column_kernel.h). Lanes without a channel have no cells. A column has
/// design.rows word lines; those that a tile leaves out are never selected.
///
/// Random words, by Philox, of layer l (its node's number) on chip c, with I(c, l) = 2^47 + 2^14 c
/// + l, so that they depend on (seed, chip, layer, place) alone, never on images, reads or threads:
/// - cells: word r of (Domain::column_cells, I(c, l)) from block 1024 u + 256 q on, row r; q = 0
/// the
///   row's cell, by the law of the state that its weight asks for; 1 its current when unselected; 2
///   its dummy cell.
/// - offset: word 0 of block u of (Domain::column_offset, I(c, l)).
/// - factor: word 0 of (Domain::die_factor, I(c, 0)), block 0, of the chip; of a column's gain word
///   0 of block u of (Domain::die_factor, I(c, l)).
/// - converter v of layer l: instance 2^47 + 2^33 c + 2^19 l + v, as converter_draws() says; v =
///   tile * ceil(16 vectors / s) + (u mod 16 vectors) / s, where s columns of a tile share one.
namespace cimstat::experiments {

inline constexpr std::uint32_t chip_limit = 1U << 14;
/// Apart from those of pools of columns, arrays and trials.
inline constexpr std::uint64_t chip_instances = std::uint64_t{1} << 47;
inline constexpr std::uint64_t blocks_of_a_chip_column = 1024;

constexpr std::uint64_t chip_instance(std::uint32_t chip, std::uint32_t layer) {
  return chip_instances + (std::uint64_t{chip} << 14) + layer;
}

/// References of one number of active rows.
struct ChipLadder {
  circuits::CodeSearch search;
  /// Evenly spaced (to 1e-6 steps): code = trunc(clamp((x - low) * scale + 1, 0, last)), in float.
  bool is_even = false;
  float low = 0.0f;
  float scale = 0.0f;
  float last = 0.0f;
};

/// A column design made ready for chips: what all of them have in common. Immutable. Currents are
/// floats, in units of the mean LRS current.
struct ChipDesign {
  /// Throws UsageError for what no frozen chip can be made of: another bit line, rows of more than
  /// two states, noise at each decision of a converter, read noise that depends on the conductance,
  /// converters with mismatch whose references follow the active rows.
  explicit ChipDesign(const circuits::ColumnDesign& design);

  struct Current {
    std::optional<core::QuantileTable> table;  ///< nothing where all are `constant`
    float constant = 0.0f;
    float relative_noise = 0.0f;
    float operator()(std::uint32_t word) const { return table ? (*table)(word) : constant; }
  };

  std::uint32_t rows = 0;
  std::uint32_t codes = 0;
  double code_step = 1.0;
  double code_origin = 0.0;
  double unit = 1.0;  ///< [A]
  Current lrs;
  Current hrs;
  std::optional<Current> leakage;
  std::optional<Current> dummy;
  bool has_read_noise = false;
  float offset_sd = 0.0f;
  float factor_sd = 0.0f;
  bool own_gain = false;  ///< the factor is each column's, not the chip's
  float noise_sd = 0.0f;
  float per_knee = 0.0f;  ///< 1 / noise_knee; 0 for constant noise
  core::QuantileTable normal;
  std::optional<core::QuantileTable> logistic;  ///< of the sense noise, where it is no normal
  std::vector<ChipLadder> ladders;              ///< one for all n, or [n]
  std::optional<circuits::ConverterCircuit> converter;  ///< where converters differ
  float first_reference = 0.0f;
  float reference_step = 0.0f;  ///< of its positions
  std::uint32_t columns_per_converter = 1;

  const ChipLadder& ladder(std::uint32_t active_rows) const {
    return ladders[ladders.size() == 1 ? 0 : active_rows];
  }
};

/// A converter's code, from each of these currents on.
struct ConverterCurve {
  std::vector<float> from;  ///< ascending; the first is -infinity
  std::vector<std::uint32_t> code;

  std::uint32_t operator()(float current) const;
};

/// The columns of one layer on one chip. `rows_of(tile)` is the tile's height, rounded up to four;
/// what is added has no current.
struct ChipLayer {
  /// [tile][vector][row][lane]: what selecting the row adds to the column's current, factor *
  /// ((cell - leakage) - dummy).
  AlignedVector<float> cells;
  /// ... to the variance of its read noise: (factor * noise * current)^2 of the cell and the dummy
  /// cell, less the leakage's. Empty without read noise.
  AlignedVector<float> variances;
  AlignedVector<float> idle;           ///< [u]: current with no row selected
  AlignedVector<float> idle_variance;  ///< [u]; empty without read noise
  AlignedVector<float> offset;         ///< [u]
  std::vector<std::size_t> first_row;  ///< [tile]: where its rows begin, in rows of a vector
  std::vector<ConverterCurve> converters;
  std::vector<std::uint32_t> converter_of;  ///< [u]; empty where converters are alike
};

/// Throws UsageError where the layer has more columns or converters than the contract numbers.
void check_chip_layer(const ChipDesign& design, const ColumnLayer& layer);

/// The layer on chip `chip`, below chip_limit.
ChipLayer draw_chip_layer(const ChipDesign& design, const ColumnLayer& layer, core::StreamKey key,
                          std::uint32_t chip, core::Threads threads);

}  // namespace cimstat::experiments
