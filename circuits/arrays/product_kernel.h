#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/law/quantile_table.h"
#include "core/random/random.h"

#include "circuits/columns/pool_kernel.h"

/// The inner loops of array_product.h: a tile of 64 columns, columns in lanes, rows in the loops.
namespace cimstat::circuits {

/// The conductances of a tile and the standard deviations of their read noise, [row].
struct TileCells {
  std::span<const TileRow> conductance;
  std::span<const TileRow> noise_sd;
};

/// A row whose input is not 0.
struct ActiveRow {
  std::uint32_t row = 0;
  float input = 0.0f;
};

/// Fresh noise of each cell: the active rows in order take words 0, 1, 2 ... of the schedule.
struct CellNoise {
  const core::QuantileTable* normal = nullptr;
  core::BlockSchedule schedule;
  core::Stream stream = core::Stream::philox;
};

/// sums[column] = sum over active rows of input * (conductance + noise_sd * z).
void multiply_tile(const TileCells& cells, std::span<const ActiveRow> rows, const CellNoise& noise,
                   std::uint64_t first_instance, TileRow& sums);

/// Inputs of several products, read side by side. `inputs` [row][product].
inline constexpr std::size_t products_of_a_group = 4;
using InputGroup = std::array<float, products_of_a_group>;
struct GroupSums {
  std::array<TileRow, products_of_a_group> sums;
  std::array<TileRow, products_of_a_group> variances;
};

/// The same without noise.
void multiply_group(const TileCells& cells, std::span<const InputGroup> inputs, GroupSums& group);
/// ... and the variances of the sums' noise.
void multiply_group_with_variance(const TileCells& cells, std::span<const InputGroup> inputs,
                                  GroupSums& group);
/// One normal draw for each sum: product p of the group takes word p of the schedule's block
/// `block`.
void add_sum_noise(const core::QuantileTable& normal, const core::BlockSchedule& schedule,
                   std::uint64_t first_instance, GroupSums& group);

}  // namespace cimstat::circuits
