#include "experiments/gallery/entries.h"

namespace cimstat::experiments {

namespace {

using core::Quantity;
using devices::FefetCell;
using devices::MramCell;
using devices::SonosCell;

constexpr double day = 86400.0;

/// Sd of the current as programmed, before read noise [A].
CellFigure sonos_current_sd_of(std::uint32_t level, double time) {
  return figure_of<SonosCell>(
      [level](const SonosCell& cell) { return cell.programmed(level).sd() * cell.voltage; }, time);
}

CellFigure sonos_read_sd_of(std::uint32_t level) {
  return figure_of<SonosCell>([level](const SonosCell& cell) {
    return devices::sonos_read_sd(cell.target(level) * cell.voltage);
  });
}

GalleryEntry sonos() {
  const std::string crosssim = "CrossSim 3.2 (Sandia), fits to SONOS of 40 nm";
  const auto ampere = Quantity::current;
  return {
      .name = "sonos",
      .cell =
          "[cell]\nmodel = \"sonos\"\nvoltage = \"0.1 V\"\ntargets = [\"0 uS\", \"2 uS\", "
          "\"8 uS\", \"18 uS\"]\n",
      .times = {0.0, day, 5.0 * day},
      .published =
          {{"sd at 200 nA, at first", "13.5 nA", ampere, sonos_current_sd_of(1, 0), crosssim},
           {"sd at 200 nA, 1 day", "16.8 nA", ampere, sonos_current_sd_of(1, day), crosssim},
           {"sd at 200 nA, 5 days", "21.4 nA", ampere, sonos_current_sd_of(1, 5.0 * day), crosssim},
           {"sd at 1800 nA, at first", "19.89 nA", ampere, sonos_current_sd_of(3, 0), crosssim},
           {"sd at 1800 nA, 1 day", "25.59 nA", ampere, sonos_current_sd_of(3, day), crosssim},
           {"sd at 1800 nA, 5 days", "34.57 nA", ampere, sonos_current_sd_of(3, 5.0 * day),
            crosssim},
           {"read noise at 200 nA", "7.61 nA", ampere, sonos_read_sd_of(1), crosssim},
           {"read noise at 1800 nA", "12.58 nA", ampere, sonos_read_sd_of(3), crosssim}},
      .title = "Charge-trap transistor of 40 nm; conductance = current / 0.1 V"};
}

constexpr const char* literature = "range usual in the literature";

GalleryEntry fefet() {
  return {.name = "fefet",
          .cell = "[cell]\nmodel = \"fefet\"\nlevels = 4\n",
          .times = {0.0},
          .published = {{"sd of a threshold, small area", "100 mV", Quantity::voltage,
                         figure_of<FefetCell>([](const auto& cell) { return cell.threshold_sd; }),
                         literature, Evidence::unverified, "50 mV", "published as 50 to 150 mV"},
                        {"window of thresholds", "1.25 V", Quantity::voltage,
                         figure_of<FefetCell>([](const auto& cell) {
                           return cell.thresholds.front() - cell.thresholds.back();
                         }),
                         literature, Evidence::unverified, "0.25 V", "published as 1.0 to 1.5 V"}},
          .title = "Ferroelectric transistor, four thresholds"};
}

GalleryEntry fefet_with_resistor() {
  return {
      .name = "fefet-resistor",
      .cell =
          "[cell]\nmodel = \"fefet\"\nlevels = 2\nresistance = \"1 Mohm\"\n"
          "resistance_sigma = 0.07\n",
      .times = {0.0},
      .published = {{"sd of the current of level 1", "7.5 %", Quantity::ratio, relative_sd_of(1),
                     literature, Evidence::unverified, "2.5 %", "published as 5 % to 10 %"}},
      .title = "Ferroelectric transistor in series with a resistor, which sets the current"};
}

GalleryEntry mram() {
  return {.name = "mram",
          .cell = "[cell]\nmodel = \"mram\"\n",
          .times = {0.0},
          .published = {{"median resistance, parallel", "6.5 kohm", Quantity::resistance,
                         [](const CellAt& cell_at) { return 1.0 / median_of(1)(cell_at); },
                         literature, Evidence::unverified, "3.5 kohm", "published as 3 to 10 kohm"},
                        {"tunnel magnetoresistance at 0.1 V", "150 %", Quantity::ratio,
                         [](const CellAt& cell_at) {
                           return median_of(1)(cell_at) / median_of(0)(cell_at) - 1.0;
                         },
                         literature, Evidence::unverified, "50 %", "published as 100 % to 200 %"},
                        {"sd of the parallel resistance", "6 %", Quantity::ratio, sigma_of(1),
                         literature, Evidence::unverified, "2 %", "published as 4 % to 8 %"},
                        {"sd of the magnetoresistance", "4 %", Quantity::ratio,
                         figure_of<MramCell>([](const auto& cell) { return cell.tmr_sigma; }),
                         literature, Evidence::unverified, "1 %", "published as 3 % to 5 %"}},
          .title = "Magnetic tunnel junction; level 1 is parallel"};
}

}  // namespace

std::vector<GalleryEntry> transistor_gallery() {
  return {sonos(), fefet(), fefet_with_resistor(), mram()};
}

}  // namespace cimstat::experiments
