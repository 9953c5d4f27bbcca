#include <algorithm>
#include <array>
#include <numeric>

#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "circuits/exact/exact_column.h"

#include "experiments/inference/chip_reader.h"

namespace cimstat::experiments {
namespace {

constexpr double current = 8e-6;

/// Codes of one column of `ones` LRS cells among `rows`, all active, read so often: the estimate
/// is code - 2 * (code of a column of HRS cells), and those are never misread here.
std::vector<std::uint64_t> codes_read(const circuits::ColumnDesign& column, std::uint32_t ones,
                                      std::uint64_t reads) {
  Layer layer;
  layer.name = "column";
  layer.kind = LayerKind::fully_connected;
  layer.weight_bits = 2;
  layer.weight_shape = {1, column.rows, 1, 1};
  layer.weight.assign(column.rows, 0);
  std::fill_n(layer.weight.begin(), ones, std::int8_t{1});
  const MapShape shape{column.rows, 1, 1};
  const ColumnLayer columns(layer, shape, 1, {.rows = column.rows}, 1, 0);
  const ChipDesign design(column);
  ChipNetwork chip;
  chip.places[1].layer = draw_chip_layer(design, columns, {9}, 0, {1});
  ChipReader reader(design, core::Stream::philox);
  reader.use(chip);
  const std::vector<std::uint8_t> map(column.rows, 1);
  std::vector<std::uint64_t> counts(column.ladder.codes);
  for (std::uint64_t read = 0; read < reads; ++read) {
    std::array<double, 1> estimate{};
    reader.estimate(columns, map, {{9}, chip_read_instance(0, read)}, estimate);
    ++counts.at(static_cast<std::size_t>(estimate[0]));
  }
  return counts;
}

double chi_square_p(const std::vector<std::uint64_t>& counts, const double* probability) {
  const auto reads =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  double statistic = 0.0;
  double degrees = -1.0;
  double rest = 0.0;
  double expected_rest = 0.0;
  for (std::size_t code = 0; code < counts.size(); ++code) {
    const double expected = reads * probability[code];
    if (expected < 10.0) {
      rest += static_cast<double>(counts[code]);
      expected_rest += expected;
      continue;
    }
    const double difference = static_cast<double>(counts[code]) - expected;
    statistic += difference * difference / expected;
    degrees += 1.0;
  }
  if (expected_rest > 1.0) {
    statistic += (rest - expected_rest) * (rest - expected_rest) / expected_rest;
    degrees += 1.0;
  }
  return core::chi_square_tail(statistic, degrees);
}

core::Law noisy_point(double value, double relative_noise) {
  core::Component component;
  component.base = core::Point{value};
  component.relative_noise = relative_noise;
  return core::Law({component});
}

/// Equal cells, noise, and references from 8.5 cells up: HRS columns always give code 0.
circuits::ColumnDesign upper_codes(double read_noise, const circuits::SenseAmplifier& sense) {
  circuits::ColumnDesign design;
  design.rows = 16;
  design.lrs = noisy_point(current, read_noise);
  design.hrs = core::Law::point(0.0);
  design.sense = sense;
  design.ladder.codes = 9;
  for (int i = 0; i < 8; ++i) design.ladder.references.push_back((8.5 + i) * current);
  return design;
}

// Read noise of the cells, noise that grows with the current, logistic noise: the codes of equal
// cells follow the exact table, whose twin with a tenth more noise must be told apart.
TEST(ChipCodes, AreThoseOfTheExactTableWhereNothingIsFrozen) {
  const auto designs = [](double scale) {
    const double growing = scale * 0.12 * current;
    return std::vector<circuits::ColumnDesign>{
        upper_codes(scale * 0.1, {.noise_sd = scale * 0.1 * current}),
        upper_codes(0.0, {.noise_sd = growing, .noise_knee = 30.0 * growing}),
        upper_codes(0.0, {.noise_sd = scale * 0.3 * current,
                          .noise_shape = circuits::NoiseShape::logistic})};
  };
  constexpr std::uint32_t ones = 11;
  const std::array<circuits::ColumnClass, 1> classes{{{.lrs_count = ones, .active_rows = 16}}};
  const auto law_of = [&](const circuits::ColumnDesign& design) {
    return circuits::exact_probabilities(design, classes, {}, {}).probability;
  };
  const std::vector<circuits::ColumnDesign> noisier = designs(1.1);
  std::size_t twin = 0;
  for (const circuits::ColumnDesign& design : designs(1.0)) {
    const std::vector<std::uint64_t> counts = codes_read(design, ones, 60000);
    EXPECT_GT(chi_square_p(counts, law_of(design).data()), 1e-3) << "design " << twin;
    EXPECT_LT(chi_square_p(counts, law_of(noisier[twin]).data()), 1e-6) << "design " << twin;
    ++twin;
  }
}

}  // namespace
}  // namespace cimstat::experiments
