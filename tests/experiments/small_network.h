#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

#include "experiments/inference/dataset.h"
#include "experiments/inference/forward_pass.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments::fixtures {

/// One hidden layer; 4 x 4 images, 4 classes.
inline Network small_network() {
  std::mt19937 random(3);
  Network network;
  network.name = "small";
  network.input_shape = {1, 4, 4};
  network.input_bits = 2;
  network.classes = 4;
  network.layers = {random_fully_connected("hidden", "input", 8, 16, 3, 2, random),
                    random_fully_connected("classes", "hidden", 4, 8, 3, 0, random)};
  return network;
}

/// Random images, labelled as exact integers classify them.
inline ImageSet images_for(const Network& network, std::size_t count) {
  ImageSet set;
  set.channels = network.input_shape[0];
  set.rows = network.input_shape[1];
  set.columns = network.input_shape[2];
  set.classes = network.classes;
  std::mt19937 random(4);
  for (std::size_t i = 0; i < count * set.image_size(); ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(random() % 256));
  }
  const ForwardPass pass(network, {.rows = 16});
  ForwardPass::Workspace workspace = pass.workspace();
  for (std::size_t i = 0; i < count; ++i) {
    set.labels.push_back(
        static_cast<std::uint8_t>(pass.classify(set.image(i), ExactIntegers{}, {}, workspace)));
  }
  return set;
}

}  // namespace cimstat::experiments::fixtures
