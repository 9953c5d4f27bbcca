// The shapes and settings that other simulators were timed with (bench/array_settings.h), product
// by product and in batches of 256, with a naive Boost.Random twin. A MAC is one weight, whatever
// the number of its cells.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/random/random.h"

#include "circuits/arrays/array_product.h"
#include "circuits/arrays/programmed_array.h"

#include "bench/array_settings.h"

namespace {

namespace core = cimstat::core;
namespace circuits = cimstat::circuits;
using namespace cimstat::bench;
using circuits::NoiseDraw;

void rate(benchmark::State& state, const char* what, double count) {
  state.counters[what] = benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate);
}

const circuits::LevelTables& tables() {
  static const circuits::LevelTables made(programmed_laws());
  return made;
}

/// Both arrays of a chip, programmed.
struct Pair {
  circuits::NoisyArray positive;
  circuits::NoisyArray negative;
  circuits::ArrayPlace positive_place;
  circuits::ArrayPlace negative_place;
};

Pair pair_of(const Workload& work) {
  Pair pair;
  pair.positive_place = {.key = {.seed = 1, .point = 0}, .chip = 0, .first_column = 0};
  pair.negative_place = {.key = {.seed = 1, .point = 0}, .chip = 0, .first_column = 1024};
  circuits::ArrayPlane values;
  program(tables(), {work.shape, work.positive}, pair.positive_place, {1}, values);
  pair.positive = circuits::with_relative_noise(values, read_noise);
  program(tables(), {work.shape, work.negative}, pair.negative_place, {1}, values);
  pair.negative = circuits::with_relative_noise(values, read_noise);
  return pair;
}

/// The residues of decoded products must have the variance of programming error, read noise and
/// converter, within a factor of 2.5: few columns are frozen.
template <class SquareOfCell>
void check_residues(benchmark::State& state, const Workload& work, const std::vector<double>& found,
                    double step_variance, const SquareOfCell& square_of_cell) {
  const circuits::ArrayShape shape = work.shape;
  double sum = 0.0;
  double expected = 0.0;
  const double per_cell = programming_error * programming_error + read_noise * read_noise;
  for (std::size_t p = 0; p < work.products(); ++p) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      double product = 0.0;
      double variance = 0.0;
      for (std::uint32_t row = 0; row < shape.rows; ++row) {
        const std::size_t cell = std::size_t{row} * shape.columns + column;
        const double input = work.inputs[p * shape.rows + row];
        product += input / input_steps * work.value(cell) * work.largest;
        variance += input * input * square_of_cell(cell);
      }
      const double residue = found[p * shape.columns + column] - product;
      sum += residue * residue;
      expected += per_cell * variance * work.scale() * work.scale() + step_variance;
    }
  }
  if (!(sum > 0.4 * expected && sum < 2.5 * expected)) {
    state.SkipWithError("products are not as far from the ideal ones as their cells are");
  }
}

void check(benchmark::State& state, const Workload& work, const std::vector<double>& found,
           double step_variance) {
  check_residues(state, work, found, step_variance, [&](std::size_t cell) {
    const double plus = conductance_of(work.positive[cell]);
    const double minus = conductance_of(work.negative[cell]);
    return plus * plus + minus * minus;
  });
}

/// A weight is worth half the range of a cell.
void check_offset(benchmark::State& state, const Workload& work, const std::vector<double>& found,
                  double step_variance) {
  check_residues(state, work, found, step_variance, [&](std::size_t cell) {
    return 4.0 * std::pow(conductance_of_offset(work.value(cell)), 2);
  });
}

double step_variance(const Workload& work) {
  const double step = 2.0 * std::sqrt(static_cast<double>(work.shape.rows)) / double{codes};
  return step * step / 12.0;
}

std::vector<double> decode(const std::vector<std::uint32_t>& found, const Workload& work) {
  std::vector<double> values;
  for (const std::uint32_t code : found) values.push_back(decoded(code, work.shape.rows));
  return values;
}

/// How a weight's cells are drawn.
enum class Draws {
  two_cells,  ///< each of both cells, in arrays of their own
  pair,       ///< the difference of both, which is one normal
};

void multiply_pairs(benchmark::State& state, circuits::ArrayShape shape, Draws draws,
                    NoiseDraw noise, core::Stream stream) {
  const Workload work = workload_of(shape, static_cast<std::size_t>(state.range(0)));
  const Pair pair = pair_of(work);
  const circuits::NoisyArray both = circuits::difference(pair.positive, pair.negative);
  const circuits::CodeSearch search = converter_for(work, input_steps);
  std::vector<float> sums(work.products() * shape.columns);
  std::vector<float> subtracted(sums.size());
  std::vector<std::uint32_t> found(sums.size());
  circuits::ProductOptions options{.place = pair.positive_place, .noise = noise, .stream = stream};
  circuits::ProductOptions others = options;
  others.place = pair.negative_place;
  for (auto _ : state) {
    if (draws == Draws::pair) {
      multiply(both, work.inputs, options, sums);
    } else {
      multiply(pair.positive, work.inputs, options, sums);
      multiply(pair.negative, work.inputs, others, subtracted);
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] -= subtracted[i];
    }
    convert(sums, search, found);
    options.first_product = others.first_product += (work.products() + 3) / 4 * 4;
  }
  check(state, work, decode(found, work), step_variance(work));
  rate(state, "MAC", static_cast<double>(work.products() * shape.cells()));
  rate(state, "products", static_cast<double>(work.products()));
}

/// Eight products of one bit each, every one converted, shifted and added.
void multiply_bits(benchmark::State& state, circuits::ArrayShape shape, Draws draws,
                   NoiseDraw noise, core::Stream stream) {
  const Workload work = workload_of(shape, static_cast<std::size_t>(state.range(0)));
  const Pair pair = pair_of(work);
  const circuits::NoisyArray both = circuits::difference(pair.positive, pair.negative);
  const circuits::CodeSearch search = converter_for(work, 1.0);
  std::vector<float> sums(work.products() * input_bits * shape.columns);
  std::vector<float> subtracted(sums.size());
  std::vector<std::uint32_t> found(sums.size());
  std::vector<std::int64_t> totals;
  circuits::ProductOptions options{.place = pair.positive_place, .noise = noise, .stream = stream};
  circuits::ProductOptions others = options;
  others.place = pair.negative_place;
  for (auto _ : state) {
    const std::vector<std::uint8_t> planes =
        circuits::bit_planes(work.inputs, shape.rows, input_bits);
    if (draws == Draws::pair) {
      multiply(both, planes, options, sums);
    } else {
      multiply(pair.positive, planes, options, sums);
      multiply(pair.negative, planes, others, subtracted);
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] -= subtracted[i];
    }
    convert(sums, search, found);
    totals = circuits::shift_and_add(found, shape.columns, input_bits);
    options.first_product = others.first_product += work.products() * input_bits;
  }
  // A code c of bit b stands for 2^b (decoded(0) + c step).
  const double origin = decoded(0.0, shape.rows);
  const double step = decoded(1.0, shape.rows) - origin;
  std::vector<double> values;
  for (const std::int64_t total : totals) {
    values.push_back((input_steps * origin + step * static_cast<double>(total)) / input_steps);
  }
  // Programming errors are shared by the bits, read noise is not; sum of 4^b is 21845.
  const double squares = 21845.0 / (input_steps * input_steps);
  check(state, work, values, squares * step_variance(work));
  rate(state, "MAC", static_cast<double>(work.products() * shape.cells()));
  rate(state, "products", static_cast<double>(work.products()));
}

/// Weights on single cells of 256 levels: the middle of the range stands for 0, and what it adds to
/// a sum, half the inputs, is subtracted behind a converter from 0 to rows / 2.
void multiply_offset(benchmark::State& state, circuits::ArrayShape shape, NoiseDraw noise,
                     core::Stream stream) {
  const Workload work = workload_of(shape, static_cast<std::size_t>(state.range(0)));
  const double rows = shape.rows;
  const double step = rows / 2.0 / double{codes};
  const double unit = (highest - lowest) * input_steps;  // of a sum with weights and inputs of 1
  std::vector<std::uint8_t> cells;
  for (std::size_t cell = 0; cell < shape.cells(); ++cell) {
    cells.push_back(offset_level(work.value(cell)));
  }
  static const circuits::LevelTables laws(programmed_laws(offset_levels));
  circuits::ProductOptions options{
      .place = {.key = {.seed = 1, .point = 0}}, .noise = noise, .stream = stream};
  circuits::ArrayPlane values;
  program(laws, {shape, cells}, options.place, {1}, values);
  const circuits::NoisyArray array = circuits::with_relative_noise(values, read_noise);
  std::vector<float> references;
  for (std::size_t code = 1; code < codes; ++code) {
    references.push_back(static_cast<float>(static_cast<double>(code) * step * unit));
  }
  const circuits::CodeSearch search(references);
  std::vector<float> sums(work.products() * shape.columns);
  std::vector<std::uint32_t> found(sums.size());
  std::vector<double> products(sums.size());
  for (auto _ : state) {
    multiply(array, work.inputs, options, sums);
    convert(sums, search, found);
    for (std::size_t p = 0; p < work.products(); ++p) {
      double inputs = 0.0;
      for (std::size_t row = 0; row < shape.rows; ++row)
        inputs += work.inputs[p * shape.rows + row];
      const double middle = inputs / input_steps * conductance_of_offset(0.0) / (highest - lowest);
      for (std::size_t column = 0; column < shape.columns; ++column) {
        const std::size_t i = p * shape.columns + column;
        products[i] = 2.0 * work.largest * ((found[i] + 0.5) * step - middle);
      }
    }
    options.first_product += (work.products() + 3) / 4 * 4;
  }
  check_offset(state, work, products, 4.0 * work.largest * work.largest * step * step / 12.0);
  rate(state, "MAC", static_cast<double>(work.products() * shape.cells()));
  rate(state, "products", static_cast<double>(work.products()));
}

/// Both arrays of the next chip.
void program_pairs(benchmark::State& state, circuits::ArrayShape shape) {
  const Workload work = workload_of(shape, 1);
  const circuits::LevelPlane positive(shape, work.positive);
  const circuits::LevelPlane negative(shape, work.negative);
  circuits::ArrayPlace place{.key = {.seed = 1, .point = 0}};
  circuits::ArrayPlane plus;
  circuits::ArrayPlane minus;
  tables();
  for (auto _ : state) {
    place.first_column = 0;
    program(tables(), positive, place, {1}, plus);
    place.first_column = 1024;
    program(tables(), negative, place, {1}, minus);
    ++place.chip;
  }
  double squares = 0.0;
  const std::vector<float> values = plus.row_major();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double target = conductance_of(work.positive[i]);
    squares += std::pow((static_cast<double>(values[i]) / target - 1.0) / programming_error, 2);
  }
  const auto n = static_cast<double>(values.size());
  if (!(std::abs(squares - n) < 6.0 * std::sqrt(2.0 * n))) {
    state.SkipWithError("the programming error is not 5 %");
  }
  rate(state, "devices", 2.0 * n);
}

/// As one would write it with Boost.Random: each cell of a pair with noise of its own.
void multiply_naive(benchmark::State& state, circuits::ArrayShape shape) {
  const Workload work = workload_of(shape, 1);
  const Pair pair = pair_of(work);
  const std::vector<float> plus = pair.positive.conductance.row_major();
  const std::vector<float> minus = pair.negative.conductance.row_major();
  const circuits::CodeSearch search = converter_for(work, input_steps);
  boost::random::mt19937 engine(2);
  boost::random::normal_distribution<double> normal(1.0, read_noise);
  std::vector<double> sums(shape.columns);
  std::vector<std::uint32_t> found(shape.columns);
  for (auto _ : state) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::size_t i = 0; i < plus.size(); ++i) {
      const double input = work.inputs[i / shape.columns];
      sums[i % shape.columns] += input * (static_cast<double>(plus[i]) * normal(engine) -
                                          static_cast<double>(minus[i]) * normal(engine));
    }
    for (std::size_t c = 0; c < sums.size(); ++c) found[c] = search(static_cast<float>(sums[c]));
  }
  check(state, work, decode(found, work), step_variance(work));
  rate(state, "MAC", static_cast<double>(shape.cells()));
}

void register_all() {
  using benchmark::RegisterBenchmark;
  const auto philox = core::Stream::philox;
  const auto fast = core::Stream::fast;
  for (const circuits::ArrayShape shape : shapes) {
    const auto name = [&](const char* what) { return std::string(what) + "/" + text_of(shape); };
    const auto single_and_batch = [](benchmark::internal::Benchmark* made) {
      made->Arg(1)->Arg(256)->Unit(benchmark::kMicrosecond);
    };
    const auto pairs = [&](const char* what, Draws draws, NoiseDraw noise, core::Stream stream) {
      single_and_batch(
          RegisterBenchmark(name(what).c_str(), multiply_pairs, shape, draws, noise, stream));
    };
    const auto bits = [&](const char* what, Draws draws, NoiseDraw noise, core::Stream stream) {
      RegisterBenchmark(name(what).c_str(), multiply_bits, shape, draws, noise, stream)
          ->Arg(1)
          ->Arg(16)
          ->Unit(benchmark::kMicrosecond);
    };
    pairs("balanced", Draws::pair, NoiseDraw::none, philox);
    pairs("balanced/read_noise/two_cells", Draws::two_cells, NoiseDraw::per_cell, philox);
    pairs("balanced/read_noise/two_cells_fast", Draws::two_cells, NoiseDraw::per_cell, fast);
    pairs("balanced/read_noise/pair", Draws::pair, NoiseDraw::per_cell, philox);
    pairs("balanced/read_noise/per_sum", Draws::pair, NoiseDraw::per_sum, philox);
    bits("bit_serial", Draws::pair, NoiseDraw::none, philox);
    bits("bit_serial/read_noise/two_cells", Draws::two_cells, NoiseDraw::per_cell, philox);
    bits("bit_serial/read_noise/two_cells_fast", Draws::two_cells, NoiseDraw::per_cell, fast);
    bits("bit_serial/read_noise/per_sum", Draws::pair, NoiseDraw::per_sum, philox);
    const auto offset = [&](const char* what, NoiseDraw noise, core::Stream stream) {
      single_and_batch(
          RegisterBenchmark(name(what).c_str(), multiply_offset, shape, noise, stream));
    };
    offset("offset", NoiseDraw::none, philox);
    offset("offset/read_noise", NoiseDraw::per_cell, philox);
    offset("offset/read_noise/fast", NoiseDraw::per_cell, fast);
    RegisterBenchmark(name("program").c_str(), program_pairs, shape)->Unit(benchmark::kMicrosecond);
    RegisterBenchmark(name("balanced/read_noise/naive").c_str(), multiply_naive, shape)
        ->Unit(benchmark::kMicrosecond);
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
