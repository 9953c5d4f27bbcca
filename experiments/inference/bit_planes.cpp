#include "experiments/inference/bit_planes.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/column.h"

namespace cimstat::experiments {

TileLayout::TileLayout(std::uint32_t inputs, std::uint32_t rows) : inputs_(inputs), rows_(rows) {
  if (rows < 1 || rows > circuits::row_limit) {
    throw core::UsageError(
        fmt::format("rows: {} word lines (an array has 1 .. {})", rows, circuits::row_limit));
  }
}

std::uint32_t TileLayout::height(std::uint32_t tile) const {
  return std::min(rows_, inputs_ - first_input(tile));
}

std::uint32_t TileLayout::plane_words() const {
  return first_word(tiles() - 1) + words(tiles() - 1);
}

WeightPlanes weight_planes(std::span<const std::int8_t> weights, std::uint32_t outputs,
                           std::uint32_t weight_bits, const TileLayout& layout,
                           WeightMapping mapping) {
  assert(weights.size() == static_cast<std::size_t>(outputs) * layout.inputs());
  WeightPlanes result;
  result.outputs = outputs;
  result.groups = (outputs + group_channels - 1) / group_channels;
  if (mapping == WeightMapping::twos_complement) {
    result.planes = weight_bits;
    result.top_plane_negative = true;
  } else {
    const int lowest = weights.empty() ? 0 : *std::min_element(weights.begin(), weights.end());
    result.planes = lowest == -(1 << (weight_bits - 1)) ? weight_bits : weight_bits - 1;
    result.sets = 2;
  }

  std::size_t size = 0;
  for (std::uint32_t tile = 0; tile < layout.tiles(); ++tile) {
    result.tile_begin.push_back(size);
    size += static_cast<std::size_t>(result.vectors()) * layout.words(tile) * group_channels;
  }
  result.words.assign(size, 0);

  // The unsigned number that a column set holds for a weight.
  const auto held = [&](int weight, std::uint32_t set) {
    if (mapping == WeightMapping::twos_complement) return static_cast<unsigned>(weight);
    return static_cast<unsigned>(std::max(0, set == 0 ? weight : -weight));
  };
  for (std::uint32_t tile = 0; tile < layout.tiles(); ++tile) {
    const std::size_t words = layout.words(tile);
    for (std::uint32_t set = 0; set < result.sets; ++set) {
      for (std::uint32_t output = 0; output < outputs; ++output) {
        const std::size_t group = set * result.groups + output / group_channels;
        std::uint32_t* columns = result.words.data() + result.tile_begin[tile] +
                                 group * result.planes * words * group_channels +
                                 output % group_channels;
        const std::int8_t* row = weights.data() +
                                 static_cast<std::size_t>(output) * layout.inputs() +
                                 layout.first_input(tile);
        for (std::uint32_t r = 0; r < layout.height(tile); ++r) {
          const unsigned bits = held(row[r], set);
          for (std::uint32_t plane = 0; plane < result.planes; ++plane) {
            columns[(plane * words + r / 32) * group_channels] |= ((bits >> plane) & 1U)
                                                                  << (r % 32);
          }
        }
      }
    }
  }
  return result;
}

PatchGeometry::PatchGeometry(MapShape input, std::uint32_t kernel, std::uint32_t stride,
                             std::uint32_t padding)
    : input_(input), stride_(stride), padding_(padding) {
  const std::uint32_t rows = input.rows + 2 * padding;
  const std::uint32_t columns = input.columns + 2 * padding;
  if (kernel < 1 || stride < 1 || kernel > rows || kernel > columns) {
    throw core::DataError(
        fmt::format("network: a {0} x {0} kernel with stride {1} does not fit a padded map of {2} "
                    "x {3}",
                    kernel, stride, rows, columns));
  }
  output_rows_ = (rows - kernel) / stride + 1;
  output_columns_ = (columns - kernel) / stride + 1;
  for (std::uint32_t c = 0; c < input.channels; ++c) {
    for (std::uint32_t y = 0; y < kernel; ++y) {
      for (std::uint32_t x = 0; x < kernel; ++x) {
        offsets_.push_back((c * rows + y) * columns + x);
      }
    }
  }
}

void PatchGeometry::pad(std::span<const std::uint8_t> map,
                        std::vector<std::uint8_t>& padded) const {
  assert(map.size() == input_.size());
  const std::size_t rows = input_.rows + 2 * padding_;
  const std::size_t columns = input_.columns + 2 * padding_;
  padded.assign(input_.channels * rows * columns, 0);
  for (std::size_t c = 0; c < input_.channels; ++c) {
    for (std::size_t y = 0; y < input_.rows; ++y) {
      std::memcpy(padded.data() + (c * rows + y + padding_) * columns + padding_,
                  map.data() + (c * input_.rows + y) * input_.columns, input_.columns);
    }
  }
}

void PatchGeometry::patch(const std::vector<std::uint8_t>& padded, std::uint32_t pixel,
                          std::uint32_t first, std::span<std::uint8_t> out) const {
  const std::size_t columns = input_.columns + 2 * padding_;
  const std::uint8_t* corner =
      padded.data() + static_cast<std::size_t>(pixel / output_columns_) * stride_ * columns +
      static_cast<std::size_t>(pixel % output_columns_) * stride_;
  const std::uint32_t* offset = offsets_.data() + first;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = corner[offset[i]];
}

ActivationPlanes::ActivationPlanes(const TileLayout& layout, std::uint32_t planes)
    : layout_(layout),
      planes_(planes),
      words_(static_cast<std::size_t>(planes) * layout.plane_words()),
      active_rows_(static_cast<std::size_t>(planes) * layout.tiles()),
      bytes_(static_cast<std::size_t>(layout.words(0)) * 32) {}

namespace {

// Bit `plane` of 32 bytes as one word. The multiplication moves the low bits of 8 bytes into the
// top byte, in order (the first byte is the lowest on the little-endian machines that we serve).
std::uint32_t plane_word(const std::uint8_t* bytes, std::uint32_t plane) {
  static_assert(std::endian::native == std::endian::little);
  std::uint32_t word = 0;
  for (unsigned part = 0; part < 4; ++part) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes + 8 * part, sizeof eight);
    const std::uint64_t bits = (eight >> plane) & 0x0101010101010101ULL;
    word |= static_cast<std::uint32_t>((bits * 0x0102040810204080ULL) >> 56) << (8 * part);
  }
  return word;
}

}  // namespace

void ActivationPlanes::pack(const PatchGeometry& geometry, const std::vector<std::uint8_t>& padded,
                            std::uint32_t pixel) {
  assert(geometry.inputs() == layout_.inputs());
  for (std::uint32_t tile = 0; tile < layout_.tiles(); ++tile) {
    const std::uint32_t height = layout_.height(tile);
    const std::uint32_t words = layout_.words(tile);
    geometry.patch(padded, pixel, layout_.first_input(tile), {bytes_.data(), height});
    std::fill(bytes_.begin() + height, bytes_.begin() + words * 32, std::uint8_t{0});
    for (std::uint32_t plane = 0; plane < planes_; ++plane) {
      std::uint32_t* out = words_.data() + plane * layout_.plane_words() + layout_.first_word(tile);
      std::uint32_t active = 0;
      for (std::uint32_t word = 0; word < words; ++word) {
        out[word] = plane_word(bytes_.data() + word * 32, plane);
        active += static_cast<std::uint32_t>(std::popcount(out[word]));
      }
      active_rows_[tile * planes_ + plane] = active;
    }
  }
}

}  // namespace cimstat::experiments
