#include "experiments/sweep/work_folder.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/abandoned_files.h"
#include "core/file/atomic_file.h"

namespace cimstat::experiments {

namespace {

constexpr std::string_view config_name = "sweep.toml";
constexpr std::string_view points_name = "points.csv";

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

[[noreturn]] void refuse(const std::filesystem::path& folder, std::string_view problem,
                         std::string_view why, std::string_view remedy) {
  throw core::UsageError(core::error_line(folder.string(), problem, why, remedy));
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  if (!std::filesystem::is_directory(folder)) {
    refuse(folder, "can't be made a folder", error ? error.message() : "a file stands there",
           "name another with --folder");
  }
}

/// The canonical form with what cuts the work: who reads it finds the same chunks.
std::string folder_toml(const SweepPlan& plan) {
  constexpr std::string_view header = "[sweep]\n";
  std::string text = plan.config_toml();
  const std::size_t place = text.find(header);
  if (place == text.npos) throw std::logic_error("a sweep's configuration without [sweep]");
  return text.insert(place + header.size(),
                     fmt::format("chunk_trials = {}\n", plan.settings().chunk_trials));
}

/// Written once; a worker that comes at the same time writes the same.
void keep_text(const std::filesystem::path& file, const std::string& text) {
  if (std::filesystem::exists(file) && text_of(file) == text) return;
  try {
    core::write_atomically(file, text);
  } catch (const core::Error&) {
    // Another worker was faster, and is writing it or has written it.
    for (int tries = 0; tries < 50; ++tries) {
      if (std::filesystem::exists(file) && text_of(file) == text) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    throw;
  }
}

/// The plan that a folder's configuration describes; throws DataError where it describes none.
SweepPlan plan_in(const std::filesystem::path& config) {
  try {
    return read_sweep_plan(core::Config::from_file(config));
  } catch (const core::UsageError&) {
    throw core::DataError(core::error_line(
        config.string(), "describes no sweep of this version",
        "edited, damaged or of another version",
        "remove it and run `cimstat sweep` again, or use the version that made it"));
  }
}

}  // namespace

void open_work_folder(const SweepPlan& plan, const std::filesystem::path& folder) {
  make_folder(folder);
  const std::filesystem::path config = folder / config_name;
  const std::string text = folder_toml(plan);
  std::error_code ignored;
  if (std::filesystem::exists(config, ignored)) {
    if (text_of(config) != text) {
      plan_in(config);
      refuse(folder, "belongs to another sweep", fmt::format("its {} differs", config_name),
             "name another folder with --folder");
    }
  }
  core::remove_abandoned(folder);
  if (!plan.points_csv().empty()) keep_text(folder / points_name, plan.points_csv());
  keep_text(config, text);
}

SweepPlan plan_of_folder(const std::filesystem::path& folder) {
  const std::filesystem::path config = folder / config_name;
  std::error_code ignored;
  if (!std::filesystem::exists(config, ignored)) {
    refuse(folder, "is not the folder of a sweep", fmt::format("it has no {}", config_name),
           "name one that `cimstat sweep` made");
  }
  return plan_in(config);
}

FinishedChunks::FinishedChunks(const SweepWork& work, const std::filesystem::path& folder)
    : has_(work.chunks()) {
  if (work.layout().is_point_whole) points_.resize(work.plan().points());
  for (const std::filesystem::path& file : segment_files(folder)) {
    const SegmentReader& segment = segments_.emplace_back(work, file);
    for (std::size_t row = 0; row < segment.chunks().size(); ++row) {
      const std::uint64_t chunk = segment.chunks()[row];
      if (!points_.empty() && segment.completes_point(row)) points_[work.point_of(chunk)] = true;
      if (has_[chunk]) continue;
      has_[chunk] = true;
      ++count_;
    }
  }
}

ChunkResult FinishedChunks::read(std::uint64_t chunk) const {
  for (const SegmentReader& segment : segments_) {
    const auto& chunks = segment.chunks();
    const auto place = std::lower_bound(chunks.begin(), chunks.end(), chunk);
    if (place == chunks.end() || *place != chunk) continue;
    return segment.read(static_cast<std::size_t>(place - chunks.begin()), 1).front();
  }
  throw std::logic_error("a chunk that no segment has");
}

}  // namespace cimstat::experiments
