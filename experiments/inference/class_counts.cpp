#include "experiments/inference/class_counts.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>

#include "core/error.h"

#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/answers.h"
#include "experiments/inference/weighted_reads.h"

namespace cimstat::experiments {

namespace {

/// A class that a few images happen not to meet still needs a code.
constexpr double unmet_reads = 0.5;

/// The converter without errors (code = k), which counts what it reads.
class CountingCodes : public CodeSource {
 public:
  explicit CountingCodes(std::uint32_t rows) : reads_(class_place(rows, rows) + 1) {}

  void read(const ColumnRead& read, const ColumnGroups& groups, const DrawOrigin&,
            std::span<std::uint32_t> counts) override {
    std::uint64_t* of_rows = reads_.data() + class_place(0, read.active_rows);
    for (std::uint32_t vector = 0; vector < groups.vectors(); ++vector) {
      if (!read.planes.holds(vector % groups.planes)) continue;
      for (std::uint32_t lane = 0; lane < groups.lanes(vector); ++lane) {
        ++of_rows[counts[std::size_t{vector} * group_channels + lane]];
      }
    }
  }

  void add_to(std::vector<std::uint64_t>& reads) const {
    std::transform(reads.begin(), reads.end(), reads_.begin(), reads.begin(), std::plus());
  }

 private:
  std::vector<std::uint64_t> reads_;  ///< [class_place(k, n)]
};

}  // namespace

std::vector<circuits::WeightedClass> classes_met(const Network& network, const ImageSet& image_set,
                                                 const ArrayOptions& array, std::size_t images,
                                                 core::Threads threads,
                                                 const core::Progress& progress) {
  require_fit(network, image_set);
  require_plain_reads(array, "a list of classes");
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
        pass.classify(image_set.image(image),
                      ColumnReading(SourcedCodes{.source = counts[slot].get(), .are_counts = true}),
                      {}, *workspaces[slot]);
      },
      progress);
  std::vector<std::uint64_t> reads(class_place(array.rows, array.rows) + 1);
  for (const auto& count : counts) {
    if (count) count->add_to(reads);
  }
  return weighted_classes(reads, array.rows);
}

std::vector<circuits::WeightedClass> weighted_classes(const std::vector<std::uint64_t>& reads,
                                                      std::uint32_t rows) {
  std::vector<circuits::WeightedClass> classes;
  for (std::uint32_t n = 1; n <= rows; ++n) {
    const std::uint64_t* of_rows = reads.data() + class_place(0, n);
    std::uint32_t first = 0;
    std::uint32_t end = n + 1;
    while (first < end && of_rows[first] == 0) ++first;
    while (end > first && of_rows[end - 1] == 0) --end;
    for (std::uint32_t k = first; k < end; ++k) {
      classes.push_back({{k, n}, std::max(static_cast<double>(of_rows[k]), unmet_reads)});
    }
  }
  return classes;
}

}  // namespace cimstat::experiments
