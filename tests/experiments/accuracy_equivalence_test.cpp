/// Codes sampled from the error table against columns simulated at each read, and against chips, on
/// the network that ships with cimstat and the Fashion-MNIST test images.
#include <filesystem>
#include <iostream>
#include <utility>

#include <gtest/gtest.h>

#include "circuits/references/references.h"

#include "experiments/inference/chip_accuracy.h"
#include "tests/experiments/exact_table.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

constexpr std::uint32_t rows = 32;

/// A 32-row macro with a small read margin: it costs the network some points of accuracy, and 1.2
/// times as many misreads cost it more than a point again.
circuits::ColumnDesign lossy_macro() {
  circuits::ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::lognormal(8e-6, 0.08);
  design.hrs = core::Law::lognormal(0.4e-6, 0.5);
  design.leakage = core::Law::lognormal(2e-9, 0.5);
  design.sense = {0.5e-6, 0.9e-6, circuits::NoiseShape::gaussian, 100e-6};
  design.ladder = circuits::replica_ladder(design, rows);
  return design;
}

// 10,000 images, simulated once and read four times through the table. The test has power: the
// difference is known to half a point, and its twin, whose misreads are 1.2 times as frequent,
// differs by about twice that.
TEST(SampledCodes, GiveTheAccuracyOfColumnsSimulatedAtEachRead) {
  const Network network = read_network(CIMSTAT_EMBEDDED_NETWORK);
  const ImageSet images = read_named_images("fashion-mnist", Split::test);
  const circuits::ColumnDesign design = lossy_macro();
  const circuits::ErrorTable table = fixtures::exact_table(design);
  AccuracyOptions options;
  options.array.rows = rows;
  options.stream = core::Stream::fast;

  options.key = {1};
  const AccuracyResult simulated = accuracy_by_simulation(network, images, design, options, {});
  options.key = {2};
  options.reads = 4;
  const AccuracyResult sampled = accuracy_with_table(network, images, table, options, {});
  options.reads = 2;
  const AccuracyResult twin =
      accuracy_with_table(network, images, fixtures::with_misreads_scaled(table, 1.2), options, {});

  const AccuracyStatistics loss = accuracy_statistics(simulated, 0.95);
  EXPECT_LT(loss.difference.interval.upper, -0.01) << "the macro is meant to be lossy";
  const Estimate difference = paired_difference(sampled, simulated, 0.95);
  const Estimate of_twin = paired_difference(twin, simulated, 0.95);
  for (const auto& [name, estimate] :
       {std::pair("loss", loss.difference), std::pair("difference", difference),
        std::pair("difference of the twin", of_twin)}) {
    std::cout << name << " " << estimate.value << " [" << estimate.interval.lower << ", "
              << estimate.interval.upper << "]\n";
  }
  EXPECT_GE(simulated.sampled_correct.size(), 5000u);
  EXPECT_LE(0.5 * (difference.interval.upper - difference.interval.lower), 0.005);
  EXPECT_LE(difference.interval.lower, 0.0);
  EXPECT_GE(difference.interval.upper, 0.0);
  EXPECT_LT(of_twin.interval.upper, 0.0);
}

// Cells without spread, an amplifier without offset: nothing is frozen, so that chips and the table
// give the same accuracy, to half a point. The twin's amplifier has a tenth more noise, which costs
// it more than a point. Of 5,000 images two chips and three reads of the table suffice for that, as
// the macro loses two points only; more noise would need more of them.
TEST(FrozenChips, GiveTheAccuracyOfTheTableWhereNothingIsFrozen) {
  const Network network = read_network(CIMSTAT_EMBEDDED_NETWORK);
  const ImageSet images = read_named_images("fashion-mnist", Split::test);
  constexpr double noise_sd = 1.4e-6;
  const auto macro = [](double noise) {
    circuits::ColumnDesign design;
    design.rows = 64;
    design.lrs = core::Law::point(8e-6);
    design.hrs = core::Law::point(0.4e-6);
    design.sense = {0.0, noise, circuits::NoiseShape::gaussian, 100e-6};
    design.ladder = circuits::replica_ladder(design, design.rows);
    return design;
  };
  AccuracyOptions options;
  options.array.rows = 64;
  options.stream = core::Stream::fast;

  options.key = {1};
  options.images = 5000;
  options.chips = 2;
  const AccuracyResult chips =
      accuracy_on_chips(network, images, ChipDesign(macro(noise_sd)), options, {});
  options.key = {2};
  options.chips = 0;
  options.reads = 3;
  const AccuracyResult sampled =
      accuracy_with_table(network, images, fixtures::exact_table(macro(noise_sd)), options, {});
  options.reads = 1;
  const AccuracyResult twin = accuracy_with_table(
      network, images, fixtures::exact_table(macro(1.1 * noise_sd)), options, {});

  const AccuracyStatistics loss = accuracy_statistics(chips, 0.95);
  EXPECT_LT(loss.difference.interval.upper, -0.01) << "the macro is meant to be lossy";
  EXPECT_GT(loss.sampled.interval.lower, 0.7) << "... and to classify";
  const Estimate difference = paired_difference(chips, sampled, 0.95);
  const Estimate of_twin = paired_difference(chips, twin, 0.95);
  for (const auto& [name, estimate] :
       {std::pair("loss", loss.difference), std::pair("difference", difference),
        std::pair("difference of the twin", of_twin)}) {
    std::cout << name << " " << estimate.value << " [" << estimate.interval.lower << ", "
              << estimate.interval.upper << "]\n";
  }
  EXPECT_LE(0.5 * (difference.interval.upper - difference.interval.lower), 0.005);
  EXPECT_LE(difference.interval.lower, 0.0);
  EXPECT_GE(difference.interval.upper, 0.0);
  EXPECT_GT(of_twin.interval.lower, 0.0);
}

}  // namespace
}  // namespace cimstat::experiments
