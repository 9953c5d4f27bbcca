/// Layers on arrays in every tiling and reading against plain loops over their definition.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/column_layer.h"
#include "experiments/inference/digital_layer.h"
#include "experiments/inference/vote.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

/// A layer, its input, and how it is read.
struct Case {
  Layer layer;
  MapShape input;
  std::uint32_t input_bits = 1;
  ArrayOptions options;
  circuits::ErrorTable table;  ///< one code for each class, any code

  std::string text() const {
    return "kernel " + std::to_string(layer.kernel.rows) + " x " +
           std::to_string(layer.kernel.columns) + ", channels " + std::to_string(input.channels) +
           ", rows " + std::to_string(options.rows) + " by " +
           std::to_string(options.rows_per_read) + ", tiling " +
           std::to_string(static_cast<int>(options.tiling)) + ", protection " +
           std::to_string(static_cast<int>(options.diagonals.kind)) + " of " +
           std::to_string(options.diagonals.count);
  }
};

class Choice {
 public:
  explicit Choice(std::uint32_t seed) : random_(seed) {}
  std::uint32_t operator()(std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(random_() % (high - low + 1));
  }
  std::mt19937& random() { return random_; }

 private:
  std::mt19937 random_;
};

/// A converter that gives any code for any class. Codes stand for multiples of 1/4, which doubles
/// add up exactly.
circuits::ErrorTable any_table(std::uint32_t rows, Choice& choice) {
  circuits::ErrorTable table = fixtures::empty_table(rows, choice(2, 64));
  table.code_step = 0.25 * choice(1, 9);
  table.code_origin = 0.25 * choice(0, 5);
  for (std::size_t i = 0; i < table.size(); ++i) {
    table.probability[i * table.codes + choice(0, table.codes - 1)] = 1.0;
    table.ideal_code[i] = choice(0, table.codes - 1);
  }
  return table;
}

Case any_case(Choice& choice) {
  Case c;
  const bool flat = choice(0, 4) == 0;
  c.input_bits = choice(1, 4);
  const std::uint32_t weight_bits = choice(2, 5);
  const std::uint32_t outputs = choice(1, 18);
  if (flat) {
    c.input = {choice(1, 90), 1, 1};
    c.layer = fixtures::random_fully_connected("layer", "input", outputs, c.input.channels,
                                               weight_bits, 0, choice.random());
  } else {
    const Extents kernel{choice(1, 3), choice(1, 3)};
    c.input = {choice(1, 7), choice(3, 6), choice(3, 6)};
    c.layer = fixtures::random_convolution("layer", "input", outputs, c.input.channels, 1, 1, 0,
                                           weight_bits, 0, choice.random());
    c.layer.kernel = kernel;
    c.layer.stride = {choice(1, 2), choice(1, 2)};
    c.layer.dilation = {kernel.rows < 3 ? choice(1, 2) : 1, kernel.columns < 3 ? choice(1, 2) : 1};
    c.layer.padding = {choice(0, 1), choice(0, 1), choice(0, 1), choice(0, 1)};
    c.layer.weight_shape = {outputs, c.input.channels, kernel.rows, kernel.columns};
    const int highest = (1 << (weight_bits - 1)) - 1;
    std::uniform_int_distribution<int> weight(-highest - 1, highest);
    c.layer.weight.resize(std::size_t{outputs} * c.input.channels * kernel.rows * kernel.columns);
    for (std::int8_t& value : c.layer.weight) {
      value = static_cast<std::int8_t>(weight(choice.random()));
    }
  }
  const std::uint32_t positions = c.layer.weight_shape[2] * c.layer.weight_shape[3];
  c.options.tiling = static_cast<Tiling>(choice(0, 2));
  c.options.rows = choice(c.options.tiling == Tiling::whole_channels ? positions : 1, 40);
  c.options.rows_per_read = choice(0, 1) == 0 ? 0 : choice(1, c.options.rows);
  c.options.weights = static_cast<WeightMapping>(choice(0, 2));
  c.options.zero_value = 0.5 * choice(0, c.options.rows);
  c.options.diagonals.count = choice(0, 1) == 0 ? 0 : choice(1, c.input_bits + weight_bits);
  c.options.diagonals.kind = static_cast<Protection>(choice(0, 2));
  if (c.options.weights == WeightMapping::offset &&
      c.options.diagonals.kind == Protection::converter) {
    c.options.diagonals.kind = Protection::digital;
  }
  c.options.diagonals.rule = static_cast<VoteRule>(choice(0, 2));
  c.options.diagonals.votes = c.options.diagonals.rule == VoteRule::mean ? 2 : choice(2, 5);
  c.table = any_table(c.options.rows, choice);
  return c;
}

/// One input of a pixel: its level, and its place in the weights of an output.
struct Input {
  std::uint32_t level = 0;
  std::size_t weight = 0;
};

/// Rows that are active together, by the definition of each tiling.
std::vector<std::vector<Input>> reads_of_pixel(const Case& c, const std::vector<std::uint8_t>& map,
                                               std::uint32_t row, std::uint32_t column) {
  const std::uint32_t height = c.layer.weight_shape[2];
  const std::uint32_t width = c.layer.weight_shape[3];
  const bool flat = c.layer.kind == LayerKind::fully_connected;
  const auto input = [&](std::uint32_t channel, std::uint32_t ky, std::uint32_t kx) {
    Input result;
    result.weight = (std::size_t{channel} * height + ky) * width + kx;
    if (flat) {
      result.level = map[channel];
      return result;
    }
    const int y = static_cast<int>(row * c.layer.stride.rows + ky * c.layer.dilation.rows) -
                  static_cast<int>(c.layer.padding.top);
    const int x =
        static_cast<int>(column * c.layer.stride.columns + kx * c.layer.dilation.columns) -
        static_cast<int>(c.layer.padding.left);
    if (y >= 0 && x >= 0 && y < static_cast<int>(c.input.rows) &&
        x < static_cast<int>(c.input.columns)) {
      result.level =
          map[(channel * c.input.rows + static_cast<std::uint32_t>(y)) * c.input.columns +
              static_cast<std::uint32_t>(x)];
    }
    return result;
  };
  // Columns of an array, as lists of inputs.
  std::vector<std::vector<Input>> arrays;
  const auto place = [&](const Input& one, bool fresh) {
    if (fresh || arrays.empty() || arrays.back().size() == c.options.rows) arrays.emplace_back();
    arrays.back().push_back(one);
  };
  if (c.options.tiling == Tiling::kernel_positions) {
    for (std::uint32_t ky = 0; ky < height; ++ky) {
      for (std::uint32_t kx = 0; kx < width; ++kx) {
        for (std::uint32_t channel = 0; channel < c.input.channels; ++channel) {
          // A fully connected layer has one position.
          place(input(channel, ky, kx), channel == 0);
        }
      }
    }
  } else {
    for (std::uint32_t channel = 0; channel < c.input.channels; ++channel) {
      const bool whole = c.options.tiling == Tiling::whole_channels && !arrays.empty() &&
                         arrays.back().size() + height * width > c.options.rows;
      for (std::uint32_t k = 0; k < height * width; ++k) {
        place(input(channel, k / width, k % width), whole && k == 0);
      }
    }
  }
  std::vector<std::vector<Input>> reads;
  const std::size_t most = c.options.rows_per_read == 0 ? c.options.rows : c.options.rows_per_read;
  for (const std::vector<Input>& array : arrays) {
    for (std::size_t first = 0; first < array.size(); first += most) {
      const auto begin = array.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end =
          array.begin() + static_cast<std::ptrdiff_t>(std::min(first + most, array.size()));
      reads.emplace_back(begin, end);
    }
  }
  return reads;
}

/// What one read stands for: k LRS cells among n active rows, beside a dummy column k - n / 2.
double value_of(const Case& c, std::uint32_t count, std::uint32_t active, bool spared) {
  const bool offset = c.options.weights == WeightMapping::offset;
  if (spared && c.options.diagonals.kind == Protection::digital) {
    return offset ? count - 0.5 * active : count;
  }
  const std::size_t place = *c.table.find({count, active});
  std::uint32_t code = 0;
  while (c.table.probability[place * c.table.codes + code] == 0.0) ++code;
  if (spared && c.options.diagonals.kind == Protection::converter) code = c.table.ideal_code[place];
  // Votes that agree decide for themselves, by each rule.
  return c.table.code_origin + c.table.code_step * code - (offset ? c.options.zero_value : 0.0);
}

std::vector<double> by_definition(const Case& c, const std::vector<std::uint8_t>& map,
                                  MapShape output) {
  const std::uint32_t bits = c.layer.weight_bits;
  const bool is_signed = c.options.weights == WeightMapping::twos_complement;
  const bool differential = c.options.weights == WeightMapping::differential;
  const int shift = c.options.weights == WeightMapping::offset ? 1 << (bits - 1) : 0;
  const int lowest = *std::min_element(c.layer.weight.begin(), c.layer.weight.end());
  const std::uint32_t planes = !differential || lowest == -(1 << (bits - 1)) ? bits : bits - 1;
  const std::size_t inputs = c.layer.weight.size() / output.channels;
  std::vector<double> result(output.size(), 0.0);
  for (std::uint32_t pixel = 0; pixel < output.rows * output.columns; ++pixel) {
    const auto reads = reads_of_pixel(c, map, pixel / output.columns, pixel % output.columns);
    for (std::uint32_t channel = 0; channel < output.channels; ++channel) {
      double& sum = result[std::size_t{channel} * output.rows * output.columns + pixel];
      for (const std::vector<Input>& read : reads) {
        for (std::uint32_t i = 0; i < c.input_bits; ++i) {
          if (shift > 0) {
            // sum w x = sum_j 2^j (k_j - n / 2) - n / 2, by adding up w + 2^(bits - 1).
            for (const Input& one : read) sum -= 0.5 * (one.level >> i & 1U) * (1U << i);
          }
          for (std::uint32_t j = 0; j < planes; ++j) {
            for (const int sign : differential ? std::vector{1, -1} : std::vector{1}) {
              std::uint32_t count = 0;
              std::uint32_t active = 0;
              for (const Input& one : read) {
                if ((one.level >> i & 1U) == 0) continue;
                ++active;
                const int weight = c.layer.weight[channel * inputs + one.weight];
                const int held = differential ? std::max(0, sign * weight) : weight + shift;
                count += (held >> j & 1) != 0 ? 1 : 0;
              }
              if (active == 0) continue;
              const bool spared = planes - 1 - j + c.input_bits - 1 - i < c.options.diagonals.count;
              const bool negative = is_signed ? j + 1 == planes : sign < 0;
              const double value = value_of(c, count, active, spared);
              sum += (negative ? -value : value) * static_cast<double>(1U << (i + j));
            }
          }
        }
      }
    }
  }
  return result;
}

/// The table's codes, without a sampler.
class TableCodes : public CodeSource {
 public:
  explicit TableCodes(const circuits::ErrorTable& table) : table_(table) {}
  void read(const ColumnRead& read, const ColumnGroups&, const DrawOrigin&,
            std::span<std::uint32_t> counts) override {
    for (std::uint32_t& count : counts) {
      const std::size_t place = *table_.find({std::min(count, read.active_rows), read.active_rows});
      const double* row = table_.row(place);
      count = static_cast<std::uint32_t>(std::max_element(row, row + table_.codes) - row);
    }
  }

 private:
  const circuits::ErrorTable& table_;
};

TEST(ArrayMapping, IsWhatItsDefinitionSays) {
  Choice choice(20);
  std::size_t values = 0;
  for (int trial = 0; trial < 2500; ++trial) {
    const Case c = any_case(choice);
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const MapShape output{c.layer.weight_shape[0], layer.geometry().output_rows(),
                          layer.geometry().output_columns()};
    const std::vector<std::uint8_t> map =
        fixtures::random_map(c.input.size(), c.input_bits, choice.random());
    const std::vector<double> expected = by_definition(c, map, output);

    const ProtectedDiagonals& diagonals = c.options.diagonals;
    const CodeSampler sampler(c.table);
    const CodeSampler spared(diagonals.kind == Protection::converter
                                 ? faultless_table(c.table)
                                 : voted_table(c.table, diagonals.votes, diagonals.rule));
    const CodeSampler* of_spared = diagonals.kind == Protection::digital ? nullptr : &spared;
    ColumnLayer::Workspace workspace = layer.workspace();
    std::vector<double> estimates(output.size());
    for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
      layer.estimate(map, SampledCodes{&sampler, stream, of_spared}, {}, workspace, estimates);
      ASSERT_EQ(estimates, expected) << "trial " << trial << ": " << c.text();
    }
    if (!of_spared) {
      TableCodes codes(c.table);
      layer.estimate(map, SourcedCodes{&codes, c.table.code_step, c.table.code_origin}, {},
                     workspace, estimates);
      ASSERT_EQ(estimates, expected) << "trial " << trial << ": " << c.text();
    }
    values += expected.size();
  }
  EXPECT_GT(values, 100'000u);
}

// The twin: the order of another tiling must not pass for this one.
TEST(ArrayMapping, TellsTilingsApart) {
  Choice choice(21);
  int differing = 0;
  for (int trial = 0; trial < 40; ++trial) {
    Case c = any_case(choice);
    c.options.diagonals.count = 0;
    c.options.rows = 12;
    c.options.rows_per_read = 0;
    c.options.tiling = Tiling::im2col;
    if (c.layer.weight_shape[2] * c.layer.weight_shape[3] < 2 || c.input.channels < 3) continue;
    c.table = any_table(12, choice);
    const ColumnLayer layer(c.layer, c.input, c.input_bits, c.options, 3, 1000);
    const MapShape output{c.layer.weight_shape[0], layer.geometry().output_rows(),
                          layer.geometry().output_columns()};
    const std::vector<std::uint8_t> map =
        fixtures::random_map(c.input.size(), c.input_bits, choice.random());
    const CodeSampler sampler(c.table);
    ColumnLayer::Workspace workspace = layer.workspace();
    std::vector<double> estimates(output.size());
    layer.estimate(map, SampledCodes{&sampler}, {}, workspace, estimates);
    c.options.tiling = Tiling::kernel_positions;
    differing += estimates != by_definition(c, map, output) ? 1 : 0;
  }
  EXPECT_GT(differing, 5);
}

// With the converter's codes k - n / 2 + zero, nothing is lost.
TEST(ArrayMapping, GivesTheExactSumsOfOffsetWeights) {
  std::mt19937 random(23);
  const Layer layer = fixtures::random_convolution("layer", "input", 20, 5, 3, 1, 1, 4, 4, random);
  const MapShape input{5, 5, 4};
  const std::vector<std::uint8_t> map = fixtures::random_map(input.size(), 4, random);
  circuits::ErrorTable table = fixtures::empty_table(32, 129);
  table.code_step = 0.5;
  table.code_origin = -8.0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const circuits::ColumnClass& one = table.classes[i];
    // (k - n / 2 + 16 - origin) / step
    const std::uint32_t code = 2 * one.lrs_count - one.active_rows + 2 * 24;
    table.probability[i * table.codes + code] = 1.0;
  }
  const CodeSampler sampler(table);
  for (const std::uint32_t diagonals : {0U, 2U}) {
    const ColumnLayer columns(layer, input, 4,
                              {.rows = 32,
                               .weights = WeightMapping::offset,
                               .zero_value = 16.0,
                               .diagonals = {.count = diagonals}},
                              1, 0);
    ColumnLayer::Workspace workspace = columns.workspace();
    std::vector<double> estimates(20 * 20);
    std::vector<double> counted(estimates.size());
    columns.estimate(map, SampledCodes{&sampler}, {}, workspace, estimates);
    IdealCodes ideal;
    columns.estimate(map, SourcedCodes{.source = &ideal, .are_counts = true}, {}, workspace,
                     counted);
    std::vector<double> exact(estimates.size());
    IntegerLayer::Workspace integers;
    IntegerLayer(layer, input).sums(map, integers, exact);
    EXPECT_EQ(estimates, exact);
    EXPECT_EQ(counted, exact);
  }
}

TEST(ArrayMapping, CountsWhatItReads) {
  std::mt19937 random(22);
  const Layer layer = fixtures::random_convolution("layer", "input", 5, 10, 3, 1, 1, 4, 4, random);
  const MapShape input{10, 4, 4};
  const auto of = [&](const ArrayOptions& options) {
    return ColumnLayer(layer, input, 4, options, 1, 0);
  };
  // 90 inputs on 32 rows: 3 tiles of 32, 32, 26 rows; whole channels: 4 of 27, 27, 27, 9; kernel
  // positions: 9 of 10.
  EXPECT_EQ(of({.rows = 32}).partial_sums(), 16u * 3 * 4 * 4 * 5);
  EXPECT_EQ(of({.rows = 32, .tiling = Tiling::whole_channels}).partial_sums(), 16u * 4 * 4 * 4 * 5);
  EXPECT_EQ(of({.rows = 32, .tiling = Tiling::kernel_positions}).partial_sums(),
            16u * 9 * 4 * 4 * 5);
  const ColumnLayer parts = of({.rows = 32, .rows_per_read = 10});
  EXPECT_EQ(parts.partial_sums(), 16u * (4 + 4 + 3) * 4 * 4 * 5);
  EXPECT_EQ(parts.most_active_rows(), 10u);
  // W4A4 with 3 diagonals counted digitally: 6 of the 16 pairs of planes.
  EXPECT_EQ(of({.rows = 32, .diagonals = {.count = 3}}).partial_sums(), 16u * 3 * 10 * 5);
  EXPECT_THROW(of({.rows = 8, .tiling = Tiling::whole_channels}), core::UsageError);
  EXPECT_THROW(of({.rows = 8, .rows_per_read = 9}), core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments
