#include "circuits/sampled/column_counter.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "circuits/references/references.h"
#include "circuits/sampled/stopped_column.h"

namespace cimstat::circuits {
namespace {

ColumnDesign small_design() {
  ColumnDesign design;
  design.rows = 4;
  design.lrs = core::Law::lognormal(1.0, 0.1);
  design.hrs = core::Law::lognormal(0.1, 0.3);
  design.sense.noise_sd = 0.1;
  design.ladder = midpoint_ladder(design, 4);
  return design;
}

const std::vector<ColumnClass> classes{{0, 4}, {2, 4}, {3, 4}, {4, 4}};

TEST(ColumnCounter, CountsOfRangesAddUpToThoseOfTheWhole) {
  const ColumnDesign design = small_design();
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    const SamplingOptions options{.trials = 100'003, .key = {.seed = 3}, .stream = stream};
    const std::vector<std::uint64_t> whole = sampled_counts(design, classes, options, {1});
    const ColumnCounter counter(design, classes, options, {2});
    for (const unsigned threads : {1U, 2U}) {
      std::vector<std::uint64_t> sum(whole.size(), 0);
      for (const TrialRange range :
           {TrialRange{0, 64}, {64, 4096}, {4096, 4096}, {4096, 100'003}}) {
        const std::vector<std::uint64_t> part = counter.counts(range, {threads});
        std::transform(sum.begin(), sum.end(), part.begin(), sum.begin(), std::plus<>());
      }
      EXPECT_EQ(sum, whole) << threads;
    }
  }
}

TEST(ColumnCounter, StoppedRangesAddUpToOneStoppedRun) {
  const ColumnDesign design = small_design();
  constexpr std::uint64_t misreads = 3000;
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    const SamplingOptions options{.trials = 300'000, .key = {.seed = 5}, .stream = stream};
    const StoppedCounts whole = counts_until(design, classes, options, misreads, {2});
    EXPECT_TRUE(std::ranges::any_of(whole.last, [](std::uint64_t last) { return last == 0; }));
    EXPECT_TRUE(std::ranges::any_of(whole.last, [](std::uint64_t last) { return last > 40'960; }));
    const ColumnCounter counter(design, classes, options, {1});
    const std::size_t codes = design.ladder.codes;
    std::vector<std::uint64_t> wanted(classes.size(), misreads);
    std::vector<std::uint64_t> counts(classes.size() * codes, 0);
    std::vector<std::uint64_t> last(classes.size(), 0);
    constexpr std::uint64_t size = 5 * stopping_chunk;
    for (std::uint64_t first = 0; first < options.trials; first += size) {
      const StoppedCounts part =
          counter.counts_until({first, std::min(first + size, options.trials)}, wanted, {2});
      for (std::size_t i = 0; i < classes.size(); ++i) {
        std::uint64_t trials = 0;
        for (std::size_t code = 0; code < codes; ++code) {
          counts[i * codes + code] += part.counts[i * codes + code];
          trials += part.counts[i * codes + code];
        }
        EXPECT_EQ(trials == 0, wanted[i] == 0);
        const std::uint64_t wrong =
            trials - part.counts[i * codes + design.ladder.ideal_code(classes[i].lrs_count)];
        wanted[i] = part.last[i] > 0 ? 0 : wanted[i] - wrong;
        if (part.last[i] > 0) last[i] = part.last[i];
      }
    }
    EXPECT_EQ(counts, whole.counts);
    EXPECT_EQ(last, whole.last);
  }
}

}  // namespace
}  // namespace cimstat::circuits
