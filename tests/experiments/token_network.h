#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "experiments/inference/network.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/experiments/residual_block.h"

/// A small vision transformer with all that version 1.3 of the network file added.
namespace cimstat::experiments::fixtures {

class TokenNetwork {
 public:
  explicit TokenNetwork(std::uint32_t seed) : random_(seed) {}

  /// Images of 4 x 4 pixels in patches of 2 x 2, a class token, 2 heads of 3 channels, one block.
  Network make() {
    network_ = {};
    network_.name = "tokens";
    network_.description = "made by hand";
    network_.input_shape = {1, 4, 4};
    network_.input_bits = 4;
    network_.classes = 3;
    Layer& patch = weighted("patch", "input", {6, 1, 2, 2});
    patch.stride = 2;
    Layer& tokens = append(LayerKind::prepend_tokens, "tokens", {"patch"});
    tokens.scale = {1.25};
    tokens.bias = reals(6);
    Layer& places = append(LayerKind::add_constant, "places", {"tokens"});
    places.scale = {0.75};
    places.bias = reals(30);
    levels("a", norm("norm_a", "places"), 8, 128.0);
    weighted("query", "a", {6, 6, 1, 1});
    weighted("key", "a", {6, 6, 1, 1});
    weighted("value", "a", {6, 6, 1, 1});
    Layer& scores = append(LayerKind::attend_keys, "scores",
                           {levels("q", "query", 5, 13.0), levels("k", "key", 4, 8.0)});
    scores.groups = 2;
    scores.zero_level = 13;
    scores.scale = {0.02};
    scores.bias = {0.0};
    append(LayerKind::softmax, "shares", {"scores"}).groups = 2;
    Layer& context = append(LayerKind::attend_values, "context",
                            {levels("p", "shares", 6, 0.0, 63.0), levels("v", "value", 6, 32.0)});
    context.groups = 2;
    context.scale = {0.004};
    context.bias = {0.0};
    weighted("project", levels("c", "context", 6, 30.0), {6, 6, 1, 1});
    add("sum_a", "places", "project");
    weighted("up", levels("b", norm("norm_b", "sum_a"), 8, 120.0), {12, 6, 1, 1});
    append(LayerKind::gelu, "gelu", {"up"});
    weighted("down", levels("d", "gelu", 5, 6.0), {6, 12, 1, 1});
    add("sum_b", "sum_a", "down");
    norm("norm_c", "sum_b");
    append(LayerKind::max_pool, "first", {"norm_c"}).stride = 5;
    weighted("classes", levels("e", "first", 7, 60.0), {3, 6, 1, 1});
    return network_;
  }

 private:
  std::vector<double> reals(std::size_t count) {
    std::normal_distribution<double> normal;
    std::vector<double> values(count);
    for (double& value : values) value = normal(random_);
    return values;
  }

  Layer& append(LayerKind kind, std::string name, std::vector<std::string> inputs) {
    network_.layers.push_back(layer_of(kind, std::move(name), std::move(inputs)));
    return network_.layers.back();
  }

  Layer& weighted(const std::string& name, const std::string& input,
                  const std::array<std::uint32_t, 4>& shape) {
    Layer layer =
        random_convolution(name, input, shape[0], shape[1], shape[2], 1, 0, 5, 0, random_);
    const double typical = std::sqrt(static_cast<double>(shape[1] * shape[2] * shape[3]));
    layer.scale.assign(shape[0], 0.002 / typical);
    layer.bias = reals(shape[0]);
    network_.layers.push_back(layer);
    return network_.layers.back();
  }

  std::string norm(const std::string& name, const std::string& input) {
    Layer& layer = append(LayerKind::layer_norm, name, {input});
    layer.scale = reals(6);
    layer.bias = reals(6);
    layer.epsilon = 1e-5;
    return name;
  }

  std::string levels(const std::string& name, const std::string& input, std::uint32_t bits,
                     double zero, double scale = 0.0) {
    Layer& layer = append(LayerKind::quantise, name, {input});
    layer.scale = {scale > 0.0 ? scale : (1U << bits) / 6.0};
    layer.bias = {zero};
    layer.output_bits = bits;
    return name;
  }

  void add(const std::string& name, const std::string& a, const std::string& b) {
    Layer& layer = append(LayerKind::add, name, {a, b});
    layer.scale = {1.0, 1.0};
    layer.bias = {0.0};
  }

  std::mt19937 random_;
  Network network_;
};

inline Network token_network(std::uint32_t seed = 1) { return TokenNetwork(seed).make(); }

}  // namespace cimstat::experiments::fixtures
