#include "core/config/config.h"

#include "experiments/experiment.h"
#include "tests/fuzz/fuzz_target.h"

/// A configuration file: parsed, read whole, and its canonical forms read again. Nothing is
/// computed but the references of the ladder, which are part of the reading.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  const std::string_view text = fuzz::text_of({data, size});
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
