/// Models that are damaged, hostile, or hold what cimstat doesn't know.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/onnx/onnx_graph.h"
#include "experiments/onnx/onnx_model.h"
#include "tests/experiments/onnx/model_builder.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using tests::ModelBuilder;
using tests::set;
using tests::small_model;
using tests::TemporaryFolder;

/// The one line with which a file is refused; empty where it is taken.
std::string refusal(const std::filesystem::path& file) {
  try {
    OnnxModel{file};
  } catch (const core::Error& error) {
    const std::string line = error.what();
    EXPECT_EQ(line.find('\n'), line.npos) << line;
    EXPECT_THAT(line, ::testing::StartsWith(file.parent_path().string())) << line;
    EXPECT_TRUE(error.code() == core::ExitCode::data || error.code() == core::ExitCode::usage);
    return line;
  }
  return {};
}

std::string refusal(const ModelBuilder& builder) {
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  return refusal(folder / "model.onnx");
}

using Change = std::function<void(onnx::ModelProto&)>;

std::string refusal_after(const Change& change) {
  ModelBuilder builder = small_model();
  change(builder.model);
  return refusal(builder);
}

TEST(OnnxFile, TakesTheSmallModel) { EXPECT_EQ(refusal(small_model()), ""); }

TEST(OnnxFile, RefusesEveryBeginningOfAModel) {
  const TemporaryFolder folder;
  const std::string bytes = small_model().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ModelBuilder::write(folder / "model.onnx", bytes.substr(0, size));
    EXPECT_NE(refusal(folder / "model.onnx"), "") << size;
  }
}

TEST(OnnxFile, NeverFailsOtherwiseWhereBitsAreFlipped) {
  const TemporaryFolder folder;
  const std::string bytes = small_model().bytes();
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    ModelBuilder::write(folder / "model.onnx", flipped);
    refusal(folder / "model.onnx");  // taken or one line: refusal() checks
  }
}

TEST(OnnxFile, NamesMissingAndOtherFiles) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal(folder / "none.onnx"), HasSubstr("can't be read"));
  std::filesystem::create_directory(folder / "folder.onnx");
  EXPECT_THAT(refusal(folder / "folder.onnx"), HasSubstr("can't be read"));
  ModelBuilder::write(folder / "text.onnx", "no model at all");
  EXPECT_THAT(refusal(folder / "text.onnx"), HasSubstr("is damaged or no ONNX model"));
}

TEST(OnnxFile, NamesOperatorsThatItDoesNotKnow) {
  EXPECT_THAT(refusal_after(
                  [](auto& model) { model.mutable_graph()->mutable_node(1)->set_op_type("LSTM"); }),
              HasSubstr("node 'second' (LSTM): is an operator that cimstat doesn't know"));
  EXPECT_THAT(refusal_after([](auto& model) {
                model.mutable_graph()->mutable_node(0)->set_domain("com.microsoft");
              }),
              HasSubstr("node 'first' (Conv): is of the domain 'com.microsoft'"));
  EXPECT_THAT(refusal_after([](auto& model) { model.add_functions()->set_name("f"); }),
              HasSubstr("has functions of its own"));
  EXPECT_THAT(refusal_after([](auto& model) { model.mutable_graph()->add_sparse_initializer(); }),
              HasSubstr("holds sparse tensors"));
}

TEST(OnnxFile, NamesOpsetsThatItDoesNotKnow) {
  for (const std::int64_t opset : {-1, 0, 10, 18, 1 << 30}) {
    EXPECT_THAT(
        refusal_after([&](auto& model) { model.mutable_opset_import(0)->set_version(opset); }),
        HasSubstr("is of opset " + std::to_string(opset)));
  }
  EXPECT_THAT(refusal_after([](auto& model) { model.clear_opset_import(); }),
              HasSubstr("is of opset 0"));
}

TEST(OnnxFile, NamesWrongTypes) {
  using onnx::TensorProto;
  EXPECT_THAT(refusal_after([](auto& model) {
                model.mutable_graph()->mutable_initializer(0)->set_data_type(TensorProto::STRING);
              }),
              HasSubstr("tensor 'w': is of type STRING"));
  EXPECT_THAT(refusal_after([](auto& model) {
                model.mutable_graph()->mutable_initializer(0)->set_data_type(77);
              }),
              HasSubstr("is of type number 77"));
  EXPECT_THAT(refusal_after([](auto& model) {
                auto& tensor = *model.mutable_graph()->mutable_initializer(0);
                tensor.set_data_type(TensorProto::INT8);
                tensor.clear_float_data();
                for (int i = 0; i < 18; ++i) tensor.add_int32_data(1);
              }),
              HasSubstr("node 'first' (Conv): its input 1 holds whole numbers"));
  EXPECT_THAT(refusal_after([](auto& model) {
                auto& tensor = *model.mutable_graph()->mutable_initializer(0);
                tensor.set_data_type(TensorProto::INT8);
                tensor.clear_float_data();
                for (int i = 0; i < 18; ++i) tensor.add_int32_data(300);
              }),
              HasSubstr("tensor 'w': holds 300"));
  EXPECT_THAT(refusal_after([](auto& model) {
                set(*model.mutable_graph()->mutable_node(0), "strides", std::int64_t{2});
              }),
              HasSubstr("attribute 'strides' is of another type"));
  EXPECT_THAT(refusal_after([](auto& model) {
                auto& tensor = *model.mutable_graph()->mutable_initializer(0);
                tensor.set_float_data(3, std::numeric_limits<float>::infinity());
              }),
              HasSubstr("tensor 'w': holds a number that is not finite"));
}

TEST(OnnxFile, NamesWrongShapes) {
  EXPECT_THAT(refusal_after([](auto& model) {
                model.mutable_graph()->mutable_initializer(0)->set_dims(2, 4);
              }),
              HasSubstr("tensor 'w': holds 18 of 24 numbers"));
  EXPECT_THAT(refusal_after([](auto& model) {
                model.mutable_graph()->mutable_initializer(0)->set_dims(0, -1);
              }),
              HasSubstr("tensor 'w': has the shape -1 x 2 x 3 x 3"));
  EXPECT_THAT(refusal_after([](auto& model) {
                auto& shape = *model.mutable_graph()
                                   ->mutable_input(0)
                                   ->mutable_type()
                                   ->mutable_tensor_type()
                                   ->mutable_shape();
                shape.mutable_dim(1)->set_dim_value(3);
              }),
              HasSubstr("weights 1 x 2 x 3 x 3 in 1 groups don't fit an input of 1 x 3 x 5 x 5"));
  EXPECT_THAT(refusal_after([](auto& model) {
                auto& shape = *model.mutable_graph()
                                   ->mutable_input(0)
                                   ->mutable_type()
                                   ->mutable_tensor_type()
                                   ->mutable_shape();
                shape.mutable_dim(2)->set_dim_param("rows");
              }),
              HasSubstr("input 'image': has the shape 1 x 2 x 0 x 5"));
  EXPECT_THAT(
      refusal_after([](auto& model) {
        set(*model.mutable_graph()->mutable_node(0), "dilations", std::vector<std::int64_t>{3, 3});
      }),
      HasSubstr("a window of 7 doesn't fit an input of 5"));
  EXPECT_THAT(
      refusal_after([](auto& model) {
        set(*model.mutable_graph()->mutable_node(0), "pads", std::vector<std::int64_t>{1, 1, 1});
      }),
      HasSubstr("pads of 1 x 1 x 1"));
}

TEST(OnnxFile, NamesHostileSizes) {
  static constexpr std::int64_t huge = std::int64_t{1} << 62;
  EXPECT_THAT(refusal_after([](auto& model) {
                model.mutable_graph()->mutable_initializer(0)->set_dims(0, huge);
              }),
              HasSubstr("at most 67108864 numbers"));
  EXPECT_THAT(refusal_after([](auto& model) {
                auto& tensor = *model.mutable_graph()->mutable_initializer(0);
                for (int axis = 0; axis < 4; ++axis) tensor.set_dims(axis, 1 << 16);
              }),
              HasSubstr("at most 67108864 numbers"));
  EXPECT_THAT(refusal_after([](auto& model) {
                for (int axis = 0; axis < 5; ++axis) {
                  model.mutable_graph()->mutable_initializer(0)->add_dims(1);
                }
              }),
              HasSubstr("has 9 axes"));
  EXPECT_THAT(refusal_after([](auto& model) {
                auto& shape = *model.mutable_graph()
                                   ->mutable_input(0)
                                   ->mutable_type()
                                   ->mutable_tensor_type()
                                   ->mutable_shape();
                shape.mutable_dim(3)->set_dim_value(huge);
              }),
              HasSubstr("at most 67108864 numbers"));
  EXPECT_THAT(refusal_after([](auto& model) {
                set(*model.mutable_graph()->mutable_node(0), "pads",
                    std::vector<std::int64_t>(4, huge));
              }),
              HasSubstr("four numbers, 0 to 4096"));
}

TEST(OnnxFile, LengthsThatReachBeyondTheFileReserveNothing) {
  const TemporaryFolder folder;
  // Graph (7) of 2 GB; in it, raw data (9) of a tensor (5) of as much.
  for (const std::string& bytes : {std::string("\x3a\xff\xff\xff\xff\x07", 6),
                                   std::string("\x3a\x0a\x2a\x08\x4a\xff\xff\xff\xff\x07", 10)}) {
    ModelBuilder::write(folder / "model.onnx", bytes);
    EXPECT_THAT(refusal(folder / "model.onnx"), HasSubstr("is damaged or no ONNX model"));
  }
}

TEST(OnnxFile, EmptyPartsByTheMillionAreRefusedAtOnce) {
  const TemporaryFolder folder;
  std::string graph;
  for (int i = 0; i < 1'000'000; ++i) graph += std::string("\x2a\x00", 2);  // initializers
  std::string model("\x3a", 1);
  for (std::size_t size = graph.size(); size > 0; size >>= 7) {
    model += static_cast<char>((size & 127) | (size > 127 ? 128 : 0));
  }
  ModelBuilder::write(folder / "model.onnx", model + graph);
  EXPECT_THAT(refusal(folder / "model.onnx"), HasSubstr("tensor ''"));
}

TEST(OnnxFile, NamesCyclesAndWhatNothingGives) {
  EXPECT_THAT(refusal_after([](auto& model) {
                model.mutable_graph()->mutable_node(0)->set_input(0, "scores");
              }),
              HasSubstr("needs its own output (the graph has a cycle)"));
  EXPECT_THAT(refusal_after([](auto& model) {
                model.mutable_graph()->mutable_node(0)->set_input(0, "nowhere");
              }),
              HasSubstr("node 'first' (Conv): nothing gives 'nowhere'"));
  EXPECT_THAT(refusal_after([](auto& model) {
                model.mutable_graph()->mutable_node(1)->set_output(0, "elsewhere");
              }),
              HasSubstr("nothing gives 'scores' (the graph's output)"));
  EXPECT_THAT(refusal_after([](auto& model) {
                model.mutable_graph()->mutable_node(0)->set_output(0, "scores");
              }),
              HasSubstr("gives 'scores'"));
}

TEST(OnnxFile, LongChainsNeitherOverflowTheStackNorTakeLong) {
  ModelBuilder builder;
  constexpr int nodes = 10'000;
  builder.input("t0", {1, 1}).output("t10000");
  for (int i = nodes; i-- > 0;) {  // in the wrong order, all of one name
    builder.node("Relu", {"t" + std::to_string(i)}, {"t" + std::to_string(i + 1)}, "same");
  }
  EXPECT_EQ(refusal(builder), "");
  builder.node("Relu", {"t0"}, {"one more"});
  EXPECT_THAT(refusal(builder), HasSubstr("is one of more than 10000"));
}

TEST(OnnxFile, AsksForOneInputAndOneOutput) {
  ModelBuilder two = small_model();
  two.output("y");
  EXPECT_THAT(refusal(two), HasSubstr("has 1 inputs and 2 outputs"));
  ModelBuilder more = small_model();
  more.input("mask", {1});
  EXPECT_THAT(refusal(more), HasSubstr("has 2 inputs and 1 outputs"));
  ModelBuilder listed = small_model();
  listed.input("w", {1, 2, 3, 3});  // initializers may be listed as inputs, too
  EXPECT_EQ(refusal(listed), "");
}

TEST(OnnxFile, RefusesModelsThatAreTooLargeToRun) {
  ModelBuilder builder;
  builder.input("image", {1, 1, 4096, 4096}).output("scores");
  builder.reals("w", {1, 1, 33, 33}, std::vector<float>(33 * 33, 1.0f));
  builder.node("Conv", {"image", "w"}, {"scores"});
  EXPECT_THAT(refusal(builder), HasSubstr("use a smaller model"));
}

/// The small model with its weights in a file outside.
struct Outside {
  Outside(const std::string& location, const std::string& offset = "0",
          const std::string& length = "72") {
    onnx::TensorProto& tensor = *builder.model.mutable_graph()->mutable_initializer(0);
    tensor.clear_float_data();
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : {std::pair("location", location), std::pair("offset", offset),
                                     std::pair("length", length)}) {
      onnx::StringStringEntryProto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    builder.write(folder / "model.onnx");
  }
  std::string refusal() const { return experiments::refusal(folder / "model.onnx"); }

  ModelBuilder builder = small_model();
  TemporaryFolder folder;
};

TEST(OnnxFile, ReadsTensorsStoredOutside) {
  const Outside outside("weights.bin", "4");
  std::string bytes(76, '\0');
  for (std::size_t i = 0; i < 18; ++i) bytes.replace(4 + 4 * i, 4, std::string("\0\0\x80\x3f", 4));
  ModelBuilder::write(outside.folder / "weights.bin", bytes);
  EXPECT_EQ(outside.refusal(), "");
  const OnnxGraph graph = read_onnx(outside.folder / "model.onnx");
  EXPECT_EQ(graph.constants.at("w").reals, std::vector<float>(18, 1.0f));
}

TEST(OnnxFile, NamesOutsideDataThatAreMissingShortOrElsewhere) {
  EXPECT_THAT(Outside("weights.bin").refusal(), HasSubstr("weights.bin: can't be read"));
  const Outside short_one("weights.bin");
  ModelBuilder::write(short_one.folder / "weights.bin", "short");
  EXPECT_THAT(short_one.refusal(), HasSubstr("'weights.bin' ends too early"));
  EXPECT_THAT(Outside("weights.bin", "minus one").refusal(), HasSubstr("'minus one' is no offset"));
  EXPECT_THAT(Outside("weights.bin", "0", "71").refusal(),
              HasSubstr("71 bytes are stored outside"));
  EXPECT_THAT(Outside("weights.bin", "18446744073709551615").refusal(), HasSubstr("weights.bin"));
  for (const char* location : {"/etc/passwd", "../weights.bin", "a/../../b", ""}) {
    EXPECT_THAT(Outside(location).refusal(),
                HasSubstr("outside data lie in the model's folder or below"))
        << location;
  }
  const Outside linked("link.bin");
  std::filesystem::create_symlink("/etc/passwd", linked.folder / "link.bin");
  EXPECT_THAT(linked.refusal(), HasSubstr("outside data lie in the model's folder or below"));
}

TEST(OnnxFile, ReadsEveryWayToStoreNumbers) {
  using onnx::TensorProto;
  ModelBuilder builder = small_model();
  const auto add = [&](const std::string& name, TensorProto::DataType type) -> TensorProto& {
    return builder.constant(name, {2}, type);
  };
  TensorProto& raw = add("raw", TensorProto::FLOAT);
  raw.set_raw_data(std::string("\0\0\x80\x3f\0\0\0\xc0", 8));
  TensorProto& half = add("half", TensorProto::FLOAT16);
  half.set_raw_data(std::string("\0\x3c\0\xc0", 4));
  TensorProto& half_list = add("half_list", TensorProto::FLOAT16);
  half_list.add_int32_data(0x3c00);
  half_list.add_int32_data(0xc000);
  TensorProto& brain = add("brain", TensorProto::BFLOAT16);
  brain.set_raw_data(std::string("\x80\x3f\0\xc0", 4));
  TensorProto& doubles = add("doubles", TensorProto::DOUBLE);
  doubles.add_double_data(1.0);
  doubles.add_double_data(-2.0);
  TensorProto& bytes = add("bytes", TensorProto::INT8);
  bytes.set_raw_data(std::string("\x01\xfe", 2));
  TensorProto& unsigned_bytes = add("unsigned", TensorProto::UINT8);
  unsigned_bytes.set_raw_data(std::string("\x01\xfe", 2));
  TensorProto& words = add("words", TensorProto::INT32);
  words.set_raw_data(std::string("\1\0\0\0\xfe\xff\xff\xff", 8));
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  const OnnxGraph graph = read_onnx(folder / "model.onnx");
  for (const char* name : {"raw", "half", "half_list", "brain", "doubles"}) {
    EXPECT_EQ(graph.constants.at(name).reals, (std::vector<float>{1.0f, -2.0f})) << name;
  }
  EXPECT_EQ(graph.constants.at("bytes").whole, (std::vector<std::int64_t>{1, -2}));
  EXPECT_EQ(graph.constants.at("unsigned").whole, (std::vector<std::int64_t>{1, 254}));
  EXPECT_EQ(graph.constants.at("words").whole, (std::vector<std::int64_t>{1, -2}));
}

}  // namespace
}  // namespace cimstat::experiments
