#include "experiments/training/trainable_network.h"

#include <cmath>
#include <map>
#include <utility>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

constexpr double kStepPerMeanMagnitude = 0.42;
constexpr double kNormalisationEpsilon = 1e-5;
constexpr double kStatisticsMomentum = 0.1;
/// A normalised sum of three standard deviations fills the range: 15 / 3 for 4 bits.
constexpr double kRangeInDeviations = 3.0;
/// Start of the gain of the logits: large enough for a confident softmax.
constexpr double kLogitGain = 3.0;

/// clamp(floor(x + 0.5), low, high); the gradient passes inside the range only.
struct RoundAndClamp : torch::autograd::Function<RoundAndClamp> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               double low, double high) {
    context->save_for_backward({x.ge(low - 0.5).logical_and_(x.le(high + 0.5))});
    return x.add(0.5).floor_().clamp_(low, high);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradient) {
    return {gradient[0] * context->get_saved_variables()[0], torch::Tensor(), torch::Tensor()};
  }
};

double top_of(std::uint32_t bits) { return std::exp2(bits) - 1; }

/// Factor from a normalised sum to the layer's output.
double output_factor(const Layer& layer) {
  return layer.output_bits == 0 ? 1.0 : top_of(layer.output_bits) / kRangeInDeviations;
}

std::vector<std::int64_t> latent_shape(const Layer& layer) {
  std::vector<std::int64_t> shape(layer.weight_shape.begin(), layer.weight_shape.end());
  if (layer.kind == LayerKind::fully_connected) shape.resize(2);
  return shape;
}

bool is_plain(const Layer& layer) {
  return layer.kernel.is_square() && layer.stride.is_square() && layer.padding.is_even() &&
         layer.dilation == Extents() && layer.groups == 1 && layer.padding_level.empty();
}

/// Integers -(2^(bits-1) - 1) .. 2^(bits-1) - 1 held in floats.
torch::Tensor integer_weights(const torch::Tensor& latent, std::uint32_t bits) {
  const auto step = latent.detach().abs().flatten(1).mean(1).mul_(kStepPerMeanMagnitude);
  std::vector<std::int64_t> broadcast(static_cast<std::size_t>(latent.dim()), 1);
  broadcast[0] = latent.size(0);
  const double top = top_of(bits - 1);
  return RoundAndClamp::apply(latent / step.view(broadcast), -top, top);
}

std::vector<double> doubles(const torch::Tensor& tensor) {
  const auto contiguous = tensor.detach().to(torch::kFloat64).contiguous();
  const auto* first = contiguous.data_ptr<double>();
  return {first, first + contiguous.numel()};
}

}  // namespace

TrainableNetwork::TrainableNetwork(Network graph) : graph_(std::move(graph)) {
  for (const Layer& layer : graph_.layers) {
    if (!is_plain(layer)) {
      throw core::DataError(graph_.name + ": layer " + layer.name +
                            ": can't be trained (square windows without dilation, groups and "
                            "padding levels can)");
    }
    Weights weights;
    if (is_weighted(layer.kind)) {
      const auto shape = latent_shape(layer);
      weights.latent = torch::empty(shape);
      const auto fan_in = static_cast<double>(weights.latent.numel() / shape[0]);
      weights.latent.normal_(0.0, std::sqrt(2.0 / fan_in)).requires_grad_();
      weights.gain = torch::full({shape[0]}, layer.output_bits == 0 ? kLogitGain : 1.0);
      weights.gain.requires_grad_();
      weights.shift = torch::zeros({shape[0]}).requires_grad_();
      weights.mean = torch::zeros({shape[0]});
      weights.variance = torch::ones({shape[0]});
    } else if (layer.kind != LayerKind::max_pool && layer.kind != LayerKind::flatten) {
      throw core::DataError(graph_.name + ": layer " + layer.name +
                            ": this kind can't be trained (weighted layers, max_pool and flatten "
                            "can)");
    }
    weights_.push_back(std::move(weights));
  }
}

torch::Tensor TrainableNetwork::forward_training(const torch::Tensor& images) {
  return forward(images, Statistics::of_the_batch);
}

torch::Tensor TrainableNetwork::forward_inference(const torch::Tensor& images) const {
  const torch::NoGradGuard no_gradient;
  return forward(images, Statistics::running);
}

torch::Tensor TrainableNetwork::weighted(const Layer& layer, const Weights& weights,
                                         const torch::Tensor& input, Statistics statistics) const {
  const auto integers = integer_weights(weights.latent, layer.weight_bits);
  const auto sums = layer.kind == LayerKind::convolution
                        ? torch::conv2d(input, integers, {}, layer.stride.rows, layer.padding.top)
                        : torch::linear(input, integers);
  const auto normalised = torch::batch_norm(
      sums, weights.gain, weights.shift, weights.mean, weights.variance,
      statistics == Statistics::of_the_batch, kStatisticsMomentum, kNormalisationEpsilon, false);
  if (layer.output_bits == 0) return normalised;
  return RoundAndClamp::apply(normalised * output_factor(layer), 0.0, top_of(layer.output_bits));
}

torch::Tensor TrainableNetwork::forward(const torch::Tensor& images, Statistics statistics) const {
  std::map<std::string, torch::Tensor> values{{"input", images}};
  for (std::size_t index = 0; index < graph_.layers.size(); ++index) {
    const Layer& layer = graph_.layers[index];
    const torch::Tensor& input = values.at(layer.inputs.at(0));
    if (is_weighted(layer.kind)) {
      values[layer.name] = weighted(layer, weights_[index], input, statistics);
    } else if (layer.kind == LayerKind::max_pool) {
      values[layer.name] =
          torch::max_pool2d(input, layer.kernel.rows, layer.stride.rows, layer.padding.top);
    } else {
      values[layer.name] = input.flatten(1);
    }
  }
  return values.at(graph_.layers.back().name);
}

std::vector<torch::Tensor> TrainableNetwork::parameters() const {
  std::vector<torch::Tensor> result;
  for (const Weights& weights : weights_) {
    if (!weights.latent.defined()) continue;
    result.insert(result.end(), {weights.latent, weights.gain, weights.shift});
  }
  return result;
}

Network TrainableNetwork::integers() const {
  const torch::NoGradGuard no_gradient;
  Network result = graph_;
  for (std::size_t index = 0; index < result.layers.size(); ++index) {
    Layer& layer = result.layers[index];
    const Weights& weights = weights_[index];
    if (!is_weighted(layer.kind)) continue;
    const auto integers =
        integer_weights(weights.latent, layer.weight_bits).to(torch::kInt8).contiguous();
    const auto* first = integers.data_ptr<std::int8_t>();
    layer.weight.assign(first, first + integers.numel());
    const auto gain = doubles(weights.gain);
    const auto shift = doubles(weights.shift);
    const auto mean = doubles(weights.mean);
    const auto variance = doubles(weights.variance);
    layer.scale.resize(gain.size());
    layer.bias.resize(gain.size());
    for (std::size_t channel = 0; channel < gain.size(); ++channel) {
      const double factor = gain[channel] / std::sqrt(variance[channel] + kNormalisationEpsilon);
      layer.scale[channel] = output_factor(layer) * factor;
      layer.bias[channel] = output_factor(layer) * (shift[channel] - mean[channel] * factor);
    }
  }
  return result;
}

}  // namespace cimstat::experiments
