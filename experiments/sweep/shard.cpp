#include "experiments/sweep/shard.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {

namespace {

struct Scheduler {
  std::string_view name;
  std::string_view index;    ///< variable with the number of this task
  std::string_view last;     ///< ... and with the highest of its array; empty: there is none
  std::uint32_t base;        ///< number of the first task
  std::string_view absent;   ///< what `index` holds in a job that is no array
  std::string_view request;  ///< how an array of tasks {0} to {1} is asked for
};

constexpr std::array<Scheduler, 5> schedulers = {{
    {"Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MAX", 0, "", "--array={}-{}"},
    {"LSF", "LSB_JOBINDEX", "LSB_JOBINDEX_END", 1, "0", "-J \"sweep[{}-{}]\""},
    {"PBS", "PBS_ARRAY_INDEX", "", 0, "", "-J {}-{}"},
    {"Torque", "PBS_ARRAYID", "", 0, "", "-t {}-{}"},
    {"Grid Engine", "SGE_TASK_ID", "SGE_TASK_LAST", 1, "undefined", "-t {}-{}"},
}};

[[noreturn]] void refuse(std::string_view text, std::string_view problem, std::string_view why,
                         std::string_view remedy) {
  throw core::UsageError(core::error_line(fmt::format("--shard {}", text), problem, why, remedy));
}

std::optional<std::uint32_t> whole(std::string_view text) {
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && behind == end && !text.empty() ? std::optional(value)
                                                                : std::nullopt;
}

std::uint32_t array_index(std::string_view text, std::uint32_t count,
                          const Environment& environment) {
  struct Task {
    const Scheduler* scheduler;
    std::string index;
  };
  std::vector<Task> tasks;
  for (const Scheduler& scheduler : schedulers) {
    const std::optional<std::string> index = environment(scheduler.index);
    if (index && !index->empty() && *index != scheduler.absent) {
      tasks.push_back({&scheduler, *index});
    }
  }
  const std::string by_hand =
      fmt::format("name it: --shard i/{}, i from 0 to {}", count, count - 1);
  if (tasks.empty()) {
    std::string names;
    for (const Scheduler& scheduler : schedulers) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", scheduler.index);
    }
    refuse(text, "this is no array task", "none of " + names + " is set", by_hand);
  }
  if (tasks.size() > 1) {
    std::string names;
    for (const Task& task : tasks) {
      names += fmt::format("{}{}={}", names.empty() ? "" : ", ", task.scheduler->index, task.index);
    }
    refuse(text, "there are several array tasks in the environment", names, by_hand);
  }
  const Scheduler& scheduler = *tasks.front().scheduler;
  const auto check = [&](std::string_view variable, const std::string& value) {
    const std::optional<std::uint32_t> number = whole(value);
    // Written so that nothing overflows.
    if (number && *number >= scheduler.base && *number - scheduler.base < count) {
      return *number - scheduler.base;
    }
    const std::uint64_t last = std::uint64_t{scheduler.base} + count - 1;
    refuse(text, fmt::format("{} is \"{}\"", variable, value),
           fmt::format("{} tasks of a sweep count from {} to {}", scheduler.name, scheduler.base,
                       last),
           "ask for the array with " +
               fmt::format(fmt::runtime(scheduler.request), scheduler.base, last));
  };
  if (!scheduler.last.empty()) {
    if (const auto last = environment(scheduler.last); last && !last->empty()) {
      check(scheduler.last, *last);
    }
  }
  return check(scheduler.index, tasks.front().index);
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* const value = std::getenv(std::string(name).c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
}

Shard read_shard(std::string_view text, const Environment& environment) {
  const std::size_t slash = text.find('/');
  const std::string_view index = text.substr(0, slash);
  const auto count = whole(slash == std::string_view::npos ? "" : text.substr(slash + 1));
  const auto given = whole(index);
  if (!count || (!given && index != "auto")) {
    refuse(text, "is no part of a sweep", {},
           "write i/N, such as 0/8, or auto/8 in a task of a job array");
  }
  if (*count == 0) refuse(text, "is a part of nothing", {}, "N must be at least 1");
  if (!given) return {array_index(text, *count, environment), *count};
  if (*given >= *count) {
    refuse(text, "there is no such part", "parts count from 0",
           fmt::format("i must be from 0 to {}", *count - 1));
  }
  return {*given, *count};
}

}  // namespace cimstat::experiments
