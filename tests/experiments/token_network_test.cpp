/// What version 1.3 of the network file added: files, hashes, refusals, what is shown.
#include "tests/experiments/token_network.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "circuits/references/references.h"

#include "experiments/inference/chip_accuracy.h"
#include "experiments/inference/network.h"
#include "experiments/seeing/network_summary.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::at;
using fixtures::message_of;
using fixtures::token_network;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::bytes_of;
using tests::TemporaryFolder;

TEST(TokenNetwork, ComesBackFromItsFile) {
  const TemporaryFolder folder;
  for (std::uint32_t seed = 0; seed < 5; ++seed) {
    const Network network = token_network(seed);
    write_network(network, folder / "a.h5");
    EXPECT_THAT(core::Hdf5Input(folder / "a.h5").integers_attribute("/", "schema_version"),
                ElementsAre(1, 3));
    const Network read = read_network(folder / "a.h5");
    EXPECT_EQ(content_hash(read), content_hash(network));
    ASSERT_EQ(read.layers.size(), network.layers.size());
    for (std::size_t i = 0; i < read.layers.size(); ++i) {
      const Layer& a = read.layers[i];
      const Layer& b = network.layers[i];
      EXPECT_EQ(a.kind, b.kind);
      EXPECT_EQ(a.inputs, b.inputs);
      EXPECT_EQ(a.groups, b.groups);
      EXPECT_EQ(a.zero_level, b.zero_level);
      EXPECT_EQ(a.epsilon, b.epsilon);
      EXPECT_EQ(a.scale, b.scale);
      EXPECT_EQ(a.bias, b.bias);
      EXPECT_EQ(a.output_bits, b.output_bits);
    }
    write_network(read, folder / "b.h5");
    EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
  }
}

TEST(TokenNetwork, HasAnotherHashForEachOfItsNumbers) {
  std::set<std::string> hashes{content_hash(token_network())};
  const auto add = [&](const std::string& layer, const std::function<void(Layer&)>& change) {
    Network network = token_network();
    change(at(network, layer));
    hashes.insert(content_hash(network));
  };
  add("tokens", [](Layer& l) { l.bias[0] += 1.0; });
  add("tokens", [](Layer& l) { l.scale[0] += 1.0; });
  add("places", [](Layer& l) { l.bias[7] += 1.0; });
  add("norm_a", [](Layer& l) { l.epsilon = 1e-6; });
  add("scores", [](Layer& l) { l.zero_level = 12; });
  add("scores", [](Layer& l) { l.zero_level = 0; });
  add("scores", [](Layer& l) { l.groups = 3; });
  add("scores", [](Layer& l) { l.kind = LayerKind::attend_values; });
  add("shares", [](Layer& l) { l.groups = 1; });
  EXPECT_EQ(hashes.size(), 10u);
}

TEST(TokenNetwork, IsShownWithItsProducts) {
  const std::string text = format_network(token_network());
  EXPECT_THAT(text, HasSubstr("  scores           attend_keys     10 x 5 x 1       real       3"
                              "       150  -           -            0.02"));
  EXPECT_THAT(text, HasSubstr("  context          attend_values   6 x 5 x 1        real       5"
                              "       150  "));
  EXPECT_THAT(text, HasSubstr("  scores           groups 2, zero_level 13\n"));
  EXPECT_THAT(text, HasSubstr("  shares           groups 2\n"));
}

struct Refusal {
  std::string name;
  std::function<void(Network&)> spoil;
  std::string message;
};

void PrintTo(const Refusal& refusal, std::ostream* stream) { *stream << refusal.name; }

class TokenNetworkRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(TokenNetworkRefusal, IsOneLineThatNamesThePlace) {
  Network network = token_network();
  EXPECT_NO_THROW(check(network));
  GetParam().spoil(network);
  const std::string message = message_of([&] { check(network, "here"); });
  EXPECT_THAT(message, HasSubstr("here: "));
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    TokenNetwork, TokenNetworkRefusal,
    ::testing::Values(
        Refusal{"RealQueries", [](Network& n) { at(n, "scores").inputs[0] = "query"; },
                "_scores: its input 'query' delivers real values (attend_keys takes levels); put a "
                "quantise layer between them"},
        Refusal{"RealKeys", [](Network& n) { at(n, "scores").inputs[1] = "key"; },
                "_scores: its input 'key' delivers real values"},
        Refusal{"OneOperand", [](Network& n) { at(n, "scores").inputs.pop_back(); },
                "_scores: has 1 inputs (attend_keys takes 2)"},
        Refusal{"ThreeOperands", [](Network& n) { at(n, "context").inputs.push_back("v"); },
                "_context: has 3 inputs (attend_values takes 2)"},
        Refusal{"NoSoftmaxButItsMap", [](Network& n) { at(n, "p").inputs = {"c"}; },
                "its input 'c' is not an earlier layer"},
        Refusal{"SharesOfOtherKeys", [](Network& n) { at(n, "context").inputs[0] = "q"; },
                "_context: 2 heads on inputs of 6 x 5 x 1 and 6 x 5 x 1 (the first has a channel "
                "for each head and pixel of the second)"},
        Refusal{
            "HeadsThatDoNotDivide", [](Network& n) { at(n, "scores").groups = 4; },
            "_scores: 4 heads on inputs of 6 x 5 x 1 and 6 x 5 x 1 (both have as many channels, "
            "which the heads share)"},
        Refusal{"ManyHeads", [](Network& n) { at(n, "scores").groups = 0xffffffffU; },
                "_scores: 4294967295 heads on inputs of"},
        Refusal{"NoHeads", [](Network& n) { at(n, "scores").groups = 0; },
                "_scores: groups 0 (1 or more)"},
        Refusal{"SoftmaxWithoutGroups", [](Network& n) { at(n, "shares").groups = 0; },
                "_shares: groups 0 (1 or more)"},
        Refusal{"SoftmaxGroupsThatDoNotDivide", [](Network& n) { at(n, "shares").groups = 3; },
                "_shares: groups 3 (a divisor of its 10 channels)"},
        Refusal{"ZeroLevelBeyondItsBits", [](Network& n) { at(n, "scores").zero_level = 32; },
                "_scores: a zero_level of 32 does not fit 5 bits (0 .. 31)"},
        Refusal{"ZeroLevelOfASoftmax", [](Network& n) { at(n, "shares").zero_level = 1; },
                "_shares: softmax has no zero_level"},
        Refusal{"EpsilonOfAGelu", [](Network& n) { at(n, "gelu").epsilon = 1e-5; },
                "_gelu: gelu has no epsilon"},
        Refusal{"NoEpsilon", [](Network& n) { at(n, "norm_a").epsilon = 0.0; },
                "_norm_a: epsilon 0 (above 0, so that channels may be equal)"},
        Refusal{
            "EpsilonWithoutEnd",
            [](Network& n) { at(n, "norm_a").epsilon = std::numeric_limits<double>::infinity(); },
            "_norm_a: epsilon inf"},
        Refusal{"NormOfLevels", [](Network& n) { at(n, "norm_b").inputs = {"a"}; },
                "_norm_b: its input 'a' delivers levels (layer_norm takes real values); let that "
                "one deliver real values"},
        Refusal{"NormOfOtherChannels", [](Network& n) { at(n, "norm_b").scale.pop_back(); },
                "_norm_b: 5 scales and 6 biases (5 and 5 are needed)"},
        Refusal{"NormOfFewerChannels",
                [](Network& n) {
                  at(n, "norm_b").scale.pop_back();
                  at(n, "norm_b").bias.pop_back();
                },
                "_norm_b: 5 scales for an input of 6 x 5 x 1 (one for each channel)"},
        Refusal{"NormOfHugeValues", [](Network& n) { at(n, "sum_a").scale[0] = 1e150; },
                "_norm_b: its input may be of"},
        Refusal{"GeluOfLevels", [](Network& n) { at(n, "up").output_bits = 4; },
                "_gelu: its input 'up' delivers levels (gelu takes real values)"},
        Refusal{"TooFewConstants", [](Network& n) { at(n, "places").bias.pop_back(); },
                "_places: 29 constants for an input of 6 x 5 x 1 (one for each value)"},
        Refusal{
            "ConstantsWithoutEnd",
            [](Network& n) { at(n, "places").bias[3] = std::numeric_limits<double>::infinity(); },
            "_places: a scale or bias is not finite"},
        Refusal{"PartOfAToken", [](Network& n) { at(n, "tokens").bias.pop_back(); },
                "_tokens: 5 constants before an input of 6 x 2 x 2 (one for each channel of each "
                "token)"},
        Refusal{"NoTokens", [](Network& n) { at(n, "tokens").bias.clear(); },
                "_tokens: 0 constants before"},
        Refusal{"KeysOfOneBit", [](Network& n) { at(n, "k").output_bits = 1; },
                "_scores: its input 'k' has levels of 1 bit (with a sign they are 2 .. 8); give it "
                "more bits"},
        Refusal{"WeightsOfAProduct", [](Network& n) { at(n, "scores").weight = {1}; },
                "_scores: attend_keys has no weights"},
        Refusal{"PaddingOfAProduct", [](Network& n) { at(n, "scores").padding = 1; },
                "_scores: attend_keys has no kernel, stride, dilation or padding"},
        Refusal{"TwoScalesOfAProduct",
                [](Network& n) {
                  at(n, "scores").scale = {1.0, 1.0};
                },
                "_scores: 2 scales and 1 biases (1 and 1 are needed)"},
        Refusal{"SharesAsScores",
                [](Network& n) {
                  n.layers.resize(13);
                  n.layers.back().output_bits = 4;
                },
                "here: /layers/0"}),
    [](const auto& refusal) { return refusal.param.name; });

// 600 tokens of 8 bits on each side: 2^20 of them would be 600 values of a megapixel each.
TEST(TokenNetwork, RefusesSumsAndMapsWithoutRoom) {
  Network network = token_network();
  network.input_shape = {1, 4096, 4096};
  network.input_bits = 8;
  network.layers.resize(1);
  at(network, "patch") = fixtures::convolution("patch", "input", {1, 1, 1, 1});
  at(network, "patch").output_bits = 8;
  Layer product = fixtures::layer_of(LayerKind::attend_values, "product", {"patch", "patch"});
  product.kind = LayerKind::attend_keys;
  product.scale = {1.0};
  product.bias = {0.0};
  network.layers.push_back(product);
  EXPECT_THAT(message_of([&] { check(network); }),
              HasSubstr("_product: delivers 16777216 x 4096 x 4096 values"));
  // A sum over all pixels, of 8-bit levels and weights.
  network.input_shape = {1, 256, 258};
  Layer values = fixtures::convolution("values", "input", {1, 1, 1, 1});
  values.output_bits = 8;
  Layer shares = fixtures::convolution("many", "input", {66048, 1, 1, 1});
  shares.kernel = 1;
  shares.stride = 64;
  shares.output_bits = 8;
  product.kind = LayerKind::attend_values;
  product.inputs = {"many", "values"};
  network.layers = {values, shares, product};
  EXPECT_THAT(message_of([&] { check(network); }),
              HasSubstr("_product: sums of 66048 products of 8-bit weights and 8-bit inputs can "
                        "overflow 32 bits"));
}

// Chips hold what was written into them once.
TEST(TokenNetwork, HasNoProductsOnFrozenChips) {
  ImageSet images;
  images.rows = images.columns = 4;
  images.classes = 3;
  images.pixels.resize(16);
  images.labels = {0};
  circuits::ColumnDesign design;
  design.rows = 16;
  design.lrs = core::Law::point(8e-6);
  design.hrs = core::Law::point(0.0);
  design.sense = {.offset_sd = 0.0, .noise_sd = 1e-6};
  design.ladder = circuits::midpoint_ladder(design, 16);
  AccuracyOptions options;
  options.chips = 1;
  options.array = {.rows = 16, .attention = LayerPlace::analog};
  try {
    check_accuracy_on_chips(token_network(), images, ChipDesign(design), options);
    FAIL();
  } catch (const core::UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("accuracy.attention: is \"analog\" on frozen chips (each "
                                        "image writes cells of its own there"));
  }
}

}  // namespace
}  // namespace cimstat::experiments
