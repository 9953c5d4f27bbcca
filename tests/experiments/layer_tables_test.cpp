/// Layers whose codes are drawn from error tables of their own.
#include "experiments/inference/layer_tables.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/accuracy_run.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/experiments/network_reference.h"
#include "tests/experiments/small_network.h"

namespace cimstat::experiments {
namespace {

using fixtures::images_for;
using fixtures::small_network;
using ::testing::HasSubstr;

/// A converter without noise: code = min(k / step, top), which stands for origin + step * code.
struct Converter {
  std::uint32_t rows = 0;
  std::uint32_t step = 1;
  std::uint32_t top = 0;
  std::uint32_t origin = 0;

  std::uint32_t code(std::uint32_t k) const { return std::min(k / step, top); }
  circuits::ErrorTable table() const {
    circuits::ErrorTable table = fixtures::empty_table(rows, top + 1);
    for (std::size_t i = 0; i < table.size(); ++i) {
      table.probability[i * table.codes + code(table.classes[i].lrs_count)] = 1.0;
    }
    table.code_step = step;
    table.code_origin = origin;
    return table;
  }
};

/// Three fully connected layers on converters of their own, in plain loops.
std::vector<double> plain_logits(const Network& network,
                                 const std::map<std::string, Converter>& converters,
                                 const std::vector<std::uint8_t>& pixels) {
  std::vector<long> map;
  unsigned bits = network.input_bits;
  for (const std::uint8_t pixel : pixels) map.push_back((pixel * ((1 << bits) - 1) + 127) / 255);
  std::vector<double> values;
  for (const Layer& layer : network.layers) {
    const Converter& converter = converters.at(layer.name);
    const std::size_t inputs = map.size();
    values.clear();
    for (std::size_t output = 0; output < layer.weight_shape[0]; ++output) {
      double sum = 0.0;
      for (std::size_t first = 0; first < inputs; first += converter.rows) {
        const std::size_t end = std::min<std::size_t>(first + converter.rows, inputs);
        for (unsigned i = 0; i < bits; ++i) {
          for (unsigned j = 0; j < layer.weight_bits; ++j) {
            std::uint32_t active = 0;
            std::uint32_t count = 0;
            for (std::size_t row = first; row < end; ++row) {
              const bool on = (map[row] >> i & 1) != 0;
              active += on;
              count += on && (layer.weight[output * inputs + row] >> j & 1) != 0;
            }
            if (active == 0) continue;
            const double value = converter.origin + double(converter.step) * converter.code(count);
            const double sign = j + 1 == layer.weight_bits ? -1.0 : 1.0;
            sum += sign * static_cast<double>(1UL << (i + j)) * value;
          }
        }
      }
      values.push_back(reference::delivered(layer, sum * layer.scale[output] + layer.bias[output]));
    }
    map.assign(values.begin(), values.end());
    bits = layer.output_bits;
  }
  return values;
}

Network random_network(std::mt19937& random) {
  Network network;
  network.name = "three";
  network.input_shape = {1, 5, 5};
  network.input_bits = 3;
  network.classes = 4;
  network.layers = {fixtures::random_fully_connected("a", "input", 20, 25, 4, 3, random),
                    fixtures::random_fully_connected("b", "a", 17, 20, 3, 4, random),
                    fixtures::random_fully_connected("c", "b", 4, 17, 4, 0, random)};
  return network;
}

TEST(LayerTables, EachLayerHasItsOwnColumnsAndCodes) {
  int mixed = 0;
  for (std::uint32_t seed = 0; seed < 400; ++seed) {
    std::mt19937 random(seed);
    const Network network = random_network(random);
    const auto converter = [&] {
      const auto rows = static_cast<std::uint32_t>(3 + random() % 30);
      return Converter{rows, static_cast<std::uint32_t>(1 + random() % 3),
                       static_cast<std::uint32_t>(2 + random() % 10),
                       static_cast<std::uint32_t>(random() % 2)};
    };
    const Converter rest = converter();
    std::map<std::string, Converter> converters{{"a", rest}, {"b", rest}, {"c", rest}};
    std::vector<LayerTable> tables;
    std::set<std::string> named;
    for (int number = 0; number < 2; ++number) {
      const Converter own = converter();
      LayerTable table{.name = "t", .layers = {}, .table = own.table(), .rows = own.rows};
      for (const char* layer : {"a", "b", "c"}) {
        if (random() % 2 == 0 || !named.insert(layer).second) continue;
        converters[layer] = own;
        table.layers.emplace_back(layer);
      }
      if (!table.layers.empty()) tables.push_back(std::move(table));
    }
    mixed += !tables.empty() && tables[0].layers.size() < 3;
    const ForwardPass pass(network, with_columns({.rows = rest.rows}, tables));
    const std::string name = "rest";
    const circuits::ErrorTable table = rest.table();
    const TableReadings readings(pass, {table, name}, tables, {}, core::Stream::philox);
    std::vector<std::uint8_t> pixels(25);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random() >> 24);
    ForwardPass::Workspace workspace = pass.workspace();
    pass.classify(pixels, readings.arithmetic(), {{1}, 0}, workspace);
    ASSERT_EQ(workspace.values, plain_logits(network, converters, pixels)) << "seed " << seed;
  }
  EXPECT_GT(mixed, 200);
}

AccuracyOptions noisy_options(std::span<const LayerTable> tables) {
  return {.array = {.rows = 16}, .key = {5}, .reads = 4, .layer_tables = tables};
}

TEST(LayerTables, ThatAreTheTableOfTheRestChangeNothing) {
  const Network network = small_network();
  const ImageSet images = images_for(network, 60);
  const circuits::ErrorTable table = fixtures::normal_table(16, 0.2, 0.05, 0.8);
  const std::vector<LayerTable> equal{
      {.name = "t", .layers = {"hidden"}, .table = table, .rows = 16}};
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    AccuracyOptions plain = noisy_options({});
    plain.stream = stream;
    AccuracyOptions with = noisy_options(equal);
    with.stream = stream;
    const AccuracyResult one = accuracy_with_table(network, images, table, plain, {1});
    for (const unsigned threads : {1U, 2U, 5U}) {
      const AccuracyResult other = accuracy_with_table(network, images, table, with, {threads});
      EXPECT_EQ(other.sampled_correct, one.sampled_correct);
      EXPECT_EQ(other.answers, one.answers);
    }
  }
}

TEST(LayerTables, GiveTheSameBytesForAnyThreadsWithScalesCountedAnew) {
  const Network network = small_network();
  const ImageSet images = images_for(network, 60);
  const circuits::ErrorTable table = fixtures::normal_table(16, 0.2, 0.05, 0.8);
  const std::vector<LayerTable> own{{.name = "t",
                                     .layers = {"hidden"},
                                     .table = fixtures::normal_table(5, 0.3, 0.1, 1.0),
                                     .rows = 5}};
  AccuracyOptions options = noisy_options(own);
  options.images = 30;
  options.recalibration_images = 20;
  options.array.diagonals = {.count = 2, .kind = Protection::vote, .votes = 3};
  const AccuracyResult one = accuracy_with_table(network, images, table, options, {1});
  EXPECT_EQ(accuracy_with_table(network, images, table, options, {4}).answers, one.answers);
  options.layer_tables = {};
  EXPECT_FALSE(accuracy_with_table(network, images, table, options, {1}).answers == one.answers);
}

// A layer whose table misreads nothing is as good as one in exact integers, with the random numbers
// of all others where they were; its noisy twin isn't.
TEST(LayerTables, OfALayerWithoutErrorsLeaveThoseOfOthers) {
  const Network network = small_network();
  const ImageSet images = images_for(network, 80);
  const circuits::ErrorTable table = fixtures::normal_table(16, 0.2, 0.05, 1.2);
  AccuracyOptions spared = noisy_options({});
  spared.sensitivity = true;
  const AccuracyResult expected = accuracy_with_table(network, images, table, spared, {1});
  ASSERT_EQ(expected.sensitivity.layers, (std::vector<std::string>{"hidden", "classes"}));
  for (std::size_t layer = 0; layer < 2; ++layer) {
    std::vector<LayerTable> tables{{.name = "t",
                                    .layers = {expected.sensitivity.layers[layer]},
                                    .table = fixtures::identity_table(16),
                                    .rows = 16}};
    const auto right = [&](std::size_t image) {
      const AccuracyResult result =
          accuracy_with_table(network, images, table, noisy_options(tables), {1});
      std::uint32_t sum = 0;
      for (std::size_t read = 0; read < 4; ++read) {
        sum += result.sampled_correct[read * images.size() + image];
      }
      return sum;
    };
    std::size_t differing = 0;
    for (std::size_t image = 0; image < images.size(); image += 7) {
      EXPECT_EQ(right(image), expected.sensitivity.spared[image * 2 + layer]);
    }
    tables[0].table = fixtures::normal_table(16, 0.4, 0.3, 3.0);
    for (std::size_t image = 0; image < images.size(); image += 7) {
      differing += right(image) != expected.sensitivity.spared[image * 2 + layer];
    }
    EXPECT_GT(differing, 2U);
  }
}

std::string refusal(const std::vector<LayerTable>& tables, const ArrayOptions& array,
                    const Network& network = small_network()) {
  const ImageSet images = images_for(network, 4);
  AccuracyOptions options{.array = array, .key = {5}, .layer_tables = tables};
  try {
    accuracy_with_table(network, images, fixtures::identity_table(16), options, {1});
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "no UsageError";
}

TEST(LayerTables, NameWhatDoesNotFit) {
  const ArrayOptions array{.rows = 16};
  const auto table = [](const std::string& layer, const circuits::ErrorTable& own,
                        std::uint32_t rows) {
    return std::vector<LayerTable>{{.name = "here", .layers = {layer}, .table = own, .rows = rows}};
  };
  EXPECT_EQ(refusal(table("hiden", fixtures::identity_table(16), 16), array),
            "here: the network has no layer 'hiden'; did you mean hidden?");
  EXPECT_EQ(refusal(table("convolution_17", fixtures::identity_table(16), 16), array),
            "here: the network has no layer 'convolution_17'; those on arrays are hidden, classes");
  EXPECT_EQ(refusal(table("hidden", fixtures::identity_table(16), 16),
                    {.rows = 16, .first_layer = LayerPlace::digital}),
            "here: layer 'hidden' is on no array (fully_connected is computed digitally here); "
            "leave it out, or make it analog");
  EXPECT_EQ(refusal(table("hidden", fixtures::identity_table(9), 16), array),
            "here: has no class of 10 active rows (the network reads up to 16 at a time); make it "
            "with table.active_rows = \"all\"");
  EXPECT_EQ(refusal(table("classes", fixtures::identity_table(7), 16), array),
            "here: has no class of 8 active rows (the network reads up to 8 at a time); make it "
            "with table.active_rows = \"all\"");
  EXPECT_EQ(refusal(table("hidden", fixtures::identity_table(16), 0), array),
            "here: 0 word lines (an array has 1 .. 1024); choose a number in that range");
  Network network = small_network();
  std::mt19937 random(4);
  network.layers[0] = fixtures::random_convolution("hidden", "input", 8, 1, 3, 1, 1, 3, 3, random);
  network.layers[1] = fixtures::random_fully_connected("classes", "hidden", 4, 128, 3, 0, random);
  EXPECT_EQ(refusal(table("hidden", fixtures::identity_table(16), 6),
                    {.rows = 16, .tiling = Tiling::whole_channels}, network),
            "accuracy.tiling: a channel's window takes 9 rows (here gives 6); use more rows, or "
            "tiling = \"im2col\"");
}

}  // namespace
}  // namespace cimstat::experiments
