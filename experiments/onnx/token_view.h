#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "experiments/onnx/onnx_graph.h"

/// Tensors of transformers as what they are of layers' maps: rearranged, taken apart, but no other
/// numbers.
namespace cimstat::experiments {

using PlainShape = std::array<std::uint32_t, 3>;  ///< channels, rows, columns

/// Pixels, or tokens, of a map.
std::size_t pixels_of(const PlainShape& shape);

struct TokenView {
  std::size_t place = 0;  ///< of PlainLayer::inputs
  OnnxTensor index;       ///< for each number of the tensor its place in the map's memory
  double factor = 1.0;    ///< that multiplies the map
  std::string tensor;     ///< of the model: one that holds these numbers, in any order, factor 1
  bool is_own = true;     ///< whether nothing else takes the numbers

  const std::vector<std::int64_t>& shape() const { return index.shape; }
};

/// The whole map in its own order. Shapes of 2^24 numbers or more have no exact indices: nothing.
std::optional<TokenView> whole_view(std::size_t place, const std::vector<std::int64_t>& shape);

/// Whether the view is a map as convolutions have it, batch x channels x rows x columns, or one
/// list of the channels of a single pixel.
bool is_plain_map(const TokenView& view, const PlainShape& map);

/// Channels first .. first + count - 1 along the last axis, and which pixel each of the rows is.
struct TokenRows {
  std::size_t first = 0;
  std::size_t count = 0;
  std::vector<std::size_t> pixel;
};
/// Nothing where the view isn't of that kind.
std::optional<TokenRows> token_rows(const TokenView& view, const PlainShape& map);

/// Whether each pixel occurs once.
bool are_all_pixels(const std::vector<std::size_t>& pixel, const PlainShape& map);

/// One operand of a product of matrices, for each head. A row or column of the matrix is a pixel,
/// the other one a channel of the head: channel first + head * channels + channel_of[i].
struct HeadMatrix {
  std::size_t heads = 1;
  std::size_t channels = 0;
  std::size_t first = 0;
  std::vector<std::size_t> channel_of;
  std::vector<std::size_t> pixel_of;
};
enum class ChannelAxis { rows, columns };
/// Nothing where the view isn't such. It has a pixel of each kind, all of them.
std::optional<HeadMatrix> head_matrix(const TokenView& view, const PlainShape& map,
                                      ChannelAxis channel_axis);

/// In how many equal groups of channels the last axis goes over one group at one pixel each time;
/// nothing where it doesn't.
std::optional<std::size_t> groups_along_last_axis(const TokenView& view, const PlainShape& map);

}  // namespace cimstat::experiments
