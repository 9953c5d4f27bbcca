#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include <boost/random/discrete_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>

#include "circuits/error_table.h"

#include "experiments/inference/forward_pass.h"

namespace cimstat::experiments {

inline constexpr unsigned bits = 4;

/// Misreads by one up and one down, each with probability `misread`, but at the ends.
inline circuits::ErrorTable bench_table(std::uint32_t rows, double misread) {
  circuits::ErrorTable table;
  table.codes = rows + 1;
  for (std::uint32_t n = 1; n <= rows; ++n) {
    for (std::uint32_t k = 0; k <= n; ++k) table.classes.push_back({k, n});
  }
  table.probability.assign(table.size() * table.codes, 0.0);
  for (std::size_t i = 0; i < table.size(); ++i) {
    double* row = table.probability.data() + i * table.codes;
    const std::uint32_t k = table.classes[i].lrs_count;
    row[k] = 1.0;
    if (k == 0 || k == rows) continue;
    row[k - 1] = row[k + 1] = misread;
    row[k] = 1.0 - 2.0 * misread;
  }
  return table;
}

/// Codes of whole layers of 4-bit two's complement weights and 4-bit activations, the obvious way.
class NaiveLayers : public LayerSource {
 public:
  NaiveLayers(std::uint32_t rows, double misread) {
    const circuits::ErrorTable table = bench_table(rows, misread);
    for (std::size_t i = 0; i < table.size(); ++i) {
      laws_.emplace_back(table.row(i), table.row(i) + table.codes);
    }
  }

  void estimate(const ColumnLayer& layer, std::span<const std::uint8_t> map, const DrawOrigin&,
                std::span<double> estimates) override {
    const PatchGeometry& geometry = layer.geometry();
    const TileLayout& layout = layer.layout();
    const std::vector<std::uint8_t>& cells = cells_of(layer);
    std::vector<std::uint8_t> padded;
    geometry.pad(map, padded);
    std::vector<std::uint8_t> patch(geometry.patch_size());
    std::vector<std::uint8_t> active(std::size_t{bits} * layout.inputs());
    const std::uint32_t outputs = layer.groups().channels;
    for (std::uint32_t pixel = 0; pixel < geometry.pixels(); ++pixel) {
      geometry.patch(padded, pixel, patch);
      for (unsigned i = 0; i < bits; ++i) {
        for (std::uint32_t row = 0; row < layout.inputs(); ++row) {
          active[i * layout.inputs() + row] = patch[row] >> i & 1U;
        }
      }
      for (std::uint32_t output = 0; output < outputs; ++output) {
        int sum = 0;
        for (std::uint32_t tile = 0; tile < layout.tiles(); ++tile) {
          for (unsigned i = 0; i < bits; ++i) {
            const std::uint8_t* x = active.data() + i * layout.inputs() + layout.first_input(tile);
            std::uint32_t n = 0;
            for (std::uint32_t row = 0; row < layout.height(tile); ++row) n += x[row];
            if (n == 0) continue;
            for (unsigned j = 0; j < bits; ++j) {
              const std::uint8_t* w = cells.data() +
                                      (std::size_t{output} * bits + j) * layout.inputs() +
                                      layout.first_input(tile);
              std::uint32_t k = 0;
              for (std::uint32_t row = 0; row < layout.height(tile); ++row) k += x[row] & w[row];
              const int code = laws_[n * (n + 1) / 2 - 1 + k](random_);
              sum += j + 1 == bits ? -(code << (i + j)) : code << (i + j);
            }
          }
        }
        estimates[std::size_t{output} * geometry.pixels() + pixel] = sum;
      }
    }
  }

 private:
  /// 0/1 bytes [output][plane][input].
  const std::vector<std::uint8_t>& cells_of(const ColumnLayer& layer) {
    std::vector<std::uint8_t>& cells = cells_[layer.index()];
    if (!cells.empty()) return cells;
    const TileLayout& layout = layer.layout();
    const WeightPlanes& weights = layer.weights();
    cells.resize(std::size_t{weights.outputs} * bits * layout.inputs());
    for (std::uint32_t tile = 0; tile < layout.tiles(); ++tile) {
      for (std::uint32_t output = 0; output < weights.outputs; ++output) {
        for (std::uint32_t plane = 0; plane < bits; ++plane) {
          const std::size_t vector = output / group_channels * weights.planes + plane;
          const std::uint32_t* words = weights.words.data() + weights.tile_begin[tile] +
                                       vector * layout.words(tile) * group_channels;
          for (std::uint32_t row = 0; row < layout.height(tile); ++row) {
            const std::size_t at = (std::size_t{output} * bits + plane) * layout.inputs();
            cells[at + layout.first_input(tile) + row] =
                words[row / 32 * group_channels + output % group_channels] >> row % 32 & 1U;
          }
        }
      }
    }
    return cells;
  }

  std::vector<boost::random::discrete_distribution<int>> laws_;
  std::map<std::uint32_t, std::vector<std::uint8_t>> cells_;
  boost::random::mt19937 random_{1};
};

}  // namespace cimstat::experiments
