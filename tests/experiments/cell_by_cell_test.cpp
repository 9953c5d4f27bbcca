/// Chips and the error table against columns whose every cell is drawn and read on its own.
#include "tests/experiments/cell_by_cell.h"

#include <cmath>
#include <iostream>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "circuits/references/references.h"

#include "experiments/inference/chip_accuracy.h"
#include "tests/experiments/exact_table.h"
#include "tests/experiments/small_network.h"

namespace cimstat::experiments {
namespace {

/// Cells that differ and that are noisy, an offset and noise behind them.
cell_by_cell::Macro macro_with(double offset_sd) {
  return {.lrs_sigma = 0.1,
          .hrs_sigma = 0.4,
          .read_noise = 0.1,
          .offset_sd = offset_sd,
          .noise_sd = 1.2e-6};
}

core::Law cell_law(double median, double sigma, double read_noise) {
  core::Component component;
  component.base = core::LogNormal{median, sigma};
  component.relative_noise = read_noise;
  return core::Law({component});
}

circuits::ColumnDesign design_of(const cell_by_cell::Macro& macro) {
  circuits::ColumnDesign design;
  design.rows = static_cast<std::uint32_t>(macro.rows);
  design.lrs = cell_law(macro.lrs_median, macro.lrs_sigma, macro.read_noise);
  design.hrs = cell_law(macro.hrs_median, macro.hrs_sigma, macro.read_noise);
  design.sense = {.offset_sd = macro.offset_sd, .noise_sd = macro.noise_sd};
  design.ladder = circuits::midpoint_ladder(design, design.rows);
  return design;
}

AccuracyOptions options_of(std::uint64_t seed, std::uint32_t chips, std::uint32_t reads) {
  AccuracyOptions options;
  options.array.rows = 16;
  options.key = {seed};
  options.stream = core::Stream::fast;
  options.reads = reads;
  options.chips = chips;
  return options;
}

void print(std::string_view name, const Estimate& estimate) {
  std::cout << name << " " << estimate.value << " [" << estimate.interval.lower << ", "
            << estimate.interval.upper << "]\n";
}

double half_width(const Estimate& estimate) {
  return 0.5 * (estimate.interval.upper - estimate.interval.lower);
}

bool holds_zero(const Estimate& estimate) {
  return estimate.interval.lower <= 0.0 && estimate.interval.upper >= 0.0;
}

/// Of two sets of chips on the same images, a - b; 95 %.
Estimate difference_over_chips(const ChipStatistics& a, const ChipStatistics& b) {
  const auto variance = [](const ChipStatistics& chips) {
    return chips.spread->value * chips.spread->value / static_cast<double>(chips.of_chip.size());
  };
  const double difference = a.over_chips.value - b.over_chips.value;
  const double half = core::normal_z(0.95) * std::sqrt(variance(a) + variance(b));
  return {difference, {difference - half, difference + half}};
}

/// Of the logarithms of their spreads; var(ln s) = (kurtosis - (n - 3) / n) / (4 (n - 1)).
Estimate ratio_of_spreads(const ChipStatistics& a, const ChipStatistics& b) {
  const auto variance = [](const ChipStatistics& chips) {
    const auto n = static_cast<double>(chips.of_chip.size());
    double fourth = 0.0;
    for (const double value : chips.of_chip) {
      fourth += std::pow((value - chips.over_chips.value) / chips.spread->value, 4) / n;
    }
    return (fourth - (n - 3.0) / n) / (4.0 * (n - 1.0));
  };
  const double ratio = std::log(a.spread->value / b.spread->value);
  const double half = core::normal_z(0.95) * std::sqrt(variance(a) + variance(b));
  return {ratio, {ratio - half, ratio + half}};
}

// 3,000 images, each read ten times. The twin's offsets are half as large again.
TEST(CellByCell, TheTableGivesTheAccuracyOfCellsDrawnAtEachRead) {
  const Network network = fixtures::small_network();
  const ImageSet images = fixtures::images_for(network, 3000);
  const cell_by_cell::Macro macro = macro_with(2e-6);
  const AccuracyResult direct = cell_by_cell::accuracy(network, images, macro, 0, 10, 1);
  const auto against_table = [&](const cell_by_cell::Macro& of_table) {
    const circuits::ErrorTable table = fixtures::exact_table(design_of(of_table));
    return paired_difference(accuracy_with_table(network, images, table, options_of(2, 0, 10), {}),
                             direct, 0.95);
  };
  const Estimate difference = against_table(macro);
  const Estimate of_twin = against_table(macro_with(1.5 * macro.offset_sd));
  print("accuracy", accuracy_statistics(direct, 0.95).sampled);
  print("difference", difference);
  print("difference of the twin", of_twin);
  EXPECT_LE(half_width(difference), 0.005);
  EXPECT_TRUE(holds_zero(difference));
  EXPECT_LT(of_twin.interval.upper, 0.0);
}

// 1,900 chips of each kind on 40 images: mean and spread. The twins: offsets half as large again,
// and the table's cells, fresh at each read, of which one "chip" is one read.
TEST(CellByCell, FrozenChipsHaveTheAccuraciesOfChipsSimulatedCellByCell) {
  constexpr std::uint32_t chips = 1900;
  constexpr std::size_t count = 40;
  const Network network = fixtures::small_network();
  const ImageSet images = fixtures::images_for(network, count);
  const cell_by_cell::Macro macro = macro_with(1.2e-6);
  const ChipStatistics direct =
      chip_statistics(cell_by_cell::accuracy(network, images, macro, chips, 1, 3), 0.95);
  const auto of = [&](const cell_by_cell::Macro& one) {
    return chip_statistics(
        accuracy_on_chips(network, images, ChipDesign(design_of(one)), options_of(4, chips, 1), {}),
        0.95);
  };
  const ChipStatistics frozen = of(macro);
  const ChipStatistics twin = of(macro_with(1.5 * macro.offset_sd));
  AccuracyResult fresh_reads = cell_by_cell::accuracy(network, images, macro, 0, chips, 5);
  std::swap(fresh_reads.reads, fresh_reads.chips);
  fresh_reads.reads = 1;
  const ChipStatistics fresh = chip_statistics(fresh_reads, 0.95);

  const Estimate mean = difference_over_chips(frozen, direct);
  const Estimate spread = ratio_of_spreads(frozen, direct);
  print("mean", direct.over_chips);
  print("spread", *direct.spread);
  print("difference of the means", mean);
  print("... of the twin", difference_over_chips(twin, direct));
  print("... of fresh cells", difference_over_chips(fresh, direct));
  print("logarithm of the spreads' ratio", spread);
  print("... of the twin", ratio_of_spreads(twin, direct));
  print("... of fresh cells", ratio_of_spreads(fresh, direct));
  EXPECT_LE(half_width(mean), 0.005);
  EXPECT_TRUE(holds_zero(mean));
  EXPECT_TRUE(holds_zero(spread));
  EXPECT_LT(difference_over_chips(twin, direct).interval.upper, 0.0);
  EXPECT_LT(ratio_of_spreads(fresh, direct).interval.upper, 0.0);
}

}  // namespace
}  // namespace cimstat::experiments
