#include "experiments/onnx/quantise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "experiments/onnx/integer_layers.h"
#include "experiments/onnx/level_maps.h"

namespace cimstat::experiments {
namespace {

class Quantiser {
 public:
  Quantiser(const PlainGraph& graph, const std::map<std::string, ValueHistogram>& histograms,
            const QuantiseOptions& options, const std::string& file)
      : graph_(graph),
        options_(options),
        maps_(graph, histograms, options, file),
        users_(graph.layers.size() + 1) {
    for (std::size_t i = 0; i < graph.layers.size(); ++i) {
      for (const std::size_t input : graph.layers[i].inputs) users_[input].push_back(i);
    }
  }

  Network make() {
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      maps_.push_back(add(i));
      if (const auto relu = fused_relu(i)) done_.emplace(*relu, maps_[i + 1]);
    }
    return maps_.take();
  }

 private:
  Layer start(const PlainLayer& plain) { return started_layer(plain, maps_.unique(plain.name)); }

  /// Adds a layer that gives levels of `step`, or real values where that is 0.
  ScaledMap finish(Layer layer, double step) {
    layer.output_bits = step > 0.0 ? options_.activation_bits : 0;
    ScaledMap map{.layer = layer.name, .bits = layer.output_bits, .scale = {1.0}, .zero = {0.0}};
    if (step > 0.0) {
      map.scale = {step};
      for (double& factor : layer.scale) factor /= step;
      for (double& shift : layer.bias) shift /= step;
    }
    maps_.append(std::move(layer));
    return map;
  }

  /// The ReLU that a layer's only user is, where it can end the layer itself.
  std::optional<std::size_t> fused_relu(std::size_t index) const {
    if (maps_.spans_each_image()) return std::nullopt;
    const std::vector<std::size_t>& users = users_[index + 1];
    const LayerKind kind = graph_.layers[index].kind;
    if (!requantises(kind) || kind == LayerKind::quantise || users.size() != 1) return std::nullopt;
    if (graph_.layers[users[0]].kind != LayerKind::relu) return std::nullopt;
    return users[0];
  }

  /// 0 where a layer gives real values.
  double output_step(std::size_t index) const {
    const auto relu = fused_relu(index);
    if (!relu) return 0.0;
    const PlainLayer& end = graph_.layers[*relu];
    return maps_.step_of(end, end.highest);
  }

  ScaledMap add(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    if (const auto found = done_.find(index); found != done_.end()) return found->second;
    switch (plain.kind) {
      case LayerKind::convolution:
      case LayerKind::fully_connected:
        return weighted(index);
      case LayerKind::add:
        return sum(index);
      case LayerKind::scale:
        return scaled(index);
      case LayerKind::concatenate:
        return joined(index);
      case LayerKind::average_pool:
        return mean(index);
      case LayerKind::add_constant:
      case LayerKind::prepend_tokens:
        return with_constants(index);
      case LayerKind::layer_norm:
      case LayerKind::gelu:
      case LayerKind::softmax:
        return of_reals(index);
      case LayerKind::attend_keys:
      case LayerKind::attend_values:
        return product(index);
      case LayerKind::quantise:
        return signs(index);
      default:
        return passing(index);
    }
  }

  void require_no_image(const PlainLayer& plain) const {
    for (const std::size_t input : plain.inputs) {
      if (input == 0) {
        maps_.refuse(plain, "works on the image itself",
                     "weights come first: they take in its mean and scale");
      }
    }
  }

  ScaledMap passing(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    const ScaledMap input = maps_[plain.inputs[0]];
    if (plain.kind != LayerKind::flatten) require_no_image(plain);
    const bool has_end = plain.kind == LayerKind::relu && std::isfinite(plain.highest);
    if (maps_.spans_each_image()) {
      require_no_real_padding(plain, input);
      if (has_end && !input.is_level()) return cut_off(plain, input);
    }
    if (has_end) {
      maps_.refuse(plain, "is a ReLU with an end that shares its input with others",
                   "only one that follows a layer of its own can be laid out");
    }
    if (plain.kind == LayerKind::relu && input.are_signs()) return positive_signs(input);
    if (plain.kind == LayerKind::relu && input.is_level()) return input;  // 0 and up already
    if (plain.kind == LayerKind::max_pool && !input.is_level() && plain.padding != Padding(0) &&
        maps_.histogram(plain).least < 0.0) {
      maps_.refuse(plain, "takes the largest of padded values with a sign", "padding is 0 here");
    }
    Layer layer = start(plain);
    layer.inputs = {input.layer};
    ScaledMap map = input;
    map.layer = layer.name;
    maps_.append(std::move(layer));
    return map;
  }

  /// min(x, end) = end - max(0, end - x), of real values.
  ScaledMap cut_off(const PlainLayer& plain, const ScaledMap& input) {
    std::string from = input.layer;
    const auto append = [&](LayerKind kind, const std::string& name) {
      Layer layer;
      layer.name = maps_.unique(name);
      layer.kind = kind;
      layer.inputs = {from};
      from = layer.name;
      if (kind == LayerKind::average_pool) {
        layer.scale = {-1.0};
        layer.bias = {plain.highest};
      }
      maps_.append(std::move(layer));
    };
    append(LayerKind::relu, plain.name);
    append(LayerKind::average_pool, plain.name + "_to_end");
    append(LayerKind::relu, plain.name + "_below_end");
    append(LayerKind::average_pool, plain.name + "_cut");
    return {.layer = from};
  }

  void require_no_real_padding(const PlainLayer& plain, const ScaledMap& input) const {
    if (plain.kind == LayerKind::max_pool && !input.is_level() && plain.padding != Padding(0)) {
      maps_.refuse_range(plain, "takes the largest of padded values",
                         "they are real with --range image, and padding is 0");
    }
  }

  /// The levels of a ReLU's 0 and scale / 2.
  static ScaledMap positive_signs(ScaledMap map) {
    map.scale[0] *= 0.5;
    map.zero = {0.0};
    return map;
  }

  /// What a Sign makes of a map.
  ScaledMap signs(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    require_no_image(plain);
    const ScaledMap& input = maps_[plain.inputs[0]];
    if (input.is_level() && !input.are_signs()) {
      maps_.refuse(plain, "takes the signs of what has none", "levels from 0 on are its input");
    }
    return maps_.add_levels(input, plain.name, 2.0, 0.5, 1);
  }

  ScaledMap sum(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    require_no_image(plain);
    Layer layer = start(plain);
    layer.bias = {0.0};
    for (const std::size_t input : plain.inputs) {
      const ScaledMap& map = maps_[input];
      layer.inputs.push_back(map.layer);
      layer.scale.push_back(map.scale[0]);
      layer.bias[0] -= map.scale[0] * map.zero[0];
    }
    return finish(std::move(layer), output_step(index));
  }

  ScaledMap scaled(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    require_no_image(plain);
    return finish(scale_layer(start(plain), plain, maps_[plain.inputs[0]]), output_step(index));
  }

  /// Whether real values would become levels again right behind a layer.
  bool feeds_levels(std::size_t index) const {
    const std::vector<std::size_t>& users = users_[index + 1];
    return std::any_of(users.begin(), users.end(), [&](std::size_t user) {
      const LayerKind kind = graph_.layers[user].kind;
      return kind != LayerKind::add && kind != LayerKind::scale && kind != LayerKind::concatenate &&
             kind != LayerKind::average_pool;
    });
  }

  /// Signs of one magnitude stay signs.
  ScaledMap joined_signs(Layer layer, const ScaledMap& input) {
    std::fill(layer.scale.begin(), layer.scale.end(), 1.0);
    std::fill(layer.bias.begin(), layer.bias.end(), 0.0);
    layer.output_bits = 1;
    ScaledMap map = input;
    map.layer = layer.name;
    maps_.append(std::move(layer));
    return map;
  }

  /// Levels of one step where all inputs are levels and what follows wants such; else real values.
  ScaledMap joined(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    require_no_image(plain);
    std::vector<ScaledMap> inputs;
    for (const std::size_t input : plain.inputs) inputs.push_back(maps_[input]);
    Layer layer = joining_layer(start(plain), inputs);
    const bool gives_reals = fused_relu(index) || !feeds_levels(index);
    const auto is_alike = [&](const ScaledMap& map) {
      return map.are_signs() && map.scale == inputs[0].scale;
    };
    if (!gives_reals && std::all_of(inputs.begin(), inputs.end(), is_alike)) {
      return joined_signs(std::move(layer), inputs[0]);
    }
    // Signs have no level for 0, so that levels of another step can't hold them.
    const auto is_level = [](const ScaledMap& map) { return map.is_level() && !map.are_signs(); };
    const bool all_levels = std::all_of(inputs.begin(), inputs.end(), is_level);
    if (maps_.spans_each_image() || gives_reals || !all_levels) {
      return finish(std::move(layer), output_step(index));
    }
    const std::vector<double> steps = layer.scale;
    const bool is_common = std::count(steps.begin(), steps.end(), steps[0]) ==
                           static_cast<std::ptrdiff_t>(steps.size());
    return finish(
        std::move(layer),
        is_common ? steps[0] : maps_.step_of(plain, std::numeric_limits<double>::infinity()));
  }

  ScaledMap mean(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    require_no_image(plain);
    const ScaledMap input = maps_[plain.inputs[0]];
    Layer layer = start(plain);
    layer.inputs = {input.layer};
    layer.scale = {input.scale[0] / (plain.kernel.rows * plain.kernel.columns)};
    layer.bias = {-input.scale[0] * input.zero[0]};
    const bool are_signs = input.are_signs();
    if (are_signs && plain.padding != Padding(0)) {
      maps_.refuse(plain, "pads signs", "a mean takes level 0 from beyond the edge, which is -1");
    }
    const double infinity = std::numeric_limits<double>::infinity();
    const bool gives_levels = input.is_level() && !are_signs && !maps_.spans_each_image();
    const double step = fused_relu(index) ? output_step(index)
                        : gives_levels    ? maps_.step_of(plain, infinity)
                                          : 0.0;
    return finish(std::move(layer), step);
  }

  /// A product of two maps, of levels that stand for real numbers with a sign.
  ScaledMap product(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    if (maps_.spans_each_image()) {
      maps_.refuse_range(plain, "multiplies two maps",
                         "both have signs, and --range image has none");
    }
    const ScaledMap first = maps_.levels_of(plain.inputs[0]);
    if (first.are_signs()) {
      maps_.refuse(plain, "multiplies signs",
                   "a product of two maps takes a level that stands for 0");
    }
    const ScaledMap second = maps_.written_levels_of(plain.inputs[1]);
    Layer layer = start(plain);
    layer.inputs = {first.layer, second.layer};
    layer.groups = plain.groups;
    layer.zero_level = static_cast<std::uint32_t>(first.zero[0]);
    layer.scale = {first.scale[0] * second.scale[0] * plain.factor[0]};
    layer.bias = {0.0};
    return finish(std::move(layer), output_step(index));
  }

  ScaledMap of_reals(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    require_no_image(plain);
    Layer layer = start(plain);
    layer.inputs = {maps_.reals_of(plain.inputs[0]).layer};
    layer.groups = plain.groups;
    if (plain.kind == LayerKind::layer_norm) {
      layer.epsilon = plain.epsilon;
      layer.scale = plain.factor;
      layer.bias = plain.bias;
      return finish(std::move(layer), output_step(index));
    }
    ScaledMap map{.layer = layer.name};
    maps_.append(std::move(layer));
    return map;
  }

  ScaledMap with_constants(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    require_no_image(plain);
    const ScaledMap input = plain.kind == LayerKind::add_constant ? maps_[plain.inputs[0]]
                                                                  : maps_.reals_of(plain.inputs[0]);
    Layer layer = start(plain);
    layer.inputs = {input.layer};
    layer.scale = {input.scale[0]};
    layer.bias = plain.bias;
    for (double& constant : layer.bias) constant -= input.scale[0] * input.zero[0];
    return finish(std::move(layer), output_step(index));
  }

  /// The weights' levels, with steps that make real sums of the input's levels.
  WeightLevels levels_of_weights(const PlainLayer& plain, const ScaledMap& input,
                                 const InputChannels& channel_of,
                                 const WeightQuantiser& quantiser) const {
    const std::size_t outputs = plain.weight_shape[0];
    const std::size_t each = plain.weight.size() / outputs;
    const WeightRule rule = quantiser.rule;
    std::vector<double> factor = plain.factor;
    factor.resize(outputs, 1.0);
    // The grids of WAGE and DoReFa are those of the weights that were trained: the input's scale
    // stays out of them.
    const bool has_grid = rule == WeightRule::wage || rule == WeightRule::dorefa;
    const double common = has_grid ? input.scale[0] : 1.0;
    if (has_grid && std::count(input.scale.begin(), input.scale.end(), common) !=
                        static_cast<std::ptrdiff_t>(input.scale.size())) {
      maps_.refuse(plain, "takes channels of different deviations",
                   "the steps of WAGE and DoReFa leave no room for them");
    }
    std::vector<double> weights = plain.weight;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      // The least error is that of the sums as they are used.
      if (rule == WeightRule::mean_square) weights[i] *= factor[i / each];
      if (!has_grid) weights[i] *= input.scale[channel_of(i / each, i % each)];
      if (!std::isfinite(weights[i]) || !std::isfinite(factor[i / each])) {
        maps_.refuse(plain, "has weights that are not finite", "with what is folded into them");
      }
    }
    if (rule == WeightRule::mean_square) factor.assign(outputs, 1.0);
    WeightLevels result = weight_levels(std::move(weights), factor, quantiser);
    for (double& step : result.step) step *= common;
    return result;
  }

  bool is_outer(std::size_t index) const {
    const std::vector<PlainLayer>& layers = graph_.layers;
    const auto weighted = [](const PlainLayer& layer) { return is_weighted(layer.kind); };
    const auto* const layer = &layers[index];
    return layer == &*std::find_if(layers.begin(), layers.end(), weighted) ||
           layer == &*std::find_if(layers.rbegin(), layers.rend(), weighted);
  }

  WeightQuantiser quantiser_of(std::size_t index) const {
    if (!options_.outer_weight_bits || !is_outer(index)) return options_.weights;
    return {.scale = options_.weights.scale, .bits = *options_.outer_weight_bits};
  }

  ScaledMap weighted(std::size_t index) {
    const PlainLayer& plain = graph_.layers[index];
    const WeightQuantiser quantiser = quantiser_of(index);
    ScaledMap input = maps_.levels_for_weights(plain.inputs[0], plain);
    Layer layer = start(plain);
    layer.inputs = {input.layer};
    layer.groups = plain.groups;
    layer.weight_bits = quantiser.bits;
    if (input.are_signs()) {  // real = scale / 2 (2 level - 1)
      layer.input_values = InputValues::signs;
      for (double& scale : input.scale) scale *= 0.5;
      input.zero.assign(input.zero.size(), 0.0);
    }
    layer.weight_shape = plain.weight_shape;
    const std::size_t outputs = plain.weight_shape[0];
    const std::size_t each = plain.weight.size() / outputs;
    const InputChannels channel_of(plain, input.scale.size());
    const WeightLevels found = levels_of_weights(plain, input, channel_of, quantiser);
    layer.scale = found.step;
    layer.weight.resize(found.level.size());
    for (std::size_t output = 0; output < outputs; ++output) {
      double zeros = 0.0;
      for (std::size_t i = output * each; i < (output + 1) * each; ++i) {
        layer.weight[i] = static_cast<std::int8_t>(found.level[i]);
        zeros += found.level[i] * input.zero[channel_of(output, i - output * each)];
      }
      layer.bias.push_back(plain.bias[output] - found.step[output] * zeros);
    }
    layer.padding_level = edge_levels(plain, input);
    return finish(std::move(layer), output_step(index));
  }

  const PlainGraph& graph_;
  const QuantiseOptions& options_;
  LevelMaps maps_;
  std::vector<std::vector<std::size_t>> users_;  ///< [place]: layers
  std::map<std::size_t, ScaledMap> done_;        ///< ReLUs that their inputs end in
};

}  // namespace

std::vector<std::string> calibrated_tensors(const PlainGraph& graph) {
  std::vector<std::string> names;
  for (const PlainLayer& layer : graph.layers) names.push_back(layer.tensor);
  names.pop_back();
  return names;
}

Network quantised(const PlainGraph& graph, const std::map<std::string, ValueHistogram>& histograms,
                  const QuantiseOptions& options, const std::string& file) {
  return Quantiser(graph, histograms, options, file).make();
}

}  // namespace cimstat::experiments
