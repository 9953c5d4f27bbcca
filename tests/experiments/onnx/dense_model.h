#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/experiments/onnx/model_builder.h"

/// Random models like DenseNet, Inception and pre-activation ResNets: channels that are joined,
/// BatchNormalization behind no convolution, in real numbers or with levels of their own.
namespace cimstat::tests {

class DenseModel : public ModelBuilder {
 public:
  enum class Numbers { real, levels };

  DenseModel(std::uint32_t seed, Numbers numbers) : random_(seed), numbers_(numbers) {
    input("image", {1, 2, 6, 6}).output("scores");
    Map x{"image", 2, 6};
    if (numbers_ == Numbers::levels) x.name = levels(x.name, 1.0 / 255.0);
    x = convolution(x, 3, true);
    for (std::uint32_t more = 2 + below(4); more > 0; --more) x = step(x);
    x = activated(normalised(x));
    Map features = pooled(x, "GlobalAveragePool");
    features = flat(features);
    if (below(2) == 0) {
      Map other = flat(pooled(activated(normalised(x)), "GlobalAveragePool"));
      features = joined({features, other});
    }
    if (below(2) == 0) features = normalised(features);
    classify(quantised(features));
  }

  int joints = 0;
  int norms = 0;

 private:
  /// A tensor, its channels and the side of its pixels.
  struct Map {
    std::string name;
    std::int64_t channels = 0;
    std::int64_t side = 0;
  };

  std::uint32_t below(std::uint32_t count) { return static_cast<std::uint32_t>(random_() % count); }
  double between(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  std::string fresh() { return "n" + std::to_string(++count_); }
  std::string list(std::int64_t count, double low, double high) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = static_cast<float>(between(low, high));
    const std::string name = fresh();
    reals(name, {count}, values);
    return name;
  }
  std::string number(double value) {
    const std::string name = fresh();
    reals(name, {}, {static_cast<float>(value)});
    return name;
  }
  Map then(const std::string& kind, const std::vector<std::string>& inputs, Map like) {
    like.name = fresh();
    last_ = &node(kind, inputs, {like.name}, kind + "_" + like.name);
    return like;
  }

  std::string levels(const std::string& x, double scale, int zero = 0) {
    const std::string step = number(scale);
    const std::string origin = fresh();
    constant(origin, {}, onnx::TensorProto::UINT8).add_int32_data(zero);
    const Map whole = then("QuantizeLinear", {x, step, origin}, {});
    return then("DequantizeLinear", {whole.name, step, origin}, {}).name;
  }
  /// What a weighted layer can take.
  Map quantised(Map x) {
    if (numbers_ == Numbers::levels) {
      x.name = levels(x.name, between(0.01, 0.03), static_cast<int>(60 + below(120)));
    }
    return x;
  }

  std::string weights(const std::vector<std::int64_t>& shape, std::int64_t outputs) {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    const std::string name = fresh();
    if (numbers_ == Numbers::real) {
      std::vector<float> values(static_cast<std::size_t>(count));
      for (float& value : values) value = static_cast<float>(between(-0.5, 0.5));
      reals(name, shape, values);
      return name;
    }
    onnx::TensorProto& tensor = constant(name, shape, onnx::TensorProto::INT8);
    for (std::int64_t i = 0; i < count; ++i) {
      tensor.add_int32_data(static_cast<int>(below(15)) - 7);
    }
    const Map real = then("DequantizeLinear", {name, list(outputs, 0.04, 0.08)}, {});
    set(*last_, "axis", std::int64_t{0});
    return real.name;
  }

  Map convolution(const Map& x, std::int64_t channels, bool is_image = false) {
    const std::int64_t side = below(2) == 0 ? 1 : 3;
    const Map from = is_image ? x : quantised(x);
    const std::string weight = weights({channels, x.channels, side, side}, channels);
    Map y = then("Conv", {from.name, weight, list(channels, -0.5, 0.5)},
                 {.name = {}, .channels = channels, .side = x.side});
    set(*last_, "pads", std::vector<std::int64_t>(4, side / 2));
    return y;
  }
  Map normalised(const Map& x) {
    ++norms;
    const std::int64_t n = x.channels;
    return then(
        "BatchNormalization",
        {x.name, list(n, -1.5, 1.5), list(n, -0.5, 0.5), list(n, -0.5, 0.5), list(n, 0.3, 2.0)}, x);
  }
  Map activated(const Map& x) { return then("Relu", {x.name}, x); }
  Map joined(const std::vector<Map>& maps) {
    ++joints;
    Map y = maps[0];
    std::vector<std::string> names;
    y.channels = 0;
    for (const Map& map : maps) {
      names.push_back(map.name);
      y.channels += map.channels;
    }
    y = then("Concat", names, y);
    set(*last_, "axis", std::int64_t{below(2) == 0 ? 1 : (y.side == 0 ? -1 : -3)});
    return y;
  }
  Map pooled(const Map& x, const std::string& kind) {
    Map y = then(kind, {x.name}, x);
    if (kind == "GlobalAveragePool") {
      y.side = 1;
      return y;
    }
    set(*last_, "kernel_shape", std::vector<std::int64_t>{2, 2});
    set(*last_, "strides", std::vector<std::int64_t>{1, 1});
    y.side = x.side - 1;
    return y;
  }
  Map flat(const Map& x) {
    Map y = then("Flatten", {x.name}, x);
    y.side = 0;
    return y;
  }

  Map step(const Map& x) {
    switch (below(x.side > 2 ? 6 : 5)) {
      case 0:
      case 1:  // DenseNet
        return joined({x, convolution(activated(normalised(x)), 2)});
      case 2: {  // Inception; perhaps one map twice
        const Map a = activated(convolution(x, 2));
        const Map b = activated(normalised(convolution(x, 1)));
        return below(2) == 0 ? joined({a, b}) : joined({a, b, x, a});
      }
      case 3: {  // a pre-activation block
        const Map a = activated(normalised(x));
        const Map b = convolution(activated(normalised(convolution(a, 3))), x.channels);
        return then("Add", {b.name, x.name}, x);
      }
      case 4:  // factors and shifts of channels behind no layer of their own
        return joined({then("Mul", {x.name, shaped(x)}, x), then("Sub", {x.name, shaped(x)}, x)});
      default:
        return pooled(x, below(2) == 0 ? "MaxPool" : "AveragePool");
    }
  }
  std::string shaped(const Map& x) {
    const std::string name = list(x.channels, -1.2, 1.2);
    auto& tensor = *model.mutable_graph()->mutable_initializer()->rbegin();
    tensor.clear_dims();
    for (const std::int64_t extent :
         {std::int64_t{1}, x.channels, std::int64_t{1}, std::int64_t{1}})
      tensor.add_dims(extent);
    return name;
  }

  void classify(const Map& x) {
    onnx::NodeProto& product =
        node("Gemm", {x.name, weights({3, x.channels}, 3), list(3, -0.5, 0.5)}, {"scores"}, "last");
    set(product, "transB", std::int64_t{1});
  }

  std::mt19937 random_;
  Numbers numbers_;
  int count_ = 0;
  onnx::NodeProto* last_ = nullptr;
};

}  // namespace cimstat::tests
