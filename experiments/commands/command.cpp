#include "experiments/commands/command.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/atomic_file.h"
#include "core/file/provenance.h"
#include "core/simd.h"

#include "circuits/weights/code_difference.h"

#include "experiments/commands/number_check.h"

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
      ->transform(
          whole_number(0, std::numeric_limits<std::int64_t>::max()).description("at least 0"));
  app.add_option("--threads", threads, "threads to use; 0 = all cores. Never changes a result")
      ->type_name("N")
      ->transform(whole_number(0, 4096))
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

namespace {

/// `place` is what messages call the file.
void check_file_to_make(const std::filesystem::path& file, const std::string& place,
                        const std::vector<std::filesystem::path>& inputs) {
  const std::filesystem::path behind = core::behind_links(file);
  const auto refuse = [&](std::string_view problem, std::string_view remedy) {
    throw core::UsageError(core::error_line(
        place, problem, behind == file ? "" : "it is a link to " + behind.string(), remedy));
  };
  std::error_code ignored;
  const std::filesystem::path folder = behind.has_parent_path() ? behind.parent_path() : ".";
  if (!std::filesystem::is_directory(folder, ignored)) refuse("no such folder", "make it first");
  if (::access(folder.c_str(), W_OK) != 0) {
    refuse("the folder can't be written to", "name another");
  }
  const auto status = std::filesystem::status(file, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    refuse("is not a regular file", "name another file");
  }
  for (const std::filesystem::path& input : inputs) {
    if (std::filesystem::equivalent(file, input, ignored) ||
        std::filesystem::equivalent(core::temporary_of(file), input, ignored)) {
      refuse("would overwrite an input of this run, " + input.string(), "name another file");
    }
  }
  core::require_writable(file);
}

}  // namespace

CLI::Option* add_output_option(CLI::App& command, std::filesystem::path& file,
                               const std::string& meaning) {
  const auto refused = [](const std::string& name) -> std::string {
    if (name.empty()) return "is an empty name (name a file, or leave the option out)";
    if (name == "-") return "is no name of a file (results are files, not standard output)";
    return {};
  };
  return command.add_option("--out,-o", file, meaning)->check(CLI::Validator(refused, ""));
}

std::filesystem::path CommonOptions::output(
    const std::filesystem::path& given, std::string_view ending,
    const std::vector<std::filesystem::path>& more_inputs) const {
  std::filesystem::path file =
      given.empty() ? std::filesystem::path(config.stem().string() + std::string(ending)) : given;
  constexpr std::array<std::string_view, 6> other_kinds = {".csv",  ".html", ".json",
                                                           ".toml", ".txt",  ".png"};
  if (std::find(other_kinds.begin(), other_kinds.end(), file.extension().string()) !=
      other_kinds.end()) {
    throw core::UsageError(core::error_line(
        "--out " + file.string(), "names a file of another kind", "what is written is HDF5",
        fmt::format("write --out {}; `cimstat report` makes pages and CSV of it",
                    file.stem().string() + ".h5")));
  }
  std::vector<std::filesystem::path> inputs = more_inputs;
  inputs.push_back(config);
  check_output(file, inputs);
  const std::filesystem::path record = core::run_record_of(file);
  check_file_to_make(record, record.string(), inputs);
  return file;
}

void check_output(const std::filesystem::path& file,
                  const std::vector<std::filesystem::path>& inputs) {
  check_file_to_make(file, "--out " + file.string(), inputs);
}

std::filesystem::path network_file(const std::string& name) {
  constexpr std::string_view shipped_network = "fashion-cnn";
  std::error_code ignored;
  if (name != shipped_network) {
    const std::array known = {std::string(shipped_network)};
    if (!std::filesystem::exists(name, ignored) && core::nearest(name, known)) {
      throw core::UsageError(core::error_line(name, "can't be read", "no such file",
                                              fmt::format("did you mean {}?", shipped_network)));
    }
    return name;
  }
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return (program.parent_path() / CIMSTAT_DATA / "networks/fashion_cnn.h5").lexically_normal();
}

void print_warnings(const Experiment& experiment) { print_warnings(experiment.macro.warnings); }

void print_warnings(std::span<const std::string> warnings) {
  for (const std::string& warning : warnings) {
    fmt::print(stderr, "cimstat: warning: {}\n", warning);
  }
}

bool will_be_sampled(const Experiment& experiment) {
  return experiment.table.method == Method::monte_carlo ||
         (experiment.table.method == Method::automatic &&
          circuits::table_obstacle(experiment.macro.design));
}

ProgressUnit table_unit(const Experiment& experiment, std::size_t classes) {
  const auto number = static_cast<double>(classes);
  if (!will_be_sampled(experiment)) return {"classes", number};
  return {"trials", number * static_cast<double>(experiment.table.trials)};
}

}  // namespace cimstat::experiments
