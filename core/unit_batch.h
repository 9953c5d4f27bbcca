#pragma once

#include <cstdint>

/// How many units of work to hand out at once: few messages where units are tiny, and an even end
/// where they are long.
namespace cimstat::core {

/// A worker's next wish, from how long it took for the batch before: work of about half a second,
/// but no more than 4 times as much as before, since the next units may be longer. 1 at first
/// (`units` = 0).
std::uint64_t wished_batch(std::uint64_t units, double seconds);

/// What it gets: at least 1, at most what is wished and a quarter of an even share in what is left.
/// left >= 1.
std::uint64_t granted_batch(std::uint64_t wished, std::uint64_t left, std::uint64_t workers);

}  // namespace cimstat::core
