#include "experiments/inference/column_kernel.h"

#include <bit>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "core/simd.h"

#include "circuits/error_table.h"

#include "experiments/inference/integer_layer.h"
#include "experiments/inference/map_kernel.h"
#include "experiments/inference/step_kernel.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

template <class Body>
void on_each_target(const Body& body) {
  for (const std::string& target : core::simd_targets()) {
    core::use_simd_target(target);
    SCOPED_TRACE(target);
    body();
  }
  core::use_simd_target("");
}

/// One tile of random cells, as the layer lays them out.
struct Tile {
  TileLayout layout;
  WeightPlanes weights;
  ColumnGroups groups;
  std::vector<std::int8_t> values;  ///< [output][row]

  Tile(std::uint32_t rows, std::uint32_t outputs, std::uint32_t bits, std::mt19937& random)
      : layout(rows, 1, {.rows = rows}) {
    for (std::uint32_t i = 0; i < rows * outputs; ++i) {
      const auto range = static_cast<int>(1U << bits);
      values.push_back(
          static_cast<std::int8_t>(static_cast<int>(random() % (1U << bits)) - range / 2));
    }
    weights = weight_planes(values, outputs, bits, layout, WeightMapping::twos_complement);
    groups = {weights.groups, weights.planes, weights.top_plane_negative, outputs};
  }

  ColumnRead read(const std::vector<std::uint32_t>& input, std::uint32_t shift) const {
    ColumnRead result;
    result.input = input.data();
    result.weights = weights.words.data();
    result.words = layout.words(0);
    result.bytes = weights.bytes.data();
    result.row_bytes = layout.bytes(0);
    for (const std::uint32_t word : input) {
      result.active_rows += static_cast<std::uint32_t>(std::popcount(word));
    }
    result.shift = shift;
    result.planes = groups.all_planes();
    return result;
  }

  std::vector<std::uint32_t> random_input(std::mt19937& random) const {
    std::vector<std::uint32_t> input(layout.words(0));
    for (std::uint32_t row = 0; row < layout.height(0); ++row) {
      input[row / 32] |= static_cast<std::uint32_t>(random() & 1U) << row % 32;
    }
    return input;
  }

  std::uint32_t lrs_count(const std::vector<std::uint32_t>& input, std::uint32_t output,
                          std::uint32_t plane) const {
    std::uint32_t count = 0;
    for (std::uint32_t row = 0; row < layout.height(0); ++row) {
      const auto cell = static_cast<unsigned>(values[output * layout.height(0) + row]) >> plane;
      count += input[row / 32] >> row % 32 & cell & 1U;
    }
    return count;
  }
};

TEST(ColumnKernel, CountsEqualPlainLoops) {
  on_each_target([] {
    std::mt19937 random(1);
    for (int repetition = 0; repetition < 120; ++repetition) {
      const std::uint32_t rows = repetition < 40 ? 230 + static_cast<std::uint32_t>(repetition)
                                                 : 1 + static_cast<std::uint32_t>(random() % 1024);
      const Tile tile(rows, 1 + static_cast<std::uint32_t>(random() % 70),
                      2 + static_cast<std::uint32_t>(random() % 7), random);
      const std::vector<std::uint32_t> input = tile.random_input(random);
      AlignedVector<std::uint32_t> counts(std::size_t{tile.groups.vectors()} * group_channels);
      count_lrs(tile.read(input, 0), tile.groups, counts);
      for (std::uint32_t output = 0; output < tile.groups.channels; ++output) {
        for (std::uint32_t plane = 0; plane < tile.groups.planes; ++plane) {
          const std::size_t vector = output / group_channels * tile.groups.planes + plane;
          ASSERT_EQ(counts[vector * group_channels + output % group_channels],
                    tile.lrs_count(input, output, plane))
              << rows << " rows, output " << output << ", plane " << plane;
        }
      }
    }
  });
}

/// Codes that are LRS counts, for up to `rows` active rows.
circuits::ErrorTable faultless_table(std::uint32_t rows) {
  circuits::ErrorTable table;
  table.codes = rows + 1;
  for (std::uint32_t n = 1; n <= rows; ++n) {
    for (std::uint32_t k = 0; k <= n; ++k) {
      table.classes.push_back({k, n});
      table.probability.resize(table.size() * table.codes, 0.0);
      table.probability[(table.size() - 1) * table.codes + k] = 1.0;
    }
  }
  return table;
}

// Reads of the same cells are counted up to four together; any number of them, of several tiles in
// turn, must add up to the same.
TEST(ColumnKernel, SamplesAnyRunOfReadsOfTheSameCells) {
  const CodeSampler sampler(faultless_table(60), CodeSampler::Means::slots);
  on_each_target([&] {
    std::mt19937 random(2);
    for (int repetition = 0; repetition < 60; ++repetition) {
      const auto outputs = 1 + static_cast<std::uint32_t>(random() % 70);
      const auto bits = 2 + static_cast<std::uint32_t>(random() % 4);
      const Tile tiles[] = {Tile(60, outputs, bits, random), Tile(37, outputs, bits, random)};
      std::vector<std::vector<std::uint32_t>> inputs;
      std::vector<const Tile*> of_read;
      for (const Tile& tile : tiles) {
        for (std::size_t i = random() % 7; i-- > 0;) {
          inputs.push_back(tile.random_input(random));
          inputs.back()[0] |= 1;
          of_read.push_back(&tile);
        }
      }
      std::vector<ColumnRead> reads;
      std::vector<std::int64_t> expected(outputs, 0);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto shift = static_cast<std::uint32_t>(i % 4);
        reads.push_back(of_read[i]->read(inputs[i], shift));
        for (std::uint32_t output = 0; output < outputs; ++output) {
          for (std::uint32_t plane = 0; plane < bits; ++plane) {
            const std::int64_t unit = std::int64_t{plane + 1 == bits ? -1 : 1} << (plane + shift);
            expected[output] += unit * of_read[i]->lrs_count(inputs[i], output, plane);
          }
        }
      }
      const ColumnGroups& groups = tiles[0].groups;
      AlignedVector<std::uint32_t> words(reads.size() * groups.batches() * batch_words);
      for (std::uint32_t& word : words) word = static_cast<std::uint32_t>(random());
      AlignedVector<std::uint32_t> scratch(words.size());
      AlignedVector<std::int32_t> sums(std::size_t{groups.groups} * group_channels);
      sample_codes(reads, groups, sampler, {}, words, scratch, sums);
      for (std::uint32_t output = 0; output < outputs; ++output) {
        ASSERT_EQ(sums[output], expected[output]) << reads.size() << " reads";
      }
    }
  });
}

/// Normal noise; the highest code is the highest of a byte where no more rows than 199 are active.
circuits::ErrorTable noisy_table(std::uint32_t rows, double noise) {
  const circuits::ErrorTable narrow = fixtures::normal_table(rows, 0.0, 0.0, noise);
  circuits::ErrorTable table = narrow;
  const std::uint32_t offset = rows < 200 ? 255 - rows : 0;
  table.codes = narrow.codes + offset;
  table.probability.assign(table.size() * table.codes, 0.0);
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::copy(narrow.row(i), narrow.row(i) + narrow.codes,
              table.probability.data() + i * table.codes + offset);
  }
  return table;
}

// Each code by the definition, and their sums, for any run of reads, numbers of planes and planes
// that don't count; tables of three, five and seven steps, classes on both sides of 128.
TEST(StepKernel, DrawsWhatTheDefinitionSays) {
  struct Choice {
    std::uint32_t rows;
    double noise;
    unsigned steps;
  };
  for (const Choice& choice : {Choice{60, 0.2, 3}, Choice{250, 0.25, 3}, Choice{129, 0.5, 5},
                               Choice{250, 0.8, 7}, Choice{128, 0.8, 7}}) {
    const CodeSampler sampler(noisy_table(choice.rows, choice.noise));
    ASSERT_TRUE(sampler.steps());
    ASSERT_EQ(sampler.steps()->steps(), choice.steps);
    const DrawOrigin origin{{17}, 3};
    std::uint64_t escapes = 0;
    on_each_target([&] {
      std::mt19937 random(5);
      for (int repetition = 0; repetition < 25; ++repetition) {
        const auto outputs = 1 + static_cast<std::uint32_t>(random() % 70);
        const auto bits = 2 + static_cast<std::uint32_t>(random() % 7);
        Tile tile(choice.rows, outputs, bits, random);
        const ColumnGroups& groups = tile.groups;
        std::vector<std::vector<std::uint32_t>> inputs;
        for (std::size_t i = 1 + random() % 6; i-- > 0;) {
          inputs.push_back(tile.random_input(random));
          // In every other tile nearly all rows are active.
          if (repetition % 2 == 0) {
            for (std::uint32_t row = 0; row < choice.rows; ++row) {
              if (random() % 16 != 0) inputs.back()[row / 32] |= 1U << row % 32;
            }
          }
          inputs.back()[0] |= 1;
        }
        std::vector<ColumnRead> reads;
        std::vector<std::uint32_t> first_words;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          reads.push_back(tile.read(inputs[i], static_cast<std::uint32_t>(i)));
          reads.back().first_batch = 100 * i;
          reads.back().planes.begin = static_cast<std::uint32_t>(random() % bits);
          if (random() % 2 == 0) reads.back().planes = groups.all_planes();
          first_words.push_back(static_cast<std::uint32_t>(i) * groups.batches());
        }
        AlignedVector<std::uint32_t> words(reads.size() * groups.batches() * step_words);
        for (std::uint32_t& word : words) word = static_cast<std::uint32_t>(random());
        for (std::size_t i = 0; i < words.size() / 64; ++i) {  // what escapes
          const std::size_t lane = random() % (words.size() / step_words) * step_words + i % 16;
          words[lane] = words[lane + group_channels] = ~0U >> 8 * (i % 4);
        }
        AlignedVector<std::uint8_t> codes(reads.size() * groups.batches() * batch_words);
        AlignedVector<std::int32_t> sums(std::size_t{groups.groups} * group_channels);
        draw_step_codes({reads, words, first_words}, groups, sampler, origin, codes);
        add_step_codes(reads, groups, codes, sums);
        std::vector<std::int64_t> expected(outputs, 0);
        for (std::size_t i = 0; i < reads.size(); ++i) {
          for (std::uint32_t output = 0; output < outputs; ++output) {
            for (std::uint32_t plane = 0; plane < bits; ++plane) {
              const std::uint32_t vector = output / group_channels * bits + plane;
              const std::uint32_t lane = output % group_channels;
              const std::uint32_t* of_batch =
                  words.data() + (first_words[i] + vector / 4) * step_words;
              const std::uint32_t upper = of_batch[lane] >> vector % 4 * 8 & 0xff;
              const std::uint32_t lower = of_batch[16 + lane] >> vector % 4 * 8 & 0xff;
              const circuits::ColumnClass column{tile.lrs_count(inputs[i], output, plane),
                                                 reads[i].active_rows};
              const std::uint64_t second =
                  escape_word(origin, draw_number(reads[i].first_batch, vector, lane));
              const std::uint32_t code = sampler.code(column, upper << 8 | lower, second);
              if (sampler.escapes(column, upper << 8 | lower)) ++escapes;
              ASSERT_EQ(
                  codes[(i * groups.batches() + vector / 4) * batch_words + lane * 4 + vector % 4],
                  code)
                  << choice.rows << " rows, read " << i << " of " << reads.size() << ", output "
                  << output << ", plane " << plane;
              if (!reads[i].planes.holds(plane)) continue;
              const std::int64_t unit = std::int64_t{plane + 1 == bits ? -1 : 1} << (plane + i);
              expected[output] += unit * code;
            }
          }
        }
        for (std::uint32_t output = 0; output < outputs; ++output) {
          ASSERT_EQ(sums[output], expected[output]);
        }
      }
    });
    EXPECT_GT(escapes, 100u) << choice.rows;
  }
}

// Sums beyond the integers of single precision: weights of -128 and inputs of 255.
TEST(IntegerLayer, IsExactWhereSinglePrecisionIsNot) {
  std::mt19937 random(3);
  Layer layer = fixtures::random_convolution("a", "input", 5, 64, 3, 1, 1, 8, 4, random);
  std::fill(layer.weight.begin(), layer.weight.end(), std::int8_t{-128});
  layer.weight[0] = 1;
  const MapShape shape{64, 5, 7};
  std::vector<std::uint8_t> map(shape.size(), 255);
  map[0] = 254;
  on_each_target([&] {
    IntegerLayer::Workspace workspace;
    std::vector<double> sums(5 * 5 * 7);
    IntegerLayer(layer, shape).sums(map, workspace, sums);
    // Pixel (2, 2) sees all of nine places of each channel; (0, 0) four, one of them 254.
    EXPECT_EQ(sums[35 + 2 * 7 + 2], -128.0 * 255 * 576);
    EXPECT_EQ(sums[2 * 7 + 2], -128.0 * 255 * 575 + 255);
    EXPECT_EQ(sums[35], -128.0 * (255 * 4 * 64 - 1));
  });
}

std::vector<double> some_reals(std::size_t size, std::mt19937& random) {
  std::vector<double> values(size);
  for (double& value : values) value = (static_cast<double>(random() % 4001) - 2000.0) / 64.0;
  return values;
}

std::uint8_t plain_level(double value, double highest) {
  return static_cast<std::uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, highest));
}

TEST(MapKernel, EqualsThePlainFormulas) {
  on_each_target([] {
    std::mt19937 random(4);
    for (std::size_t size = 0; size < 40; ++size) {
      const std::vector<double> a = some_reals(size, random);
      std::vector<std::uint8_t> b(size);
      for (std::uint8_t& level : b) level = static_cast<std::uint8_t>(random());
      std::vector<std::uint8_t> levels(size);
      std::vector<double> reals(size);
      // Steps of 1/64 times 0.5 and whole biases meet ties.
      scale_map(std::span<const double>(a), 0.5, 3.0, 15.0, std::span(levels));
      for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(levels[i], plain_level(a[i] * 0.5 + 3, 15));
      scale_map(std::span<const std::uint8_t>(b), 0.3, -0.1, 0.0, std::span(reals));
      for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(reals[i], b[i] * 0.3 + -0.1);
      add_maps(std::span<const double>(a), std::span<const std::uint8_t>(b), {0.7, 1.1, 0.2}, 255.0,
               std::span(reals));
      for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(reals[i], a[i] * 0.7 + b[i] * 1.1 + 0.2);
      add_maps(std::span<const std::uint8_t>(b), std::span<const double>(a), {0.25, 1.0, 0.0}, 63.0,
               std::span(levels));
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_EQ(levels[i], plain_level(b[i] * 0.25 + a[i], 63.0));
      }
      clip_reals(a, reals);
      for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(reals[i], a[i] > 0.0 ? a[i] : 0.0);
    }
    const std::vector<double> edges{-0.0, 0.0, -1e300, 1e300, -0.5, 0.49999999999999994};
    std::vector<double> clipped(edges.size());
    clip_reals(edges, clipped);
    EXPECT_FALSE(std::signbit(clipped[0]));
    std::vector<std::uint8_t> levels(edges.size());
    scale_map(std::span<const double>(edges), 1.0, 0.0, 15.0, std::span(levels));
    // The last one rounds to 1 when 0.5 is added, as the definition says (network.h).
    EXPECT_EQ(levels, (std::vector<std::uint8_t>{0, 0, 0, 15, 0, 1}));
  });
}

}  // namespace
}  // namespace cimstat::experiments
