#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/inference/layer_statistics.h"
#include "tests/experiments/layer_samples.h"

namespace cimstat::experiments {
namespace {

using namespace layer_samples;

/// One layer in one image, by the definitions: what its columns read and exact integers make of it.
struct Reference {
  std::vector<long> sums;                                                    ///< [output][pixel]
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> classes;  ///< (n, k)
  double noise_variance = 0.0;    ///< of all outputs together, where each read has variance 1
  double fourth = 0.0;            ///< sum over outputs of (sum of squared variances of its reads)
  double squared_variance = 0.0;  ///< sum over outputs of its squared variance
};

/// Inputs of each pixel, as the layer sees them, in the order of its weights.
std::vector<std::vector<long>> patches(const Layer& layer, MapShape shape,
                                       const std::vector<long>& map) {
  std::vector<std::vector<long>> found;
  if (layer.kind == LayerKind::fully_connected) return {map};
  for (long y = 0; y < shape.rows; ++y) {
    for (long x = 0; x < shape.columns; ++x) {
      std::vector<long> patch;
      for (long c = 0; c < shape.channels; ++c) {
        for (long dy = -1; dy <= 1; ++dy) {
          for (long dx = -1; dx <= 1; ++dx) {
            const bool inside =
                y + dy >= 0 && y + dy < shape.rows && x + dx >= 0 && x + dx < shape.columns;
            patch.push_back(inside ? map[static_cast<std::size_t>(
                                         (c * shape.rows + y + dy) * shape.columns + x + dx)]
                                   : 0);
          }
        }
      }
      found.push_back(patch);
    }
  }
  return found;
}

Reference reference_of(const Layer& layer, MapShape shape, const std::vector<long>& map, int bits) {
  const auto inputs = patches(layer, shape, map);
  Reference result;
  result.sums.resize(layer.weight_shape[0] * inputs.size());
  for (std::size_t pixel = 0; pixel < inputs.size(); ++pixel) {
    const std::vector<long>& patch = inputs[pixel];
    for (std::size_t output = 0; output < layer.weight_shape[0]; ++output) {
      const std::int8_t* weights = layer.weight.data() + output * patch.size();
      long& sum = result.sums[output * inputs.size() + pixel];
      double variance = 0.0;
      double squares = 0.0;
      for (std::size_t i = 0; i < patch.size(); ++i) sum += weights[i] * patch[i];
      for (std::size_t first = 0; first < patch.size(); first += rows) {
        for (int plane = 0; plane < bits; ++plane) {
          for (std::uint32_t bit = 0; bit < layer.weight_bits; ++bit) {
            std::uint32_t n = 0;
            std::uint32_t k = 0;
            for (std::size_t i = first; i < std::min(first + rows, patch.size()); ++i) {
              const bool active = ((patch[i] >> plane) & 1) != 0;
              n += active;
              k += active && ((weights[i] >> bit) & 1) != 0;
            }
            if (n == 0) continue;
            ++result.classes[{n, k}];
            const double weight = std::pow(4.0, plane + static_cast<int>(bit));
            variance += weight;
            squares += weight * weight;
          }
        }
      }
      result.noise_variance += variance;
      result.squared_variance += variance * variance;
      result.fourth += squares;
    }
  }
  return result;
}

std::vector<long> input_levels(const Network& network, std::span<const std::uint8_t> pixels) {
  std::vector<long> levels;
  for (const std::uint8_t pixel : pixels) {
    levels.push_back((pixel * ((1 << network.input_bits) - 1) + 127) / 255);
  }
  return levels;
}

std::vector<long> outputs_of(const Layer& layer, const std::vector<long>& sums) {
  std::vector<long> levels;
  const std::size_t pixels = sums.size() / layer.weight_shape[0];
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double value =
        static_cast<double>(sums[i]) * layer.scale[i / pixels] + layer.bias[i / pixels];
    levels.push_back(
        std::clamp(static_cast<long>(std::floor(value + 0.5)), 0L, (1L << layer.output_bits) - 1));
  }
  return levels;
}

/// Both layers in one image, all codes right.
std::vector<Reference> references_of(const Network& network, std::span<const std::uint8_t> pixels) {
  const MapShape shape{network.input_shape[0], network.input_shape[1], network.input_shape[2]};
  const auto first = reference_of(network.layers[0], shape, input_levels(network, pixels), 3);
  return {first, reference_of(network.layers[1], {}, outputs_of(network.layers[0], first.sums), 2)};
}

/// Every MAC value read one up or one down, with probability `misread` each; no class is clipped:
/// code c stands for c - 1.
circuits::ErrorTable shifted_table(double misread) {
  circuits::ErrorTable table = fixtures::empty_table(rows, rows + 3);
  table.code_origin = -1.0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    double* row = table.probability.data() + i * table.codes + table.classes[i].lrs_count;
    row[0] = row[2] = misread;
    row[1] = 1.0 - 2.0 * misread;
    table.ideal_code[i] = table.classes[i].lrs_count + 1;
  }
  return table;
}

TEST(LayerRecord, CountsClassesAndCodesAsPlainLoopsDo) {
  const Network network = small_network();
  const ImageSet images = random_images(network, 7);
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> classes[2];
  double signal[2] = {0.0, 0.0};
  for (std::size_t image = 0; image < images.size(); ++image) {
    const auto layers = references_of(network, images.image(image));
    for (std::size_t layer = 0; layer < 2; ++layer) {
      for (const auto& [key, count] : layers[layer].classes) classes[layer][key] += count;
      for (const long sum : layers[layer].sums) signal[layer] += static_cast<double>(sum * sum);
    }
  }
  AccuracyOptions options = recording();
  options.reads = 2;
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    options.stream = stream;
    const AccuracyResult result =
        accuracy_with_table(network, images, fixtures::identity_table(rows), options, {2});
    const LayerReport report = layer_report(result, 0.95);
    ASSERT_EQ(report.layers.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
      const LayerFigures& layer = report.layers[i];
      EXPECT_EQ(layer.name, network.layers[i].name);
      std::vector<ClassReads> expected;
      std::vector<std::uint64_t> codes(rows + 1);
      for (const auto& [key, count] : classes[i]) {
        expected.push_back({key.second, key.first, 2 * count});
        codes[key.second] += 2 * count;
      }
      EXPECT_THAT(layer.classes, testing::ElementsAreArray(expected));
      EXPECT_THAT(layer.codes, testing::ElementsAreArray(codes));
      EXPECT_EQ(layer.outputs, i == 0 ? 21u * 20 : 4u);
      const double outputs = static_cast<double>(layer.outputs * images.size());
      EXPECT_DOUBLE_EQ(layer.own.signal, signal[i] / outputs);
      EXPECT_DOUBLE_EQ(layer.network.signal, signal[i] / outputs);
      for (const SignalToNoise& ratio : {layer.own, layer.network}) {
        EXPECT_EQ(ratio.noise, 0.0);
        EXPECT_TRUE(std::isinf(ratio.decibels.value) && ratio.decibels.value > 0.0);
      }
      const ClippedShares shares = clipped_shares(layer, report.scale);
      const auto reads = static_cast<double>(layer.reads());
      EXPECT_DOUBLE_EQ(shares.first_code, static_cast<double>(codes[0]) / reads);
      EXPECT_DOUBLE_EQ(shares.last_code, static_cast<double>(codes[rows]) / reads);
      EXPECT_EQ(shares.beyond, 0.0);
    }
  }
}

// Closed form: each read has variance 2 misread; tolerance 5 standard errors of the mean square,
// from the fourth moments of sums of independent misreads.
TEST(LayerRecord, FindsTheNoiseThatTheTableHolds) {
  constexpr double misread = 0.06;
  const Network network = small_network();
  const ImageSet images = random_images(network, 40);
  AccuracyOptions options = recording();
  options.reads = 4;
  const AccuracyResult result =
      accuracy_with_table(network, images, shifted_table(misread), options, {2});
  const LayerFigures layer = layer_report(result, 0.95).layers[0];
  double noise = 0.0;
  double variance = 0.0;
  std::vector<double> codes(rows + 3);
  std::uint64_t reads = 0;
  for (std::size_t image = 0; image < images.size(); ++image) {
    const Reference one = references_of(network, images.image(image))[0];
    noise += 2.0 * misread * one.noise_variance;
    // E e^4 - v^2 = 2 v^2 + sum of (m4 - 3 m2^2) of the reads.
    variance += 2.0 * std::pow(2.0 * misread, 2) * one.squared_variance +
                (2.0 * misread - 3.0 * std::pow(2.0 * misread, 2)) * one.fourth;
    for (const auto& [key, count] : one.classes) {
      const auto n = static_cast<double>(count * options.reads);
      codes[key.second] += misread * n;
      codes[key.second + 1] += (1.0 - 2.0 * misread) * n;
      codes[key.second + 2] += misread * n;
      reads += count * options.reads;
    }
  }
  const double outputs = static_cast<double>(layer.outputs * images.size());
  const double expected = noise / outputs;
  const double error = std::sqrt(variance / options.reads) / outputs;
  EXPECT_LT(error, 0.02 * expected);
  EXPECT_NEAR(layer.own.noise, expected, 5.0 * error);
  EXPECT_GT(std::abs(layer.own.noise - 1.2 * expected), 5.0 * error);  // the biased twin
  EXPECT_NEAR(layer.bias, 0.0, 5.0 * std::sqrt(expected / (outputs * options.reads)));
  EXPECT_NEAR(layer.own.decibels.value, 10.0 * std::log10(layer.own.signal / layer.own.noise),
              1e-12);
  EXPECT_LT(layer.own.decibels.interval.lower, layer.own.decibels.value);
  // The first layer has the input of the exact network, the second one has not.
  EXPECT_DOUBLE_EQ(layer.network.noise, layer.own.noise);
  const LayerFigures second = layer_report(result, 0.95).layers[1];
  EXPECT_GT(second.network.noise, second.own.noise);
  EXPECT_EQ(layer.reads(), reads);
  for (std::size_t code = 0; code < codes.size(); ++code) {
    EXPECT_NEAR(static_cast<double>(layer.codes[code]), codes[code],
                5.0 * std::sqrt(codes[code]) + 1e-9)
        << code;
  }
}

}  // namespace
}  // namespace cimstat::experiments
