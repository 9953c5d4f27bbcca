#include "experiments/inference/tile_layout.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/column.h"

namespace cimstat::experiments {

TileLayout::TileLayout(std::uint32_t inputs, std::uint32_t positions, const ArrayOptions& options)
    : inputs_(inputs * rows_of_an_input(options.weights)),
      rows_per_read_(options.rows_per_read == 0 ? options.rows : options.rows_per_read) {
  assert(positions > 0 && inputs % positions == 0);
  const std::uint32_t rows_of_each = rows_of_an_input(options.weights);
  std::uint32_t rows = options.rows;
  std::uint32_t period = inputs_;
  if (rows < 1 || rows > circuits::row_limit) {
    throw core::UsageError(core::error_line(
        options.rows_place, fmt::format("{} word lines", rows),
        fmt::format("an array has 1 .. {}", circuits::row_limit), "choose a number in that range"));
  }
  if (rows_per_read_ > rows) {
    throw core::UsageError(core::error_line(
        "accuracy.rows_per_read", fmt::format("{} rows are too many", rows_per_read_),
        fmt::format("a column has {}", rows), "read fewer at a time, or use a longer column"));
  }
  if (rows < rows_of_each || (options.rows_per_read != 0 && rows_per_read_ % rows_of_each != 0)) {
    const bool is_column = rows < rows_of_each;
    throw core::UsageError(core::error_line(
        is_column ? options.rows_place : "accuracy.rows_per_read",
        fmt::format("{} word lines", is_column ? rows : rows_per_read_),
        "\"xnor\" has two of each input, which are read together", "take an even number"));
  }
  if (options.tiling == Tiling::kernel_positions) period = inputs_ / positions;
  if (options.tiling == Tiling::whole_channels && positions > 1) {
    const std::uint32_t window = positions * rows_of_each;
    if (window > rows) {
      throw core::UsageError(core::error_line(
          "accuracy.tiling", fmt::format("a channel's window takes {} rows", window),
          fmt::format("{} gives {}", options.rows_place, rows),
          "use more rows, or tiling = \"im2col\""));
    }
    rows -= rows % window;
  }
  rows -= rows % rows_of_each;
  for (std::uint32_t begin = 0; begin < inputs_; begin += period) {
    for (std::uint32_t first = 0; first < period; first += rows) {
      tiles_.push_back({begin + first, std::min(rows, period - first), plane_words_});
      plane_words_ += words(tiles() - 1);
    }
  }
  parts_ = parts(0);
}

std::uint32_t TileLayout::mask(std::uint32_t part, std::uint32_t word) const {
  const auto below = [word](std::uint32_t row) {
    if (row <= 32 * word) return std::uint32_t{0};
    return row >= 32 * (word + 1) ? ~std::uint32_t{0} : (std::uint32_t{1} << row % 32) - 1;
  };
  return below((part + 1) * rows_per_read_) & ~below(part * rows_per_read_);
}

}  // namespace cimstat::experiments
