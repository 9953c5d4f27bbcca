/// What version 1.2 of the network file added: round trips, hashes, and what is shown of it.
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file/hdf5_file.h"

#include "experiments/inference/network.h"
#include "experiments/seeing/network_summary.h"
#include "tests/experiments/random_network.h"
#include "tests/experiments/residual_block.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::at;
using fixtures::convolution;
using fixtures::layer_of;
using fixtures::residual_block;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::bytes_of;
using tests::TemporaryFolder;

void expect_equal(const Layer& a, const Layer& b) {
  EXPECT_EQ(std::tie(a.name, a.kind, a.inputs), std::tie(b.name, b.kind, b.inputs));
  EXPECT_TRUE(a.kernel == b.kernel && a.stride == b.stride && a.dilation == b.dilation);
  EXPECT_TRUE(a.padding == b.padding);
  EXPECT_EQ(std::tie(a.groups, a.padding_level), std::tie(b.groups, b.padding_level));
  EXPECT_EQ(std::tie(a.weight_bits, a.weight_shape, a.weight),
            std::tie(b.weight_bits, b.weight_shape, b.weight));
  EXPECT_EQ(std::tie(a.scale, a.bias, a.output_bits), std::tie(b.scale, b.bias, b.output_bits));
}

void expect_round_trip(const Network& network) {
  const TemporaryFolder folder;
  write_network(network, folder / "a.h5");
  const Network read = read_network(folder / "a.h5");
  ASSERT_EQ(read.layers.size(), network.layers.size());
  for (std::size_t i = 0; i < read.layers.size(); ++i) {
    expect_equal(read.layers[i], network.layers[i]);
  }
  write_network(read, folder / "b.h5");
  EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
}

TEST(ExtendedNetwork, ComesBackFromItsFile) {
  expect_round_trip(residual_block());
  for (std::uint32_t seed = 0; seed < 40; ++seed) expect_round_trip(RandomNetwork(seed).make());
}

std::vector<std::int64_t> version_of(const Network& network) {
  const TemporaryFolder folder;
  write_network(network, folder / "a.h5");
  return core::Hdf5Input(folder / "a.h5").integers_attribute("/", "schema_version");
}

/// The sample without anything new, and its file's version.
Network plain_sample() {
  Network network = residual_block();
  Layer first = convolution("first", "input", {4, 2, 3, 3});
  first.padding = 1;
  first.output_bits = 4;
  Layer logits = convolution("logits", "first", {5, 4, 6, 6});
  logits.stride = 4;
  network.layers = {first, logits};
  network.input_shape = {2, 6, 8};
  return network;
}

TEST(ExtendedNetwork, SaysVersion12WhereItUsesSomethingOfItAlone) {
  EXPECT_THAT(version_of(plain_sample()), ElementsAre(1, 1));
  EXPECT_THAT(version_of(residual_block()), ElementsAre(1, 2));
  const auto changed = [](const std::function<void(Network&)>& change) {
    Network network = plain_sample();
    change(network);
    return version_of(network);
  };
  const auto quantised_reals = [](Network& network) {
    network.layers[0].output_bits = 0;
    Layer levels = layer_of(LayerKind::quantise, "levels", {"first"});
    levels.scale = {1.0};
    levels.bias = {0.0};
    levels.output_bits = 4;
    network.layers.insert(network.layers.begin() + 1, levels);
    network.layers[2].inputs = {"levels"};
  };
  EXPECT_THAT(changed(quantised_reals), ElementsAre(1, 2));
  EXPECT_THAT(changed([](Network& n) { n.layers[0].padding_level = {0, 0}; }), ElementsAre(1, 2));
  EXPECT_THAT(changed([](Network& n) { n.layers[1].stride = {4, 5}; }), ElementsAre(1, 2));
  EXPECT_THAT(changed([](Network& n) {
                n.layers[0].dilation = 2;
                n.layers[0].padding = 2;
              }),
              ElementsAre(1, 2));
  EXPECT_THAT(changed([](Network& n) { n.layers[0].padding = {0, 1, 2, 1}; }), ElementsAre(1, 2));
}

// Of a network without anything new: made before there was anything.
TEST(ExtendedNetwork, LeavesTheHashOfOlderNetworks) {
  EXPECT_EQ(content_hash(plain_sample()),
            "ae0f182ba773cbe23f0dc0fd50a7afed7fdaf906a1ad9c1a123b008568010b52");
}

TEST(ExtendedNetwork, HasAnotherHashForEachOfItsNumbers) {
  std::set<std::string> hashes{content_hash(residual_block())};
  const auto add = [&](const std::string& layer, const std::function<void(Layer&)>& change) {
    Network network = residual_block();
    change(at(network, layer));
    hashes.insert(content_hash(network));
  };
  add("first", [](Layer& l) { l.kernel = {5, 3}; });
  add("first", [](Layer& l) { l.kernel = 3; });
  add("first", [](Layer& l) { l.stride = {2, 1}; });
  add("first", [](Layer& l) { l.stride = {1, 2}; });
  add("first", [](Layer& l) { l.stride = 2; });
  add("first", [](Layer& l) { l.padding = {1, 2, 1, 1}; });
  add("first", [](Layer& l) { l.padding = 1; });
  add("first", [](Layer& l) { l.padding_level = {6, 8}; });
  add("first", [](Layer& l) { l.padding_level.clear(); });
  add("branch", [](Layer& l) { l.dilation = 1; });
  add("branch", [](Layer& l) { l.dilation = {2, 1}; });
  add("branch", [](Layer& l) { l.dilation = {1, 2}; });
  add("branch", [](Layer& l) { l.groups = 2; });
  add("branch", [](Layer& l) { l.groups = 1; });
  add("levels", [](Layer& l) { l.bias = {4.0}; });
  add("levels", [](Layer& l) { l.output_bits = 4; });
  add("sum", [](Layer& l) { l.output_bits = 4; });
  EXPECT_EQ(hashes.size(), 18u);
}

TEST(ExtendedNetwork, IsShownWithWhatOnlySomeLayersHave) {
  const std::string text = format_network(residual_block());
  EXPECT_THAT(text, HasSubstr("  first            kernel [3, 5], padding [1, 2, 1, 2], padding "
                              "level 6 .. 9\n"));
  EXPECT_THAT(text, HasSubstr("  branch           dilation [2, 2], groups 4\n"));
  EXPECT_THAT(text, HasSubstr("  sum              add             4 x 6 x 8        real"));
  EXPECT_THAT(text, Not(HasSubstr("  logits           kernel")));
  const core::Json json = network_as_json(residual_block());
  EXPECT_EQ(json["layers"][1]["groups"], 4);
  EXPECT_EQ(json["layers"][0]["kernel"], core::Json::array({3, 5}));
  EXPECT_FALSE(json["layers"][6].contains("kernel"));
}

}  // namespace
}  // namespace cimstat::experiments
