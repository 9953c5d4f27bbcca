#pragma once

#include <cstdint>
#include <optional>

/// Who does which part of a sweep. Never decides a result.
namespace cimstat::experiments {

/// One of `count` workers that share a sweep without talking: 0 <= index < count.
struct Shard {
  std::uint32_t index = 0;
  std::uint32_t count = 1;
};

/// Units of work first .. end - 1.
struct UnitRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

/// Hands out units: a unit is one chunk, or one point where its chunks belong together. Each unit
/// is handed out once among all who share the work. May be called from several threads at once.
class WorkSource {
 public:
  virtual ~WorkSource() = default;
  /// The next units to work on; nothing when all have been handed out.
  virtual std::optional<UnitRange> next() = 0;
  /// Share in the whole that this source may hand out, where it is known beforehand; else 1.
  virtual double share() const = 0;
};

}  // namespace cimstat::experiments
