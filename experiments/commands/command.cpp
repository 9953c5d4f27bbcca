#include "experiments/commands/command.h"

#include <limits>
#include <unistd.h>

#include <fmt/format.h>

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/provenance.h"
#include "core/simd.h"

#include "circuits/exact_column.h"

namespace cimstat::experiments {

void CommonOptions::add_to(CLI::App& app) {
  app.add_option("config", config, "experiment file (TOML)")->required()->type_name("FILE.toml");
  app.add_option("--set", overrides,
                 "override a key of the file, such as cell.lrs.sigma=0.1; may be "
                 "repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--seed", seed, "seed of all random numbers (default: that of the file, else 1)")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max())
                  .description("at least 0"));
  app.add_option("--threads", threads, "threads to use; 0 = all cores. Never changes a result")
      ->type_name("N")
      ->check(CLI::Range(0U, 4096U).description("0 - 4096"))
      ->capture_default_str();
  app.add_option("--simd", simd,
                 "instruction set to use, such as AVX3_DL, AVX3, AVX2, SSE4 or NEON (default: the "
                 "best of this CPU). Never changes a result")
      ->type_name("NAME");
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
  std::filesystem::path file =
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
  core::clear_stale_temporary(file);
  core::clear_stale_temporary(core::run_record_of(file));
}

std::filesystem::path network_file(const std::string& name) {
  constexpr std::string_view shipped_network = "fashion-cnn";
  if (name != shipped_network) return name;
  std::error_code ignored;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return (program.parent_path() / CIMSTAT_DATA / "networks/fashion_cnn.h5").lexically_normal();
}

void print_warnings(const Experiment& experiment) {
  for (const std::string& warning : experiment.macro.warnings) {
    fmt::print(stderr, "cimstat: warning: {}\n", warning);
  }
}

bool will_be_sampled(const Experiment& experiment) {
  return experiment.table.method == Method::monte_carlo ||
         (experiment.table.method == Method::automatic &&
          circuits::exact_obstacle(experiment.macro.design));
}

ProgressUnit table_unit(const Experiment& experiment, std::size_t classes) {
  const auto number = static_cast<double>(classes);
  if (!will_be_sampled(experiment)) return {"classes", number};
  return {"trials", number * static_cast<double>(experiment.table.trials)};
}

}  // namespace cimstat::experiments
