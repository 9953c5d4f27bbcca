#include <cmath>

#include "experiments/gallery/entries.h"

namespace cimstat::experiments {

namespace {

using core::Quantity;
using devices::PcmCell;

constexpr double day = 86400.0;
constexpr double year = 365.0 * day;

/// Sd as programmed, before read noise.
CellFigure programming_sd_of(std::uint32_t level) {
  return [level](const CellAt& cell_at) { return devices::programmed(cell_at(0.0), level).sd(); };
}

/// What reads add, relative to the mean.
CellFigure read_noise_of(std::uint32_t level, double time) {
  return [=](const CellAt& cell_at) {
    const devices::AnyCell cell = cell_at(time);
    const core::Law& read = cell_at.read(level, time);
    return std::sqrt(read.variance() - devices::programmed(cell, level).variance()) / read.mean();
  };
}

CellFigure time_factor_of(double time) {
  return figure_of<PcmCell>(
      [time](const PcmCell& cell) { return cell.statistics.time_factor(time); });
}

CellFigure drift_mean_of(std::uint32_t level) {
  return figure_of<PcmCell>(
      [level](const PcmCell& cell) { return cell.statistics.drift_mean(cell.target(level)); });
}

CellFigure drift_sd_of(std::uint32_t level) {
  return figure_of<PcmCell>(
      [level](const PcmCell& cell) { return cell.statistics.drift_sd(cell.target(level)); });
}

CellFigure noise_quality_of(std::uint32_t level) {
  return figure_of<PcmCell>([level](const PcmCell& cell) {
    return cell.statistics.read_noise_quality(cell.target(level));
  });
}

std::string pcm(std::string_view preset, std::string_view targets) {
  return preset_cell("pcm", preset, "targets = [" + std::string(targets) + "]\n");
}

std::string title_of(std::string_view statistics, std::string_view first_read) {
  return "Phase-change memory, " + std::string(statistics) + ". Times count from the first read, " +
         std::string(first_read) + " after programming";
}

std::vector<double> pcm_times() {
  std::vector<double> times = gallery_times();
  times.front() = 0.0;
  return times;
}

}  // namespace

std::vector<GalleryEntry> pcm_gallery() {
  const std::string ibm = "Nandakumar et al. (2019), Joshi et al. (2020); coefficients of aihwkit";
  const std::string joshi = "Joshi et al., Nature Communications 11, 2473 (2020), fit of CrossSim";
  const std::string hermes =
      "Le Gallo et al., Nature Electronics 6, 680 (2023); coefficients of aihwkit";
  const std::string generic = "aihwkit, generic cell; no measurement";
  const std::string targets = "\"0 uS\", \"5 uS\", \"15 uS\", \"25 uS\"";
  const auto siemens = Quantity::conductance;
  const auto ratio = Quantity::ratio;
  std::vector<GalleryEntry> entries;
  entries.push_back(
      {.name = "pcm-ibm",
       .cell = pcm("ibm", targets),
       .times = pcm_times(),
       .published =
           {{"programming sd at 25 uS", "1.055 uS", siemens, programming_sd_of(3), ibm,
             Evidence::computed},
            {"drift exponent at 25 uS, mean", "0.049", ratio, drift_mean_of(3), ibm},
            {"drift exponent at 25 uS, sd", "0.008", ratio, drift_sd_of(3), ibm},
            {"read noise at 25 uS, 20 s", "3.7 %", ratio, read_noise_of(3, 0.0), ibm,
             Evidence::computed},
            {"read noise at 25 uS, 1 year", "5.0 %", ratio, read_noise_of(3, year), ibm,
             Evidence::computed},
            {"time factor of read noise, 20 s", "4.18", ratio, time_factor_of(0.0), ibm,
             Evidence::computed},
            {"time factor, 1 h", "4.76", ratio, time_factor_of(3600.0), ibm, Evidence::computed},
            {"time factor, 1 day", "5.09", ratio, time_factor_of(day), ibm, Evidence::computed},
            {"time factor, 1 year", "5.64", ratio, time_factor_of(year), ibm, Evidence::computed}},
       .title = title_of("IBM's statistics", "20 s")});
  entries.push_back(
      {.name = "pcm-joshi",
       .cell = pcm("joshi", targets),
       .times = pcm_times(),
       .published = {{"programming sd at 25 uS", "1.066 uS", siemens, programming_sd_of(3), joshi,
                      Evidence::computed}},
       .title = title_of("another fit of its programming spread, drift and read noise of pcm-ibm",
                         "27.36 s")});
  entries.push_back(
      {.name = "pcm-hermes-one-device",
       .cell = pcm("hermes_one_device", "\"0 uS\", \"3.45 uS\", \"6.9 uS\", \"10.35 uS\""),
       .times = pcm_times(),
       .published = {{"programming sd at 10.35 uS", "1.008 uS", siemens, programming_sd_of(3),
                      hermes, Evidence::computed},
                     {"drift exponent at 10.35 uS, mean", "0.0174", ratio, drift_mean_of(3), hermes,
                      Evidence::computed},
                     {"drift exponent at 10.35 uS, sd", "0.0055", ratio, drift_sd_of(3), hermes,
                      Evidence::computed},
                     {"read noise quality at 10.35 uS", "0.0168", ratio, noise_quality_of(3),
                      hermes, Evidence::computed}},
       .title = title_of("HERMES chip, one device a weight", "200 s")});
  entries.push_back(
      {.name = "pcm-hermes-two-devices",
       .cell = pcm("hermes_two_devices", "\"0 uS\", \"6.9 uS\", \"13.8 uS\", \"20.7 uS\""),
       .times = pcm_times(),
       .published = {{"programming sd at 20.7 uS", "1.093 uS", siemens, programming_sd_of(3),
                      hermes, Evidence::computed},
                     {"drift exponent at 20.7 uS, mean", "0.0174", ratio, drift_mean_of(3), hermes,
                      Evidence::computed},
                     {"drift exponent at 20.7 uS, sd", "0.0048", ratio, drift_sd_of(3), hermes,
                      Evidence::computed},
                     {"read noise quality at 20.7 uS", "0.0123", ratio, noise_quality_of(3), hermes,
                      Evidence::computed}},
       .title = title_of("HERMES chip, two devices a weight", "300 s")});
  entries.push_back(
      {.name = "pcm-state-independent",
       .cell = pcm("state_independent", targets),
       .times = pcm_times(),
       .published = {{"programming sd", "0.2 uS", siemens, programming_sd_of(3), generic},
                     {"drift exponent, mean", "0.1", ratio, drift_mean_of(3), generic},
                     {"drift exponent, sd", "0.05", ratio, drift_sd_of(3), generic}},
       .title = title_of("the same statistics for every conductance", "20 s")});
  return entries;
}

}  // namespace cimstat::experiments
