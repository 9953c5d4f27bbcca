#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "experiments/inference/network.h"

/// Small random networks in which every feature of layers occurs. The sizes of maps are followed
/// here, not asked of what is tested.
namespace cimstat::experiments {

class RandomNetwork {
 public:
  /// Which kinds of layers occur: those of version 1.2 of the file, or scale and concatenate, too,
  /// or levels that span each image's own map.
  enum class Kinds { plain, joined, spanned };
  explicit RandomNetwork(std::uint32_t seed, Kinds kinds = Kinds::plain)
      : random_(seed), kinds_(kinds) {}

  /// An image, up to nine layers, and a last one that delivers reals.
  Network make() {
    network_ = {};
    network_.name = "random";
    network_.input_bits = below(8) + 1;
    network_.input_shape = {below(3) + 1, below(8) + 1, below(8) + 1};
    edges_ = {{"input", network_.input_shape[0], network_.input_shape[1], network_.input_shape[2],
               network_.input_bits}};
    add_convolution(edges_[0]);
    for (std::uint32_t more = below(9); more > 0; --more) add_any();
    finish();
    network_.classes = edges_.back().channels;
    return network_;
  }

  std::vector<std::uint8_t> image() {
    std::vector<std::uint8_t> pixels(network_.input_shape[0] * network_.input_shape[1] *
                                     network_.input_shape[2]);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(below(256));
    return pixels;
  }

  std::uint32_t below(std::uint32_t count) { return static_cast<std::uint32_t>(random_() % count); }

 private:
  struct Edge {
    std::string name;
    std::uint32_t channels = 0;
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t bits = 0;
  };

  Edge any_edge() { return edges_[below(static_cast<std::uint32_t>(edges_.size()))]; }
  bool chance(std::uint32_t one_in) { return below(one_in) == 0; }

  Layer layer_on(LayerKind kind, const Edge& edge) {
    Layer layer;
    layer.kind = kind;
    layer.name = std::string(name_of(kind)) + "_" + std::to_string(network_.layers.size());
    layer.inputs = {edge.name};
    return layer;
  }

  void append(const Layer& layer, const Edge& shape) {
    network_.layers.push_back(layer);
    edges_.push_back(shape);
    edges_.back().name = layer.name;
  }

  /// Levels of the same shape.
  Edge quantised(const Edge& edge) {
    if (kinds_ == Kinds::spanned && !network_.layers.empty() && !chance(4)) return spanned(edge);
    if (edge.bits > 0) return edge;
    Layer layer = layer_on(LayerKind::quantise, edge);
    layer.scale = {0.1 + 0.01 * below(100)};
    layer.bias = {0.5 * below(20)};
    layer.output_bits = below(8) + 1;
    Edge result = edge;
    result.bits = layer.output_bits;
    append(layer, result);
    return edges_.back();
  }

  /// Levels of the same shape that weighted layers alone read: they are no edge for others.
  Edge spanned(const Edge& edge) {
    Layer layer = layer_on(LayerKind::quantise, edge);
    layer.range = LevelRange::map;
    layer.epsilon = chance(2) ? 0.0 : 0.01 * below(100);
    layer.output_bits = below(8) + 1;
    Edge result = edge;
    result.name = layer.name;
    result.bits = layer.output_bits;
    network_.layers.push_back(layer);
    if (!chance(3)) return result;
    Layer more = layer_on(LayerKind::relu, result);
    result.name = more.name;
    network_.layers.push_back(more);
    return result;
  }

  /// One side of a window that fits, its padding and the number of its places.
  struct Side {
    std::uint32_t kernel, stride, dilation, before, behind, places;
  };
  Side side(std::uint32_t extent, bool padded) {
    while (true) {
      Side s{below(5) + 1, below(3) + 1, chance(3) ? below(3) + 1 : 1, 0, 0, 0};
      const std::uint32_t reach = (s.kernel - 1) * s.dilation + 1;
      if (padded && chance(2)) {
        s.before = below(reach);
        s.behind = chance(3) ? below(reach) : s.before;
      }
      const std::uint32_t whole = extent + s.before + s.behind;
      if (whole < reach) continue;
      s.places = (whole - reach) / s.stride + 1;
      return s;
    }
  }

  void set_window(Layer& layer, Edge& shape, bool padded) {
    const Side down = side(shape.rows, padded);
    const Side across = side(shape.columns, padded);
    layer.kernel = {down.kernel, across.kernel};
    layer.stride = {down.stride, across.stride};
    layer.dilation = {down.dilation, across.dilation};
    layer.padding = {down.before, across.before, down.behind, across.behind};
    shape.rows = down.places;
    shape.columns = across.places;
  }

  /// Weights, scales, and levels or reals.
  void set_weights(Layer& layer, const std::array<std::uint32_t, 4>& shape, std::uint32_t bits) {
    layer.weight_bits = below(7) + 2;
    layer.weight_shape = shape;
    const std::uint32_t inputs = shape[1] * shape[2] * shape[3];
    const int half = 1 << (layer.weight_bits - 1);
    for (std::uint32_t i = 0; i < shape[0] * inputs; ++i) {
      layer.weight.push_back(
          static_cast<std::int8_t>(static_cast<int>(below(2U << (layer.weight_bits - 1))) - half));
    }
    layer.output_bits = chance(2) ? 0 : below(8) + 1;
    const double typical = half * 0.5 * (1 << bits) * std::sqrt(static_cast<double>(inputs));
    for (std::uint32_t o = 0; o < shape[0]; ++o) {
      const double range = layer.output_bits == 0 ? 8.0 : (1 << layer.output_bits);
      layer.scale.push_back((below(2) == 0 ? 1.0 : -1.0) * range / typical);
      layer.bias.push_back(range * (0.1 * below(10) - 0.2));
    }
  }

  void add_convolution(const Edge& edge) {
    const Edge source = quantised(edge);
    Layer layer = layer_on(LayerKind::convolution, source);
    Edge result = source;
    set_window(layer, result, true);
    do {
      layer.groups = below(source.channels) + 1;
    } while (source.channels % layer.groups != 0);
    result.channels = layer.groups * (below(3) + 1);
    set_weights(
        layer,
        {result.channels, source.channels / layer.groups, layer.kernel.rows, layer.kernel.columns},
        source.bits);
    if (chance(2)) {
      for (std::uint32_t c = 0; c < source.channels; ++c) {
        layer.padding_level.push_back(static_cast<std::uint8_t>(below(1U << source.bits)));
      }
    }
    result.bits = layer.output_bits;
    append(layer, result);
  }

  void add_pool(LayerKind kind, const Edge& edge) {
    Layer layer = layer_on(kind, edge);
    Edge result = edge;
    set_window(layer, result, kind == LayerKind::average_pool || edge.bits > 0);
    if (kind == LayerKind::average_pool) {
      layer.scale = {1.0 / (layer.kernel.rows * layer.kernel.columns)};
      layer.bias = {0.1 * below(10)};
      layer.output_bits = result.bits = chance(2) ? 0 : below(8) + 1;
    }
    append(layer, result);
  }

  void add_sum(const Edge& edge) {
    std::vector<Edge> alike;
    for (const Edge& other : edges_) {
      if (std::tie(other.channels, other.rows, other.columns) ==
          std::tie(edge.channels, edge.rows, edge.columns)) {
        alike.push_back(other);
      }
    }
    Layer layer = layer_on(LayerKind::add, edge);
    layer.inputs.push_back(alike[below(static_cast<std::uint32_t>(alike.size()))].name);
    layer.scale = {0.25 * below(8) - 0.5, 0.3 * below(8) - 0.6};
    layer.bias = {0.7 * below(4)};
    layer.output_bits = chance(2) ? 0 : below(8) + 1;
    Edge result = edge;
    result.bits = layer.output_bits;
    append(layer, result);
  }

  void add_scale(const Edge& edge) {
    Layer layer = layer_on(LayerKind::scale, edge);
    for (std::uint32_t c = 0; c < edge.channels; ++c) {
      layer.scale.push_back(0.2 * below(12) - 0.7);
      layer.bias.push_back(0.3 * below(9) - 1.1);
    }
    layer.output_bits = chance(2) ? 0 : below(8) + 1;
    Edge result = edge;
    result.bits = layer.output_bits;
    append(layer, result);
  }

  void add_concatenation(const Edge& edge) {
    std::vector<Edge> alike;
    for (const Edge& other : edges_) {
      if (other.rows == edge.rows && other.columns == edge.columns) alike.push_back(other);
    }
    Layer layer = layer_on(LayerKind::concatenate, edge);
    Edge result = edge;
    for (std::uint32_t more = below(3) + 1; more > 0; --more) {
      const Edge& other = alike[below(static_cast<std::uint32_t>(alike.size()))];
      layer.inputs.push_back(other.name);
      result.channels += other.channels;
    }
    for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
      layer.scale.push_back(0.15 * below(10) - 0.4);
      layer.bias.push_back(0.6 * below(5) - 0.5);
    }
    layer.output_bits = chance(2) ? 0 : below(8) + 1;
    result.bits = layer.output_bits;
    append(layer, result);
  }

  void add_any() {
    const Edge edge = chance(2) ? edges_.back() : any_edge();
    if (kinds_ == Kinds::joined && chance(2)) {
      return chance(2) ? add_scale(edge) : add_concatenation(edge);
    }
    switch (below(7)) {
      case 0:
        add_convolution(edge);
        return;
      case 1:
        add_pool(LayerKind::max_pool, edge);
        return;
      case 2:
        add_pool(LayerKind::average_pool, edge);
        return;
      case 3:
      case 4:
        add_sum(edge);
        return;
      case 5:
        append(layer_on(LayerKind::relu, edge), edge);
        return;
      default:
        quantised(edge);
    }
  }

  /// Logits of a fully connected layer, or all values of a real map.
  void finish() {
    const Edge last = edges_.back();
    const std::uint32_t size = last.channels * last.rows * last.columns;
    if (last.bits == 0) {
      append(layer_on(LayerKind::flatten, last), {"", size, 1, 1, 0});
      return;
    }
    Layer layer = layer_on(LayerKind::fully_connected, last);
    set_weights(layer, {below(5) + 1, size, 1, 1}, last.bits);
    layer.output_bits = 0;
    append(layer, {"", layer.weight_shape[0], 1, 1, 0});
  }

  std::mt19937 random_;
  Kinds kinds_;
  Network network_;
  std::vector<Edge> edges_;
};

}  // namespace cimstat::experiments
