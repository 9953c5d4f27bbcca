/// Network files with levels that span each image's own map, and what is refused of such levels.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file/hdf5_file.h"

#include "experiments/inference/network.h"
#include "experiments/seeing/network_summary.h"
#include "tests/experiments/spanned_block.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::layer_of;
using fixtures::message_of;
using fixtures::spanned_block;
using fixtures::spanning;
using ::testing::HasSubstr;
using tests::TemporaryFolder;

std::string refusal_of(const std::function<void(Network&)>& change) {
  Network network = spanned_block();
  change(network);
  return message_of([&] { check(network); });
}

TEST(MapRangeFile, RefusesWhatHasNoUseForAStepOfEachImage) {
  EXPECT_EQ(refusal_of([](Network&) {}), "no DataError");
  const auto behind_levels = [](Layer layer) {
    return refusal_of([&](Network& network) {
      layer.inputs.resize(1);
      layer.inputs[0] = "levels";
      if (layer.kind == LayerKind::add) layer.inputs.emplace_back("relu");
      network.layers.insert(network.layers.begin() + 3, layer);
    });
  };
  Layer mean = layer_of(LayerKind::average_pool, "mean", {""});
  mean.scale = {1.0};
  mean.bias = {0.0};
  EXPECT_EQ(behind_levels(mean),
            "network: /layers/003_mean: its input 'levels' has a step of its own in each image "
            "(average_pool knows stored steps); let weighted layers alone read such levels");
  Layer sum = layer_of(LayerKind::add, "sum", {""});
  sum.scale = {1.0, 1.0};
  sum.bias = {0.0};
  EXPECT_THAT(behind_levels(sum), HasSubstr("(add knows stored steps)"));
  EXPECT_THAT(behind_levels(spanning("again", "", 4)), HasSubstr("(quantise knows stored steps)"));
  EXPECT_EQ(behind_levels(layer_of(LayerKind::relu, "more", {""})), "no DataError");
  EXPECT_THAT(refusal_of([](Network& network) {
                network.layers[2].output_bits = 1;
                network.layers[3].input_values = InputValues::signs;
              }),
              HasSubstr("(signs knows stored steps)"));
}

TEST(MapRangeFile, RefusesNumbersThatItHasNoUseFor) {
  EXPECT_THAT(refusal_of([](Network& network) {
                network.layers[2].scale = {1.0};
                network.layers[2].bias = {0.0};
              }),
              HasSubstr("/layers/002_levels: 1 scales and 1 biases (0 and 0 are needed)"));
  EXPECT_THAT(refusal_of([](Network& network) { network.layers[2].epsilon = -1.0; }),
              HasSubstr("/layers/002_levels: epsilon -1 (0 or above)"));
  EXPECT_THAT(refusal_of([](Network& network) { network.layers[2].output_bits = 0; }),
              HasSubstr("/layers/002_levels: output_bits 0 (1 .. 8)"));
  EXPECT_THAT(refusal_of([](Network& network) { network.layers[1].range = LevelRange::map; }),
              HasSubstr("/layers/001_relu: relu has no range (a quantise layer has one)"));
  EXPECT_THAT(refusal_of([](Network& network) { network.layers[3].scale.assign(2, 1e280); }),
              HasSubstr("can give a value that is not finite"));
}

TEST(MapRangeFile, IsWrittenAndReadAsVersion14) {
  const TemporaryFolder folder;
  Network network = spanned_block();
  network.layers[2].epsilon = 1e-7;
  write_network(network, folder / "a.h5");
  const core::Hdf5Input file(folder / "a.h5");
  EXPECT_EQ(file.integers_attribute("/", "schema_version"), (std::vector<std::int64_t>{1, 4}));
  EXPECT_EQ(file.text_attribute("/layers/002_levels", "range"), "map");
  EXPECT_FALSE(file.has("/layers/002_levels/scale"));
  const Network read = read_network(folder / "a.h5");
  EXPECT_EQ(read.layers[2].range, LevelRange::map);
  EXPECT_EQ(read.layers[2].epsilon, 1e-7);
  EXPECT_EQ(content_hash(read), content_hash(network));
  Network other = network;
  other.layers[2].epsilon = 0.0;
  EXPECT_NE(content_hash(other), content_hash(network));
  other = network;
  other.layers[2].range = LevelRange::stored;
  EXPECT_NE(content_hash(other), content_hash(network));
  EXPECT_THAT(format_network(network), HasSubstr("range of each image's map"));
}

/// A file whose quantise layer says `range`.
std::string message_of_file(std::int64_t minor, const std::string& range) {
  const TemporaryFolder folder;
  {
    core::Hdf5Output output(folder / "a.h5");
    output.attribute("/", "filetype", "cimstat network");
    output.attribute("/", "schema_version", std::vector<std::int64_t>{1, minor});
    output.attribute("/", "name", "hand-made");
    output.attribute("/", "description", "");
    output.attribute("/", "input_shape", std::vector<std::int64_t>{1, 1, 1});
    output.attribute("/", "input_bits", std::int64_t{4});
    output.attribute("/", "classes", std::int64_t{1});
    const auto add = [&](const std::string& path, const std::string& name, const std::string& kind,
                         const std::string& input, std::int64_t weights, std::int64_t bits) {
      output.group(path);
      output.attribute(path, "name", name);
      output.attribute(path, "kind", kind);
      output.attribute(path, "inputs", input);
      for (const char* one : {"kernel", "stride"}) output.attribute(path, one, std::int64_t{1});
      output.attribute(path, "padding", std::int64_t{0});
      output.attribute(path, "weight_bits", weights);
      output.attribute(path, "output_bits", bits);
    };
    add("/layers/000_q", "q", "quantise", "input", 0, 4);
    output.attribute("/layers/000_q", "range", range);
    add("/layers/001_w", "w", "fully_connected", "q", 4, 0);
    output.dataset("/layers/001_w/weight", std::vector<std::int8_t>{3}, {1, 1});
    output.dataset("/layers/001_w/scale", std::vector<double>{1}, {1});
    output.dataset("/layers/001_w/bias", std::vector<double>{0}, {1});
    output.commit();
  }
  return message_of([&] { read_network(folder / "a.h5"); });
}

TEST(MapRangeFile, FilesSayARangeThatIsOne) {
  EXPECT_EQ(message_of_file(4, "map"), "no DataError");
  EXPECT_THAT(message_of_file(4, "image"),
              HasSubstr("/layers/000_q: has range 'image'; write \"map\", or leave it out"));
  EXPECT_THAT(message_of_file(3, "map"), HasSubstr("unknown attribute 'range'"));
  EXPECT_THAT(message_of_file(4, "stored"), HasSubstr("0 scales and 0 biases (1 and 1 are"));
}

}  // namespace
}  // namespace cimstat::experiments
