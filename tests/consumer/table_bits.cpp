// Exact and sampled tables of a column with many parts, each number with all its bits: equal from
// any build of cimstat.
#include <cstdio>
#include <vector>

#include "devices/rram.h"

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"
#include "circuits/sampled/sampled_column.h"

namespace core = cimstat::core;
namespace devices = cimstat::devices;
namespace circuits = cimstat::circuits;

int main() {
  const double read_voltage = 0.2;
  const devices::RramCell cell{.lrs = core::LogNormal{.median = 40e-6, .sigma = 0.1},
                               .hrs = core::LogNormal{.median = 1e-6, .sigma = 0.5},
                               .access_resistance = 2e3,
                               .read_noise = 0.01};
  circuits::ColumnDesign column{.rows = 12,
                                .lrs = cell.read(devices::Level::lrs).scaled(read_voltage),
                                .hrs = cell.read(devices::Level::hrs).scaled(read_voltage),
                                .sense = {.offset_sd = 0.8e-6, .noise_sd = 0.8e-6}};
  column.ladder = circuits::replica_ladder(column, column.rows);
  const std::vector<circuits::ColumnClass> classes =
      circuits::classes_for(std::vector<std::uint32_t>{3, 9, column.rows});

  const circuits::ExactProbabilities exact =
      circuits::exact_probabilities(column, classes, {}, core::Threads{});
  for (const double probability : exact.probability) std::printf("%a\n", probability);
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    const circuits::SamplingOptions options{.trials = 20000, .key = {.seed = 7}, .stream = stream};
    for (const std::uint64_t count :
         circuits::sampled_counts(column, classes, options, core::Threads{})) {
      std::printf("%llu\n", static_cast<unsigned long long>(count));
    }
  }
}
