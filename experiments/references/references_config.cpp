#include <array>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/references/placed_references.h"

namespace cimstat::experiments {

namespace {

/// Keys of [converter] that say where references lie and what codes stand for.
constexpr std::array<std::string_view, 6> replaced = {
    "references", "codes", "currents", "follow_active_rows", "code_step", "code_origin"};

bool is_replaced(std::string_view line) {
  for (const std::string_view key : replaced) {
    if (line.starts_with(key) && line.substr(key.size()).starts_with(" = ")) return true;
  }
  return false;
}

std::string listed(const circuits::Ladder& ladder) {
  std::string text = fmt::format("references = \"listed\"\ncodes = {}\n", ladder.codes);
  if (ladder.code_step != 1.0) text += fmt::format("code_step = {}\n", ladder.code_step);
  if (ladder.code_origin != 0.0) text += fmt::format("code_origin = {}\n", ladder.code_origin);
  if (ladder.follows_active_rows) text += "follow_active_rows = true\n";
  text += "currents = [";
  const std::size_t run = ladder.codes - 1;
  constexpr std::size_t in_a_line = 5;
  for (std::size_t i = 0; i < ladder.references.size(); ++i) {
    const std::size_t place = i % run;
    if (place == 0 && ladder.follows_active_rows) {
      text += fmt::format("\n  # {} active", i / run);
    }
    text += place % in_a_line == 0 ? "\n  " : " ";
    text += fmt::format("{},", ladder.references[i]);
  }
  return text + "\n]\n";
}

}  // namespace

std::string config_with_references(const Experiment& experiment, const PlacedReferences& references,
                                   std::string_view classes_text) {
  const auto refuse = [](std::string_view problem, std::string_view why, std::string_view remedy) {
    throw core::UsageError(core::error_line("--out", problem, why, remedy));
  };
  if (!references.fits_a_table()) {
    refuse(fmt::format("{} can't be written", references.name),
           "its codes stand for unevenly spaced values; a table has code_origin + code_step x code",
           "name another criterion, such as squared_cost");
  }
  std::string text = fmt::format("# References by {}, for {}.\n", references.name, classes_text);
  std::istringstream lines(experiment.config_toml);
  bool in_converter = false;
  bool done = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("[")) in_converter = line == "[converter]";
    if (in_converter && is_replaced(line)) continue;
    text += line + "\n";
    if (line == "[converter]") {
      text += listed(references.ladder);
      done = true;
    }
  }
  constexpr std::size_t most_bytes = std::size_t{1} << 20;  // of a configuration
  if (text.size() > most_bytes) {
    refuse(fmt::format("{} references make too long a file", references.ladder.references.size()),
           fmt::format("a configuration has {} bytes at the most", most_bytes),
           "use references that do not follow the number of active rows");
  }
  const Experiment again = read_experiment(core::Config::from_text(text, "written configuration"));
  const circuits::Ladder& ladder = again.macro.design.ladder;
  const bool same = done && ladder.references == references.ladder.references &&
                    ladder.code_step == references.ladder.code_step &&
                    ladder.code_origin == references.ladder.code_origin;
  if (!same) throw std::logic_error("the written configuration has another ladder");
  return text;
}

}  // namespace cimstat::experiments
