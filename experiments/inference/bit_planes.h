#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "experiments/inference/aligned_vector.h"
#include "experiments/inference/network.h"
#include "experiments/inference/tile_layout.h"

/// Integers cut into bit planes and laid on word lines.
namespace cimstat::experiments {

/// Channels, rows and columns of an activation map; memory order [channel][row][column].
struct MapShape {
  std::uint32_t channels = 0;
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  std::size_t size() const { return static_cast<std::size_t>(channels) * rows * columns; }
  auto operator<=>(const MapShape&) const = default;
};

/// Output channels are read in groups of this many: the lanes of a (virtual) vector.
inline constexpr std::uint32_t group_channels = 16;

/// Vectors in a batch: of them one lane of bytes holds the counts.
inline constexpr std::uint32_t batch_vectors = 4;

/// The columns of one layer as words of cell states (1 = LRS).
struct WeightPlanes {
  std::uint32_t outputs = 0;
  std::uint32_t planes = 0;  ///< bits per weight and column set
  std::uint32_t sets = 1;    ///< 2 when differential: positive magnitudes, then negative ones
  std::uint32_t groups = 0;  ///< of 16 channels, in one set; the last one is filled up with HRS
  bool top_plane_negative = false;
  AlignedVector<std::uint32_t> words;   ///< [tile][set][group][plane][word of tile][16 channels]
  std::vector<std::size_t> tile_begin;  ///< where each tile begins in `words`
  /// The same cells to be counted by bytes (column_counts): [tile][batch][eight rows][16
  /// channels][vector of the batch], row 8 q + r of a tile in bit r of byte q; 0 beyond the last
  /// row and the last vector.
  AlignedVector<std::uint8_t> bytes;
  std::vector<std::size_t> byte_begin;  ///< where each tile begins in `bytes`

  /// Vectors of 16 columns that share a read of a tile.
  std::uint32_t vectors() const { return sets * groups * planes; }
  /// Batches of `batch_vectors` neighbouring ones, which also share random words.
  std::uint32_t batches() const { return (vectors() + batch_vectors - 1) / batch_vectors; }
};

/// Cuts the weights [output][input] (`weight_bits`-bit two's complement numbers) into planes; with
/// WeightMapping::offset, biased and xnor those of w + 2^(weight_bits - 1), and of weights of 1
/// bit, -1 and 1, those of (w + 1) / 2. Native weights have those of two's complement, in which
/// weights of 1 bit have 2. With xnor the weights are given for each row: [output][input][w, -w].
/// Differential columns have weight_bits - 1 planes, or weight_bits when the most negative number
/// occurs; at least one.
WeightPlanes weight_planes(std::span<const std::int8_t> weights, std::uint32_t outputs,
                           std::uint32_t weight_bits, const TileLayout& layout,
                           WeightMapping mapping);

/// In which order the inputs of one output pixel follow each other.
enum class PatchOrder {
  channels_outside,   ///< channel, kernel row, kernel column, as weights do
  positions_outside,  ///< kernel row, kernel column, channel
};

/// Word lines of one input.
enum class InputRows {
  one,
  pair,  ///< the level, of 1 bit, and its complement; beyond the edge neither is driven
};

/// Gathers the inputs of one output pixel of a convolution without groups. A fully connected layer
/// is the 1 x 1 convolution of a 1 x 1 map of as many channels.
class PatchGeometry {
 public:
  /// The layer's window fits into the padded map, whose size check() (network.h) has limited.
  PatchGeometry(MapShape input, const Layer& layer, PatchOrder order = PatchOrder::channels_outside,
                InputRows rows = InputRows::one);
  /// Rows of pairs count as inputs of their own.
  std::uint32_t inputs() const { return inputs_; }
  std::uint32_t output_rows() const { return output_rows_; }
  std::uint32_t output_columns() const { return output_columns_; }
  std::uint32_t pixels() const { return output_rows_ * output_columns_; }
  /// Whether windows move by one place each way.
  bool moves_by_one() const { return stride_ == Extents(1); }
  std::uint32_t padded_columns() const { return padded_.columns; }
  /// Where the inputs of output pixel 0 lie in the padded map.
  std::vector<std::size_t> offsets() const;
  /// From now on pad() takes `level` off of all levels: bytes are two's complement then.
  void take_off(std::uint8_t level) { taken_off_ = level; }
  /// The map with its border of zeros or padding levels, ready for patch(). `padded` is resized.
  void pad(std::span<const std::uint8_t> map, std::vector<std::uint8_t>& padded) const;
  /// Bytes that patch() may write: the inputs, and some more.
  std::size_t patch_size() const { return inputs_ + slack; }
  /// Copies the inputs of output pixel `pixel` (row-major) to the first inputs() bytes of `patch`.
  void patch(const std::vector<std::uint8_t>& padded, std::uint32_t pixel,
             std::span<std::uint8_t> patch) const;

 private:
  /// Neighbours in a patch that are neighbours in the padded map.
  struct Run {
    std::uint32_t offset;  ///< from the patch's corner in the padded map
    std::uint32_t length;
  };
  /// Short runs are copied as eight bytes, whatever their length.
  static constexpr std::size_t slack = 8;

  void add_run(std::uint32_t offset);
  void pad_pairs(std::span<const std::uint8_t> map, std::vector<std::uint8_t>& padded) const;

  MapShape input_;
  MapShape padded_;
  Extents stride_;
  Padding padding_;
  std::vector<std::uint8_t> padding_level_;  ///< [channel]; empty: zeros
  std::uint8_t taken_off_ = 0;
  std::uint32_t width_;  ///< bytes of an input in the padded map
  std::uint32_t inputs_;
  std::uint32_t output_rows_;
  std::uint32_t output_columns_;
  std::vector<Run> runs_;
};

/// Cuts the inputs of one pixel into planes and counts the active rows of each part of a tile.
class ActivationPlanes {
 public:
  ActivationPlanes(const TileLayout& layout, std::uint32_t planes);
  void pack(const PatchGeometry& geometry, const std::vector<std::uint8_t>& padded,
            std::uint32_t pixel);
  std::uint32_t planes() const { return planes_; }
  /// The tile's words with the rows of the other parts left out.
  const std::uint32_t* words(std::uint32_t tile, std::uint32_t part, std::uint32_t plane) const {
    return words_.data() + (std::size_t{part} * planes_ + plane) * layout_.plane_words() +
           layout_.first_word(tile);
  }
  std::uint32_t active_rows(std::uint32_t tile, std::uint32_t part, std::uint32_t plane) const {
    return active_rows_[(tile * layout_.parts() + part) * planes_ + plane];
  }

 private:
  void cut_into_parts(std::uint32_t tile);

  TileLayout layout_;
  std::uint32_t planes_;
  std::vector<std::uint32_t> words_;        ///< [part][plane][layout.plane_words()]
  std::vector<std::uint32_t> active_rows_;  ///< [tile][part][plane]
  std::vector<std::uint8_t> patch_;
};

}  // namespace cimstat::experiments
