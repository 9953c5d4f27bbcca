// Frozen arrays and their products beside naive Boost.Random twins, on every instruction set that
// this CPU has; and the shapes and settings that other simulators were timed with
// (bench/README.md).

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/random/lognormal_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>

#include "core/law/law.h"
#include "core/random/random.h"
#include "core/simd.h"

#include "circuits/arrays/array_product.h"
#include "circuits/arrays/drifting_array.h"
#include "circuits/arrays/programmed_array.h"

namespace {

namespace core = cimstat::core;
namespace circuits = cimstat::circuits;
using circuits::ArrayPlane;
using circuits::ArrayShape;

constexpr std::array<ArrayShape, 3> shapes{{{256, 64}, {512, 256}, {1152, 64}}};
constexpr std::size_t levels = 16;
constexpr double sigma = 0.2;

std::string shape_text(ArrayShape shape) {
  return std::to_string(shape.rows) + "x" + std::to_string(shape.columns);
}

void rate(benchmark::State& state, const char* what, double count) {
  state.counters[what] = benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate);
}

double median_of(std::size_t level) { return static_cast<double>(level + 1) * 5e-6; }

std::vector<std::uint8_t> level_pattern(ArrayShape shape, std::size_t used = levels) {
  boost::random::mt19937 engine(1);
  std::vector<std::uint8_t> pattern(shape.cells());
  for (std::uint8_t& level : pattern) level = static_cast<std::uint8_t>(engine() % used);
  return pattern;
}

/// Mean and mean square of ln(G / median): 0 and sigma^2.
void check_logarithms(benchmark::State& state, const std::vector<float>& values,
                      const std::vector<std::uint8_t>& pattern) {
  double sum = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double z = std::log(static_cast<double>(values[i]) / median_of(pattern[i])) / sigma;
    sum += z;
    squares += z * z;
  }
  const auto n = static_cast<double>(values.size());
  if (!(std::abs(sum) < 6.0 * std::sqrt(n)) ||
      !(std::abs(squares - n) < 6.0 * std::sqrt(2.0 * n))) {
    state.SkipWithError("the programmed cells do not follow the law of their levels");
  }
}

void program_naive(benchmark::State& state, ArrayShape shape) {
  const std::vector<std::uint8_t> pattern = level_pattern(shape);
  std::vector<boost::random::lognormal_distribution<double>> laws;
  for (std::size_t level = 0; level < levels; ++level) {
    laws.emplace_back(std::log(median_of(level)), sigma);
  }
  boost::random::mt19937 engine(2);
  std::vector<float> values(shape.cells());
  for (auto _ : state) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(laws[pattern[i]](engine));
    }
  }
  check_logarithms(state, values, pattern);
  rate(state, "cells", static_cast<double>(shape.cells()));
}

void program_arrays(benchmark::State& state, const std::string& target, ArrayShape shape,
                    std::size_t used) {
  core::use_simd_target(target);
  std::vector<core::Law> laws;
  for (std::size_t level = 0; level < used; ++level) {
    laws.push_back(core::Law::lognormal(median_of(level), sigma));
  }
  const circuits::LevelTables tables(laws);
  const std::vector<std::uint8_t> pattern = level_pattern(shape, used);
  const circuits::LevelPlane plane(shape, pattern);
  ArrayPlane values;
  circuits::ArrayPlace place{{.seed = 1, .point = 0}};
  for (auto _ : state) {
    program(tables, plane, place, {1}, values);
    ++place.chip;
  }
  check_logarithms(state, values.row_major(), pattern);
  rate(state, "cells", static_cast<double>(shape.cells()));
  core::use_simd_target("");
}

constexpr float level_conductance = 50e-6f;
constexpr double read_noise = 0.02;

/// All rows active with input 1: sums have mean n G and sd sqrt(n) G read_noise.
void check_sums(benchmark::State& state, const std::vector<float>& sums, ArrayShape shape,
                double expected_sd) {
  const double mean = static_cast<double>(shape.rows) * static_cast<double>(level_conductance);
  const double sd = std::sqrt(static_cast<double>(shape.rows)) * expected_sd *
                    static_cast<double>(level_conductance);
  double sum = 0.0;
  double squares = 0.0;
  for (const float value : sums) {
    const double z = (static_cast<double>(value) - mean) / sd;
    sum += z;
    squares += z * z;
  }
  const auto n = static_cast<double>(sums.size());
  if (!(std::abs(sum) < 6.0 * std::sqrt(n)) ||
      !(std::abs(squares - n) < 6.0 * std::sqrt(2.0 * n))) {
    state.SkipWithError("the sums do not have the moments of their cells");
  }
}

void multiply_naive(benchmark::State& state, ArrayShape shape) {
  const std::vector<float> conductance(shape.cells(), level_conductance);
  boost::random::mt19937 engine(3);
  boost::random::normal_distribution<double> normal;
  std::vector<float> sums(shape.columns);
  for (auto _ : state) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (std::size_t i = 0; i < conductance.size(); ++i) {
      const double z = 1.0 + read_noise * normal(engine);
      sums[i % shape.columns] += static_cast<float>(static_cast<double>(conductance[i]) * z);
    }
  }
  check_sums(state, sums, shape, read_noise);
  rate(state, "MAC", static_cast<double>(shape.cells()));
}

void multiply_arrays(benchmark::State& state, const std::string& target, ArrayShape shape,
                     circuits::NoiseDraw noise, core::Stream stream) {
  core::use_simd_target(target);
  const std::vector<float> conductance(shape.cells(), level_conductance);
  const circuits::NoisyArray array =
      circuits::with_relative_noise(ArrayPlane(shape, conductance), read_noise);
  constexpr std::size_t products = 8;
  const std::vector<std::uint8_t> inputs(products * shape.rows, 1);
  std::vector<float> sums(products * shape.columns);
  circuits::ProductOptions options{
      .place = {{.seed = 1, .point = 0}}, .noise = noise, .stream = stream};
  for (auto _ : state) {
    multiply(array, inputs, options, sums);
    options.first_product += products;
  }
  if (noise != circuits::NoiseDraw::none) check_sums(state, sums, shape, read_noise);
  rate(state, "MAC", static_cast<double>(products * shape.cells()));
  core::use_simd_target("");
}

// Phase-change cells after Nandakumar 2019 and Joshi 2020, one hour after programming.
constexpr double full_scale = 25e-6;
constexpr double first_read = 20.0;
constexpr double read_duration = 250e-9;
constexpr double hour = 3600.0;

double drifting_target(std::size_t level) {
  return full_scale * static_cast<double>(level + 1) / static_cast<double>(levels);
}
double programming_sd(double g) { return (0.26348 + 1.9650 * g - 1.1731 * g * g) * 1e-6; }
double drift_mean(double g) { return std::clamp(-0.0155 * std::log(g) + 0.0244, 0.049, 0.1); }
double drift_sd(double g) { return std::clamp(-0.0125 * std::log(g) - 0.0059, 0.008, 0.045); }
double quality(double conductance) {
  const double power = std::pow(conductance / full_scale, 0.65);
  return std::min(0.0088 / std::max(power, 1e-3), 0.2);
}
double noise_factor() {
  return std::sqrt(std::log((first_read + hour + read_duration) / (2.0 * read_duration)));
}

/// Mean and standard error of the reads of the highest level.
struct MeanRead {
  double mean = 0.0;
  double error = 0.0;
};

MeanRead mean_read(const std::vector<float>& reads, const std::vector<std::uint8_t>& pattern) {
  double n = 0.0;
  double sum = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < reads.size(); ++i) {
    if (pattern[i] + std::size_t{1} != levels) continue;
    const auto value = static_cast<double>(reads[i]);
    n += 1.0;
    sum += value;
    squares += value * value;
  }
  return {sum / n, std::sqrt((squares / n - sum * sum / (n * n)) / n)};
}

void draw_naive(boost::random::mt19937& engine, const std::vector<std::uint8_t>& pattern,
                std::vector<float>& reads) {
  boost::random::normal_distribution<double> normal;
  for (std::size_t i = 0; i < reads.size(); ++i) {
    const double target = drifting_target(pattern[i]);
    const double g = target / full_scale;
    const double programmed = std::max(0.0, target + programming_sd(g) * normal(engine));
    const double exponent = std::abs(drift_mean(g) + drift_sd(g) * normal(engine));
    const double drifted = programmed * std::pow(1.0 + hour / first_read, -exponent);
    const double sd = drifted * quality(programmed) * noise_factor();
    reads[i] = static_cast<float>(std::max(0.0, drifted + sd * normal(engine)));
  }
}

void check_reads(benchmark::State& state, const std::vector<float>& reads,
                 const std::vector<std::uint8_t>& pattern) {
  boost::random::mt19937 engine(8);
  std::vector<float> others(reads.size());
  draw_naive(engine, pattern, others);
  const MeanRead found = mean_read(reads, pattern);
  const MeanRead expected = mean_read(others, pattern);
  if (!(std::abs(found.mean - expected.mean) < 6.0 * std::hypot(found.error, expected.error)) ||
      !(std::abs(found.error / expected.error - 1.0) < 0.2)) {
    state.SkipWithError("the reads do not have the moments of a naive run");
  }
}

void drift_naive(benchmark::State& state, ArrayShape shape) {
  const std::vector<std::uint8_t> pattern = level_pattern(shape);
  boost::random::mt19937 engine(7);
  std::vector<float> reads(shape.cells());
  for (auto _ : state) draw_naive(engine, pattern, reads);
  check_reads(state, reads, pattern);
  rate(state, "cells", static_cast<double>(shape.cells()));
}

/// Programming, drift and read noise: a new chip each time.
void drift_arrays(benchmark::State& state, const std::string& target, ArrayShape shape) {
  core::use_simd_target(target);
  std::vector<circuits::DriftingLevel> laws;
  for (std::size_t level = 0; level < levels; ++level) {
    const double conductance = drifting_target(level);
    const double g = conductance / full_scale;
    laws.push_back({{conductance, programming_sd(g)}, {drift_mean(g), drift_sd(g)}});
  }
  const circuits::DriftingCells cells(laws, {quality, 1e-3 * full_scale, 2.0 * full_scale});
  const std::vector<std::uint8_t> pattern = level_pattern(shape);
  const circuits::LevelPlane plane(shape, pattern);
  const circuits::DriftMoment moment{std::log1p(hour / first_read), noise_factor()};
  circuits::DriftingArray array;
  ArrayPlane reads;
  circuits::ArrayPlace place{{.seed = 1, .point = 0}};
  for (auto _ : state) {
    program(cells, plane, place, {1}, array);
    read(array, moment, 0, {1}, reads);
    ++place.chip;
  }
  check_reads(state, reads.row_major(), pattern);
  rate(state, "cells", static_cast<double>(shape.cells()));
  core::use_simd_target("");
}

void register_all() {
  using benchmark::RegisterBenchmark;
  RegisterBenchmark("drift/naive", drift_naive, shapes[0]);
  RegisterBenchmark("program/naive", program_naive, shapes[0]);
  RegisterBenchmark("multiply/naive", multiply_naive, shapes[0]);
  for (const std::string& target : core::simd_targets()) {
    for (const ArrayShape shape : shapes) {
      const auto name = [&](const std::string& what) {
        return what + "/" + shape_text(shape) + "/" + target;
      };
      RegisterBenchmark(name("program/tables").c_str(), program_arrays, target, shape, levels);
      RegisterBenchmark(name("program/two_levels").c_str(), program_arrays, target, shape,
                        std::size_t{2});
      RegisterBenchmark(name("drift/program_and_read").c_str(), drift_arrays, target, shape);
      RegisterBenchmark(name("multiply/philox").c_str(), multiply_arrays, target, shape,
                        circuits::NoiseDraw::per_cell, core::Stream::philox);
      RegisterBenchmark(name("multiply/fast").c_str(), multiply_arrays, target, shape,
                        circuits::NoiseDraw::per_cell, core::Stream::fast);
      RegisterBenchmark(name("multiply/per_sum").c_str(), multiply_arrays, target, shape,
                        circuits::NoiseDraw::per_sum, core::Stream::philox);
      RegisterBenchmark(name("multiply/none").c_str(), multiply_arrays, target, shape,
                        circuits::NoiseDraw::none, core::Stream::philox);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  register_all();
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
