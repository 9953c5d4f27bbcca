/// Transformers as networks of integers, against the models that they were made of.
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/onnx/plain_graph.h"
#include "tests/experiments/onnx/import_check.h"
#include "tests/experiments/onnx/model_builder.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::integer_scores;
using fixtures::options_of;
using fixtures::random_images;
using fixtures::relative_error;
using ::testing::HasSubstr;
using tests::ModelBuilder;
using tests::set;
using tests::TemporaryFolder;

std::string fixture(const std::string& name) {
  return std::string(CIMSTAT_MODELS) + "/" + name + ".onnx";
}

std::map<LayerKind, int> kinds_of(const Network& network) {
  std::map<LayerKind, int> kinds;
  for (const Layer& layer : network.layers) ++kinds[layer.kind];
  return kinds;
}

TEST(AttentionImport, EightBitsAnswerAsTheModelsDo) {
  for (const char* name : {"transformer13", "transformer17", "multihead"}) {
    const OnnxModel model(fixture(name));
    const std::uint32_t channels = name[0] == 'm' ? 2 : 3;
    EXPECT_LT(relative_error(model, options_of(8, channels)), 0.05) << name;
    EXPECT_GT(relative_error(model, options_of(2, channels)), 0.2) << name;  // the twin
  }
}

TEST(AttentionImport, MakesTheLayersOfATransformer) {
  for (const char* name : {"transformer13", "transformer17"}) {
    const OnnxModel model(fixture(name));
    const Network network = import_model(model, random_images(model, 4), options_of(6, 3), {1});
    std::map<LayerKind, int> kinds = kinds_of(network);
    EXPECT_EQ(kinds[LayerKind::prepend_tokens], 1) << name;
    EXPECT_EQ(kinds[LayerKind::add_constant], 1);
    EXPECT_EQ(kinds[LayerKind::layer_norm], 2);
    EXPECT_EQ(kinds[LayerKind::gelu], 1);
    EXPECT_EQ(kinds[LayerKind::softmax], 1);
    EXPECT_EQ(kinds[LayerKind::attend_keys], 1);
    EXPECT_EQ(kinds[LayerKind::attend_values], 1);
    // The patches; queries, keys and values; the output; two of the MLP.
    EXPECT_EQ(kinds[LayerKind::convolution], 7);
    EXPECT_EQ(kinds[LayerKind::fully_connected], 1);
    EXPECT_EQ(kinds[LayerKind::max_pool], 1);  // the class token
    for (const Layer& layer : network.layers) {
      if (is_product(layer.kind)) {
        EXPECT_EQ(layer.groups, 2u);
      }
    }
  }
}

/// Tokens of an image of 2 x 2 pixels with 4 channels each, what `more` does to the tensor "x"
/// (1 x 4 tokens x 4), and a mean of "z" over the tokens.
ModelBuilder with_tokens(const std::function<void(ModelBuilder&)>& more) {
  ModelBuilder builder(17);
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  const auto draw = [&](std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
  };
  builder.input("image", {1, 3, 2, 2}).output("scores");
  builder.reals("w", {4, 3, 1, 1}, draw(12));
  builder.reals("v", {4, 2}, draw(8));
  builder.reals("q", {4, 4}, draw(16));
  builder.reals("k", {4, 4}, draw(16));
  builder.reals("half", {}, {0.5f});
  builder.reals("one", {}, {1.0f});
  builder.reals("root", {}, {1.41421356f});
  builder.reals("channels", {4}, draw(4));
  builder.reals("places", {1, 4, 4}, draw(16));
  builder.whole("tokens", {3}, {1, 4, 4});
  builder.whole("heads", {4}, {1, 4, 2, 2});
  builder.node("Conv", {"image", "w"}, {"patches"}, "first");
  builder.node("Reshape", {"patches", "tokens"}, {"turned"});
  set(builder.node("Transpose", {"turned"}, {"x"}), "perm", std::vector<std::int64_t>{0, 2, 1});
  more(builder);
  onnx::NodeProto& mean = builder.node("ReduceMean", {"z"}, {"m"}, "mean");
  set(mean, "axes", std::vector<std::int64_t>{1});
  set(mean, "keepdims", std::int64_t{0});
  builder.node("MatMul", {"m", "v"}, {"scores"}, "last");
  return builder;
}

void turn(ModelBuilder& builder, const std::string& from, const std::string& to,
          const std::vector<std::int64_t>& order) {
  set(builder.node("Transpose", {from}, {to}), "perm", order);
}

/// Queries, keys and values by heads; scores; what is done to them; the sum over values.
void attention(ModelBuilder& builder, const std::string& scores) {
  for (const char* name : {"q", "k"}) {
    const std::string part(name);
    builder.node("MatMul", {"x", part}, {part + "1"}, "of_" + part);
    builder.node("Reshape", {part + "1", "heads"}, {part + "2"});
    turn(builder, part + "2", part + "3", {0, 2, 1, 3});
  }
  turn(builder, "k2", "k4", {0, 2, 3, 1});
  builder.node("MatMul", {"q3", "k4"}, {"scores1"}, "products");
  builder.node("MatMul", {scores, "k3"}, {"c1"}, "sums");
  turn(builder, "c1", "c2", {0, 2, 1, 3});
  builder.node("Reshape", {"c2", "tokens"}, {"z"});
}

/// The line of a refusal, or the relative error at 8 bits.
std::string outcome(const ModelBuilder& builder) {
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  try {
    const OnnxModel model(folder / "model.onnx");
    const double error = relative_error(model, options_of(8, 3));
    return error < 0.05 ? "" : "error " + std::to_string(error);
  } catch (const core::DataError& error) {
    const std::string line = error.what();
    EXPECT_EQ(line.find('\n'), line.npos);
    return line;
  }
}

TEST(AttentionImport, TakesBlocksAsTheyAreWritten) {
  EXPECT_EQ(outcome(with_tokens([](ModelBuilder& b) {
              set(b.node("Softmax", {"scores1"}, {"shares"}), "axis", std::int64_t{-1});
              attention(b, "shares");
            })),
            "");
  // Scaled before or behind; queries; no softmax at all.
  EXPECT_EQ(outcome(with_tokens([](ModelBuilder& b) {
              b.node("Mul", {"scores1", "half"}, {"scaled"});
              b.node("Softmax", {"scaled"}, {"shares"});
              attention(b, "shares");
            })),
            "");
  EXPECT_EQ(outcome(with_tokens([](ModelBuilder& b) { attention(b, "scores1"); })), "");
  // x / 2 (1 + erf(x / sqrt 2)) in another order than PyTorch's; constants of all shapes.
  EXPECT_EQ(outcome(with_tokens([](ModelBuilder& b) {
              b.node("Add", {"x", "places"}, {"placed"});
              b.node("Div", {"placed", "root"}, {"d"});
              b.node("Erf", {"d"}, {"e"});
              b.node("Add", {"one", "e"}, {"p"});
              b.node("Mul", {"placed", "half"}, {"h"});
              b.node("Mul", {"h", "p"}, {"g"});
              b.node("MatMul", {"g", "q"}, {"l"});
              b.node("Mul", {"l", "channels"}, {"l2"});
              b.node("Add", {"channels", "l2"}, {"z"});
            })),
            "");
  // A norm whose gamma and beta come later, then a ReLU.
  EXPECT_EQ(outcome(with_tokens([](ModelBuilder& b) {
              b.reals("ones", {4}, {1, 1, 1, 1});
              b.node("LayerNormalization", {"x", "ones"}, {"n"});
              b.node("Mul", {"n", "channels"}, {"n2"});
              b.node("Add", {"n2", "channels"}, {"n3"});
              b.node("Relu", {"n3"}, {"r"});
              b.node("MatMul", {"r", "k"}, {"l"});
              b.node("Add", {"l", "x"}, {"z"});
            })),
            "");
}

TEST(AttentionImport, NamesWhatItCanNotLayOut) {
  const auto refusal = [](const std::function<void(ModelBuilder&)>& more) {
    return outcome(with_tokens(more));
  };
  EXPECT_THAT(refusal([](ModelBuilder& b) { b.node("Tanh", {"x"}, {"z"}, "third"); }),
              HasSubstr("node 'third' (Tanh): can't be laid out yet"));
  EXPECT_THAT(refusal([](ModelBuilder& b) { b.node("Erf", {"x"}, {"z"}, "third"); }),
              HasSubstr("node 'third' (Erf): is no part of a GELU"));
  EXPECT_THAT(refusal([](ModelBuilder& b) {
                b.node("Div", {"x", "root"}, {"d"});
                b.node("Erf", {"d"}, {"e"});
                b.node("Relu", {"e"}, {"r"}, "third");
                b.node("Add", {"r", "x"}, {"z"});
              }),
              HasSubstr("node 'third' (Relu): takes part of a norm or GELU"));
  EXPECT_THAT(
      refusal([](ModelBuilder& b) {
        b.node("MatMul", {"turned", "x"}, {"z"}, "third");
      }),
      HasSubstr("node 'third' (MatMul): multiplies 1 x 4 x 4 by 1 x 4 x 4 (queries by keys"));
  EXPECT_THAT(refusal([](ModelBuilder& b) {
                set(b.node("Softmax", {"x"}, {"z"}, "third"), "axis", std::int64_t{1});
              }),
              HasSubstr("node 'third' (Softmax): is no softmax over the keys"));
  EXPECT_THAT(refusal([](ModelBuilder& b) {
                b.node("Mul", {"x", "x"}, {"z"}, "third");
              }),
              HasSubstr("node 'third' (Mul): combines two layers"));
  EXPECT_THAT(refusal([](ModelBuilder& b) {
                turn(b, "x", "t", {0, 2, 1});
                b.node("MatMul", {"t", "q"}, {"z"}, "third");
              }),
              HasSubstr("node 'third' (MatMul): of 1 x 4 x 4 (its last axis must be a token's"));
  EXPECT_THAT(refusal([](ModelBuilder& b) {
                turn(b, "x", "t", {0, 2, 1});
                b.node("Add", {"x", "t"}, {"z"}, "third");
              }),
              HasSubstr("node 'third' (Add): adds tokens that lie in different orders"));
  EXPECT_THAT(refusal([](ModelBuilder& b) {
                b.node("Relu", {"x"}, {"r"});
                b.node("Mul", {"r", "channels"}, {"z"}, "third");
              }),
              HasSubstr("node 'third' (Mul): stands behind no convolution or matrix product"));
  EXPECT_THAT(refusal([](ModelBuilder& b) {
                b.node("Concat", {"x", "x"}, {"c"}, "third").add_attribute()->set_name("axis");
                b.model.mutable_graph()->mutable_node()->rbegin()->mutable_attribute(0)->set_i(1);
                b.model.mutable_graph()->mutable_node()->rbegin()->mutable_attribute(0)->set_type(
                    onnx::AttributeProto::INT);
                b.node("Relu", {"c"}, {"z"});
              }),
              HasSubstr("node 'third' (Concat): joins what cimstat's layers can't"));
  EXPECT_THAT(refusal([](ModelBuilder& b) {
                b.reals("ones", {4, 4}, std::vector<float>(16, 1.0f));
                onnx::NodeProto& norm = b.node("LayerNormalization", {"x", "ones"}, {"z"}, "third");
                set(norm, "axis", std::int64_t{1});
              }),
              HasSubstr("node 'third' (LayerNormalization): is over more than a token's channels"));
}

TEST(AttentionImport, TheShippedTransformerKeepsItsAnswers) {
  const OnnxModel model(std::string(CIMSTAT_NETWORKS) + "/fashion_vit.onnx");
  QuantiseOptions options = options_of(8, 1);
  options.image = {{0.286}, {0.353}};
  EXPECT_LT(relative_error(model, options), 0.05);
  const Network network = import_model(model, random_images(model, 4), options, {1});
  EXPECT_EQ(kinds_of(network)[LayerKind::attend_keys], 2);
  EXPECT_EQ(kinds_of(network)[LayerKind::attend_values], 2);
}

TEST(AttentionImport, IsTheSameForAnyNumberOfThreads) {
  const OnnxModel model(fixture("multihead"));
  const ImageSet images = random_images(model, 20);
  const QuantiseOptions options = options_of(5, 2);
  EXPECT_EQ(content_hash(import_model(model, images, options, {1})),
            content_hash(import_model(model, images, options, {3})));
}

}  // namespace
}  // namespace cimstat::experiments
