#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "experiments/inference/array_options.h"

namespace cimstat::experiments {

/// How the inputs of one output pixel lie on word lines. Tilings number the inputs in an order of
/// their own (PatchOrder of bit_planes.h); `period` of them at a time are cut into tiles of up to
/// `rows`, so that no tile holds inputs of two periods. A tile is a column's rows; its first input
/// is row 0. The bits of a tile begin with a 32-bit word; row r is bit r % 32 of word r / 32.
///
/// A tile is read in parts of up to rows_per_read neighbouring rows, one after the other.
///
/// With WeightMapping::xnor input i lies on rows 2 i and 2 i + 1, which no tile and no part takes
/// apart; inputs are counted as rows here.
class TileLayout {
 public:
  /// A convolution's, with so many positions in its kernel; `inputs` are channels x positions.
  /// Throws UsageError unless 1 <= rows <= circuits::row_limit, rows_per_read <= rows, and the rows
  /// hold a whole channel where the tiling asks for it, an input in any case.
  TileLayout(std::uint32_t inputs, std::uint32_t positions, const ArrayOptions& options);

  std::uint32_t inputs() const { return inputs_; }
  std::uint32_t tiles() const { return static_cast<std::uint32_t>(tiles_.size()); }
  /// Rows in use; the first tile has the most.
  std::uint32_t height(std::uint32_t tile) const { return tiles_[tile].height; }
  std::uint32_t words(std::uint32_t tile) const { return (height(tile) + 31) / 32; }
  /// Runs of eight rows.
  std::uint32_t bytes(std::uint32_t tile) const { return (height(tile) + 7) / 8; }
  std::uint32_t first_input(std::uint32_t tile) const { return tiles_[tile].first_input; }
  /// Where a tile's words begin in a plane of `plane_words()` words.
  std::uint32_t first_word(std::uint32_t tile) const { return tiles_[tile].first_word; }
  std::uint32_t plane_words() const { return plane_words_; }

  std::uint32_t rows_per_read() const { return rows_per_read_; }
  std::uint32_t parts(std::uint32_t tile) const {
    return (height(tile) + rows_per_read_ - 1) / rows_per_read_;
  }
  /// Of the fullest tile: numbers of reads leave room for as many in each.
  std::uint32_t parts() const { return parts_; }
  /// The rows of word `word` of a tile that part `part` reads.
  std::uint32_t mask(std::uint32_t part, std::uint32_t word) const;

 private:
  struct Tile {
    std::uint32_t first_input = 0;
    std::uint32_t height = 0;
    std::uint32_t first_word = 0;
  };

  std::uint32_t inputs_;
  std::uint32_t rows_per_read_;
  std::uint32_t parts_ = 1;
  std::uint32_t plane_words_ = 0;
  std::vector<Tile> tiles_;
};

}  // namespace cimstat::experiments
