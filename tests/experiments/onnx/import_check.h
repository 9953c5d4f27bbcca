#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "experiments/inference/forward_pass.h"
#include "experiments/onnx/import_model.h"

/// Networks of integers held against the models that they were made of.
namespace cimstat::experiments::fixtures {

inline ImageSet random_images(const OnnxModel& model, std::size_t count) {
  ImageSet set;
  set.name = "random";
  set.channels = static_cast<std::uint32_t>(model.input().shape[1]);
  set.rows = static_cast<std::uint32_t>(model.input().shape[2]);
  set.columns = static_cast<std::uint32_t>(model.input().shape[3]);
  set.classes = static_cast<std::uint32_t>(model.output().shape.at(1));
  std::mt19937 random(7);
  set.pixels.resize(count * set.image_size());
  for (std::uint8_t& pixel : set.pixels) pixel = static_cast<std::uint8_t>(random() >> 24);
  set.labels.assign(count, 0);
  return set;
}

inline QuantiseOptions options_of(std::uint32_t bits, std::uint32_t channels) {
  QuantiseOptions options;
  options.weights.bits = bits;
  options.activation_bits = bits;
  options.calibration.rule = RangeRule::largest;
  for (std::uint32_t channel = 0; channel < channels; ++channel) {
    options.image.mean.push_back(0.3 + 0.1 * channel);
    options.image.deviation.push_back(0.2 + 0.05 * channel);
  }
  return options;
}

/// Scores of one image in exact integers, as real numbers.
inline std::vector<double> integer_scores(const Network& network,
                                          std::span<const std::uint8_t> pixels) {
  const ForwardPass pass(network, {.rows = 64});
  ForwardPass::Workspace workspace = pass.workspace();
  pass.classify(pixels, ExactIntegers{}, {}, workspace);
  return workspace.values;
}

/// Root mean square of integer less real scores, over that of the real scores about their mean.
inline double relative_error(const OnnxModel& model, const QuantiseOptions& options) {
  const ImageSet images = random_images(model, 32);
  const Network network = import_model(model, images, options, {2});
  double error = 0.0;
  double sum = 0.0;
  double square = 0.0;
  double count = 0.0;
  for (std::size_t image = 0; image < images.size(); ++image) {
    const OnnxTensor real = model.run(scaled_image(model, options.image, images, image));
    const std::vector<double> integer = integer_scores(network, images.image(image));
    for (std::size_t i = 0; i < integer.size(); ++i) {
      const auto value = static_cast<double>(real.reals[i]);
      error += (integer[i] - value) * (integer[i] - value);
      sum += value;
      square += value * value;
      count += 1.0;
    }
  }
  return std::sqrt(error / (square - sum * sum / count));
}

}  // namespace cimstat::experiments::fixtures
