#include "circuits/arrays/product_kernel.h"

#include <algorithm>
#include <cassert>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "circuits/arrays/product_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"
#include "core/random/philox-inl.h"
#include "core/random/xoshiro-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::circuits::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace kernel = core::HWY_NAMESPACE;
using Lanes = hn::CappedTag<float, 16>;

/// Random words are made this many rows at a time, then used.
constexpr std::size_t chunk_rows = 16;

struct alignas(64) ChunkMemory {
  std::uint32_t words[chunk_rows * tile_columns];
  std::uint32_t index[chunk_rows * tile_columns];
  kernel::PhiloxTile philox;
  kernel::FastTile fast;
};

/// input * (conductance + noise_sd * z), where words and indices, sd and mean stand in memory.
HWY_INLINE kernel::QuantileVector noisy_current(
    const core::QuantileTable::Segment* HWY_RESTRICT segments,
    const std::uint32_t* HWY_RESTRICT words, const std::uint32_t* HWY_RESTRICT index,
    const float* HWY_RESTRICT sd, const float* HWY_RESTRICT mean, kernel::QuantileVector input) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  const auto t = kernel::signed_tails(hn::Load(du, words));
  const auto z = kernel::line_values(segments, index, t);
  return hn::Mul(input, hn::Add(hn::Load(df, mean), hn::Mul(hn::Load(df, sd), z)));
}

/// Adds the currents of a chunk's rows. A row is used up before the next one, so that its cells
/// come in streams.
HWY_INLINE void add_rows(const TileCells& cells, std::span<const ActiveRow> rows,
                         const core::QuantileTable& normal, const ChunkMemory& chunk,
                         float* HWY_RESTRICT sums) {
  const kernel::QuantileLanes df;
  const core::QuantileTable::Segment* HWY_RESTRICT segments = normal.segments().data();
  const TileRow* HWY_RESTRICT noise_sd = cells.noise_sd.data();
  const TileRow* HWY_RESTRICT conductance = cells.conductance.data();
  const std::size_t lanes = hn::Lanes(df);
  for (std::size_t lane = 0; lane < tile_columns; lane += 2 * lanes) {
    auto sum0 = hn::Load(df, sums + lane);
    auto sum1 = hn::Load(df, sums + lane + lanes);
    const std::uint32_t* HWY_RESTRICT words = chunk.words + lane;
    const std::uint32_t* HWY_RESTRICT index = chunk.index + lane;
    for (const ActiveRow& row : rows) {
      const float* HWY_RESTRICT sd = noise_sd[row.row].data() + lane;
      const float* HWY_RESTRICT mean = conductance[row.row].data() + lane;
      const auto input = hn::Set(df, row.input);
      sum0 = hn::Add(sum0, noisy_current(segments, words, index, sd, mean, input));
      sum1 = hn::Add(sum1, noisy_current(segments, words + lanes, index + lanes, sd + lanes,
                                         mean + lanes, input));
      words += tile_columns;
      index += tile_columns;
    }
    hn::Store(sum0, df, sums + lane);
    hn::Store(sum1, df, sums + lane + lanes);
  }
}

void multiply_tile_here(const TileCells& cells, std::span<const ActiveRow> rows,
                        const CellNoise& noise, std::uint64_t first_instance, TileRow& sums) {
  ChunkMemory chunk;
  const bool is_philox = noise.stream == core::Stream::philox;
  if (is_philox) {
    kernel::begin_tile(noise.schedule, first_instance, chunk.philox);
  } else {
    kernel::begin_tile(noise.schedule.key(), noise.schedule.first_block(), first_instance,
                       chunk.fast);
  }
  std::fill_n(sums.data(), tile_columns, 0.0f);
  for (std::size_t first = 0; first < rows.size(); first += chunk_rows) {
    const std::size_t count = std::min(chunk_rows, rows.size() - first);
    if (is_philox) {
      kernel::fill_words(noise.schedule, chunk.philox, first / 4, (count + 3) / 4, chunk.words);
    } else {
      kernel::fill_words(chunk.fast, count, chunk.words);
    }
    kernel::store_segment_indices(chunk.words, count * tile_columns, chunk.index);
    add_rows(cells, rows.subspan(first, count), *noise.normal, chunk, sums.data());
  }
}

enum class Moments { mean, mean_and_variance };

template <Moments moments>
HWY_INLINE void multiply_lanes(const TileCells& cells, std::span<const InputGroup> inputs,
                               std::size_t lane, GroupSums& group) {
  static_assert(products_of_a_group == 4);
  const Lanes df;
  auto sum0 = hn::Zero(df);
  auto sum1 = hn::Zero(df);
  auto sum2 = hn::Zero(df);
  auto sum3 = hn::Zero(df);
  auto variance0 = hn::Zero(df);
  auto variance1 = hn::Zero(df);
  auto variance2 = hn::Zero(df);
  auto variance3 = hn::Zero(df);
  const auto add_to = [df](float input, auto conductance, auto sd, auto& sum, auto& variance)
                          HWY_ATTR {
                            const auto x = hn::Set(df, input);
                            sum = hn::Add(sum, hn::Mul(x, conductance));
                            if constexpr (moments == Moments::mean_and_variance) {
                              const auto share = hn::Mul(x, sd);
                              variance = hn::Add(variance, hn::Mul(share, share));
                            }
                          };
  for (std::size_t row = 0; row < inputs.size(); ++row) {
    const auto conductance = hn::Load(df, cells.conductance[row].data() + lane);
    auto sd = hn::Zero(df);
    if constexpr (moments == Moments::mean_and_variance) {
      sd = hn::Load(df, cells.noise_sd[row].data() + lane);
    }
    const InputGroup& input = inputs[row];
    add_to(input[0], conductance, sd, sum0, variance0);
    add_to(input[1], conductance, sd, sum1, variance1);
    add_to(input[2], conductance, sd, sum2, variance2);
    add_to(input[3], conductance, sd, sum3, variance3);
  }
  hn::Store(sum0, df, group.sums[0].data() + lane);
  hn::Store(sum1, df, group.sums[1].data() + lane);
  hn::Store(sum2, df, group.sums[2].data() + lane);
  hn::Store(sum3, df, group.sums[3].data() + lane);
  hn::Store(variance0, df, group.variances[0].data() + lane);
  hn::Store(variance1, df, group.variances[1].data() + lane);
  hn::Store(variance2, df, group.variances[2].data() + lane);
  hn::Store(variance3, df, group.variances[3].data() + lane);
}

void multiply_group_here(const TileCells& cells, std::span<const InputGroup> inputs,
                         GroupSums& group) {
  for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(Lanes())) {
    multiply_lanes<Moments::mean>(cells, inputs, lane, group);
  }
}

void multiply_group_with_variance_here(const TileCells& cells, std::span<const InputGroup> inputs,
                                       GroupSums& group) {
  for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(Lanes())) {
    multiply_lanes<Moments::mean_and_variance>(cells, inputs, lane, group);
  }
}

void add_sum_noise_here(const core::QuantileTable& normal, const core::BlockSchedule& schedule,
                        std::uint64_t first_instance, GroupSums& group) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  ChunkMemory chunk;
  kernel::begin_tile(schedule, first_instance, chunk.philox);
  kernel::fill_words(schedule, chunk.philox, 0, 1, chunk.words);
  kernel::store_segment_indices(chunk.words, products_of_a_group * tile_columns, chunk.index);
  for (std::size_t product = 0; product < products_of_a_group; ++product) {
    for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(df)) {
      const std::size_t i = product * tile_columns + lane;
      const auto t = kernel::signed_tails(hn::Load(du, chunk.words + i));
      const auto z = kernel::line_values(normal.segments().data(), chunk.index + i, t);
      const auto sd = hn::Sqrt(hn::Load(df, group.variances[product].data() + lane));
      float* sum = group.sums[product].data() + lane;
      hn::Store(hn::Add(hn::Load(df, sum), hn::Mul(sd, z)), df, sum);
    }
  }
}

}  // namespace cimstat::circuits::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::circuits {

HWY_EXPORT(multiply_tile_here);
HWY_EXPORT(multiply_group_here);
HWY_EXPORT(multiply_group_with_variance_here);
HWY_EXPORT(add_sum_noise_here);

void multiply_tile(const TileCells& cells, std::span<const ActiveRow> rows, const CellNoise& noise,
                   std::uint64_t first_instance, TileRow& sums) {
  assert(first_instance % tile_columns == 0);
  HWY_DYNAMIC_DISPATCH(multiply_tile_here)(cells, rows, noise, first_instance, sums);
}

void multiply_group(const TileCells& cells, std::span<const InputGroup> inputs, GroupSums& group) {
  assert(inputs.size() == cells.conductance.size());
  HWY_DYNAMIC_DISPATCH(multiply_group_here)(cells, inputs, group);
}

void multiply_group_with_variance(const TileCells& cells, std::span<const InputGroup> inputs,
                                  GroupSums& group) {
  assert(inputs.size() == cells.conductance.size());
  assert(inputs.size() == cells.noise_sd.size());
  HWY_DYNAMIC_DISPATCH(multiply_group_with_variance_here)(cells, inputs, group);
}

void add_sum_noise(const core::QuantileTable& normal, const core::BlockSchedule& schedule,
                   std::uint64_t first_instance, GroupSums& group) {
  assert(first_instance % tile_columns == 0);
  HWY_DYNAMIC_DISPATCH(add_sum_noise_here)(normal, schedule, first_instance, group);
}

}  // namespace cimstat::circuits
#endif
