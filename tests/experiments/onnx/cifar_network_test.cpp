/// The shipped networks of 4-bit levels for CIFAR-10: their answers to its images, against those of
/// experiments/training/integer_evaluation.py, which runs an ONNX graph in whole numbers by itself.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "experiments/inference/forward_pass.h"
#include "experiments/onnx/import_model.h"

namespace cimstat::experiments {
namespace {

std::vector<std::uint8_t> bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// Label and pixels of each image, as CIFAR-10's binary files have them.
constexpr std::size_t record_size = 1 + 3 * 32 * 32;

struct Images {
  std::vector<std::uint8_t> records;
  std::vector<std::uint8_t> classes;  ///< that the other evaluation gave

  std::size_t size() const { return classes.size(); }
  std::span<const std::uint8_t> pixels(std::size_t image) const {
    return std::span(records).subspan(image * record_size + 1, record_size - 1);
  }
};

struct Shipped {
  std::string name;
  std::size_t weights = 0;
};

class CifarNetwork : public testing::TestWithParam<Shipped> {
 protected:
  static Images images() {
    const std::filesystem::path folder = CIMSTAT_MODELS;
    return {bytes_of(folder / "cifar10_40.bin"),
            bytes_of(folder / ("cifar10_40_" + GetParam().name + ".bin"))};
  }

  static Network network() {
    const std::filesystem::path folder = CIMSTAT_NETWORKS;
    const OnnxModel model(folder / ("cifar10_" + GetParam().name + ".onnx"));
    return import_quantised_model(model, {.mean = {0, 0, 0}, .deviation = {1, 1, 1}});
  }
};

TEST_P(CifarNetwork, AnswersAsAnEvaluationOfTheGraphInWholeNumbers) {
  const Images set = images();
  ASSERT_EQ(set.size(), 40U);
  ASSERT_EQ(set.records.size(), 40 * record_size);
  const ForwardPass pass(network(), {.rows = 128});
  ForwardPass::Workspace workspace = pass.workspace();
  IdealCodes ideal;
  std::size_t right = 0;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const std::uint32_t answer = pass.classify(set.pixels(i), ExactIntegers{}, {}, workspace);
    EXPECT_EQ(answer, set.classes[i]) << "image " << i;
    if (answer == set.records[i * record_size]) ++right;
    if (i >= 8) continue;
    const Arithmetic columns = ColumnReading(SourcedCodes{&ideal});
    EXPECT_EQ(pass.classify(set.pixels(i), columns, {}, workspace), answer) << "image " << i;
  }
  EXPECT_GT(right, 28U);
}

TEST_P(CifarNetwork, WeighsInFourBits) {
  std::size_t weights = 0;
  for (const Layer& layer : network().layers) {
    weights += layer.weight.size();
    if (layer.weight.empty()) continue;
    EXPECT_EQ(layer.weight_bits, 4U) << layer.name;
    EXPECT_LE(std::ranges::max(layer.weight), 7) << layer.name;
    EXPECT_GE(std::ranges::min(layer.weight), -7) << layer.name;
  }
  EXPECT_EQ(weights, GetParam().weights);
}

INSTANTIATE_TEST_SUITE_P(Shipped, CifarNetwork,
                         testing::Values(Shipped{"resnet20", 270896}, Shipped{"vgg8", 813408}),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace cimstat::experiments
