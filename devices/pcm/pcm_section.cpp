#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/config/option.h"

#include "devices/level_targets.h"
#include "devices/pcm/pcm.h"

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr core::Option<PcmPreset> preset_options[] = {
    {PcmPreset::ibm,
     {"ibm",
      "Nandakumar et al. 2019 and Joshi et al. 2020, as aihwkit computes them: 0 to 25 uS, "
      "t_0 = 20 s. The spread of 25 uS is 1.055 uS; joshi's fit says 1.066 uS"}},
    {PcmPreset::joshi,
     {"joshi",
      "programming after CrossSim's fit to Joshi et al. 2020: 0 to 25 uS, t_0 = 27.36 s; CrossSim "
      "has neither drift nor read noise, these are those of ibm"}},
    {PcmPreset::hermes_one_device,
     {"hermes_one_device",
      "HERMES chip (Le Gallo et al. 2023), one device a weight, aihwkit's fit: 0 to 10.35 uS, "
      "t_0 = 200 s"}},
    {PcmPreset::hermes_two_devices,
     {"hermes_two_devices",
      "HERMES chip, two devices a weight, aihwkit's fit: 0 to 20.7 uS, t_0 = 300 s"}},
    {PcmPreset::state_independent,
     {"state_independent",
      "aihwkit's generic cell: programming sd 0.2 uS, exponent 0.1 +- 0.05, noise quality 0.04 "
      "whatever the state; 0 to 25 uS, t_0 = 20 s. No measurement"}}};

constexpr core::Option<PcmNoiseState> noise_state_options[] = {
    {PcmNoiseState::programmed, {"programmed", "the conductance programmed, as aihwkit computes"}},
    {PcmNoiseState::target, {"target", "its target, as aihwkit's documentation says"}}};

constexpr core::Option<DriftCompensation> compensation_options[] = {
    {DriftCompensation::recalibrated,
     {"recalibrated", "none needed: references are placed on the drifted currents"}},
    {DriftCompensation::none, {"none", "references stay where they were placed at t_0"}},
    {DriftCompensation::exact,
     {"exact", "references of t_0 times (t / t_0)^-mu, mu the mean exponent of the highest level"}},
    {DriftCompensation::global,
     {"global",
      "references of t_0 times the ratio of the highest level's mean conductances at t and t_0: "
      "what reading very many cells would tell"}}};

constexpr Range scales{0.0, 100.0};
/// Programming without any spread is no law of this model.
constexpr Range programming_scales{1e-3, 100.0};
constexpr Range full_scales{1e-9, 1e-2};  // [S]
constexpr Range exponents{0.0, 1.0};

constexpr std::string_view drift_keys[] = {"drift_targets", "drift_means", "drift_sds"};

core::Parameter scale(std::string_view key, Range range, std::string_view meaning) {
  return {.key = key, .rule = NumberRule{Quantity::ratio, range, 1.0}, .meaning = meaning};
}

std::vector<core::Parameter> parameters() {
  std::vector<core::Parameter> result{
      {.key = "preset",
       .rule = core::option_rule(preset_options, "ibm"),
       .meaning = "whose measured statistics"},
      {.key = "full_scale",
       .rule = NumberRule{Quantity::conductance, full_scales, {}},
       .meaning = "G_max, which targets are relative to; the preset's spread scales with it",
       .example = "\"25 uS\"",
       .absent = "the preset's"},
      scale("programming_scale", programming_scales, "the programming spread times this"),
      scale("drift_scale", scales, "drift exponents, mean and spread, times this"),
      scale("read_scale", scales, "read noise times this"),
      {.key = "noise_state",
       .rule = core::option_rule(noise_state_options, "programmed"),
       .meaning = "which conductance decides how noisy a cell is"},
      {.key = "drift_targets",
       .rule = core::NumbersRule{Quantity::conductance, Range{0.0, 1.0}},
       .meaning = "own drift exponents, for example of projected PCM: the targets, ascending, that "
                  "drift_means and drift_sds belong to; linear in between, constant beyond",
       .example = "[\"1 uS\", \"25 uS\"]",
       .absent = "the preset's exponents",
       .source = "as aihwkit's CustomDriftPCMLikeNoiseModel"},
      {.key = "drift_means",
       .rule = core::NumbersRule{Quantity::ratio, exponents},
       .meaning = "mean exponent at each of drift_targets",
       .example = "[0.02, 0.01]",
       .absent = "as drift_targets"},
      {.key = "drift_sds",
       .rule = core::NumbersRule{Quantity::ratio, exponents},
       .meaning = "standard deviation of the exponent at each of drift_targets",
       .example = "[0.01, 0.005]",
       .absent = "as drift_targets"},
      {.key = "drift_compensation",
       .rule = core::option_rule(compensation_options, "recalibrated"),
       .meaning = "what becomes of the converter's references while the cells drift; "
                  "conditions.references = \"nominal\" is none for all conditions"}};
  for (core::Parameter& parameter : target_parameters()) {
    if (parameter.key == "highest") parameter.example = "\"20 uS\"";
    if (parameter.key == "targets") parameter.example = "[\"2 uS\", \"10 uS\", \"20 uS\"]";
    result.push_back(std::move(parameter));
  }
  return result;
}

std::vector<DriftPoint> read_drift_points(const core::SectionReader& cell) {
  if (!std::any_of(std::begin(drift_keys), std::end(drift_keys),
                   [&](std::string_view key) { return cell.has(key); })) {
    return {};
  }
  for (const std::string_view key : drift_keys) {
    if (!cell.has(key)) {
      cell.fail(key, "is missing", "drift_targets, drift_means and drift_sds make one table",
                "give all three");
    }
  }
  const std::vector<double> targets = cell.numbers("drift_targets");
  const std::vector<double> means = cell.numbers("drift_means");
  const std::vector<double> sds = cell.numbers("drift_sds");
  if (targets.empty()) {
    cell.fail("drift_targets", "is empty", "the exponents must hold somewhere", "give a target");
  }
  for (const auto& [key, values] : {std::pair("drift_means", &means), {"drift_sds", &sds}}) {
    if (values->size() != targets.size()) {
      cell.fail(key,
                fmt::format("lists {} value{}", values->size(), values->size() == 1 ? "" : "s"),
                fmt::format("drift_targets lists {}", targets.size()), "give one for each target");
    }
  }
  std::vector<DriftPoint> points;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (i > 0 && targets[i] <= targets[i - 1]) {
      cell.fail("drift_targets",
                fmt::format("{} is not above the one before it",
                            core::format_quantity(targets[i], Quantity::conductance)),
                "they ascend", "sort them");
    }
    points.push_back({targets[i], means[i], sds[i]});
  }
  return points;
}

}  // namespace

core::Variant pcm_variant() {
  return {
      .name = "pcm",
      .meaning =
          "phase-change memory cell. Frozen: the programmed conductance max(0, G_T + sigma xi) "
          "and the drift exponent nu = |mu + sd xi|; it conducts G_p (t / t_0)^-nu at t = t_0 + "
          "conditions.time. Fresh: 1/f read noise Q_s sqrt(ln((t + t_read) / (2 t_read)))",
      .source =
          "Nandakumar et al., ICECS 2019; Joshi et al., Nature Communications 11, 2473 "
          "(2020); Le Gallo et al., Nature Electronics 6, 680 (2023); coefficients as in "
          "aihwkit and CrossSim",
      .parameters = parameters()};
}

PcmCell read_pcm(const core::SectionReader& cell, const Conditions& conditions) {
  PcmCell result{.statistics = pcm_statistics(core::read_option(cell, "preset", preset_options)),
                 .targets = {},
                 .conditions = conditions};
  PcmStatistics& statistics = result.statistics;
  statistics.full_scale = cell.optional_number("full_scale").value_or(statistics.full_scale);
  statistics.programming_scale = cell.number("programming_scale");
  statistics.drift_scale = cell.number("drift_scale");
  statistics.read_scale = cell.number("read_scale");
  statistics.noise_state = core::read_option(cell, "noise_state", noise_state_options);
  statistics.drift_points = read_drift_points(cell);
  result.compensation = core::read_option(cell, "drift_compensation", compensation_options);
  if (cell.has("drift_compensation") && conditions.calibration == Calibration::nominal &&
      result.compensation != DriftCompensation::none) {
    cell.fail("drift_compensation", "has no effect beside conditions.references = \"nominal\"",
              "references stay where they were placed", "leave one of the two out");
  }
  result.targets = read_targets(cell, {.lowest = 0.0, .highest = statistics.full_scale});
  return result;
}

}  // namespace cimstat::devices
