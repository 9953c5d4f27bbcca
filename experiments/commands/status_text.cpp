#include "experiments/commands/status_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include <fmt/format.h>

#include "core/utf8.h"

#include "experiments/commands/progress_meter.h"
#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

constexpr std::array<std::pair<WorkerCondition, std::string_view>, 6> conditions = {
    {{WorkerCondition::running, "running"},
     {WorkerCondition::finished, "finished"},
     {WorkerCondition::stopped, "stopped"},
     {WorkerCondition::failed, "failed"},
     {WorkerCondition::vanished, "vanished"},
     {WorkerCondition::silent, "silent"}}};

std::string_view name_of(WorkerCondition condition) {
  return std::find_if(conditions.begin(), conditions.end(),
                      [&](const auto& entry) { return entry.first == condition; })
      ->second;
}

/// What is worth saying beside its name.
std::string remark(const WorkerStatus& worker) {
  const WorkerRecord& record = worker.record;
  switch (worker.condition) {
    case WorkerCondition::running:
      return fmt::format("wrote {} ago", duration_text(worker.age_seconds));
    case WorkerCondition::finished:
      return {};
    case WorkerCondition::stopped:
    case WorkerCondition::failed:
      return core::excerpt(record.message);
    case WorkerCondition::vanished:
      return "its process is no more: killed?";
    case WorkerCondition::silent:
      return fmt::format("no sign of life for {}, though it means to write every {}: killed?",
                         duration_text(worker.age_seconds), duration_text(record.interval_seconds));
  }
  return {};
}

std::string worker_line(const WorkerStatus& worker) {
  const WorkerRecord& record = worker.record;
  const std::string text =
      fmt::format("  {:<20}  {:<8}  {:>8} in {:<11}  {}{}", record.name, name_of(worker.condition),
                  fmt::format("{}", record.computed), duration_text(record.elapsed_seconds),
                  record.host.empty() ? "" : "on " + record.host + "  ", remark(worker));
  std::string line = core::one_line(text);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

bool is_in_trouble(WorkerCondition condition) {
  return condition == WorkerCondition::failed || condition == WorkerCondition::vanished ||
         condition == WorkerCondition::silent;
}

/// Those in trouble come first; a thousand that are well need no thousand lines.
std::string worker_lines(const SweepStatus& status) {
  constexpr std::size_t most_lines = 24;
  std::vector<const WorkerStatus*> order;
  for (const WorkerStatus& worker : status.workers) order.push_back(&worker);
  std::stable_sort(order.begin(), order.end(), [](const WorkerStatus* a, const WorkerStatus* b) {
    return is_in_trouble(a->condition) && !is_in_trouble(b->condition);
  });
  std::string text;
  for (std::size_t i = 0; i < std::min(order.size(), most_lines); ++i) {
    text += worker_line(*order[i]);
  }
  if (order.size() > most_lines) {
    text += fmt::format("  and {} more (--json lists all)\n", order.size() - most_lines);
  }
  return text;
}

std::string next_step(const SweepStatus& status) {
  const std::string folder = core::one_line(status.folder);
  if (!status.damaged.empty()) {
    return "damaged segments stop every run: move them away, and run the sweep again to make anew "
           "what they held";
  }
  if (status.is_complete()) {
    return fmt::format("all chunks are there: cimstat merge {} checks them and makes the result",
                       folder);
  }
  const std::size_t running = status.workers_in(WorkerCondition::running).size();
  const auto troubled =
      std::count_if(status.workers.begin(), status.workers.end(),
                    [](const WorkerStatus& worker) { return is_in_trouble(worker.condition); });
  if (running == 0) {
    return "nobody is at work: run the sweep again (or submit it again), and it goes on where it "
           "stopped";
  }
  if (troubled > 0) {
    return fmt::format("{} at work; run those in trouble again when they have ended",
                       counted(running, "worker"));
  }
  return fmt::format("{} at work", counted(running, "worker"));
}

}  // namespace

std::string status_as_text(const SweepStatus& status) {
  std::string text = core::one_line(fmt::format("{}: {}, {}", status.folder, status.name,
                                                counted(status.points, "point"))) +
                     "\n";
  if (status.chunks == 0) {
    text += "  no worker has said yet how many chunks there are\n";
  } else {
    // 100 % is said only when nothing is missing.
    const double percent = std::floor(1000.0 * status.share()) / 10.0;
    text += fmt::format("  {:.1f} % done: {} of {} in {}", percent, status.finished_chunks,
                        counted(status.chunks, "chunk"), counted(status.segments, "segment"));
    if (status.settled_chunks > status.finished_chunks) {
      text += fmt::format(", {} not needed", status.settled_chunks - status.finished_chunks);
    }
    text += "\n";
  }
  if (status.chunks_per_second > 0.0) {
    text += fmt::format("  {:.3g} chunks/s", status.chunks_per_second);
    if (const auto left = status.seconds_left()) {
      text += fmt::format(", about {} left", duration_text(*left));
    }
    text += "\n";
  }
  for (const DamagedSegment& segment : status.damaged) {
    text += core::one_line(fmt::format("  damaged: {}", segment.problem)) + "\n";
  }
  if (!status.workers.empty()) text += "workers, with chunks computed and time taken:\n";
  return text + worker_lines(status) + next_step(status) + "\n";
}

core::Json status_as_json(const SweepStatus& status) {
  core::Json json{{"folder", status.folder},
                  {"name", status.name},
                  {"points", status.points},
                  {"chunks", status.chunks},
                  {"finished_chunks", status.finished_chunks},
                  {"settled_chunks", status.settled_chunks},
                  {"segments", status.segments},
                  {"share", status.share()},
                  {"is_complete", status.is_complete()},
                  {"chunks_per_second", status.chunks_per_second},
                  {"seconds_left", nullptr},
                  {"next", next_step(status)},
                  {"damaged", core::Json::array()},
                  {"workers", core::Json::array()}};
  if (const auto left = status.seconds_left()) json["seconds_left"] = *left;
  for (const DamagedSegment& segment : status.damaged) {
    json["damaged"].push_back({{"file", segment.file}, {"problem", segment.problem}});
  }
  for (const WorkerStatus& worker : status.workers) {
    const WorkerRecord& record = worker.record;
    json["workers"].push_back({{"name", record.name},
                               {"condition", name_of(worker.condition)},
                               {"message", record.message},
                               {"host", record.host},
                               {"process", record.process},
                               {"found", record.found},
                               {"computed", record.computed},
                               {"elapsed_seconds", record.elapsed_seconds},
                               {"age_seconds", worker.age_seconds}});
  }
  return json;
}

}  // namespace cimstat::experiments
