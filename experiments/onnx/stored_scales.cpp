#include "experiments/onnx/stored_scales.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/onnx/image_levels.h"
#include "experiments/onnx/integer_layers.h"

namespace cimstat::experiments {
namespace {

/// Bits of so many levels.
std::uint32_t bits_of(std::int64_t levels) {
  return static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(levels - 1)));
}

/// Two's complement; 1 where all are -1 or 1.
std::uint32_t weight_bits_of(const std::vector<std::int8_t>& levels) {
  if (std::all_of(levels.begin(), levels.end(), [](int level) { return std::abs(level) == 1; })) {
    return 1;
  }
  std::uint32_t bits = 2;
  for (const int level : levels) {
    while (level >= (1 << (bits - 1)) || level < -(1 << (bits - 1))) ++bits;
  }
  return bits;
}

bool are_equal(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return value == values[0]; });
}

class StoredScales {
 public:
  StoredScales(const PlainGraph& graph, const ImageScale& scale, const std::string& file)
      : graph_(graph), scale_(scale), file_(file), users_(graph.layers.size() + 1) {
    for (std::size_t i = 0; i < graph.layers.size(); ++i) {
      for (const std::size_t input : graph.layers[i].inputs) users_[input].push_back(i);
    }
  }

  Network make() {
    network_.input_shape = graph_.input_shape;
    network_.input_bits = pixel_bits;
    network_.classes = graph_.classes;
    maps_.push_back(image_map(graph_, scale_, pixel_bits));
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) maps_.push_back(add(i));
    if (maps_.back().is_level()) give_reals(graph_.layers.back());
    check(network_, file_);
    return std::move(network_);
  }

 private:
  [[noreturn]] void refuse(const PlainLayer& layer, std::string_view problem, std::string_view why,
                           std::string_view remedy) const {
    throw core::DataError(
        core::error_line(fmt::format("{}: layer '{}'", file_, layer.name), problem, why, remedy));
  }

  ScaledMap add(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    if (settled_.contains(index)) return maps_[plain.inputs[0]];
    switch (plain.kind) {
      case LayerKind::convolution:
      case LayerKind::fully_connected:
        return weighted(index);
      case LayerKind::add:
        return sum(index);
      case LayerKind::scale:
        return finish(scale_layer(start(plain), plain, plain_input(plain)), index);
      case LayerKind::concatenate:
        return joined(index);
      case LayerKind::average_pool:
        return mean(index);
      case LayerKind::quantise:
        return plain.inputs[0] == 0 ? levels_of_image(plain) : levels(plain);
      case LayerKind::relu:
        return rectified(plain);
      default:
        return passed(plain);
    }
  }

  Layer start(const PlainLayer& plain) { return started_layer(plain, names_.unique(plain.name)); }

  /// The input, where one scale and zero serve all of it.
  const ScaledMap& plain_input(const PlainLayer& plain, std::size_t index = 0) const {
    const ScaledMap& map = maps_[plain.inputs[index]];
    if (!are_equal(map.scale) || !are_equal(map.zero) || !(map.scale[0] > 0.0)) {
      refuse(plain, "works on the channels of the image, each with a mean and scale of its own",
             "only layers with weights take these in", "put a convolution first");
    }
    return map;
  }

  /// The quantiser at the end of what follows a layer alone, and nothing else does: ReLUs, which
  /// take levels away, and what commutes with it. They are settled with it.
  std::optional<LevelRule> quantiser_behind(std::size_t index) {
    std::vector<std::size_t> relus;
    std::size_t at = index;
    while (users_[at + 1].size() == 1) {
      at = users_[at + 1][0];
      const LayerKind kind = graph_.layers[at].kind;
      if (kind == LayerKind::quantise) {
        LevelRule rule = graph_.layers[at].levels;
        for (const std::size_t relu : relus) cut(rule, graph_.layers[relu]);
        settled_.insert(relus.begin(), relus.end());
        settled_.insert(at);
        return rule;
      }
      if (kind == LayerKind::relu) relus.push_back(at);
      if (kind != LayerKind::relu && kind != LayerKind::max_pool && kind != LayerKind::flatten) {
        break;
      }
    }
    return std::nullopt;
  }

  /// The levels that a ReLU's values get.
  void cut(LevelRule& rule, const PlainLayer& relu) const {
    const auto inside = [&](double real) {
      return static_cast<std::int64_t>(std::clamp(level_next_to(real, rule),
                                                  static_cast<double>(rule.lowest),
                                                  static_cast<double>(rule.highest)));
    };
    const std::int64_t lowest = inside(relu.lowest);
    rule.highest = inside(relu.highest);
    rule.lowest = lowest;
    if (rule.lowest >= rule.highest) {
      refuse(relu, "leaves one level", "its quantiser has no other in this range",
             "train the network again");
    }
  }

  /// Adds a layer that gives what the quantiser behind it does, or real values.
  ScaledMap finish(Layer layer, std::size_t index) {
    if (const auto rule = quantiser_behind(index)) return deliver(std::move(layer), *rule);
    network_.layers.push_back(std::move(layer));
    return {.layer = network_.layers.back().name};
  }

  /// Adds a layer that gives the rule's levels, counted from the lowest.
  ScaledMap deliver(Layer layer, const LevelRule& rule) {
    const std::uint32_t bits = bits_of(rule.highest - rule.lowest + 1);
    const std::int64_t first = rule.highest - ((std::int64_t{1} << bits) - 1);
    for (double& factor : layer.scale) factor /= rule.step;
    for (double& shift : layer.bias) {
      shift = shift / rule.step + static_cast<double>(rule.zero - first);
    }
    layer.output_bits = bits;
    std::string name = layer.name;
    network_.layers.push_back(std::move(layer));
    if (first < rule.lowest) {
      Layer cut;
      cut.kind = LayerKind::quantise;
      cut.name = names_.unique(name + "_cut");
      cut.inputs = {name};
      cut.scale = {1.0};
      cut.bias = {static_cast<double>(first - rule.lowest)};
      cut.output_bits = bits;
      name = cut.name;
      network_.layers.push_back(std::move(cut));
    }
    return {.layer = name,
            .bits = bits,
            .scale = {rule.step},
            .zero = {static_cast<double>(rule.zero - rule.lowest)}};
  }

  ScaledMap levels(const PlainLayer& plain) { return requantised(plain, plain_input(plain)); }

  ScaledMap requantised(const PlainLayer& plain, const ScaledMap& input) {
    const LevelRule& rule = plain.levels;
    const auto zero = static_cast<double>(rule.zero - rule.lowest);
    if (input.is_level() && input.scale[0] == rule.step && input.zero[0] == zero &&
        top_of(input.bits) <= static_cast<double>(rule.highest - rule.lowest)) {
      return input;  // the levels that they are
    }
    Layer layer = start(plain);
    layer.inputs = {input.layer};
    layer.scale = {input.scale[0]};
    layer.bias = {-input.scale[0] * input.zero[0]};
    return deliver(std::move(layer), rule);
  }

  /// The network's own levels of pixels, where these are the model's; of fewer bits than pixels
  /// have only where nothing else takes the image.
  ScaledMap levels_of_image(const PlainLayer& plain) {
    const std::uint32_t fewest = users_[0].size() == 1 ? 1 : pixel_bits;
    std::optional<ScaledMap> found;
    for (std::uint32_t bits = pixel_bits; bits >= fewest && !found; --bits) {
      found = pixel_levels(plain.levels, maps_[0], bits);
    }
    ScaledMap map;
    if (found) {
      map = *found;
      network_.input_bits = map.bits;
    } else if (are_equal(maps_[0].scale) && are_equal(maps_[0].zero)) {
      map = requantised(plain, maps_[0]);
      map.scale.resize(graph_.input_shape[0], map.scale[0]);
      map.zero.resize(graph_.input_shape[0], map.zero[0]);
    } else {
      refuse(plain, "makes levels of the image that are not its pixels'",
             "its channels have means and scales of their own before it",
             "quantise the image by 1/255 first and normalise it then, or train without a mean");
    }
    for (std::size_t channel = 0; channel < plain.affine.factor.size(); ++channel) {
      map.scale[channel] *= plain.affine.factor[channel];
      map.zero[channel] -= plain.affine.shift[channel] / map.scale[channel];
    }
    return map;
  }

  ScaledMap rectified(const PlainLayer& plain) {
    const ScaledMap& input = plain_input(plain);
    const double top = input.is_level() ? input.scale[0] * (top_of(input.bits) - input.zero[0])
                                        : std::numeric_limits<double>::infinity();
    if (plain.lowest != 0.0 || plain.highest < top) {
      refuse(plain, "is a Clip whose values others take, too",
             "only one that a QuantizeLinear alone follows can have limits of its own",
             "put a Relu in its place");
    }
    if (input.is_level() && input.zero[0] <= 0.0) return input;  // 0 and up already
    if (input.is_level() && input.zero[0] != std::floor(input.zero[0])) {
      refuse(plain, "cuts the image between two levels", "no level stands for a real 0",
             "put a convolution first");
    }
    Layer layer = start(plain);
    layer.inputs = {input.layer};
    ScaledMap map = input;
    map.layer = layer.name;
    if (input.is_level()) {
      layer.kind = LayerKind::quantise;
      layer.output_bits = input.bits;
      layer.scale = {1.0};
      layer.bias = {-input.zero[0]};
      map.zero = {0.0};
    }
    network_.layers.push_back(std::move(layer));
    return map;
  }

  ScaledMap passed(const PlainLayer& plain) {
    ScaledMap map = plain.kind == LayerKind::flatten ? maps_[plain.inputs[0]] : plain_input(plain);
    Layer layer = start(plain);
    layer.inputs = {map.layer};
    map.layer = layer.name;
    network_.layers.push_back(std::move(layer));
    return map;
  }

  ScaledMap sum(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    Layer layer = start(plain);
    layer.bias = {0.0};
    for (const std::size_t input : {0U, 1U}) {
      const ScaledMap& map = plain_input(plain, input);
      layer.inputs.push_back(map.layer);
      layer.scale.push_back(map.scale[0]);
      layer.bias[0] -= map.scale[0] * map.zero[0];
    }
    return finish(std::move(layer), index);
  }

  ScaledMap joined(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    std::vector<ScaledMap> inputs;
    for (std::size_t i = 0; i < plain.inputs.size(); ++i) inputs.push_back(plain_input(plain, i));
    Layer layer = joining_layer(start(plain), inputs);
    if (const auto rule = quantiser_behind(index)) return deliver(std::move(layer), *rule);
    const ScaledMap& first = inputs[0];
    const auto is_alike = [&](const ScaledMap& map) {
      return map.is_level() && map.bits == first.bits && map.scale[0] == first.scale[0] &&
             map.zero[0] == first.zero[0];
    };
    ScaledMap map{.layer = layer.name};
    if (std::all_of(inputs.begin(), inputs.end(), is_alike)) {
      // Levels of one step stay what they are.
      layer.scale.assign(inputs.size(), 1.0);
      layer.bias.assign(inputs.size(), 0.0);
      layer.output_bits = map.bits = first.bits;
      map.scale = {first.scale[0]};
      map.zero = {first.zero[0]};
    }
    network_.layers.push_back(std::move(layer));
    return map;
  }

  ScaledMap mean(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    const ScaledMap& input = plain_input(plain);
    if (input.zero[0] != 0.0 && plain.padding != Padding(0)) {
      refuse(plain, "pads levels whose zero point is not 0",
             "a mean takes level 0 from beyond the edge", "quantise behind it");
    }
    Layer layer = start(plain);
    layer.inputs = {input.layer};
    layer.scale = {input.scale[0] / (plain.kernel.rows * plain.kernel.columns)};
    layer.bias = {-input.scale[0] * input.zero[0]};
    return finish(std::move(layer), index);
  }

  ScaledMap weighted(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    const ScaledMap input = maps_[plain.inputs[0]];
    if (!input.is_level()) {
      refuse(plain, "takes real values",
             "no QuantizeLinear and DequantizeLinear stand between it and the layer before",
             "quantise all that goes into weighted layers");
    }
    Layer layer = start(plain);
    layer.inputs = {input.layer};
    layer.groups = plain.groups;
    layer.weight = plain.level;
    layer.weight_bits = weight_bits_of(plain.level);
    layer.weight_shape = plain.weight_shape;
    layer.padding_level = edge_levels(plain, input);
    const std::size_t outputs = plain.weight_shape[0];
    const std::size_t each = plain.level.size() / outputs;
    const InputChannels channel_of(plain, input.scale.size());
    for (std::size_t output = 0; output < outputs; ++output) {
      const double step = input.scale[channel_of(output, 0)];
      double zeros = 0.0;
      for (std::size_t i = 0; i < each; ++i) {
        const std::size_t channel = channel_of(output, i);
        if (input.scale[channel] != step) {
          refuse(plain, "takes channels of unequal scales",
                 "stored weights can't take them in: the deviations of the image, perhaps",
                 "train with one deviation for all channels");
        }
        zeros += plain.level[output * each + i] * input.zero[channel];
      }
      layer.scale.push_back(plain.step[output] * step);
      layer.bias.push_back(plain.bias[output] - layer.scale.back() * zeros);
    }
    require_zero(plain, input);
    return finish(std::move(layer), index);
  }

  /// Where windows go over the edge, some level must be next to a real 0.
  void require_zero(const PlainLayer& plain, const ScaledMap& input) const {
    if (plain.kind != LayerKind::convolution || plain.padding == Padding(0)) return;
    for (const double zero : input.zero) {
      if (zero < -0.5 || zero > top_of(input.bits) + 0.5) {
        refuse(plain, "pads with zeros, which none of its input's levels stands for",
               "they begin above 0 or end below it", "let the quantiser before it reach 0");
      }
    }
  }

  /// Levels at the end become the scores that they stand for.
  void give_reals(const PlainLayer& last) {
    const ScaledMap& levels = maps_.back();
    Layer layer;
    layer.kind = LayerKind::average_pool;
    layer.name = names_.unique(last.name + "_scores");
    layer.inputs = {levels.layer};
    layer.scale = {levels.scale[0]};
    layer.bias = {-levels.scale[0] * levels.zero[0]};
    network_.layers.push_back(std::move(layer));
  }

  const PlainGraph& graph_;
  const ImageScale& scale_;
  const std::string& file_;
  std::vector<std::vector<std::size_t>> users_;  ///< [place]: layers
  std::vector<ScaledMap> maps_;                  ///< [place]
  std::set<std::size_t> settled_;  ///< what the layer before a quantiser has done already
  LayerNames names_;
  Network network_;
};

}  // namespace

Network with_stored_scales(const PlainGraph& graph, const ImageScale& scale,
                           const std::string& file) {
  return StoredScales(graph, scale, file).make();
}

}  // namespace cimstat::experiments
