#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/law/quantile_table.h"

#include "experiments/inference/chip_cells.h"

/// The inner loops of chip_layer.h: one vector of 16 columns of a tile under the reads of a run of
/// pixels; columns in lanes. All targets give the same bits.
namespace cimstat::experiments {

/// Rows are added four at a time, from tables of the sums of each of the 16 choices among them (the
/// method of the four Russians): eight tables for each word of an input.
inline constexpr std::size_t rows_of_a_choice = 4;
inline constexpr std::size_t choice_table = 16 * group_channels;

/// One read of a run.
struct ChipRead {
  const std::uint32_t* input = nullptr;  ///< [word of the tile]
  std::uint32_t active_rows = 0;         ///< not 0
  std::uint32_t shift = 0;               ///< codes count 2^shift-fold
  std::uint32_t pixel = 0;               ///< of the run
  std::uint32_t position = 0;            ///< of its random words, and of what is made of them
};

/// Noise of one read, in the unit of the currents: normal sd = sqrt(max(0, cells) + sense), sense =
/// max(0, variance + slope I), I the bit-line current without noise. Where `logistic`, the sense
/// part is that of the second draw.
struct ChipNoise {
  float variance = 0.0f;
  float slope = 0.0f;
  bool has_cells = false;
  bool logistic = false;

  bool has_sense() const { return variance > 0.0f; }
  bool has_normal() const { return has_cells || (has_sense() && !logistic); }
  bool has_logistic() const { return has_sense() && logistic; }
};

/// What a vector's reads have in common. Buffers of a run: [position][16 lanes].
struct ChipVector {
  std::span<const ChipRead> reads;
  std::span<const float> tables;  ///< of its cells: choice_table floats for every four rows
  const float* idle = nullptr;    ///< [lane]
  const float* offset = nullptr;  ///< [lane]
  ChipNoise noise;
  std::span<const float> variances;  ///< of a run, of the cells' read noise
  std::span<const float> normal;     ///< of a run: standard deviates
  std::span<const float> logistic;   ///< of a run
};

/// What each choice among four rows adds: its rows' values in row order, from 0 on. `values`:
/// [row][16 lanes], a multiple of four rows.
void build_choices(std::span<const float> values, std::span<float> tables);

/// sums[position][lane] := base[lane] + what the active rows add. Choices are added up in order for
/// each word of the input, and the words' sums in order.
void sum_choices(std::span<const ChipRead> reads, std::span<const float> tables, const float* base,
                 std::span<float> sums);

/// Standard deviates of random words, a multiple of 64; `index` is scratch of as many.
void draw_deviates(const core::QuantileTable& table, std::span<const std::uint32_t> words,
                   std::span<std::uint32_t> index, std::span<float> deviates);

/// currents[position][lane] := ((I + offset) + normal sd * z) + logistic sd * z', I = idle + sum.
void sense_currents(const ChipVector& vector, std::span<float> currents);

/// Where a vector's codes go: + or - code * 2^(plane + shift), to sums[pixel * stride + lane].
struct ChipSums {
  std::int32_t* sums = nullptr;
  std::size_t stride = 0;
  std::uint32_t plane = 0;
  bool negative = false;
};

/// Codes of evenly spaced references, added to the sums.
void add_even_codes(std::span<const ChipRead> reads, std::span<const ChipLadder> ladders,
                    std::span<const float> currents, const ChipSums& to);

/// Known codes[position][lane], added to the sums.
void add_chip_codes(std::span<const ChipRead> reads, std::span<const std::uint32_t> codes,
                    const ChipSums& to);

}  // namespace cimstat::experiments
