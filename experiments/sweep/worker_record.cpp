#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/atomic_file.h"
#include "core/file/json.h"

#include "experiments/sweep/work_folder.h"

namespace cimstat::experiments {

namespace {

using core::Json;

constexpr std::array<std::pair<WorkerState, std::string_view>, 4> states = {
    {{WorkerState::running, "running"},
     {WorkerState::finished, "finished"},
     {WorkerState::stopped, "stopped"},
     {WorkerState::failed, "failed"}}};

std::string_view name_of(WorkerState state) {
  return std::find_if(states.begin(), states.end(),
                      [&](const auto& entry) { return entry.first == state; })
      ->second;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

WorkerRecord record_of(const Json& json) {
  WorkerRecord record;
  record.name = json.at("name");
  const std::string state = json.at("state");
  for (const auto& [value, name] : states) {
    if (name == state) record.state = value;
  }
  record.message = json.at("message");
  record.host = json.at("host");
  record.process = json.at("process");
  record.total_chunks = json.at("total_chunks");
  record.found = json.at("found");
  record.computed = json.at("computed");
  record.elapsed_seconds = json.at("elapsed_seconds");
  record.interval_seconds = json.at("interval_seconds");
  record.updated = json.at("updated");
  return record;
}

}  // namespace

void write_worker_record(WorkerRecord record, const std::filesystem::path& folder) noexcept {
  try {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const Json json = {{"name", record.name},
                       {"state", name_of(record.state)},
                       {"message", record.message},
                       {"host", host_name()},
                       {"process", static_cast<std::uint64_t>(::getpid())},
                       {"total_chunks", record.total_chunks},
                       {"found", record.found},
                       {"computed", record.computed},
                       {"elapsed_seconds", record.elapsed_seconds},
                       {"interval_seconds", record.interval_seconds},
                       {"updated", std::chrono::duration_cast<std::chrono::seconds>(now).count()}};
    core::write_atomically(folder / fmt::format("worker-{}.json", record.name),
                           core::json_text(json));
  } catch (const std::exception&) {
    return;
  }
}

std::vector<WorkerRecord> worker_records(const std::filesystem::path& folder) {
  constexpr std::uintmax_t most_bytes = 1 << 16;
  std::vector<WorkerRecord> records;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code unreadable;
    if (!name.starts_with("worker-") || !name.ends_with(".json") ||
        !entry->is_regular_file(unreadable) || entry->file_size(unreadable) > most_bytes) {
      continue;
    }
    std::ifstream stream(entry->path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    try {
      records.push_back(record_of(Json::parse(text)));
    } catch (const nlohmann::json::exception&) {
      continue;
    }
  }
  std::sort(records.begin(), records.end(),
            [](const WorkerRecord& a, const WorkerRecord& b) { return a.name < b.name; });
  return records;
}

}  // namespace cimstat::experiments
