#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

#include "experiments/inference/accuracy_run.h"
#include "tests/experiments/inference_fixtures.h"

/// A small network with images, for tests of what is recorded of its layers.
namespace cimstat::experiments::layer_samples {

constexpr std::uint32_t rows = 16;  ///< of the arrays

/// A convolution of 21 channels on 5 x 4 pixels and a layer of classes behind it.
inline Network small_network() {
  std::mt19937 random(5);
  Network network;
  network.name = "small";
  network.input_shape = {2, 5, 4};
  network.input_bits = 3;
  network.classes = 4;
  network.layers = {fixtures::random_convolution("first", "input", 21, 2, 3, 1, 1, 3, 2, random),
                    fixtures::random_fully_connected("classes", "first", 4, 21 * 20, 4, 0, random)};
  return network;
}

inline ImageSet random_images(const Network& network, std::size_t count) {
  ImageSet set;
  set.channels = network.input_shape[0];
  set.rows = network.input_shape[1];
  set.columns = network.input_shape[2];
  set.classes = network.classes;
  std::mt19937 random(6);
  for (std::size_t i = 0; i < count * set.image_size(); ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(random() % 3 == 0 ? 0 : random() % 256));
  }
  for (std::size_t i = 0; i < count; ++i) {
    set.labels.push_back(static_cast<std::uint8_t>(random() % network.classes));
  }
  return set;
}

inline AccuracyOptions recording() {
  AccuracyOptions options;
  options.array.rows = rows;
  options.layers = true;
  return options;
}

}  // namespace cimstat::experiments::layer_samples
