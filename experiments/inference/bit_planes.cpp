#include "experiments/inference/bit_planes.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/bit_planes.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// One tile of `height` bytes to words[plane * plane_words ...] and active[plane]. Reads whole
/// words of 32 bytes.
void pack_tile(const std::uint8_t* HWY_RESTRICT bytes, std::uint32_t height, std::uint32_t planes,
               std::size_t plane_words, std::uint32_t* HWY_RESTRICT words,
               std::uint32_t* HWY_RESTRICT active) {
  const hn::CappedTag<std::uint8_t, 32> d8;
  constexpr std::uint32_t width = hn::MaxLanes(hn::CappedTag<std::uint8_t, 32>());
  for (std::uint32_t plane = 0; plane < planes; ++plane) {
    const auto bit = hn::Set(d8, static_cast<std::uint8_t>(1U << plane));
    std::uint32_t* HWY_RESTRICT out = words + plane * plane_words;
    std::uint64_t count = 0;
    for (std::uint32_t row = 0; row < height; row += 32, ++out) {
      std::uint8_t mask[8];
      for (std::uint32_t part = 0; part < 32; part += width) {
        const auto set = hn::TestBit(hn::LoadU(d8, bytes + row + part), bit);
        hn::StoreMaskBits(d8, set, mask + part / 8);
      }
      std::uint32_t word;
      std::memcpy(&word, mask, sizeof word);
      if (height - row < 32) word &= (1U << (height - row)) - 1;
      *out = word;
      count += hwy::PopCount(word);
    }
    active[plane] = static_cast<std::uint32_t>(count);
  }
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(pack_tile);

namespace {

/// Whether cells hold w + 2^(bits - 1), or of 1 bit (w + 1) / 2.
bool begins_at_zero(WeightMapping mapping) {
  return mapping == WeightMapping::offset || mapping == WeightMapping::biased ||
         mapping == WeightMapping::xnor;
}

/// Fills `bytes` from `words`.
void lay_out_bytes(const TileLayout& layout, WeightPlanes& weights) {
  constexpr std::size_t batch_bytes = std::size_t{group_channels} * batch_vectors;
  std::size_t size = 0;
  for (std::uint32_t tile = 0; tile < layout.tiles(); ++tile) {
    weights.byte_begin.push_back(size);
    size += weights.batches() * layout.bytes(tile) * batch_bytes;
  }
  weights.bytes.assign(size, 0);
  for (std::uint32_t tile = 0; tile < layout.tiles(); ++tile) {
    const std::size_t bytes = layout.bytes(tile);
    for (std::uint32_t vector = 0; vector < weights.vectors(); ++vector) {
      const std::uint32_t* from = weights.words.data() + weights.tile_begin[tile] +
                                  std::size_t{vector} * layout.words(tile) * group_channels;
      std::uint8_t* to = weights.bytes.data() + weights.byte_begin[tile] +
                         vector / batch_vectors * bytes * batch_bytes + vector % batch_vectors;
      for (std::size_t byte = 0; byte < bytes; ++byte) {
        for (std::size_t lane = 0; lane < group_channels; ++lane) {
          to[byte * batch_bytes + lane * batch_vectors] =
              static_cast<std::uint8_t>(from[byte / 4 * group_channels + lane] >> (8 * (byte % 4)));
        }
      }
    }
  }
}

}  // namespace

WeightPlanes weight_planes(std::span<const std::int8_t> weights, std::uint32_t outputs,
                           std::uint32_t weight_bits, const TileLayout& layout,
                           WeightMapping mapping) {
  assert(weights.size() == static_cast<std::size_t>(outputs) * layout.inputs());
  WeightPlanes result;
  result.outputs = outputs;
  result.groups = (outputs + group_channels - 1) / group_channels;
  const bool from_zero = begins_at_zero(mapping);
  if (mapping != WeightMapping::differential) {
    result.planes = from_zero ? weight_bits : std::max(weight_bits, 2U);
    result.top_plane_negative = !from_zero;
  } else {
    const int lowest = weights.empty() ? 0 : *std::min_element(weights.begin(), weights.end());
    const bool has_lowest = weight_bits == 1 || lowest == -(1 << (weight_bits - 1));
    result.planes = has_lowest ? weight_bits : weight_bits - 1;
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
    if (from_zero && weight_bits == 1) return weight > 0 ? 1U : 0U;
    if (from_zero) return static_cast<unsigned>(weight + (1 << (weight_bits - 1)));
    if (mapping == WeightMapping::differential) {
      return static_cast<unsigned>(std::max(0, set == 0 ? weight : -weight));
    }
    return static_cast<unsigned>(weight);
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
  lay_out_bytes(layout, result);
  return result;
}

PatchGeometry::PatchGeometry(MapShape input, const Layer& layer, PatchOrder order, InputRows rows)
    : input_(input),
      padded_{input.channels, input.rows + layer.padding.top + layer.padding.bottom,
              input.columns + layer.padding.left + layer.padding.right},
      stride_(layer.stride),
      padding_(layer.padding),
      padding_level_(layer.padding_level),
      width_(rows == InputRows::pair ? 2 : 1),
      inputs_(input.channels * layer.kernel.rows * layer.kernel.columns * width_) {
  assert(window_reach(layer).rows <= padded_.rows &&
         window_reach(layer).columns <= padded_.columns);
  assert(padding_level_.empty() || padding_level_.size() == input.channels);
  const Extents places = window_places(layer, {input.rows, input.columns});
  output_rows_ = places.rows;
  output_columns_ = places.columns;
  const auto offset = [&](std::uint32_t channel, std::uint32_t y, std::uint32_t x) {
    const std::uint32_t row = channel * padded_.rows + y * layer.dilation.rows;
    return row * padded_.columns + x * layer.dilation.columns;
  };
  const auto each_position = [&](const auto& visit) {
    for (std::uint32_t y = 0; y < layer.kernel.rows; ++y) {
      for (std::uint32_t x = 0; x < layer.kernel.columns; ++x) visit(y, x);
    }
  };
  const auto each_channel = [&](const auto& visit) {
    for (std::uint32_t channel = 0; channel < input.channels; ++channel) visit(channel);
  };
  if (order == PatchOrder::channels_outside) {
    each_channel([&](std::uint32_t channel) {
      each_position([&](std::uint32_t y, std::uint32_t x) { add_run(offset(channel, y, x)); });
    });
  } else {
    each_position([&](std::uint32_t y, std::uint32_t x) {
      each_channel([&](std::uint32_t channel) { add_run(offset(channel, y, x)); });
    });
  }
}

void PatchGeometry::add_run(std::uint32_t offset) {
  const std::uint32_t first = offset * width_;
  if (!runs_.empty() && runs_.back().offset + runs_.back().length == first) {
    runs_.back().length += width_;
  } else {
    runs_.push_back({first, width_});
  }
}

std::vector<std::size_t> PatchGeometry::offsets() const {
  std::vector<std::size_t> result;
  result.reserve(inputs_);
  for (const Run& run : runs_) {
    for (std::uint32_t i = 0; i < run.length; ++i) result.push_back(run.offset + i);
  }
  return result;
}

void PatchGeometry::pad(std::span<const std::uint8_t> map,
                        std::vector<std::uint8_t>& padded) const {
  assert(map.size() == input_.size());
  if (width_ == 2) return pad_pairs(map, padded);
  const std::size_t columns = padded_.columns;
  const std::size_t channel = padded_.rows * columns;
  padded.assign(padded_.size() + slack, 0);
  for (std::size_t c = 0; c < input_.channels; ++c) {
    std::uint8_t* corner = padded.data() + c * channel;
    if (!padding_level_.empty()) std::memset(corner, padding_level_[c], channel);
    for (std::size_t y = 0; y < input_.rows; ++y) {
      std::memcpy(corner + (y + padding_.top) * columns + padding_.left,
                  map.data() + (c * input_.rows + y) * input_.columns, input_.columns);
    }
  }
  if (taken_off_ == 0) return;
  for (std::uint8_t& level : padded) level = static_cast<std::uint8_t>(level - taken_off_);
}

void PatchGeometry::pad_pairs(std::span<const std::uint8_t> map,
                              std::vector<std::uint8_t>& padded) const {
  padded.assign(2 * padded_.size() + slack, 0);
  const std::uint8_t* from = map.data();
  for (std::size_t c = 0; c < input_.channels; ++c) {
    for (std::size_t y = 0; y < input_.rows; ++y) {
      const std::size_t row = c * padded_.rows + y + padding_.top;
      std::uint8_t* to = padded.data() + 2 * (row * padded_.columns + padding_.left);
      for (std::size_t x = 0; x < input_.columns; ++x, ++from) {
        *to++ = *from;
        *to++ = 1 - *from;
      }
    }
  }
}

void PatchGeometry::patch(const std::vector<std::uint8_t>& padded, std::uint32_t pixel,
                          std::span<std::uint8_t> patch) const {
  assert(patch.size() >= patch_size());
  const std::size_t row = std::size_t{pixel / output_columns_} * stride_.rows;
  const std::size_t column = std::size_t{pixel % output_columns_} * stride_.columns;
  const std::uint8_t* corner = padded.data() + (row * padded_.columns + column) * width_;
  std::uint8_t* out = patch.data();
  for (const Run run : runs_) {
    std::memcpy(out, corner + run.offset, slack);
    if (run.length > slack) std::memcpy(out, corner + run.offset, run.length);
    out += run.length;
  }
}

ActivationPlanes::ActivationPlanes(const TileLayout& layout, std::uint32_t planes)
    : layout_(layout),
      planes_(planes),
      words_(static_cast<std::size_t>(planes) * layout.parts() * layout.plane_words()),
      active_rows_(static_cast<std::size_t>(planes) * layout.parts() * layout.tiles()) {}

void ActivationPlanes::pack(const PatchGeometry& geometry, const std::vector<std::uint8_t>& padded,
                            std::uint32_t pixel) {
  assert(geometry.inputs() == layout_.inputs());
  patch_.resize(geometry.patch_size() + 32);  // whole words are read
  geometry.patch(padded, pixel, patch_);
  for (std::uint32_t tile = 0; tile < layout_.tiles(); ++tile) {
    HWY_DYNAMIC_DISPATCH(pack_tile)
    (patch_.data() + layout_.first_input(tile), layout_.height(tile), planes_,
     layout_.plane_words(), words_.data() + layout_.first_word(tile),
     active_rows_.data() + std::size_t{tile} * layout_.parts() * planes_);
    if (layout_.parts() > 1) cut_into_parts(tile);
  }
}

void ActivationPlanes::cut_into_parts(std::uint32_t tile) {
  const std::uint32_t words = layout_.words(tile);
  for (std::uint32_t plane = 0; plane < planes_; ++plane) {
    const std::size_t first = std::size_t{plane} * layout_.plane_words() + layout_.first_word(tile);
    // Part 0 stands where the whole tile does: it is the last to be cut.
    for (std::uint32_t part = layout_.parts(); part-- > 0;) {
      std::uint32_t* out =
          words_.data() + std::size_t{part} * planes_ * layout_.plane_words() + first;
      std::size_t active = 0;
      for (std::uint32_t word = 0; word < words; ++word) {
        out[word] = words_[first + word] & layout_.mask(part, word);
        active += hwy::PopCount(out[word]);
      }
      active_rows_[(std::size_t{tile} * layout_.parts() + part) * planes_ + plane] =
          static_cast<std::uint32_t>(active);
    }
  }
}

}  // namespace cimstat::experiments
#endif
