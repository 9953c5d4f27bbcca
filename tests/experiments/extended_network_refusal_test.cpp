/// What version 1.2 of the network file added: what is no network.
#include <functional>
#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/experiments/residual_block.h"

namespace cimstat::experiments {
namespace {

using fixtures::at;
using fixtures::convolution;
using fixtures::layer_of;
using fixtures::message_of;
using fixtures::residual_block;
using ::testing::HasSubstr;
using ::testing::Not;

struct Refusal {
  std::string name;
  std::function<void(Network&)> spoil;
  std::string message;
};

void PrintTo(const Refusal& refusal, std::ostream* stream) { *stream << refusal.name; }

class ExtendedNetworkRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(ExtendedNetworkRefusal, IsOneLineThatNamesThePlace) {
  Network network = residual_block();
  EXPECT_NO_THROW(check(network));
  GetParam().spoil(network);
  const std::string message = message_of([&] { check(network, "here"); });
  EXPECT_THAT(message, HasSubstr("here: "));
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    ExtendedNetwork, ExtendedNetworkRefusal,
    ::testing::Values(
        Refusal{"RealsIntoAConvolution", [](Network& n) { at(n, "first").output_bits = 0; },
                "/layers/001_branch: its input 'first' delivers real values (convolution takes "
                "levels); put a quantise layer between them"},
        Refusal{"RealsIntoAPaddedPool",
                [](Network& n) {
                  at(n, "mean").inputs = {"relu"};
                  at(n, "mean").kind = LayerKind::max_pool;
                  at(n, "mean").padding = {0, 1, 0, 0};
                  at(n, "mean").scale.clear();
                  at(n, "mean").bias.clear();
                  at(n, "mean").output_bits = 0;
                },
                "/layers/005_mean: pads real values (windows over the edge see zeros, which may be "
                "more than the values); pad with 0, or put a quantise layer before it"},
        Refusal{"QuantiseWithoutBits", [](Network& n) { at(n, "levels").output_bits = 0; },
                "/layers/004_levels: output_bits 0 (1 .. 8)"},
        Refusal{"QuantiseOfTwoScales",
                [](Network& n) {
                  at(n, "levels").scale = {1.0, 1.0};
                },
                "2 scales and 1 biases (1 and 1 are needed)"},
        Refusal{"QuantiseBeyondDoubles", [](Network& n) { at(n, "levels").scale = {1e300}; },
                "can give a value that is not finite"},
        Refusal{"SumsBeyondDoubles",
                [](Network& n) {
                  at(n, "branch").scale.assign(4, 1e280);
                  at(n, "sum").scale = {1e20, 1.0};
                },
                "/layers/002_sum: its scales and biases can give a value that is not finite"},
        Refusal{"LevelsAtTheEnd",
                [](Network& n) {
                  n.layers.pop_back();
                  n.classes = 4;
                },
                "is the last one but not a weighted layer that gives logits"},
        Refusal{"NoWeights",
                [](Network& n) {
                  n.layers = {at(n, "mean"), layer_of(LayerKind::flatten, "flat", {"mean"})};
                  n.layers[0].inputs = {"input"};
                  n.layers[0].output_bits = 0;
                  n.classes = 2;
                },
                "no layer has weights"},
        Refusal{"NoGroups", [](Network& n) { at(n, "branch").groups = 0; }, "groups 0"},
        Refusal{"GroupsThatDoNotDivideTheOutputs", [](Network& n) { at(n, "branch").groups = 3; },
                "groups 3 (a divisor of its 4 output channels)"},
        Refusal{"GroupsThatDoNotFitTheInput", [](Network& n) { at(n, "branch").groups = 2; },
                "weights 4 x 1 x 3 x 3 in 2 groups do not fit a kernel of 3 on an input of 4 x"},
        Refusal{"GroupsOfAPool", [](Network& n) { at(n, "mean").groups = 2; },
                "average_pool has no groups (1)"},
        Refusal{"DilationOfARelu",
                [](Network& n) {
                  at(n, "relu").dilation = {1, 2};
                },
                "relu has no kernel, stride, dilation or padding"},
        Refusal{"DilationZero",
                [](Network& n) {
                  at(n, "branch").dilation = {2, 0};
                },
                "kernel 3, stride 1, dilation 2 x 0, padding 2 (1 .. 64 each"},
        Refusal{"DilationBeyondTheLimit", [](Network& n) { at(n, "branch").dilation = 65; },
                "dilation 65"},
        Refusal{"PaddingOfAWindow",
                [](Network& n) {
                  at(n, "branch").padding = {0, 0, 0, 5};
                },
                "padding [0, 0, 0, 5]"},
        Refusal{"PaddingAcrossOfAKernel",
                [](Network& n) {
                  at(n, "first").padding = {3, 0, 0, 0};
                },
                "kernel 3 x 5, stride 1, padding [3, 0, 0, 0]"},
        Refusal{"WindowBeyondTheInput",
                [](Network& n) {
                  at(n, "branch").dilation = 6;
                  at(n, "branch").padding = 3;
                },
                "a kernel of 13 does not fit an input of 4 x 6 x 8"},
        Refusal{"TransposedWeights",
                [](Network& n) {
                  at(n, "first").weight_shape = {4, 2, 5, 3};
                },
                "weights 4 x 2 x 5 x 3 do not fit a kernel of 3 x 5 on an input of 2 x 6 x 8"},
        Refusal{"TooFewPaddingLevels", [](Network& n) { at(n, "first").padding_level = {6}; },
                "1 levels of padding_level (2 input channels)"},
        Refusal{"PaddingLevelBeyondItsBits",
                [](Network& n) {
                  at(n, "first").padding_level = {6, 16};
                },
                "a padding_level of 16 does not fit 4 bits (0 .. 15)"},
        Refusal{"PaddingLevelOfAPool",
                [](Network& n) {
                  at(n, "mean").padding_level = {1, 1, 1, 1};
                },
                "average_pool has no padding_level"},
        Refusal{"HugePaddedInput",
                [](Network& n) {
                  n.input_shape = {64, 1, 1};
                  Layer wide = convolution("first", "input", {1, 64, 64, 64});
                  wide.dilation = 63;
                  wide.padding = 3900;
                  n.layers = {wide};
                },
                "pads its input to 64 x 7801 x 7801 values (at most 268435456)"}),
    [](const auto& refusal) { return refusal.param.name; });

}  // namespace
}  // namespace cimstat::experiments
