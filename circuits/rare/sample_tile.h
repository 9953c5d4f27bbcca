#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <hwy/aligned_allocator.h>

#include "core/random/random.h"

namespace cimstat::circuits {

/// Random numbers of 64 samples at a time: for each sample first uniforms, then standard normals.
/// Their words are those of (key, Domain::rare_event, instance = sample) from `first_block` on, the
/// normals' from a block of their own: word by word what uniform() and fill_normal() make of them,
/// to 1e-14. Equal for any instruction set.
class SampleTile {
 public:
  SampleTile(core::StreamKey key, std::uint64_t first_block, std::size_t uniforms,
             std::size_t normals);

  /// Of samples first_sample (a multiple of 64) to first_sample + 63.
  void fill(std::uint64_t first_sample);
  double uniform(std::size_t sample, std::size_t i) const;
  /// All normals of one sample of the 64.
  void copy_normals(std::size_t sample, std::span<double> z) const;

 private:
  std::size_t uniform_blocks_;
  std::size_t normal_blocks_;
  core::BlockSchedule schedule_;
  hwy::AlignedFreeUniquePtr<std::uint32_t[]> words_;  ///< [word][sample]
  hwy::AlignedFreeUniquePtr<double[]> normals_;       ///< [sample][variable]
};

}  // namespace cimstat::circuits
