#include "experiments/sweep/sweep_plan.h"

#include <algorithm>
#include <bit>
#include <span>
#include <tuple>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/provenance.h"
#include "core/utf8.h"

#include "experiments/sweep/axis_plan.h"
#include "experiments/sweep/axis_values.h"
#include "experiments/sweep/points_file.h"
#include "experiments/sweep/sweep_section.h"
#include "experiments/sweep/sweep_text.h"

namespace cimstat::experiments {

using core::ConfigSetting;

struct SweepPlan::State {
  core::Config base;     ///< without [sweep]
  SweepSection section;  ///< as written; values of columns are in `axes` alone
  std::vector<SweepAxis> axes{};
  std::size_t listed = 0;  ///< axes that are, the first ones
  std::uint64_t samples = 1;
  std::uint64_t points = 1;
  std::string points_csv{};
  Experiment first{};
  std::string config_toml{};
  std::string sha256{};

  bool is_sampled() const { return listed < axes.size(); }

  void make_axes();
  void read_points();
  void draw_samples();

  std::vector<std::size_t> indices(std::uint64_t point) const;
  std::string point_text(std::uint64_t point) const;
  /// What the first `count` axes set at a point.
  std::vector<ConfigSetting> settings(std::uint64_t point, std::size_t count) const;
  core::Config config(std::uint64_t point) const { return base.with(settings(point, axes.size())); }
  Experiment experiment(std::uint64_t point) const;
  Experiment first_experiment() const;
};

namespace {

constexpr std::size_t most_listed_axes = 24;  // HDF5 has 32 dimensions
constexpr std::size_t most_sampled_axes = 64;

SweepSection section_of(const core::Config& config) {
  if (!config.has("sweep")) {
    throw core::UsageError(core::error_line(config.name(), "has no section [sweep]",
                                            "it says which points a sweep visits",
                                            "add one, see cimstat describe sweep"));
  }
  const core::Config fresh = config.with({});
  for (const std::string& key : fresh.keys()) {
    if (key != "sweep") fresh.leave_out(key);
  }
  SweepSection section =
      read_sweep_section(core::SectionReader(fresh, experiment_file()).section("sweep"));
  fresh.finish();
  return section;
}

/// Names and coordinates of the axes: all that tells the points of two equal configurations apart.
std::string hash_of(const SweepAxis& axis) {
  std::string bytes = axis.name + '\0';
  for (const double number : axis.numbers) {
    const auto bits = std::bit_cast<std::uint64_t>(number);
    for (unsigned shift = 0; shift < 64; shift += 8) {
      bytes += static_cast<char>(bits >> shift & 0xFF);
    }
  }
  for (const std::string& label : axis.labels) bytes += label + '\0';
  return core::sha256(bytes);
}

}  // namespace

void SweepPlan::State::make_axes() {
  const std::vector<AxisSetting>& given = section.axes;
  listed = static_cast<std::size_t>(std::count_if(
      given.begin(), given.end(), [](const AxisSetting& setting) { return setting.is_listed(); }));
  const auto refuse = [&](std::size_t at, std::size_t most, std::string_view kind) {
    throw core::UsageError(core::error_line(section.axes[at].place, "is one axis too many",
                                            fmt::format("{} {} axes are allowed", most, kind),
                                            "set several keys by one axis' cases"));
  };
  if (listed > most_listed_axes) refuse(most_listed_axes, most_listed_axes, "listed");
  if (given.size() - listed > most_sampled_axes) {
    refuse(listed + most_sampled_axes, most_sampled_axes, "sampled");
  }
  for (const AxisSetting& setting : given) axes.push_back(make_axis(setting));
}

void SweepPlan::State::read_points() {
  std::vector<const AxisSetting*> columns;
  for (std::size_t i = listed; i < axes.size(); ++i) columns.push_back(&section.axes[i]);
  std::filesystem::path file = section.points_file;
  if (file.is_relative()) file = std::filesystem::path(base.name()).parent_path() / file;
  PointsFile read = read_points_file(file, columns);
  const std::string hash = core::sha256(read.text);
  if (!section.points_sha256.empty() && section.points_sha256 != hash) {
    throw core::UsageError(core::error_line(
        file.string(), "is not the file of points that sweep.points_sha256 names",
        fmt::format("its SHA-256 is {}", hash), "restore it, or remove points_sha256"));
  }
  for (std::size_t i = listed; i < axes.size(); ++i) {
    for (const core::ConfigScalar& value : read.values[i - listed]) add_value(axes[i], value);
    read.values[i - listed] = {};
    section.axes[i].key_places = {fmt::format("{}: {}", file.string(), axes[i].name)};
  }
  samples = read.points;
  points_csv = std::move(read.text);
}

/// By the seed of the first point: no sampled axis sets it.
void SweepPlan::State::draw_samples() {
  const core::Config without_samples = base.with(settings(0, listed));
  const std::uint64_t seed = core::SectionReader(without_samples, experiment_file()).count("seed");
  samples = section.samples;
  const auto shares = sample_shares(seed, section.sampling, axes.size() - listed, samples);
  for (std::size_t i = listed; i < axes.size(); ++i) {
    const AxisSetting& setting = section.axes[i];
    const auto [from, to] = range_of(setting);
    const auto between = setting.keys.front().is_count() ? whole_between : value_between;
    axes[i].numbers.reserve(samples);
    for (const double share : shares[i - listed]) {
      axes[i].numbers.push_back(between(from, to, setting.spacing, share));
    }
  }
}

std::vector<std::size_t> SweepPlan::State::indices(std::uint64_t point) const {
  std::vector<std::size_t> result(axes.size());
  for (std::size_t i = listed; i < axes.size(); ++i) result[i] = point % samples;
  point /= samples;
  for (std::size_t i = listed; i-- > 0;) {
    result[i] = point % axes[i].size();
    point /= axes[i].size();
  }
  return result;
}

std::string SweepPlan::State::point_text(std::uint64_t point) const {
  std::string text;
  const std::vector<std::size_t> at = indices(point);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    text += fmt::format("{}{} = {}", i == 0 ? "" : ", ", axes[i].name, axes[i].value_text(at[i]));
  }
  return text;
}

std::vector<ConfigSetting> SweepPlan::State::settings(std::uint64_t point,
                                                      std::size_t count) const {
  const std::vector<std::size_t> at = indices(point);
  std::vector<ConfigSetting> result;
  for (std::size_t i = 0; i < count; ++i) {
    const AxisSetting& setting = section.axes[i];
    for (std::size_t key = 0; key < setting.keys.size(); ++key) {
      result.push_back({.keys = setting.keys[key].path,
                        .value = value_at(setting, axes[i], key, at[i]),
                        .place = setting.key_places[setting.key_places.size() == 1 ? 0 : key]});
    }
  }
  return result;
}

Experiment SweepPlan::State::experiment(std::uint64_t point) const {
  try {
    return read_experiment(config(point));
  } catch (const core::UsageError& error) {
    if (axes.empty()) throw;
    const std::string where = core::one_line(core::excerpt(point_text(point)));
    throw core::UsageError(fmt::format("point {} ({}): {}", point, where, error.what()));
  }
}

/// What is wrong at the first point is often wrong without any axis: said without a point then.
Experiment SweepPlan::State::first_experiment() const {
  try {
    return read_experiment(config(0));
  } catch (const core::UsageError& error) {
    const std::string problem = error.what();
    try {
      read_experiment(base.with({}));
    } catch (const core::UsageError& without_axes) {
      if (problem == without_axes.what()) throw;
    }
  }
  return experiment(0);
}

SweepPlan::SweepPlan(std::shared_ptr<const State> state) : state_(std::move(state)) {}

const SweepSettings& SweepPlan::settings() const { return state_->section.settings; }
const std::vector<SweepAxis>& SweepPlan::axes() const { return state_->axes; }
std::uint64_t SweepPlan::points() const { return state_->points; }

core::Shape64 SweepPlan::shape() const {
  core::Shape64 shape;
  for (std::size_t i = 0; i < state_->listed; ++i) shape.push_back(state_->axes[i].size());
  if (state_->is_sampled()) shape.push_back(state_->samples);
  return shape;
}

std::vector<std::string> SweepPlan::dimensions() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < state_->listed; ++i) names.push_back(state_->axes[i].name);
  if (state_->is_sampled()) names.emplace_back("sample");
  return names;
}

std::vector<std::size_t> SweepPlan::indices(std::uint64_t point) const {
  return state_->indices(point);
}

std::string SweepPlan::point_text(std::uint64_t point) const { return state_->point_text(point); }

Experiment SweepPlan::experiment(std::uint64_t point) const {
  Experiment experiment = state_->experiment(point);
  experiment.point = key(point).point;
  return experiment;
}

core::StreamKey SweepPlan::key(std::uint64_t point) const {
  std::uint64_t seed = state_->first.seed;
  for (const ConfigSetting& setting : state_->settings(point, state_->axes.size())) {
    if (setting.keys.size() == 1 && setting.keys.front() == "seed") {
      seed = std::get<std::uint64_t>(setting.value);
    }
  }
  const bool common = settings().random_numbers == RandomNumbers::common;
  return {seed, common ? 0 : static_cast<std::uint32_t>(point)};
}

const Experiment& SweepPlan::base() const { return state_->first; }
const std::string& SweepPlan::config_toml() const { return state_->config_toml; }
const std::string& SweepPlan::points_csv() const { return state_->points_csv; }
const std::string& SweepPlan::sha256() const { return state_->sha256; }

namespace {

/// An axis whose points would all be alike.
void require_effect(const SweepSettings& settings, const std::vector<SweepAxis>& axes) {
  for (const SweepAxis& axis : axes) {
    for (const auto& [section, output, word] :
         {std::tuple("margin.", SweepOutput::margin, "margin"),
          {"accuracy.", SweepOutput::accuracy, "accuracy"}}) {
      const bool has_effect =
          settings.asks(output) || std::any_of(axis.keys.begin(), axis.keys.end(),
                                               [prefix = section](const std::string& key) {
                                                 return !key.starts_with(prefix);
                                               });
      if (has_effect) continue;
      throw core::UsageError(
          core::error_line("sweep.axis." + axis.name, fmt::format("varies {}", axis.keys.front()),
                           "no output that is asked for depends on it",
                           fmt::format("add \"{}\" to sweep.outputs, or remove the axis", word)));
    }
  }
}

}  // namespace

SweepPlan read_sweep_plan(const core::Config& config) {
  auto state = std::make_shared<SweepPlan::State>(
      SweepPlan::State{.base = config.without("sweep"), .section = section_of(config)});
  state->make_axes();
  require_effect(SweepPlan(state).settings(), state->axes);
  if (state->is_sampled()) {
    if (state->section.points_file.empty()) {
      state->draw_samples();
    } else {
      state->read_points();
    }
  }
  for (const std::uint64_t extent : SweepPlan(state).shape()) {
    if (state->points > most_points / extent) {
      throw core::UsageError(
          core::error_line(fmt::format("{}: sweep", config.name()), "has too many points",
                           fmt::format("the axes multiply to more than {}", most_points),
                           "take fewer values, or sample some of the axes together"));
    }
    state->points *= extent;
  }
  state->first = state->first_experiment();
  state->config_toml = base_toml(state->config(0), state->section) + "\n" +
                       sweep_toml(state->section, state->points_csv);
  std::string all = state->config_toml;
  for (const SweepAxis& axis : state->axes) all += hash_of(axis);
  state->sha256 = core::sha256(all);
  return SweepPlan(std::move(state));
}

}  // namespace cimstat::experiments
