#include "core/config/config.h"

#include "experiments/experiment.h"
#include "experiments/sweep/sweep_plan.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace cimstat;

/// A sweep's plan, and its canonical form read again. Few samples, so that it stays quick.
void check_sweep(std::string_view text) {
  std::optional<experiments::SweepPlan> plan;
  for (const std::vector<std::string>& overrides :
       {std::vector<std::string>{"sweep.samples=8"}, std::vector<std::string>{}}) {
    const auto refusal = fuzz::refusal_of([&] {
      plan = experiments::read_sweep_plan(core::Config::from_text(text, "input.toml", overrides));
    });
    if (!refusal) break;
  }
  // A file of points lies beside the one form and not the other.
  if (!plan || !plan->points_csv().empty()) return;
  const auto refusal = fuzz::refusal_of([&] {
    const auto again = experiments::read_sweep_plan(
        core::Config::from_text(plan->config_toml(), "canonical.toml"));
    if (again.sha256() != plan->sha256()) {
      fuzz::finding(fmt::format("another plan:\n{}\n{}", plan->config_toml(), again.config_toml()));
    }
  });
  if (refusal) {
    fuzz::finding(
        fmt::format("the canonical form is refused: {}\n{}", *refusal, plan->config_toml()));
  }
  fuzz::refusal_of([&] { plan->experiment(plan->points() - 1); });
}

}  // namespace

/// A configuration file: parsed, read whole, and its canonical forms read again. Nothing is
/// computed but the references of the ladder, which are part of the reading.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of({data, size});
  if (text.find("sweep") != text.npos) check_sweep(text);
  experiments::Experiment experiment;
  const auto refusal = fuzz::refusal_of([&] {
    experiment = experiments::read_experiment(core::Config::from_text(text, "input.toml"));
  });
  if (refusal) return 0;
  const auto reread = [](const std::string& canonical) {
    try {
      return experiments::read_experiment(core::Config::from_text(canonical, "canonical.toml"));
    } catch (const core::Error& error) {
      fuzz::finding(fmt::format("the canonical form is refused: {}\n{}", error.what(), canonical));
    }
  };
  const experiments::Experiment again = reread(experiment.config_toml);
  if (again.config_toml != experiment.config_toml || again.table_toml != experiment.table_toml ||
      again.macro_toml != experiment.macro_toml) {
    fuzz::finding(
        fmt::format("another canonical form:\n{}\n{}", experiment.config_toml, again.config_toml));
  }
  // A table file holds only what decides it, and that is read again by report and accuracy.
  if (reread(experiment.table_toml).table_toml != experiment.table_toml) {
    fuzz::finding(fmt::format("another table form:\n{}", experiment.table_toml));
  }
  return 0;
}
