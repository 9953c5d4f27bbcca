#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/experiments/onnx/model_builder.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::tests {
namespace {

using testing::HasSubstr;

/// A small network for Fashion-MNIST, its weights drawn.
ModelBuilder fashion_model() {
  ModelBuilder builder;
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0.0f, 0.3f);
  const auto draw = [&](std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
  };
  builder.input("image", {1, 1, 28, 28}).output("scores", {1, 10});
  builder.reals("w1", {4, 1, 3, 3}, draw(36));
  builder.reals("w2", {676, 10}, draw(6760));
  builder.node("Conv", {"image", "w1"}, {"a"}, "/features/conv 1");
  builder.node("Relu", {"a"}, {"b"});
  onnx::NodeProto& pool = builder.node("MaxPool", {"b"}, {"c"});
  set(pool, "kernel_shape", std::vector<std::int64_t>{2, 2});
  set(pool, "strides", std::vector<std::int64_t>{2, 2});
  builder.node("Flatten", {"c"}, {"d"});
  builder.node("MatMul", {"d", "w2"}, {"scores"});
  return builder;
}

class ImportCommand : public testing::Test {
 protected:
  ImportCommand() { fashion_model().write(folder_ / "small.onnx"); }
  Outcome run(const std::string& command) const {
    return run_program("cd " + folder_.path().string() + " && " + CIMSTAT_BINARY + " " + command +
                       " 2>&1");
  }
  std::size_t files() const {
    const std::filesystem::directory_iterator all(folder_.path());
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  TemporaryFolder folder_;
};

const std::string fashion = " --data-set fashion-mnist -q ";

TEST_F(ImportCommand, WritesANetworkThatAccuracyTakes) {
  const Outcome made = run("import small.onnx --images 50 --test-images 200 --json" + fashion);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const auto result = nlohmann::json::parse(made.output);
  EXPECT_EQ(result["weights"], 36 + 6760);
  EXPECT_EQ(result["test"]["images"], 200);
  EXPECT_GT(result["test"]["agreeing"], 150);  // of 4 bits
  const Outcome shown = run("show small.network.h5");
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_THAT(shown.output, HasSubstr("features.conv_1"));
  EXPECT_THAT(shown.output, HasSubstr("imported from small.onnx: 4-bit weights"));
  const Outcome accuracy = run("accuracy " CIMSTAT_CONFIGS
                               "/rram_128rows.toml -q --set accuracy.network=small.network.h5 "
                               "--set accuracy.images=4 -o small.accuracy.h5");
  EXPECT_EQ(accuracy.exit_code, 0) << accuracy.output;
}

/// A layer of a DenseNet: channels joined to those before them, norms behind the joint.
ModelBuilder dense_fashion_model() {
  ModelBuilder builder;
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0.0f, 0.3f);
  const auto weights = [&](const std::string& name, const std::vector<std::int64_t>& shape,
                           std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    builder.reals(name, shape, values);
  };
  const auto norm = [&](const std::string& x, const std::string& y, std::int64_t channels) {
    const auto count = static_cast<std::size_t>(channels);
    const std::string one = y + "_one";
    const std::string zero = y + "_zero";
    builder.reals(one, {channels}, std::vector<float>(count, 1.0f));
    builder.reals(zero, {channels}, std::vector<float>(count, 0.1f));
    builder.node("BatchNormalization", {x, one, zero, zero, one}, {y + "_norm"}, y + "_norm");
    builder.node("Relu", {y + "_norm"}, {y});
  };
  builder.input("image", {1, 1, 28, 28}).output("scores", {1, 10});
  weights("w1", {4, 1, 3, 3}, 36);
  weights("w2", {3, 4, 3, 3}, 108);
  weights("w3", {7, 10}, 70);
  onnx::NodeProto& first = builder.node("Conv", {"image", "w1"}, {"a"}, "first");
  set(first, "strides", std::vector<std::int64_t>{2, 2});
  norm("a", "b", 4);
  onnx::NodeProto& grown = builder.node("Conv", {"b", "w2"}, {"c"}, "grown");
  set(grown, "pads", std::vector<std::int64_t>{1, 1, 1, 1});
  set(builder.node("Concat", {"a", "c"}, {"d"}, "joint"), "axis", std::int64_t{1});
  norm("d", "e", 7);
  builder.node("GlobalAveragePool", {"e"}, {"f"});
  builder.node("Flatten", {"f"}, {"g"});
  builder.node("MatMul", {"g", "w3"}, {"scores"}, "classes");
  return builder;
}

TEST_F(ImportCommand, LaysDenseNetsOut) {
  dense_fashion_model().write(folder_ / "dense.onnx");
  const Outcome made =
      run("import dense.onnx --images 50 --test-images 200 --weight-bits 8 "
          "--activation-bits 8 --json" +
          fashion);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_GT(nlohmann::json::parse(made.output)["test"]["agreeing"], 180);
  const Outcome shown = run("show dense.network.h5");
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_THAT(shown.output, HasSubstr("  joint            concatenate     7 x 13 x 13      real"));
  EXPECT_THAT(shown.output, HasSubstr("  e_norm           scale           7 x 13 x 13         8"));
  const Outcome accuracy = run("accuracy " CIMSTAT_CONFIGS
                               "/rram_128rows.toml -q --set accuracy.network=dense.network.h5 "
                               "--set accuracy.images=4 --set accuracy.recalibration_images=20 "
                               "-o dense.accuracy.h5");
  EXPECT_EQ(accuracy.exit_code, 0) << accuracy.output;
}

/// 4-bit levels of a network for Fashion-MNIST, as a trainer exports them.
ModelBuilder quantised_fashion_model() {
  ModelBuilder builder;
  std::mt19937 random(2);
  builder.input("image", {1, 1, 28, 28}).output("scores", {1, 10});
  const auto weights = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    onnx::TensorProto& tensor = builder.constant(name, shape, onnx::TensorProto::INT8);
    const std::size_t count = shape.size() == 4 ? 36 : 6760;
    for (std::size_t i = 0; i < count; ++i) {
      tensor.add_int32_data(static_cast<int>(random() % 15) - 7);
    }
    builder.node("DequantizeLinear", {name, "step"}, {name + "x"});
  };
  const auto level = [&](const std::string& name, int value) {
    builder.constant(name, {}, onnx::TensorProto::UINT8).add_int32_data(value);
  };
  builder.reals("step", {}, {0.05f});
  builder.reals("pixel", {}, {1.0f / 255.0f});
  level("zero", 0);
  level("top", 15);
  builder.node("QuantizeLinear", {"image", "pixel", "zero"}, {"p"});
  builder.node("DequantizeLinear", {"p", "pixel", "zero"}, {"x"});
  weights("w1", {4, 1, 3, 3});
  weights("w2", {676, 10});
  builder.node("Conv", {"x", "w1x"}, {"a"});
  builder.node("Relu", {"a"}, {"b"});
  onnx::NodeProto& pool = builder.node("MaxPool", {"b"}, {"c"});
  set(pool, "kernel_shape", std::vector<std::int64_t>{2, 2});
  set(pool, "strides", std::vector<std::int64_t>{2, 2});
  builder.node("QuantizeLinear", {"c", "step", "zero"}, {"q"});
  builder.node("Clip", {"q", "zero", "top"}, {"r"});
  builder.node("DequantizeLinear", {"r", "step", "zero"}, {"s"});
  builder.node("Flatten", {"s"}, {"d"});
  builder.node("MatMul", {"d", "w2x"}, {"scores"});
  return builder;
}

TEST_F(ImportCommand, KeepsTheScalesOfAModelThatHasSome) {
  quantised_fashion_model().write(folder_ / "levels.onnx");
  const Outcome alone = run("import levels.onnx -q --json -o alone.h5");
  ASSERT_EQ(alone.exit_code, 0) << alone.output;
  EXPECT_FALSE(nlohmann::json::parse(alone.output).contains("test"));
  const Outcome tested = run("import levels.onnx --test-images 200 --json" + fashion);
  ASSERT_EQ(tested.exit_code, 0) << tested.output;
  const auto result = nlohmann::json::parse(tested.output);
  EXPECT_EQ(result["test"]["agreeing"], 200);
  EXPECT_EQ(result["content_sha256"], nlohmann::json::parse(alone.output)["content_sha256"]);
  EXPECT_THAT(run("show levels.network.h5").output,
              HasSubstr("at its own scales: weights of 4 bits, activations of 4 bits"));
  for (const char* option : {"--weight-bits 4", "--outer-weight-bits 8", "--weights binary",
                             "--images 10", "--range largest"}) {
    const Outcome refused = run(std::string("import levels.onnx -q ") + option);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.output, HasSubstr("would change nothing (levels.onnx holds levels"));
  }
  quantised_fashion_model().write(folder_ / "many.onnx");
  EXPECT_EQ(run("import many.onnx -q --mean 0.1,0.2").exit_code, 2);
}

TEST_F(ImportCommand, LeavesARunRecordBesideTheNetwork) {
  const Outcome made = run("import small.onnx --images 5 --test-images 0 --threads 1" + fashion);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const auto record = nlohmann::json::parse(bytes_of(folder_ / "small.network.h5.run.json"));
  EXPECT_EQ(record["command"], "import");
  EXPECT_EQ(record["result_file"], "small.network.h5");
  EXPECT_EQ(record["threads"], 1);
}

TEST_F(ImportCommand, HelpSaysOnceThatThereMayBeMore) {
  const Outcome help = run("import --help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("--mean M ..."));
  EXPECT_THAT(help.output, testing::Not(HasSubstr("... ...")));
}

TEST_F(ImportCommand, MakesTheSameBytesForAnyNumberOfThreads) {
  for (const char* threads : {"1", "2"}) {
    const Outcome made = run(std::string("import small.onnx --images 30 --test-images 0 -o ") +
                             threads + ".h5 --threads " + threads + fashion);
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }
  EXPECT_EQ(bytes_of(folder_ / "1.h5"), bytes_of(folder_ / "2.h5"));
}

TEST_F(ImportCommand, MoreBitsAgreeMoreOften) {
  int before = 0;
  for (const char* bits : {"2", "4", "8"}) {
    const Outcome made = run(std::string("import small.onnx --images 50 --test-images 300 --json "
                                         "-o n.h5 --weight-bits ") +
                             bits + " --activation-bits " + bits + fashion);
    ASSERT_EQ(made.exit_code, 0) << made.output;
    const int agreeing = nlohmann::json::parse(made.output)["test"]["agreeing"].get<int>();
    EXPECT_GT(agreeing, before) << bits;
    before = agreeing;
  }
  EXPECT_GT(before, 290);
}

TEST_F(ImportCommand, RefusesWithOneLineAndLeavesNoFile) {
  struct Wrong {
    std::string arguments;
    int exit_code;
    std::string says;
  };
  ModelBuilder other = fashion_model();
  other.model.mutable_graph()->mutable_node(1)->set_op_type("Tanh");
  other.write(folder_ / "other.onnx");
  ModelBuilder::write(folder_ / "damaged.onnx", fashion_model().bytes().substr(0, 9000));
  ModelBuilder large;
  large.input("image", {1, 3, 8, 8}).output("scores", {1, 10});
  large.reals("w", {10, 3, 8, 8}, std::vector<float>(1920, 1.0f));
  large.node("Conv", {"image", "w"}, {"scores"});
  large.write(folder_ / "large.onnx");
  const std::size_t before = files();
  const Wrong cases[] = {
      {"none.onnx" + fashion, 2, "none.onnx: can't be read"},
      {"damaged.onnx" + fashion, 3, "damaged.onnx: is damaged or no ONNX model"},
      {"other.onnx" + fashion, 3, "node 'Tanh_1' (Tanh): can't be laid out yet"},
      {"large.onnx" + fashion, 2, "--data-set: fashion-mnist has images of 1 x 28 x 28"},
      {"small.onnx", 2, "--data-set is missing"},
      {"small.onnx --range image --percentile 99", 2,
       "--percentile: would change nothing (--range image calibrates nothing); leave it out"},
      {"small.onnx --range image --images 9", 2, "--images: would change nothing"},
      {"small.onnx --range image --zero-level middle", 2, "--zero-level: would change nothing"},
      {"small.onnx --range largest --percentile 90" + fashion, 2,
       "--percentile: would change nothing (--range is largest)"},
      {"small.onnx --activation-bits 1 --zero-level middle" + fashion, 2,
       "--zero-level middle: does not go with 1 bit"},
      {"large.onnx --range image -q" + fashion, 2, "fashion-mnist has images of 1 x 28 x 28"},
      {"small.onnx -q --data-set nowhere", 2, "nowhere"},
      {"small.onnx --weight-bits 9" + fashion, 2, "--weight-bits"},
      {"small.onnx --activation-bits 0" + fashion, 2, "--activation-bits"},
      {"small.onnx --weights quaternary" + fashion, 2, "--weights"},
      {"small.onnx --weights binary --weight-bits 4" + fashion, 2,
       "--weight-bits 4: does not go with --weights binary (such weights have 1 bit); leave it "
       "out"},
      {"small.onnx --weights ternary --weight-bits 3" + fashion, 2,
       "--weight-bits 3: does not go with --weights ternary (such weights have 2 bits)"},
      {"small.onnx --outer-weight-bits 1" + fashion, 2, "--outer-weight-bits"},
      {"small.onnx --weights wage --weight-scale channel" + fashion, 2,
       "--weight-scale channel: does not go with --weights wage"},
      {"small.onnx --mean 0.1,0.2" + fashion, 2, "--mean: 2 numbers (images have 1 channel)"},
      {"small.onnx --deviation 0" + fashion, 2, "--deviation"},
      {"small.onnx -o small.onnx" + fashion, 2, "would overwrite an input"},
      {"small.onnx -o nowhere/n.h5" + fashion, 2, "no such folder"}};
  for (const Wrong& wrong : cases) {
    const Outcome outcome = run("import " + wrong.arguments);
    EXPECT_EQ(outcome.exit_code, wrong.exit_code) << wrong.arguments << "\n" << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr(wrong.says));
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
    EXPECT_EQ(files(), before) << wrong.arguments;
  }
}

TEST_F(ImportCommand, MakesBinaryAndTernaryWeights) {
  const auto network_of = [&](const std::string& options) {
    const Outcome made =
        run("import small.onnx --images 50 --test-images 0 -o n.h5 " + options + fashion);
    EXPECT_EQ(made.exit_code, 0) << made.output;
    const Outcome shown = run("show n.h5");
    EXPECT_EQ(shown.exit_code, 0) << shown.output;
    return shown.output;
  };
  const std::string binary = network_of("--weights binary --activation-bits 1");
  EXPECT_THAT(binary, HasSubstr("1-bit weights (binary, one step a channel), 1-bit activations"));
  EXPECT_THAT(network_of("--weights ternary --weight-scale layer"),
              HasSubstr("2-bit weights (ternary, one step a layer)"));
  EXPECT_THAT(network_of("--weights binary --outer-weight-bits 8"),
              HasSubstr("(binary, one step a channel; 8 of the first and last layer)"));
  network_of("--weights binary --activation-bits 1");
  for (const char* weights : {"biased", "differential", "twos_complement"}) {
    const Outcome accuracy = run("accuracy " CIMSTAT_CONFIGS
                                 "/rram_128rows.toml -q --set accuracy.network=n.h5 "
                                 "--set accuracy.images=4 -o " +
                                 std::string(weights) + ".h5 --set accuracy.weights=" + weights);
    EXPECT_EQ(accuracy.exit_code, 0) << accuracy.output;
  }
  const Outcome refused = run("accuracy " CIMSTAT_CONFIGS
                              "/rram_128rows.toml -q --set accuracy.network=n.h5 "
                              "--set accuracy.images=4 --set accuracy.weights=xnor");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.output,
              HasSubstr("accuracy.weights: \"xnor\" can't hold layer 'features.conv_1', whose "
                        "inputs are no signs (weights and inputs are -1 and 1 there)"));
}

TEST_F(ImportCommand, NeedsNoImagesWhereLevelsSpanEachImagesMap) {
  const std::string options =
      "import small.onnx -q --json --range image --weights largest "
      "--weight-scale layer --test-images 200 ";
  const Outcome alone = run(options);
  ASSERT_EQ(alone.exit_code, 0) << alone.output;
  const Outcome compared = run(options + "--data-set fashion-mnist");
  ASSERT_EQ(compared.exit_code, 0) << compared.output;
  const auto result = nlohmann::json::parse(compared.output);
  EXPECT_EQ(result["content_sha256"], nlohmann::json::parse(alone.output)["content_sha256"]);
  EXPECT_GT(result["test"]["agreeing"], 130);
  const Outcome shown = run("show small.network.h5");
  EXPECT_THAT(shown.output, HasSubstr("range of each image's map"));
  EXPECT_THAT(shown.output, HasSubstr("4-bit activations (the largest value of each image's map)"));
  // Tables, records of layers, scales of calibration, and frozen chips.
  for (const char* more : {"--layers", "--set accuracy.recalibration_images=8",
                           "--set accuracy.noise=frozen --set accuracy.chips=2",
                           "--set accuracy.first_layer=digital"}) {
    const Outcome accuracy = run("accuracy " CIMSTAT_CONFIGS
                                 "/rram_128rows.toml -q --set accuracy.network=small.network.h5 "
                                 "--set accuracy.images=4 -o small.accuracy.h5 " +
                                 std::string(more));
    EXPECT_EQ(accuracy.exit_code, 0) << more << accuracy.output;
  }
}

TEST_F(ImportCommand, ShowListsAModel) {
  const Outcome text = run("show small.onnx");
  ASSERT_EQ(text.exit_code, 0) << text.output;
  EXPECT_THAT(text.output, HasSubstr("small.onnx: ONNX model, opset 13"));
  EXPECT_THAT(text.output, HasSubstr("MatMul"));
  const Outcome json = run("show small.onnx --json");
  EXPECT_EQ(nlohmann::json::parse(json.output)["macs"], 36 * 26 * 26 + 6760);
  EXPECT_EQ(run("show small.onnx --config").exit_code, 2);
  EXPECT_EQ(run("show small.onnx --csv").exit_code, 2);
}

}  // namespace
}  // namespace cimstat::tests
