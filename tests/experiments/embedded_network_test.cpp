/// The network that ships with cimstat is what its description says.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>

#include "core/error.h"

#include "experiments/inference/dataset.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/network.h"

namespace cimstat::experiments {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

const std::filesystem::path kFile = CIMSTAT_EMBEDDED_NETWORK;

/// The largest sum of products that any input can cause in any output of a layer.
std::int64_t largest_sum(const Layer& layer, std::uint32_t input_bits) {
  const auto outputs = std::size_t{layer.weight_shape[0]};
  const std::size_t fan_in = layer.weight.size() / outputs;
  std::int64_t largest = 0;
  for (std::size_t output = 0; output < outputs; ++output) {
    std::int64_t positive = 0;
    std::int64_t negative = 0;
    for (std::size_t input = 0; input < fan_in; ++input) {
      const std::int64_t weight = layer.weight[output * fan_in + input];
      (weight > 0 ? positive : negative) += weight;
    }
    largest = std::max({largest, positive, -negative});
  }
  return largest * ((std::int64_t{1} << input_bits) - 1);
}

TEST(EmbeddedNetwork, IsASmallFileThatNamesItsTrainingAndItsData) {
  EXPECT_LT(std::filesystem::file_size(kFile), 500'000U);
  const Network network = read_network(kFile);
  EXPECT_THAT(network.description, HasSubstr("train_fashion --epochs"));
  EXPECT_THAT(network.description, HasSubstr("Fashion-MNIST (Zalando SE, MIT licence)"));
}

TEST(EmbeddedNetwork, HasFourBitWeightsThatDifferentialColumnsCanHold) {
  const Network network = read_network(kFile);
  EXPECT_EQ(network.input_bits, 4U);
  for (const Layer& layer : network.layers) {
    if (!is_weighted(layer.kind)) continue;
    SCOPED_TRACE(layer.name);
    EXPECT_EQ(layer.weight_bits, 4U);
    EXPECT_THAT(layer.weight, Each(AllOf(Ge(-7), Le(7))));
    EXPECT_EQ(layer.output_bits, &layer == &network.layers.back() ? 0U : 4U);
  }
}

TEST(EmbeddedNetwork, KeepsItsSumsWithinWhatSingleFloatsHoldExactly) {
  for (const Layer& layer : read_network(kFile).layers) {
    if (!is_weighted(layer.kind)) continue;
    EXPECT_LT(largest_sum(layer, 4), std::int64_t{1} << 24) << layer.name;
  }
}

TEST(EmbeddedNetwork, ReadsAtMostThreeHundredThousandColumnsOf128RowsAnImage) {
  const ForwardPass pass(read_network(kFile), ArrayOptions{.rows = 128});
  EXPECT_LE(pass.partial_sums(), 300'000U);
}

TEST(EmbeddedNetwork, IsRightOn88PercentOfTheTestImagesInExactIntegers) {
  ImageSet images;
  try {
    images = read_named_images("fashion-mnist", Split::test);
  } catch (const core::DataError& error) {
    GTEST_SKIP() << error.what();
  }
  ASSERT_EQ(images.size(), 10'000U);
  const ForwardPass pass(read_network(kFile), ArrayOptions{.rows = 128});
  auto workspace = pass.workspace();
  std::size_t right = 0;
  for (std::size_t image = 0; image < images.size(); ++image) {
    const auto answer = pass.classify(images.image(image), ExactIntegers{}, {}, workspace);
    right += answer == images.labels[image] ? 1U : 0U;
  }
  RecordProperty("right", static_cast<int>(right));
  EXPECT_GE(right, 8'800U);
}

}  // namespace
}  // namespace cimstat::experiments
