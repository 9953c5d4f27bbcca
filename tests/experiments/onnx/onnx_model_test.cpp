/// What models compute: as PyTorch answers (models/make_models.py), and operator by operator.
#include "experiments/onnx/onnx_model.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

#include "tests/experiments/onnx/model_builder.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using tests::ModelBuilder;
using tests::TemporaryFolder;

OnnxTensor image_of(const OnnxModel& model, std::vector<float> values) {
  OnnxTensor image;
  image.shape = model.input().shape;
  image.reals = std::move(values);
  return image;
}

class Exported : public ::testing::TestWithParam<const char*> {};

TEST_P(Exported, AnswersAsItsExporterDoes) {
  const std::string name = std::string(CIMSTAT_MODELS) + "/" + GetParam();
  const OnnxModel model(name + ".onnx");
  std::ifstream stream(name + ".json");
  const auto expected = nlohmann::json::parse(stream);
  const OnnxTensor output = model.run(image_of(model, expected["input"].get<std::vector<float>>()));
  const auto answer = expected["output"].get<std::vector<double>>();
  ASSERT_EQ(output.reals.size(), answer.size());
  EXPECT_EQ(output.shape, model.output().shape);
  double largest = 0.0;
  for (const double value : answer) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < answer.size(); ++i) {
    EXPECT_NEAR(output.reals[i], answer[i], 2e-6 * largest) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Exported,
                         ::testing::Values("plain", "windows", "residual", "transformer13",
                                           "transformer17", "multihead", "quantised",
                                           "fake_quantised"),
                         [](const auto& name) { return std::string(name.param); });

/// Runs one node on a tensor of 0, 1, 2, ...
class OneNode {
 public:
  OneNode(const std::string& kind, const std::vector<std::int64_t>& shape, std::int64_t opset = 13)
      : builder(opset), kind_(kind), shape_(shape) {
    builder.input("x", shape).output("y");
  }
  OnnxTensor run(const std::vector<std::string>& more_inputs = {},
                 const std::vector<std::string>& outputs = {"y"}) {
    std::vector<std::string> inputs{"x"};
    inputs.insert(inputs.end(), more_inputs.begin(), more_inputs.end());
    onnx::NodeProto& node = builder.node(kind_, inputs, outputs);
    *node.mutable_attribute() = attributes.attribute();
    const TemporaryFolder folder;
    builder.write(folder / "model.onnx");
    const OnnxModel model(folder / "model.onnx");
    std::int64_t count = 1;
    for (const std::int64_t extent : shape_) count *= extent;
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    return model.run(image_of(model, values));
  }

  ModelBuilder builder;
  onnx::NodeProto attributes;

 private:
  std::string kind_;
  std::vector<std::int64_t> shape_;
};

TEST(OnnxOperator, SoftmaxCountedAllAxesBehindItsOwnUpToOpset12) {
  OneNode old("Softmax", {1, 2, 3}, 12);
  const OnnxTensor all = old.run();
  double sum = 0.0;
  for (const float value : all.reals) sum += static_cast<double>(value);
  EXPECT_NEAR(sum, 1.0, 1e-6);
  OneNode now("Softmax", {1, 2, 3}, 13);
  const OnnxTensor rows = now.run();
  EXPECT_NEAR(rows.reals[0] + rows.reals[1] + rows.reals[2], 1.0, 1e-6);
  EXPECT_NEAR(rows.reals[1] / rows.reals[0], std::exp(1.0), 1e-5);
}

TEST(OnnxOperator, SliceCountsFromTheEndAndBackwards) {
  OneNode slice("Slice", {1, 6});
  slice.builder.whole("starts", {1}, {-1});
  slice.builder.whole("ends", {1}, {-100});
  slice.builder.whole("axes", {1}, {1});
  slice.builder.whole("steps", {1}, {-2});
  const OnnxTensor result = slice.run({"starts", "ends", "axes", "steps"});
  EXPECT_EQ(result.reals, (std::vector<float>{5, 3, 1}));
}

TEST(OnnxOperator, SplitInUnequalPartsGivesEachItsOwn) {
  OneNode split("Split", {1, 5}, 13);
  split.builder.whole("parts", {2}, {2, 3});
  tests::set(split.attributes, "axis", std::int64_t{1});
  EXPECT_EQ(split.run({"parts"}, {"rest", "y"}).reals, (std::vector<float>{2, 3, 4}));
}

TEST(OnnxOperator, GatherTakesPlacesFromTheEnd) {
  OneNode gather("Gather", {1, 3, 2});
  gather.builder.whole("places", {2}, {-1, 0});
  tests::set(gather.attributes, "axis", std::int64_t{1});
  const OnnxTensor result = gather.run({"places"});
  EXPECT_EQ(result.shape, (OnnxShape{1, 2, 2}));
  EXPECT_EQ(result.reals, (std::vector<float>{4, 5, 0, 1}));
}

TEST(OnnxOperator, SamePaddingKeepsTheExtentAndPutsTheOddZeroWhereItSays) {
  for (const bool upper : {true, false}) {
    OneNode convolution("Conv", {1, 1, 1, 3});
    convolution.builder.reals("w", {1, 1, 1, 2}, {1, 10});
    tests::set(convolution.attributes, "auto_pad",
               std::string(upper ? "SAME_UPPER" : "SAME_LOWER"));
    EXPECT_EQ(convolution.run({"w"}).reals,
              upper ? (std::vector<float>{10, 21, 2}) : (std::vector<float>{0, 10, 21}));
  }
}

TEST(OnnxOperator, BatchedMatricesBroadcast) {
  OneNode product("MatMul", {2, 1, 1, 2});
  product.builder.reals("w", {3, 2, 1}, {1, 0, 0, 1, 1, 1});
  const OnnxTensor result = product.run({"w"});
  // The batch of the input becomes 1.
  EXPECT_EQ(result.shape, (OnnxShape{1, 3, 1, 1}));
  EXPECT_EQ(result.reals, (std::vector<float>{0, 1, 1}));
}

TEST(OnnxOperator, ClipTakesLevels) {
  OneNode quantise("QuantizeLinear", {1, 6});
  quantise.builder.reals("scale", {}, {1.0f});
  const auto level = [&](const std::string& name, int value) {
    quantise.builder.constant(name, {}, onnx::TensorProto::INT8).add_int32_data(value);
  };
  level("zero", -2);
  level("low", -1);
  level("high", 2);
  quantise.builder.node("Clip", {"levels", "low", "high"}, {"cut"});
  quantise.builder.node("Cast", {"cut"}, {"y"});
  tests::set(*quantise.builder.model.mutable_graph()->mutable_node(1), "to", std::int64_t{1});
  EXPECT_EQ(quantise.run({"scale", "zero"}, {"levels"}).reals,
            (std::vector<float>{-1, -1, 0, 1, 2, 2}));
}

TEST(OnnxOperator, CastToEightBitsTakesWhatFits) {
  OneNode cast("Cast", {1, 3});
  tests::set(cast.attributes, "to", std::int64_t{3});
  cast.builder.node("Cast", {"levels"}, {"y"});
  tests::set(*cast.builder.model.mutable_graph()->mutable_node(0), "to", std::int64_t{1});
  EXPECT_EQ(cast.run({}, {"levels"}).reals, (std::vector<float>{0, 1, 2}));
  OneNode wide("Cast", {1, 300});
  tests::set(wide.attributes, "to", std::int64_t{2});
  EXPECT_THROW(wide.run(), core::DataError);
}

TEST(OnnxModel, FoldsWhatDependsOnShapesAndConstantsAlone) {
  const OnnxModel model(std::string(CIMSTAT_MODELS) + "/residual.onnx");
  for (const OnnxStep& step : model.steps()) {
    EXPECT_NE(step.node.kind, "Shape");
    EXPECT_NE(step.node.kind, "Constant");
    EXPECT_NE(step.node.kind, "Concat");
  }
  EXPECT_EQ(model.input().shape, (OnnxShape{1, 3, 8, 8}));
}

TEST(OnnxModel, CountsWeightsAndMultiplications) {
  const TemporaryFolder folder;
  tests::small_model().write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  ASSERT_EQ(model.steps().size(), 2U);
  EXPECT_EQ(model.steps()[0].weights, 18U);
  EXPECT_EQ(model.steps()[0].macs, 18U * 9);
  EXPECT_EQ(model.output().shape, (OnnxShape{1, 1, 3, 3}));
}

TEST(OnnxModel, ShowsEachTensorThatDependsOnTheImage) {
  const TemporaryFolder folder;
  tests::small_model().write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  std::vector<std::string> names;
  model.run(image_of(model, std::vector<float>(50, -1.0f)),
            [&](std::string_view name, const OnnxTensor& tensor) {
              names.emplace_back(name);
              if (name == "image") return;
              EXPECT_EQ(tensor.reals[0], name == "y" ? -18.0f : 0.0f);
            });
  EXPECT_EQ(names, (std::vector<std::string>{"image", "y", "scores"}));
}

}  // namespace
}  // namespace cimstat::experiments
