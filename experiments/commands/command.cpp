#include "experiments/commands/command.h"

#include <cstdio>
#include <ctime>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/provenance.h"
#include "core/simd.h"

namespace cimstat::experiments {

namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

std::string duration(double seconds) {
  if (seconds < 60.0) return fmt::format("{:.0f} s", seconds);
  if (seconds < 3600.0) return fmt::format("{:.0f} min", seconds / 60.0);
  return fmt::format("{:.1f} h", seconds / 3600.0);
}

}  // namespace

void CommonOptions::add_to(CLI::App& app) {
  app.add_option("config", config, "experiment file (TOML)")->required();
  app.add_option("--set", overrides, "override a key: --set cell.lrs.sigma=0.1 (may be repeated)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--seed", seed, "seed of all random numbers (overrides the file)")
      ->check(CLI::NonNegativeNumber.description(">= 0"));
  app.add_option("--threads", threads, "threads to use; 0 = all cores. Never changes a result")
      ->check(CLI::Range(0U, 4096U).description("0 - 4096"))
      ->capture_default_str();
  app.add_option("--simd", simd,
                 "instruction set to use (AVX3_DL, AVX3, AVX2, SSE4 ...). Never changes a result");
  app.add_flag("--quiet,-q", quiet, "no progress on stderr");
}

core::Config CommonOptions::open() const {
  core::use_simd_target(simd);
  std::vector<std::string> all = overrides;
  if (seed) all.push_back(fmt::format("seed={}", *seed));
  return core::Config::from_file(config, all);
}

std::filesystem::path CommonOptions::output(const std::filesystem::path& given,
                                            std::string_view ending) const {
  const std::filesystem::path file =
      given.empty() ? std::filesystem::path(config.stem().string() + std::string(ending)) : given;
  check_output(file, {config});
  return file;
}

void check_output(const std::filesystem::path& file,
                  const std::vector<std::filesystem::path>& inputs) {
  const auto refuse = [&](std::string_view problem) {
    throw core::UsageError(fmt::format("--out {}: {}", file.string(), problem));
  };
  std::error_code ignored;
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (!std::filesystem::is_directory(folder, ignored)) refuse("no such folder; make it first");
  if (::access(folder.c_str(), W_OK) != 0) refuse("the folder can't be written to; name another");
  const auto status = std::filesystem::status(file, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    refuse("is not a regular file; name a file to make");
  }
  for (const std::filesystem::path& input : inputs) {
    if (std::filesystem::equivalent(file, input, ignored)) {
      refuse("is an input of this run and would be overwritten; name another file");
    }
  }
}

ProgressMeter::ProgressMeter(std::string what, bool quiet)
    : what_(std::move(what)),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

ProgressMeter::~ProgressMeter() {
  if (shown_ && terminal_) std::fputs("\r\033[K", stderr);
}

core::Progress ProgressMeter::callback() {
  if (quiet_) return {};
  return [this](std::size_t done, std::size_t total) { show(done, total); };
}

void ProgressMeter::show(std::size_t done, std::size_t total) {
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  if (done == 0 || total == 0 || now - last_ < (terminal_ ? 200ms : 30'000ms)) return;
  last_ = now;
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double share = double(done) / double(total);
  const std::string left = duration(seconds * (1.0 - share) / share);
  if (!terminal_) {
    fmt::print(stderr, "{}: {:.0f} % done, {} left\n", what_, 100.0 * share, left);
    return;
  }
  constexpr int width = 30;
  const int full = static_cast<int>(share * width);
  fmt::print(stderr, "\r{} [{:#<{}}{:.<{}}] {:3.0f} %  {:.3g}/s  {} left \033[K", what_, "", full,
             "", width - full, 100.0 * share, double(done) / seconds, left);
  std::fflush(stderr);
}

RunClock::RunClock() : wall_(std::chrono::steady_clock::now()), cpu_(cpu_seconds()) {}

double RunClock::wall_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_).count();
}

void RunClock::write_record(std::string_view command, const std::filesystem::path& result,
                            core::Threads threads) const {
  core::write_run_record({.command = std::string(command),
                          .result_file = result.filename().string(),
                          .result_sha256 = core::sha256_of_file(result),
                          .simd_target = core::simd_target(),
                          .threads = core::resolved(threads),
                          .wall_seconds = wall_seconds(),
                          .cpu_seconds = cpu_seconds() - cpu_},
                         result);
}

}  // namespace cimstat::experiments
