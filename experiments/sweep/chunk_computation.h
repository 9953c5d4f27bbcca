#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/parallel.h"

#include "circuits/sampled/sampled_column.h"

#include "experiments/sweep/chunk_layout.h"
#include "experiments/sweep/prepared_points.h"
#include "experiments/sweep/sweep_work.h"

namespace cimstat::experiments {

/// What goes into the result of a chunk, whose vectors have their sizes. Refers to the layouts.
class ChunkComputation {
 public:
  ChunkComputation(const SweepLayout& layout, const ChunkLayout& places)
      : layout_(layout), places_(places) {}

  /// What a range of trials gives, those behind `before` of the same point; the first also what is
  /// computed once.
  void add_tables(const PreparedPoint& point, circuits::TrialRange range,
                  const std::vector<ChunkResult>& before, core::Threads threads,
                  ChunkResult& result) const;
  void add_accuracy(const PreparedPoint& point, std::uint64_t first_image, std::uint64_t images,
                    core::Threads threads, ChunkResult& result) const;

  /// Misreads that each class still wants; 0 where it has them.
  std::vector<std::uint64_t> wanted(std::size_t class_count,
                                    const std::vector<ChunkResult>& before) const;

 private:
  void add_margins(const PreparedPoint& point, core::Threads threads, ChunkResult& result) const;
  void add_exact(const PreparedPoint& point, core::Threads threads, ChunkResult& result) const;
  void add_sampled(const PreparedPoint& point, circuits::TrialRange range,
                   const std::vector<ChunkResult>& before, core::Threads threads,
                   ChunkResult& result) const;

  const SweepLayout& layout_;
  const ChunkLayout& places_;
};

}  // namespace cimstat::experiments
