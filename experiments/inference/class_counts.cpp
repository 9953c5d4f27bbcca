#include "experiments/inference/class_counts.h"

#include <algorithm>
#include <cstdint>
#include <memory>

#include "core/error.h"

#include "experiments/inference/accuracy_run.h"

namespace cimstat::experiments {

namespace {

/// A class that a few images happen not to meet still needs a code.
constexpr double unmet_reads = 0.5;

/// The converter without errors (code = k), which counts what it reads.
class CountingCodes : public CodeSource {
 public:
  explicit CountingCodes(std::uint32_t rows)
      : side_(std::size_t{rows} + 1), reads_(side_ * side_) {}

  void read(const ColumnRead& read, const ColumnGroups& groups, const DrawOrigin&,
            std::span<std::uint32_t> counts) override {
    std::uint64_t* of_rows = reads_.data() + read.active_rows * side_;
    const std::uint32_t groups_of_set = (groups.channels + group_channels - 1) / group_channels;
    for (std::uint32_t vector = 0; vector < groups.vectors(); ++vector) {
      const std::uint32_t group = vector / groups.planes % groups_of_set;
      const std::uint32_t lanes =
          std::min<std::uint32_t>(group_channels, groups.channels - group * group_channels);
      for (std::uint32_t lane = 0; lane < lanes; ++lane) {
        ++of_rows[counts[std::size_t{vector} * group_channels + lane]];
      }
    }
  }

  std::uint64_t reads(std::uint32_t lrs_count, std::uint32_t active_rows) const {
    return reads_[active_rows * side_ + lrs_count];
  }

 private:
  std::size_t side_;
  std::vector<std::uint64_t> reads_;  ///< [active rows][LRS count]
};

}  // namespace

std::vector<circuits::WeightedClass> classes_met(const Network& network, const ImageSet& image_set,
                                                 const ArrayOptions& array, std::size_t images,
                                                 core::Threads threads,
                                                 const core::Progress& progress) {
  require_fit(network, image_set);
  const ForwardPass pass(network, array);
  if (pass.partial_sums() == 0) {
    throw core::UsageError(core::error_line("accuracy.network", "reads no column",
                                            "every layer is computed in exact integers",
                                            "make a layer analog"));
  }
  const unsigned workers = core::resolved(threads);
  std::vector<std::unique_ptr<CountingCodes>> counts(workers);
  std::vector<std::unique_ptr<ForwardPass::Workspace>> workspaces(workers);
  core::for_each_block(
      std::min(images, image_set.size()), threads,
      [&](std::size_t image, std::size_t slot) {
        if (!counts[slot]) {
          counts[slot] = std::make_unique<CountingCodes>(array.rows);
          workspaces[slot] = std::make_unique<ForwardPass::Workspace>(pass.workspace());
        }
        pass.classify(image_set.image(image), ColumnReading(SourcedCodes{counts[slot].get()}), {},
                      *workspaces[slot]);
      },
      progress);
  std::vector<circuits::WeightedClass> classes;
  for (std::uint32_t n = 1; n <= array.rows; ++n) {
    std::vector<double> reads(n + 1, 0.0);
    for (std::uint32_t k = 0; k <= n; ++k) {
      for (const auto& count : counts) {
        if (count) reads[k] += static_cast<double>(count->reads(k, n));
      }
    }
    const auto met = [](double count) { return count > 0.0; };
    const auto first = std::find_if(reads.begin(), reads.end(), met);
    const auto last = std::find_if(reads.rbegin(), reads.rend(), met).base();
    for (auto count = first; count < last; ++count) {
      const auto k = static_cast<std::uint32_t>(count - reads.begin());
      classes.push_back({{k, n}, std::max(*count, unmet_reads)});
    }
  }
  return classes;
}

}  // namespace cimstat::experiments
