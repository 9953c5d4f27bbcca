#include "experiments/sweep/sweep_section.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/config/option.h"
#include "core/error.h"

#include "experiments/sweep/axis_section.h"

namespace cimstat::experiments {

namespace {

using core::CountRule;
using core::Option;
using core::SectionReader;

constexpr std::uint64_t most_sobol_samples = std::uint64_t{1} << 18;
constexpr std::uint64_t usual_samples = 256;
constexpr std::uint64_t usual_chunk = 262'144;
constexpr std::uint64_t chunk_step = 4096;
constexpr std::size_t longest_path = 4096;

constexpr Option<SweepOutput> outputs[] = {
    {SweepOutput::margin, {"margin", "read margins at margin.active_rows"}},
    {SweepOutput::misread, {"misread", "misread rates of the classes of table.active_rows"}},
    {SweepOutput::table, {"table", "the whole error tables of these classes"}},
    {SweepOutput::accuracy, {"accuracy", "accuracy of the network of [accuracy]"}}};

constexpr Option<RandomNumbers> random_numbers[] = {
    {RandomNumbers::common, {"common", "all points draw the same: differences are known best"}},
    {RandomNumbers::independent, {"independent", "each point draws its own"}}};

constexpr Option<Sampling> samplings[] = {
    {Sampling::sobol, {"sobol", "scrambled Sobol points; best with a power of two"}},
    {Sampling::latin_hypercube,
     {"latin_hypercube",
      "one value in each of `samples` equal parts of an axis, paired at random"}}};

core::ChoicesRule outputs_rule() {
  core::ChoicesRule rule{.choices = {}, .fallback = "misread"};
  for (const auto& output : outputs) rule.choices.push_back(output.choice);
  return rule;
}

}  // namespace

core::Section sweep_section() {
  return {
      .key = "sweep",
      .need = core::Need::optional,
      .meaning = "which configurations `cimstat sweep` visits; other commands pass it over",
      .parameters =
          {{.key = "outputs", .rule = outputs_rule(), .meaning = "what is asked at each point"},
           {.key = "random_numbers",
            .rule = core::option_rule(random_numbers, "common"),
            .meaning = "whether the points share their random numbers"},
           {.key = "samples",
            .rule = CountRule{1, most_samples, usual_samples, {}},
            .meaning = "points over the sampled axes, for each point of the listed ones"},
           {.key = "sampling",
            .rule = core::option_rule(samplings, "sobol"),
            .meaning = "how the sampled axes are filled",
            .source = "Owen 1995 (Sobol); McKay, Beckman and Conover, Technometrics 21, 1979"},
           {.key = "points_file",
            .rule = core::TextRule{longest_path, ""},
            .meaning = "a table of text with a named column for each axis that has only `key`, "
                       "beside the configuration where its path is relative",
            .example = "\"points.txt\"",
            .absent = "each axis has its values here"},
           {.key = "points_sha256",
            .rule = core::TextRule{64, ""},
            .meaning = "what its SHA-256 must be; written by the program",
            .example = "\"9f86d081884c7d65...\"",
            .absent = "any file is taken"},
           {.key = "chunk_trials",
            .rule = CountRule{chunk_step, std::uint64_t{1} << 32, usual_chunk, {}},
            .meaning = "trials of each class, or image-reads, in a piece of work: a multiple of "
                       "4,096. Never changes a result"}},
      .sections = {{.key = "axis",
                    .need = core::Need::optional,
                    .meaning = "the axes, each in a section [sweep.axis.NAME]",
                    .members = {axis_section()}}}};
}

std::string_view word_of(SweepOutput output) { return core::word_of(output, outputs); }
std::string_view word_of(RandomNumbers numbers) { return core::word_of(numbers, random_numbers); }
std::string_view word_of(Sampling sampling) { return core::word_of(sampling, samplings); }

bool SweepSettings::asks(SweepOutput output) const {
  return std::find(outputs.begin(), outputs.end(), output) != outputs.end();
}

namespace {

SweepSettings read_settings(const SectionReader& section) {
  SweepSettings settings;
  const std::vector<std::string> asked = section.choices("outputs");
  for (const auto& [output, choice] : outputs) {
    if (std::find(asked.begin(), asked.end(), choice.name) != asked.end()) {
      settings.outputs.push_back(output);
    }
  }
  settings.random_numbers = core::read_option(section, "random_numbers", random_numbers);
  settings.chunk_trials = section.count("chunk_trials");
  if (settings.chunk_trials % chunk_step != 0) {
    section.fail("chunk_trials",
                 fmt::format("{} is no multiple of {}", settings.chunk_trials, chunk_step),
                 "trials are drawn in tiles and batches",
                 fmt::format("write {}",
                             (settings.chunk_trials + chunk_step - 1) / chunk_step * chunk_step));
  }
  return settings;
}

/// The samples, and what goes with where they come from.
void read_samples(const SectionReader& section, SweepSection& sweep) {
  sweep.points_file = section.text("points_file");
  sweep.points_sha256 = section.text("points_sha256");
  sweep.samples = section.count("samples");
  sweep.sampling = core::read_option(section, "sampling", samplings);
  const AxisSetting* sampled = nullptr;
  const AxisSetting* column = nullptr;
  for (const AxisSetting& axis : sweep.axes) {
    if (axis.form == AxisForm::sampled) sampled = &axis;
    if (axis.form == AxisForm::column) column = &axis;
  }
  if (column != nullptr && sampled != nullptr) {
    throw core::UsageError(core::error_line(
        sampled->place,
        fmt::format("is sampled, where axis {} takes its values from points_file", column->name),
        "samples come from one place", "add a column for it, or give it `count` or `values`"));
  }
  if (column != nullptr && sweep.points_file.empty()) {
    const SectionReader axis = section.section("axis").member(column->name);
    // A key besides `key` is one of another spelling: reading says which.
    if (axis.keys().size() > 1) axis.values("values", column->keys.front().rule);
    throw core::UsageError(core::error_line(column->place, "has no values",
                                            "nor does the section [sweep] name a points_file",
                                            "write values, or from and to, or cases and vary"));
  }
  if (column == nullptr && !sweep.points_file.empty()) {
    section.fail("points_file", "has no use here",
                 "no axis takes its values from it: each has its own, or there is none",
                 "leave out the values of those that it is for");
  }
  if (sweep.points_file.empty() && !sweep.points_sha256.empty()) {
    section.fail("points_sha256", "has no use here", "no points_file is named", "remove it");
  }
  for (const std::string_view key : {"samples", "sampling"}) {
    if (sampled != nullptr || !section.has(key)) continue;
    section.fail(key, "has no use here",
                 column != nullptr ? "points_file gives the samples"
                                   : "no axis is sampled: one that has `from` and `to` alone",
                 "remove it");
  }
  if (sampled == nullptr) sweep.samples = 0;
  if (sampled != nullptr && sweep.sampling == Sampling::sobol &&
      sweep.samples > most_sobol_samples) {
    section.fail("samples", fmt::format("{} is out of range", sweep.samples),
                 fmt::format("there are {} points of Sobol's sequence", most_sobol_samples),
                 "lower it, or write sampling = \"latin_hypercube\"");
  }
}

void refuse_shared_keys(const SectionReader& axes, const std::vector<AxisSetting>& all) {
  std::map<std::string, std::string> owner;
  for (const AxisSetting& axis : all) {
    for (const SweptKey& key : axis.keys) {
      const auto [found, is_new] = owner.emplace(key.name, axis.name);
      if (is_new) continue;
      axes.fail(axis.name, fmt::format("sets {}", key.name),
                fmt::format("axis {} sets it too", found->second), "keep one of the two");
    }
  }
}

}  // namespace

SweepSection read_sweep_section(const SectionReader& section) {
  SweepSection sweep;
  sweep.settings = read_settings(section);
  const SectionReader axes = section.section("axis");
  for (const std::string& name : axes.members()) {
    sweep.axes.push_back(read_axis(axes.member(name), name, axes));
  }
  refuse_shared_keys(axes, sweep.axes);
  std::stable_partition(sweep.axes.begin(), sweep.axes.end(),
                        [](const AxisSetting& axis) { return axis.is_listed(); });
  read_samples(section, sweep);
  return sweep;
}

}  // namespace cimstat::experiments
