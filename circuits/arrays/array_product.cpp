#include "circuits/arrays/array_product.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/arrays/level_tables.h"
#include "circuits/arrays/product_kernel.h"

namespace cimstat::circuits {

namespace {

constexpr std::uint64_t blocks_of_a_product = array_row_limit / 4;
constexpr std::uint64_t first_fast_block = std::uint64_t{1} << 36;
constexpr std::uint64_t blocks_of_a_fast_tile = 16;
constexpr std::uint64_t first_sum_block = std::uint64_t{1} << 37;
static_assert(product_limit * blocks_of_a_product <= first_sum_block);
static_assert(first_sum_block + product_limit / products_of_a_group <= core::block_limit);
static_assert(first_fast_block + blocks_of_a_fast_tile * product_limit <= core::block_limit);

TileCells cells_of(const NoisyArray& array, std::size_t tile) {
  return {array.conductance.tile(tile), array.noise_sd.tile(tile)};
}

void store(const TileRow& tile_sums, std::size_t tile, std::span<float> sums) {
  const std::size_t first = tile * tile_columns;
  const std::size_t count = std::min(tile_columns, sums.size() - first);
  std::copy_n(tile_sums.data(), count, sums.begin() + static_cast<std::ptrdiff_t>(first));
}

CellNoise cell_noise(const ProductOptions& options, std::uint64_t product, std::size_t words) {
  CellNoise noise{&standard_normal_table(), {}, options.stream};
  noise.schedule = options.stream == core::Stream::philox
                       ? core::BlockSchedule(options.place.key, core::Domain::read_noise,
                                             blocks_of_a_product * product, (words + 3) / 4)
                       : core::BlockSchedule(options.place.key, core::Domain::stream_seed,
                                             first_fast_block + blocks_of_a_fast_tile * product, 0);
  return noise;
}

void multiply_one(const NoisyArray& array, std::span<const std::uint8_t> inputs,
                  const ProductOptions& options, std::uint64_t product, std::size_t first_tile,
                  std::size_t end_tile, std::span<float> sums) {
  std::vector<ActiveRow> rows;
  rows.reserve(inputs.size());
  for (std::uint32_t row = 0; row < inputs.size(); ++row) {
    if (inputs[row] != 0) rows.push_back({row, static_cast<float>(inputs[row])});
  }
  const CellNoise noise = cell_noise(options, product, rows.size());
  TileRow tile_sums;
  for (std::size_t tile = first_tile; tile < end_tile; ++tile) {
    multiply_tile(cells_of(array, tile), rows, noise, options.place.first_instance(tile),
                  tile_sums);
    store(tile_sums, tile, sums);
  }
}

void multiply_several(const NoisyArray& array, std::span<const std::uint8_t> inputs,
                      const ProductOptions& options, std::uint64_t first_product,
                      std::size_t first_tile, std::size_t end_tile, std::span<float> sums) {
  const ArrayShape shape = array.conductance.shape();
  const std::size_t products = inputs.size() / shape.rows;
  std::vector<InputGroup> group_inputs(shape.rows, InputGroup{});
  for (std::size_t product = 0; product < products; ++product) {
    for (std::size_t row = 0; row < shape.rows; ++row) {
      group_inputs[row][product] = static_cast<float>(inputs[product * shape.rows + row]);
    }
  }
  GroupSums group;
  for (std::size_t tile = first_tile; tile < end_tile; ++tile) {
    const TileCells cells = cells_of(array, tile);
    if (options.noise == NoiseDraw::none) {
      multiply_group(cells, group_inputs, group);
    } else {
      const core::BlockSchedule schedule(options.place.key, core::Domain::read_noise,
                                         first_sum_block + first_product / products_of_a_group, 1);
      multiply_group_with_variance(cells, group_inputs, group);
      add_sum_noise(standard_normal_table(), schedule, options.place.first_instance(tile), group);
    }
    for (std::size_t product = 0; product < products; ++product) {
      store(group.sums[product], tile, sums.subspan(product * shape.columns, shape.columns));
    }
  }
}

/// Work is cut at products, or at tiles where there are too few of those for all threads.
std::size_t tiles_of_a_block(std::size_t tiles, std::size_t items, core::Threads threads) {
  return items >= 4 * std::size_t{core::resolved(threads)} ? tiles : 1;
}

}  // namespace

NoisyArray with_relative_noise(ArrayPlane conductance, double relative_sd) {
  NoisyArray array{std::move(conductance), {}};
  array.noise_sd = array.conductance;
  for (std::size_t tile = 0; tile < array.noise_sd.shape().tiles(); ++tile) {
    for (TileRow& row : array.noise_sd.tile(tile)) {
      for (float& value : row.column) {
        value = std::abs(value) * static_cast<float>(relative_sd);
      }
    }
  }
  return array;
}

NoisyArray difference(const NoisyArray& positive, const NoisyArray& negative) {
  assert(positive.conductance.shape() == negative.conductance.shape());
  NoisyArray signed_array = positive;
  for (std::size_t tile = 0; tile < positive.conductance.shape().tiles(); ++tile) {
    const std::span<TileRow> conductance = signed_array.conductance.tile(tile);
    const std::span<TileRow> noise = signed_array.noise_sd.tile(tile);
    for (std::size_t row = 0; row < conductance.size(); ++row) {
      for (std::size_t c = 0; c < tile_columns; ++c) {
        conductance[row].column[c] -= negative.conductance.tile(tile)[row].column[c];
        const float other = negative.noise_sd.tile(tile)[row].column[c];
        float& sd = noise[row].column[c];
        sd = std::sqrt(sd * sd + other * other);
      }
    }
  }
  return signed_array;
}

void multiply(const NoisyArray& array, std::span<const std::uint8_t> inputs,
              const ProductOptions& options, std::span<float> sums) {
  const ArrayShape shape = array.conductance.shape();
  check(options.place, shape);
  assert(options.noise == NoiseDraw::none || array.noise_sd.shape() == shape);
  assert(inputs.size() % shape.rows == 0);
  const std::size_t products = inputs.size() / shape.rows;
  assert(sums.size() == products * shape.columns);
  if (options.first_product + products > product_limit) {
    throw core::UsageError(core::error_line(
        "array", fmt::format("products up to {} have no noise", options.first_product + products),
        fmt::format("an array gives at most {}", product_limit), "use another chip or seed"));
  }
  const bool is_single = options.noise == NoiseDraw::per_cell;
  assert(options.noise != NoiseDraw::per_sum || options.first_product % products_of_a_group == 0);
  const std::size_t step = is_single ? 1 : products_of_a_group;
  const std::size_t items = (products + step - 1) / step;
  const std::size_t stride = tiles_of_a_block(shape.tiles(), items, options.threads);
  const std::size_t parts = (shape.tiles() + stride - 1) / stride;
  core::for_each_block(items * parts, options.threads, [&](std::size_t block, std::size_t) {
    const std::size_t product = block / parts * step;
    const std::size_t count = std::min(step, products - product);
    const std::size_t first_tile = block % parts * stride;
    const std::size_t end_tile = std::min(shape.tiles(), first_tile + stride);
    const auto from = inputs.subspan(product * shape.rows, count * shape.rows);
    const auto to = sums.subspan(product * shape.columns, count * shape.columns);
    const std::uint64_t number = options.first_product + product;
    if (is_single) {
      multiply_one(array, from, options, number, first_tile, end_tile, to);
    } else {
      multiply_several(array, from, options, number, first_tile, end_tile, to);
    }
  });
}

std::vector<std::uint8_t> bit_planes(std::span<const std::uint8_t> inputs, std::uint32_t rows,
                                     unsigned bits) {
  assert(bits > 0 && bits <= 8 && inputs.size() % rows == 0);
  std::vector<std::uint8_t> planes;
  planes.reserve(inputs.size() * bits);
  for (std::size_t first = 0; first < inputs.size(); first += rows) {
    for (unsigned bit = 0; bit < bits; ++bit) {
      for (std::size_t row = 0; row < rows; ++row) {
        planes.push_back(static_cast<std::uint8_t>(inputs[first + row] >> bit & 1U));
      }
    }
  }
  return planes;
}

void convert(std::span<const float> sums, const CodeSearch& search,
             std::span<std::uint32_t> codes) {
  assert(codes.size() == sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) codes[i] = search(sums[i]);
}

std::vector<std::int64_t> shift_and_add(std::span<const std::uint32_t> codes, std::uint32_t columns,
                                        unsigned bits) {
  const std::size_t of_a_product = std::size_t{columns} * bits;
  assert(codes.size() % of_a_product == 0);
  std::vector<std::int64_t> totals(codes.size() / bits, 0);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t product = i / of_a_product;
    const std::size_t bit = i % of_a_product / columns;
    totals[product * columns + i % columns] += std::int64_t{codes[i]} << bit;
  }
  return totals;
}

}  // namespace cimstat::circuits
