#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/parallel.h"

#include "circuits/references/reference_search.h"

#include "experiments/inference/dataset.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/network.h"

namespace cimstat::experiments {

/// How often the columns of a network are read in each class while it sees the first `images`
/// images, all codes right: weights are numbers of reads, classes ascend in active rows, then LRS
/// count. Those never read count half a read where they lie between read ones of as many active
/// rows, and are left out else. Throws UsageError where images and
/// network don't fit together, or no layer is analog. `progress` counts images.
std::vector<circuits::WeightedClass> classes_met(const Network& network, const ImageSet& image_set,
                                                 const ArrayOptions& array, std::size_t images,
                                                 core::Threads threads,
                                                 const core::Progress& progress = {});

/// The same of reads counted elsewhere, [class_place(k, n)] (answers.h), up to `rows` active rows.
std::vector<circuits::WeightedClass> weighted_classes(const std::vector<std::uint64_t>& reads,
                                                      std::uint32_t rows);

}  // namespace cimstat::experiments
