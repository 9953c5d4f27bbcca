/// Layers on arrays in every tiling and reading against plain loops over their definition.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/column_layer.h"
#include "experiments/inference/digital_layer.h"
#include "experiments/inference/integer_layer.h"
#include "experiments/inference/vote.h"
#include "tests/experiments/array_reads.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

struct Case : MappedLayer {
  circuits::ErrorTable table;  ///< one code for each class, any code
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
  Case c{any_mapped_layer(choice, 4), {}};
  c.table = any_table(c.options.rows, choice);
  return c;
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
    // Slots beside steps and the other way round, too.
    using Means = CodeSampler::Means;
    const CodeSampler sampler(c.table, trial % 2 == 0 ? Means::steps : Means::slots);
    const CodeSampler spared(diagonals.kind == Protection::converter
                                 ? faultless_table(c.table)
                                 : voted_table(c.table, diagonals.votes, diagonals.rule),
                             trial % 3 == 0 ? Means::steps : Means::slots);
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
