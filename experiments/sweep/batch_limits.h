#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// Limits of jobs as people write them.
namespace cimstat::experiments {

constexpr std::uint64_t least_job_seconds = 10;
constexpr std::uint64_t most_job_seconds = 366 * 86400;

/// Seconds of "90 min", "2 h", "1.5 d", "30 s", H:MM:SS or D-HH:MM:SS, rounded down; nothing where
/// it is no time, or one that no job has.
std::optional<std::uint64_t> parse_time_limit(std::string_view text);

/// Megabytes (1024 x 1024 bytes) of "4G", "4 GB", "1.5T", "500M", rounded up, as batch systems
/// count; nothing where it is no size, or more than 1 PB.
std::optional<std::uint64_t> parse_memory(std::string_view text);

}  // namespace cimstat::experiments
