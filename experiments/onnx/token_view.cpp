#include "experiments/onnx/token_view.h"

#include <algorithm>
#include <numeric>

namespace cimstat::experiments {
namespace {

constexpr std::size_t exact_floats = std::size_t{1} << 24;

std::size_t at(const TokenView& view, std::size_t i) {
  return static_cast<std::size_t>(view.index.reals[i]);
}

std::size_t last_extent(const TokenView& view) {
  return view.shape().empty() ? 0 : static_cast<std::size_t>(view.shape().back());
}

}  // namespace

std::size_t pixels_of(const PlainShape& shape) { return std::size_t{shape[1]} * shape[2]; }

std::optional<TokenView> whole_view(std::size_t place, const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape) {
    const auto more = static_cast<std::size_t>(std::max<std::int64_t>(extent, 0));
    if (more == 0 || count > exact_floats / more) return std::nullopt;
    count *= more;
  }
  TokenView view{.place = place, .index = {.shape = shape, .reals = {}, .whole = {}}, .tensor = {}};
  view.index.reals.resize(count);
  std::iota(view.index.reals.begin(), view.index.reals.end(), 0.0f);
  return view;
}

bool is_plain_map(const TokenView& view, const PlainShape& map) {
  const std::vector<std::int64_t>& shape = view.shape();
  const std::vector<std::int64_t> square{1, map[0], map[1], map[2]};
  const std::vector<std::int64_t> list{1, map[0]};
  if (view.factor != 1.0 || (shape != square && (shape != list || pixels_of(map) != 1))) {
    return false;
  }
  for (std::size_t i = 0; i < view.index.reals.size(); ++i) {
    if (at(view, i) != i) return false;
  }
  return true;
}

std::optional<TokenRows> token_rows(const TokenView& view, const PlainShape& map) {
  const std::size_t pixels = pixels_of(map);
  const std::size_t count = last_extent(view);
  if (count == 0 || view.index.reals.empty()) return std::nullopt;
  TokenRows rows{.first = at(view, 0) / pixels, .count = count, .pixel = {}};
  for (std::size_t i = 0; i < view.index.reals.size(); i += count) {
    const std::size_t pixel = at(view, i) % pixels;
    for (std::size_t k = 0; k < count; ++k) {
      if (at(view, i + k) != (rows.first + k) * pixels + pixel) return std::nullopt;
    }
    rows.pixel.push_back(pixel);
  }
  return rows;
}

bool are_all_pixels(const std::vector<std::size_t>& pixel, const PlainShape& map) {
  std::vector<std::size_t> sorted = pixel;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != i) return false;
  }
  return sorted.size() == pixels_of(map);
}

std::optional<HeadMatrix> head_matrix(const TokenView& view, const PlainShape& map,
                                      ChannelAxis channel_axis) {
  const std::vector<std::int64_t>& shape = view.shape();
  if (shape.size() < 2 || view.index.reals.empty()) return std::nullopt;
  const std::size_t rows = static_cast<std::size_t>(shape[shape.size() - 2]);
  const std::size_t columns = last_extent(view);
  const std::size_t pixels = pixels_of(map);
  const bool by_row = channel_axis == ChannelAxis::rows;
  HeadMatrix result{.heads = view.index.reals.size() / (rows * columns),
                    .channels = by_row ? rows : columns,
                    .channel_of = {},
                    .pixel_of = {}};
  const auto element = [&](std::size_t head, std::size_t channel, std::size_t pixel) {
    const std::size_t row = by_row ? channel : pixel;
    const std::size_t column = by_row ? pixel : channel;
    return at(view, (head * rows + row) * columns + column);
  };
  result.first = at(view, 0) / pixels;
  for (std::size_t c = 0; c < result.channels; ++c) {
    result.first = std::min(result.first, element(0, c, 0) / pixels);
  }
  for (std::size_t c = 0; c < result.channels; ++c) {
    result.channel_of.push_back(element(0, c, 0) / pixels - result.first);
  }
  for (std::size_t p = 0; p < (by_row ? columns : rows); ++p) {
    result.pixel_of.push_back(element(0, 0, p) % pixels);
  }
  PlainShape channels{1, static_cast<std::uint32_t>(result.channels), 1};
  if (!are_all_pixels(result.pixel_of, map) || !are_all_pixels(result.channel_of, channels)) {
    return std::nullopt;
  }
  for (std::size_t head = 0; head < result.heads; ++head) {
    for (std::size_t c = 0; c < result.channels; ++c) {
      const std::size_t channel = result.first + head * result.channels + result.channel_of[c];
      for (std::size_t p = 0; p < result.pixel_of.size(); ++p) {
        if (element(head, c, p) != channel * pixels + result.pixel_of[p]) return std::nullopt;
      }
    }
  }
  return result;
}

std::optional<std::size_t> groups_along_last_axis(const TokenView& view, const PlainShape& map) {
  const std::size_t pixels = pixels_of(map);
  const std::size_t count = last_extent(view);
  if (count == 0 || map[0] % count != 0) return std::nullopt;
  std::vector<std::size_t> channels;
  for (std::size_t i = 0; i < view.index.reals.size(); i += count) {
    const std::size_t group = at(view, i) / pixels / count;
    channels.clear();
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t number = at(view, i + k);
      if (number / pixels / count != group || number % pixels != at(view, i) % pixels) {
        return std::nullopt;
      }
      channels.push_back(number / pixels % count);
    }
    std::sort(channels.begin(), channels.end());
    if (std::adjacent_find(channels.begin(), channels.end()) != channels.end()) {
      return std::nullopt;
    }
  }
  return map[0] / count;
}

}  // namespace cimstat::experiments
