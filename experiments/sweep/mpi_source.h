#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "core/communicator.h"

#include "experiments/sweep/work_source.h"

namespace cimstat::experiments {

/// The units that processes share out by MPI, in groups: the queue counts groups.
class MpiSource : public WorkSource {
 public:
  MpiSource(core::UnitQueue& queue, std::uint64_t units, std::uint64_t units_per_group)
      : queue_(queue), units_(units), group_(units_per_group) {}

  std::optional<UnitRange> next() override;
  double share() const override { return 1.0; }  // who is faster does more
  /// Units that have been handed out to all processes, as far as this one has heard.
  std::uint64_t handed_out() const { return handed_out_; }

 private:
  core::UnitQueue& queue_;
  std::uint64_t units_;
  std::uint64_t group_;
  std::atomic<std::uint64_t> handed_out_ = 0;
};

}  // namespace cimstat::experiments
