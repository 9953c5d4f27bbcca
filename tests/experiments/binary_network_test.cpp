/// What version 1.4 of the network file added: weights of 1 bit, and inputs that are signs.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "experiments/experiment.h"
#include "experiments/inference/column_layer.h"
#include "experiments/inference/forward_pass.h"
#include "tests/experiments/network_reference.h"
#include "tests/experiments/random_network.h"
#include "tests/experiments/residual_block.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::at;
using fixtures::message_of;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::bytes_of;
using tests::TemporaryFolder;

/// A random network in which many maps have 1 bit, many weights are -1 and 1, and many inputs
/// signs.
Network binary_network(RandomNetwork& random) {
  Network network = random.make();
  if (random.below(2) == 0) network.input_bits = 1;
  std::map<std::string, std::uint32_t> bits{{"input", network.input_bits}};
  for (Layer& layer : network.layers) {
    if (layer.output_bits > 0 && random.below(3) > 0) layer.output_bits = 1;
    const std::uint32_t of_input = bits.at(layer.inputs[0]);
    bits[layer.name] = requantises(layer.kind) ? layer.output_bits : of_input;
    if (!is_weighted(layer.kind)) continue;
    if (random.below(3) > 0) {
      layer.weight_bits = 1;
      for (std::int8_t& weight : layer.weight) weight = weight < 0 ? -1 : 1;
    }
    for (std::uint8_t& level : layer.padding_level) {
      level = static_cast<std::uint8_t>(level & ((1U << of_input) - 1));
    }
    if (of_input == 1 && random.below(4) > 0) {
      layer.input_values = InputValues::signs;
      layer.padding_level.clear();
    }
  }
  return network;
}

std::vector<double> logits_of(const ForwardPass& pass, const std::vector<std::uint8_t>& image,
                              const Arithmetic& arithmetic) {
  ForwardPass::Workspace workspace = pass.workspace();
  pass.classify(image, arithmetic, {}, workspace);
  return {workspace.reals.back().begin(), workspace.reals.back().end()};
}

TEST(BinaryNetwork, GivesWhatItsFormatSays) {
  RandomNetwork random(51);
  std::size_t signs = 0;
  for (int trial = 0; trial < 600; ++trial) {
    const Network network = binary_network(random);
    ASSERT_EQ(message_of([&] { check(network); }), "no DataError");
    const std::vector<std::uint8_t> image = random.image();
    const std::vector<double> expected = reference::run(network, image).values;
    for (const WeightMapping mapping :
         {WeightMapping::twos_complement, WeightMapping::differential, WeightMapping::biased}) {
      const ForwardPass pass(network, {.rows = 19, .weights = mapping});
      EXPECT_EQ(logits_of(pass, image, ExactIntegers{}), expected) << "trial " << trial;
      IdealCodes ideal;
      const ColumnReading counts = SourcedCodes{.source = &ideal, .are_counts = true};
      EXPECT_EQ(logits_of(pass, image, counts), expected) << "trial " << trial;
    }
    for (const Layer& layer : network.layers) signs += layer.input_values == InputValues::signs;
  }
  EXPECT_GT(signs, 300u);
}

std::vector<std::int64_t> version_of(const Network& network) {
  const TemporaryFolder folder;
  write_network(network, folder / "a.h5");
  return core::Hdf5Input(folder / "a.h5").integers_attribute("/", "schema_version");
}

TEST(BinaryNetwork, ComesBackFromItsFile) {
  RandomNetwork random(52);
  for (int trial = 0; trial < 40; ++trial) {
    const Network network = binary_network(random);
    const TemporaryFolder folder;
    write_network(network, folder / "a.h5");
    const Network read = read_network(folder / "a.h5");
    for (std::size_t i = 0; i < read.layers.size(); ++i) {
      EXPECT_EQ(read.layers[i].input_values, network.layers[i].input_values);
      EXPECT_EQ(read.layers[i].weight_bits, network.layers[i].weight_bits);
      EXPECT_EQ(read.layers[i].weight, network.layers[i].weight);
    }
    EXPECT_EQ(content_hash(read), content_hash(network));
    write_network(read, folder / "b.h5");
    EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
  }
}

/// The block with a binary layer behind levels of 1 bit.
Network sample() {
  Network network = fixtures::residual_block();
  at(network, "first").output_bits = 1;
  Layer& branch = at(network, "branch");
  branch.weight_bits = 1;
  for (std::int8_t& weight : branch.weight) weight = weight < 0 ? -1 : 1;
  branch.input_values = InputValues::signs;
  return network;
}

TEST(BinaryNetwork, SaysTheVersionThatItNeeds) {
  EXPECT_EQ(version_of(fixtures::residual_block()), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(version_of(sample()), (std::vector<std::int64_t>{1, 4}));
  Network one = sample();
  at(one, "branch").input_values = InputValues::levels;
  EXPECT_EQ(version_of(one), (std::vector<std::int64_t>{1, 4}));
  EXPECT_NE(content_hash(one), content_hash(sample()));
  Network other = sample();
  at(other, "branch").weight_bits = 2;
  EXPECT_EQ(version_of(other), (std::vector<std::int64_t>{1, 4}));
  EXPECT_NE(content_hash(other), content_hash(sample()));
}

TEST(BinaryNetwork, IsRefusedWithAReason) {
  const auto message = [](const std::function<void(Network&)>& spoil) {
    Network network = sample();
    spoil(network);
    return message_of([&] { check(network, "here"); });
  };
  EXPECT_EQ(message([](Network&) {}), "no DataError");
  EXPECT_THAT(message([](Network& n) { at(n, "branch").weight[3] = 0; }),
              HasSubstr("here: /layers/001_branch: a weight of 0 is not of 1 bit (such weights are "
                        "-1 and 1)"));
  EXPECT_THAT(message([](Network& n) { at(n, "branch").weight_bits = 0; }),
              HasSubstr("weight_bits 0 (1 .. 8)"));
  EXPECT_THAT(
      message([](Network& n) { at(n, "first").output_bits = 2; }),
      HasSubstr("/layers/001_branch: takes 2 bits for signs (-1 and 1 are levels of 1 bit); "
                "let 'first' deliver 1 bit"));
  EXPECT_THAT(message([](Network& n) { at(n, "branch").padding_level.assign(4, 1); }),
              HasSubstr("has a padding_level of signs"));
  EXPECT_THAT(message([](Network& n) { at(n, "relu").input_values = InputValues::signs; }),
              HasSubstr("relu has no input_values"));
}

/// The sample's file, edited.
std::string message_of_file(std::int64_t minor, std::uint32_t weight_bits,
                            const std::string& input_values) {
  const TemporaryFolder folder;
  {
    core::Hdf5Output output(folder / "a.h5");
    output.attribute("/", "filetype", "cimstat network");
    output.attribute("/", "schema_version", std::vector<std::int64_t>{1, minor});
    output.attribute("/", "name", "hand-made");
    output.attribute("/", "description", "");
    output.attribute("/", "input_shape", std::vector<std::int64_t>{2, 1, 1});
    output.attribute("/", "input_bits", std::int64_t{1});
    output.attribute("/", "classes", std::int64_t{2});
    const std::string path = "/layers/000_c";
    output.group(path);
    output.attribute(path, "name", "c");
    output.attribute(path, "kind", "fully_connected");
    output.attribute(path, "inputs", "input");
    output.attribute(path, "kernel", std::int64_t{1});
    output.attribute(path, "stride", std::int64_t{1});
    output.attribute(path, "padding", std::int64_t{0});
    output.attribute(path, "weight_bits", std::int64_t{weight_bits});
    output.attribute(path, "output_bits", std::int64_t{0});
    if (!input_values.empty()) output.attribute(path, "input_values", input_values);
    output.dataset(path + "/weight", std::vector<std::int8_t>{1, -1, 1, 1}, {2, 2});
    output.dataset(path + "/scale", std::vector<double>{1, 1}, {2});
    output.dataset(path + "/bias", std::vector<double>{0, 0}, {2});
    output.commit();
  }
  return message_of([&] { read_network(folder / "a.h5"); });
}

TEST(BinaryNetwork, IsOfTheVersionThatBroughtIt) {
  EXPECT_EQ(message_of_file(4, 1, "signs"), "no DataError");
  EXPECT_EQ(message_of_file(4, 1, "levels"), "no DataError");
  EXPECT_EQ(message_of_file(3, 2, ""), "no DataError");
  EXPECT_THAT(message_of_file(3, 1, ""),
              HasSubstr("/layers/000_c: has weight_bits 1 (the file is of version 1.3, and 1.4 "
                        "brought this); write schema_version [1, 4]"));
  EXPECT_THAT(message_of_file(3, 2, "signs"),
              HasSubstr("has input_values (the file is of version 1.3, and 1.4 brought this)"));
  EXPECT_THAT(message_of_file(4, 1, "sign"), HasSubstr("/layers/000_c: has input_values 'sign'"));
}

/// The zero of a column without current, or what is refused.
std::string zero_of(const std::string& weights, const std::string& column,
                    const std::string& references) {
  std::string text =
      "[cell]\nmodel = \"rram\"\n[cell.lrs]\ndistribution = \"normal\"\nmean = \"40 uS\"\n"
      "sd = \"2 uS\"\n[cell.hrs]\ndistribution = \"normal\"\nmean = \"4 uS\"\nsd = \"1 uS\"\n"
      "[column]\nrows = 16\nread_voltage = \"0.2 V\"\n";
  text += column + "[converter]\nreferences = \"" + references + "\"\n[accuracy]\nweights = \"" +
          weights + "\"\n";
  try {
    const Experiment read = read_experiment(core::Config::from_text(text, "a.toml"));
    return std::to_string(read.accuracy.array.zero_value);
  } catch (const core::UsageError& error) {
    return error.what();
  }
}

TEST(BinaryNetwork, KnowsWhatADummyColumnTakesOff) {
  const std::string dummy = "dummy_column = true\n";
  EXPECT_EQ(zero_of("xnor", "", "midpoint"), "0.000000");
  EXPECT_EQ(zero_of("xnor", dummy, "midpoint"), "8.000000");
  EXPECT_EQ(zero_of("xnor", dummy, "replica"), "0.000000");
  EXPECT_EQ(zero_of("biased", "", "midpoint"), "0.000000");
  EXPECT_EQ(zero_of("biased", dummy, "replica"), "0.000000");
  EXPECT_THAT(
      zero_of("biased", dummy, "midpoint"),
      HasSubstr("weights: is \"biased\" beside column.dummy_column (the column takes off what "
                "digital logic would); write \"offset\", or leave out column.dummy_column"));
}

}  // namespace
}  // namespace cimstat::experiments
