#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "experiments/inference/level_reader.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/experiments/level_reference.h"

namespace cimstat::experiments::fixtures {

inline circuits::ColumnDesign level_column(const LevelCase& c) {
  circuits::ColumnDesign design;
  design.rows = c.arrays.rows;
  design.lrs = core::Law::point(c.lrs);
  design.hrs = core::Law::point(c.hrs);
  if (c.levels.subtraction == DummySubtraction::analog) {
    design.dummy = core::Law::point(0.5 * (c.lrs + c.hrs));
  }
  design.ladder.codes = c.codes;
  design.ladder.references = c.references;
  design.ladder.code_step = c.code_step;
  design.ladder.code_origin = c.code_origin;
  return design;
}

/// [image][output * pixels + pixel], as a batch.
inline std::vector<std::vector<double>> level_estimates(
    const LevelCase& c, const circuits::ColumnDesign& column,
    const std::vector<std::vector<std::uint8_t>>& maps) {
  const ColumnLayer layer(c.layer, c.input, c.input_bits, c.arrays, c.index, 0);
  const LevelDesign design(column, c.levels);
  const LevelNetwork chip{
      {c.index, draw_level_layer(design, layer, c.key, {c.chip, c.batch}, {1})}};
  LevelReader reader(design);
  reader.use(chip);
  std::vector<double> result(std::size_t{c.layer.weight_shape[0]} * layer.geometry().pixels());
  LevelReader::Converters converters;
  if (c.levels.range == ConverterRange::observed) {
    reader.look();
    for (const auto& map : maps) reader.estimate(layer, map, {}, result);
    converters[c.index] =
        observed_codes(design, layer, chip.at(c.index), reader.seen().at(c.index));
  }
  reader.convert(&converters);
  std::vector<std::vector<double>> all;
  for (const auto& map : maps) {
    reader.estimate(layer, map, {}, result);
    all.push_back(result);
  }
  return all;
}

/// Random layers, cells, ratios, converters, tilings and batches.
class RandomLevels {
 public:
  explicit RandomLevels(std::uint32_t seed) : random_(seed) {}

  LevelCase make() {
    LevelCase c;
    c.input_bits = 1 + below(8);
    const std::uint32_t weight_bits = 2 + below(7);
    const std::uint32_t outputs = 1 + below(20);
    if (below(2) == 0) {
      c.input = {1 + below(40), 1, 1};
      c.layer = random_fully_connected("layer", "input", outputs, c.input.channels, weight_bits, 0,
                                       random_);
    } else {
      c.input = {1 + below(5), 2 + below(4), 2 + below(4)};
      const std::uint32_t kernel = 1 + below(3);
      const std::uint32_t padding = kernel == 3 ? 1 : below(kernel);
      c.layer = random_convolution("layer", "input", outputs, c.input.channels, kernel,
                                   1 + below(2), padding, weight_bits, 0, random_);
    }
    constexpr Tiling tilings[] = {Tiling::im2col, Tiling::whole_channels, Tiling::kernel_positions};
    c.arrays.weights = WeightMapping::offset;
    c.arrays.tiling = tilings[below(3)];
    c.arrays.rows = 9 + below(30);
    c.arrays.rows_per_read = below(2) == 0 ? 0 : 1 + below(c.arrays.rows);
    c.arrays.zero_value = 0.5 * c.arrays.rows;
    constexpr std::uint32_t bits[] = {1, 2, 3, 4, 8};
    c.levels.cell_bits = bits[below(5)];
    constexpr double ratios[] = {1.7, 10.0, 17.0, 150.0, 1e6};
    c.lrs = 8.3e-5;
    c.hrs = below(6) == 0 ? 0.0 : c.lrs / ratios[below(5)];
    c.levels.subtraction = below(2) == 0 ? DummySubtraction::digital : DummySubtraction::analog;
    c.codes = 2 + below(300);
    if (below(3) == 0) {
      c.code_step = c.arrays.rows / (c.codes - 1.0);
      // Half of a code, and something that no sum of levels hits.
      const double lowest = c.levels.subtraction == DummySubtraction::digital
                                ? 0.0
                                : -0.5 * c.arrays.rows * (c.lrs - c.hrs);
      for (std::uint32_t j = 1; j < c.codes; ++j) {
        c.references.push_back(lowest + (j - 0.5312371) * c.code_step * (c.lrs - c.hrs));
      }
    } else {
      c.levels.range = ConverterRange::observed;
      c.levels.batch = 1;
      if (below(3) == 0) c.levels.value = CodeValue::middle;
      for (std::uint32_t j = 1; j < c.codes; ++j) c.references.push_back(j * c.lrs);
    }
    return c;
  }

  std::vector<std::vector<std::uint8_t>> maps(const LevelCase& c) {
    std::vector<std::vector<std::uint8_t>> all;
    for (std::uint32_t image = 1 + below(3); image > 0; --image) {
      all.push_back(random_map(c.input.size(), c.input_bits, random_));
    }
    return all;
  }

  std::uint32_t below(std::uint32_t count) { return static_cast<std::uint32_t>(random_() % count); }
  std::mt19937& random() { return random_; }

 private:
  std::mt19937 random_;
};

/// Relative to the largest of them.
inline double largest_difference(const std::vector<std::vector<double>>& a,
                                 const std::vector<std::vector<double>>& b) {
  double difference = 0.0;
  double largest = 1.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a[i].size(); ++j) {
      const double one = std::abs(a[i][j] - b[i][j]);
      if (!(one <= difference)) difference = one;
      largest = std::max(largest, std::abs(a[i][j]));
    }
  }
  return difference / largest;
}

}  // namespace cimstat::experiments::fixtures
