/// Products of two maps, of which one is written into the arrays, against plain loops.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "experiments/inference/forward_pass.h"
#include "tests/experiments/array_reads.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/experiments/residual_block.h"
#include "tests/experiments/token_reference.h"

namespace cimstat::experiments {
namespace {

/// Two convolutions of the image, computed digitally, and a product of their maps.
struct Case {
  Network network;
  ArrayOptions options;
  circuits::ErrorTable table;
  std::vector<double> code;  ///< [class] that the table reads it as
  std::vector<std::uint8_t> image;

  const Layer& product() const { return network.layers[2]; }
  std::string text() const {
    return std::string(name_of(product().kind)) + ", heads " + std::to_string(product().groups) +
           ", rows " + std::to_string(options.rows) + " by " +
           std::to_string(options.rows_per_read) + ", weights " +
           std::to_string(static_cast<int>(options.weights)) + ", tiling " +
           std::to_string(static_cast<int>(options.tiling)) + ", protected " +
           std::to_string(options.diagonals.count) + ", codes " + std::to_string(table.codes);
  }
};

/// A converter without errors of as many or fewer codes, or one that gives any code for any class.
void choose_converter(Case& c, Choice& choice) {
  const std::uint32_t rows = c.options.rows;
  const std::uint32_t kind = choice(0, 2);
  const std::uint32_t codes = kind == 0 ? rows + 1 : choice(2, 64);
  circuits::ErrorTable& table = c.table;
  table = fixtures::empty_table(rows, codes);
  table.code_step = kind == 0 ? 1.0 : 0.25 * choice(1, 9);
  table.code_origin = kind == 0 ? 0.0 : 0.25 * choice(0, 5);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::uint32_t count = table.classes[i].lrs_count;
    const std::uint32_t code = kind == 0   ? count
                               : kind == 1 ? count * (codes - 1) / rows
                                           : choice(0, codes - 1);
    table.probability[i * codes + code] = 1.0;
    c.code.push_back(code);
  }
}

Case any_case(Choice& choice) {
  Case c;
  const bool keys = choice(0, 1) == 0;
  const std::uint32_t heads = choice(1, 3);
  const std::uint32_t stride = choice(1, 2);
  const std::uint32_t rows = choice(1, 5);
  const std::uint32_t columns = choice(1, 4);
  const auto places = [&](std::uint32_t side) { return (side - 1) / stride + 1; };
  const std::uint32_t tokens = places(rows) * places(columns);
  const std::uint32_t width = choice(1, 24);  // of a head, in sums or of their number
  const std::uint32_t first_bits = choice(1, 8);
  c.network.input_shape = {2, rows, columns};
  c.network.input_bits = 8;
  Layer first = fixtures::random_convolution("a", "input", heads * (keys ? width : tokens), 2, 1, 1,
                                             0, 4, first_bits, choice.random());
  Layer second = fixtures::random_convolution("b", "input", heads * width, 2, 1, stride, 0, 4,
                                              choice(2, 8), choice.random());
  // Levels from the lowest to the highest occur.
  first.scale.assign(first.bias.size(), (1U << first_bits) / 900.0);
  first.bias.assign(first.bias.size(), 0.4 * (1U << first_bits));
  second.scale.assign(second.bias.size(), (1U << second.output_bits) / 1200.0);
  second.bias.assign(second.bias.size(), 0.5 * (1U << second.output_bits));
  Layer product = fixtures::layer_of(keys ? LayerKind::attend_keys : LayerKind::attend_values,
                                     "product", {"a", "b"});
  product.groups = heads;
  product.zero_level = choice(0, 1) == 0 ? 0 : choice(0, (1U << first_bits) - 1);
  product.scale = {0.25};
  product.bias = {0.5};
  c.network.layers = {first, second, product,
                      fixtures::layer_of(LayerKind::flatten, "flat", {"product"})};
  c.network.classes = heads * (keys ? tokens : width) * rows * columns;
  c.options.rows = choice(1, 48);
  c.options.rows_per_read = choice(0, 1) == 0 ? 0 : choice(1, c.options.rows);
  c.options.tiling = static_cast<Tiling>(choice(0, 2));
  c.options.weights = static_cast<WeightMapping>(choice(0, 2));
  c.options.zero_value = 0.5 * choice(0, c.options.rows);
  c.options.first_layer = c.options.last_layer = LayerPlace::digital;
  c.options.attention = LayerPlace::analog;
  if (choice(0, 1) == 0) c.options.diagonals.count = choice(1, first_bits + second.output_bits);
  choose_converter(c, choice);
  c.image.resize(2 * rows * columns);
  for (std::uint8_t& pixel : c.image) pixel = static_cast<std::uint8_t>(choice(0, 255));
  return c;
}

/// What one read stands for: k LRS cells among n active rows; beside a dummy column less n / 2.
double value_of(const Case& c, std::uint32_t count, std::uint32_t active, bool spared) {
  const bool offset = c.options.weights == WeightMapping::offset;
  if (spared) return offset ? count - 0.5 * active : count;
  // Classes of 1, 2, ... active rows, each from 0 LRS cells up.
  const double code = c.code.at(std::size_t{active - 1} * (active + 2) / 2 + count);
  return c.table.code_origin + c.table.code_step * code - (offset ? c.options.zero_value : 0.0);
}

/// Sum of products read from columns: inputs in runs of rows and of rows_per_read, bit by bit.
double read_sum(const Case& c, const std::vector<std::uint32_t>& x,
                const std::vector<std::int64_t>& w, std::uint32_t input_bits,
                std::uint32_t weight_bits) {
  const bool differential = c.options.weights == WeightMapping::differential;
  const bool is_signed = c.options.weights == WeightMapping::twos_complement;
  const std::int64_t shift =
      c.options.weights == WeightMapping::offset ? std::int64_t{1} << (weight_bits - 1) : 0;
  const std::uint32_t planes = differential ? weight_bits - 1 : weight_bits;
  const std::size_t at_once =
      c.options.rows_per_read == 0 ? c.options.rows : c.options.rows_per_read;
  double sum = 0.0;
  for (std::size_t tile = 0; tile < x.size(); tile += c.options.rows) {
    const std::size_t end = std::min(x.size(), tile + c.options.rows);
    for (std::size_t first = tile; first < end; first += at_once) {
      const std::size_t last = std::min(end, first + at_once);
      for (std::uint32_t i = 0; i < input_bits; ++i) {
        for (std::uint32_t j = 0; j < planes; ++j) {
          for (const int sign : {1, -1}) {
            if (sign < 0 && !differential) continue;
            std::uint32_t active = 0;
            std::uint32_t count = 0;
            for (std::size_t row = first; row < last; ++row) {
              if ((x[row] >> i & 1U) == 0) continue;
              ++active;
              const std::int64_t held =
                  differential ? std::max<std::int64_t>(0, sign * w[row]) : w[row] + shift;
              count += (held >> j & 1) != 0 ? 1 : 0;
            }
            if (active == 0) continue;
            const bool spared = planes - 1 - j + input_bits - 1 - i < c.options.diagonals.count;
            const bool negative = is_signed ? j + 1 == planes : sign < 0;
            const double value = value_of(c, count, active, spared);
            sum += (negative ? -value : value) * static_cast<double>(1U << (i + j));
          }
        }
        for (std::size_t row = first; shift > 0 && row < last; ++row) {
          sum -= 0.5 * (x[row] >> i & 1U) * (1U << i);
        }
      }
    }
  }
  return sum;
}

/// [head][output][pixel], from the maps of both inputs.
std::vector<double> by_definition(const Case& c, const std::vector<std::uint8_t>& first,
                                  const std::vector<std::uint8_t>& second) {
  const Layer& product = c.product();
  const bool keys = product.kind == LayerKind::attend_keys;
  const std::size_t heads = product.groups;
  const std::size_t pixels = c.network.input_shape[1] * c.network.input_shape[2];
  const std::size_t width = c.network.layers[1].bias.size() / heads;
  const std::size_t tokens = second.size() / (heads * width);
  const std::size_t inputs = keys ? width : tokens;
  const std::size_t outputs = keys ? tokens : width;
  const std::uint32_t weight_bits = c.network.layers[1].output_bits;
  std::vector<double> result;
  for (std::size_t head = 0; head < heads; ++head) {
    for (std::size_t output = 0; output < outputs; ++output) {
      std::vector<std::int64_t> w(inputs);
      std::int64_t all = 0;
      for (std::size_t i = 0; i < inputs; ++i) {
        const std::size_t channel = head * width + (keys ? i : output);
        w[i] = reference::written(second.at(channel * tokens + (keys ? output : i)), weight_bits);
        all += w[i];
      }
      for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
        std::vector<std::uint32_t> x(inputs);
        for (std::size_t i = 0; i < inputs; ++i) {
          x[i] = first.at((head * inputs + i) * pixels + pixel);
        }
        const double sum = read_sum(c, x, w, c.network.layers[0].output_bits, weight_bits) -
                           static_cast<double>(all * static_cast<std::int64_t>(product.zero_level));
        result.push_back(sum * product.scale[0] + product.bias[0]);
      }
    }
  }
  return result;
}

TEST(Attention, IsWhatItsDefinitionSays) {
  Choice choice(31);
  std::size_t values = 0;
  std::size_t lowest_levels = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const Case c = any_case(choice);
    const ForwardPass pass(c.network, c.options);
    ForwardPass::Workspace workspace = pass.workspace();
    const CodeSampler sampler(
        c.table, trial % 2 == 0 ? CodeSampler::Means::steps : CodeSampler::Means::slots);
    pass.classify(c.image, ExactIntegers{}, {}, workspace);
    const std::vector<double> expected = by_definition(c, workspace.maps[1], workspace.maps[2]);
    for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
      pass.classify(c.image, ColumnReading(SampledCodes{&sampler, stream}), {}, workspace);
      ASSERT_EQ(workspace.values, expected) << "trial " << trial << ": " << c.text();
    }
    values += workspace.values.size();
    const auto& written = workspace.maps[2];
    lowest_levels += static_cast<std::size_t>(std::count(written.begin(), written.end(), 0));
  }
  EXPECT_GT(values, 100'000u);
  EXPECT_GT(lowest_levels, 1000u);
}

// In exact integers, and from columns whose counts are exact, in cycles of any number of bits.
TEST(Attention, IsAProductOfIntegersWithoutErrors) {
  Choice choice(32);
  IdealCodes ideal;
  for (int trial = 0; trial < 3000; ++trial) {
    Case c = any_case(choice);
    c.options.input_bits_per_cycle = choice(1, c.network.layers[0].output_bits);
    if (choice(0, 3) == 0) c.options.attention = LayerPlace::digital;
    const ForwardPass pass(c.network, c.options);
    ForwardPass::Workspace workspace = pass.workspace();
    const auto& shape = c.network.input_shape;
    for (const bool exact : {true, false}) {
      const Arithmetic columns = ColumnReading(SourcedCodes{.source = &ideal, .are_counts = true});
      pass.classify(c.image, exact ? Arithmetic(ExactIntegers{}) : columns, {}, workspace);
      const reference::Map first{.channels = long(c.network.layers[0].bias.size()),
                                 .rows = shape[1],
                                 .columns = shape[2],
                                 .values = {workspace.maps[1].begin(), workspace.maps[1].end()}};
      const long channels = long(c.network.layers[1].bias.size());
      const reference::Map second{.channels = channels,
                                  .rows = long(workspace.maps[2].size()) / channels,
                                  .columns = 1,
                                  .bits = c.network.layers[1].output_bits,
                                  .values = {workspace.maps[2].begin(), workspace.maps[2].end()}};
      ASSERT_EQ(workspace.values, reference::attend(c.product(), first, second).values)
          << "trial " << trial << ": " << c.text();
    }
  }
}

// The twin: what another image wrote, or a map not turned, must not pass for it.
TEST(Attention, FollowsEachImage) {
  Choice choice(33);
  int others = 0;
  for (int trial = 0; trial < 50; ++trial) {
    const Case c = any_case(choice);
    const ForwardPass pass(c.network, c.options);
    ForwardPass::Workspace workspace = pass.workspace();
    const CodeSampler sampler(c.table);
    const Arithmetic columns = ColumnReading(SampledCodes{&sampler});
    pass.classify(c.image, columns, {}, workspace);
    const std::vector<double> own = workspace.values;
    const std::vector<std::uint8_t> maps[] = {workspace.maps[1], workspace.maps[2]};
    std::vector<std::uint8_t> other = c.image;
    for (std::uint8_t& pixel : other) pixel = static_cast<std::uint8_t>(255 - pixel);
    pass.classify(other, columns, {}, workspace);
    others += by_definition(c, maps[0], workspace.maps[2]) != own ? 1 : 0;
    pass.classify(c.image, columns, {}, workspace);
    ASSERT_EQ(workspace.values, own);
  }
  EXPECT_GT(others, 25);
}

TEST(Attention, CountsItsColumnsWhereItIsOnArrays) {
  Choice choice(34);
  Case c = any_case(choice);
  Layer& product = c.network.layers[2];
  c.network.input_shape = {2, 3, 4};
  product.kind = LayerKind::attend_keys;
  product.groups = 2;
  product.zero_level = 0;
  c.network.layers[0] =
      fixtures::random_convolution("a", "input", 20, 2, 1, 1, 0, 4, 3, choice.random());
  c.network.layers[1] =
      fixtures::random_convolution("b", "input", 20, 2, 1, 2, 0, 4, 5, choice.random());
  c.network.classes = 2 * 4 * 12;
  c.options = {.rows = 8, .first_layer = LayerPlace::digital, .last_layer = LayerPlace::digital};
  EXPECT_FALSE(ForwardPass(c.network, c.options).writes_arrays());
  EXPECT_EQ(ForwardPass(c.network, c.options).partial_sums(), 0u);
  c.options.attention = LayerPlace::analog;
  const ForwardPass pass(c.network, c.options);
  EXPECT_TRUE(pass.writes_arrays());
  // Heads x queries x tiles x input bits x weight bits x keys.
  EXPECT_EQ(pass.partial_sums(), 2u * 12 * 2 * 3 * 5 * 4);
  EXPECT_EQ(pass.batches(), 2u * 12 * 2 * 3 * 2);
  EXPECT_EQ(pass.most_active_rows(), 8u);
  c.options.weights = WeightMapping::differential;
  EXPECT_EQ(ForwardPass(c.network, c.options).partial_sums(), 2u * 12 * 2 * 3 * 2 * 4 * 4);
}

}  // namespace
}  // namespace cimstat::experiments
