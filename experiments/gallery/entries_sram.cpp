#include <utility>

#include "experiments/gallery/entries.h"

namespace cimstat::experiments {

namespace {

using core::Quantity;

std::string capacitor(std::string_view preset, std::string_view capacitance) {
  return preset_cell("unit_capacitor", preset,
                     "capacitance = \"" + std::string(capacitance) + "\"\n");
}

std::vector<GalleryEntry> unit_capacitors() {
  const std::string uiuc = "CSNR-optimal-ADC (UIUC), code: sd = 2.1 10^-2.5 sqrt(C / fF) fF";
  const std::string tripathi = "Tripathi and Murmann (2014), measured";
  return {{.name = "unit-capacitor-uiuc-28nm",
           .cell = capacitor("uiuc_28nm", "1 fF"),
           .times = {0.0},
           .published = {{"sd / C at 1 fF", "0.66 %", Quantity::ratio, relative_sd_of(1), uiuc}},
           .quantity = Quantity::capacitance},
          {.name = "unit-capacitor-tripathi-0-45ff",
           .cell = capacitor("tripathi_32nm_0_45ff", "0.45 fF"),
           .times = {0.0},
           .published = {{"sd / C at 0.45 fF", "1.2 %", Quantity::ratio, relative_sd_of(1),
                          tripathi, Evidence::unverified}},
           .quantity = Quantity::capacitance},
          {.name = "unit-capacitor-tripathi-1-2ff",
           .cell = capacitor("tripathi_32nm_1_2ff", "1.2 fF"),
           .times = {0.0},
           .published = {{"sd / C at 1.2 fF", "0.8 %", Quantity::ratio, relative_sd_of(1), tripathi,
                          Evidence::unverified}},
           .quantity = Quantity::capacitance}};
}

constexpr std::string_view current_cell = R"([cell]
model = "sram"
on_current = "20 uA"
off_current = "1 nA"
gate_voltage = "0.9 V"
read_voltage = "0.5 V"
threshold = "0.35 V"
threshold_sd = "30 mV"
)";

std::vector<GalleryEntry> current_cells() {
  const std::string formula = "sigma_Vth / (n kT/q), n = 1.4";
  const std::string first_order = "a sigma_Vth / (VGS - Vth), a = 1.3";
  return {{.name = "sram",
           .cell = std::string(current_cell),
           .times = {0.0},
           .published = {{"sigma of the leakage at 30 mV", "0.83", Quantity::ratio, sigma_of(0),
                          formula},
                         {"sd of the current, first order", "7.1 %", Quantity::ratio,
                          relative_sd_of(1), first_order}},
           .title = "SRAM cell of the current domain, alpha-power law; conductance = current / "
                    "0.5 V. An example: currents and threshold are no measurement"},
          {.name = "sram-ekv",
           .cell = std::string(current_cell) + "current_law = \"ekv\"\n",
           .times = {0.0},
           .published = {{"sigma of the leakage at 30 mV", "0.83", Quantity::ratio, sigma_of(0),
                          formula}},
           .title = "The same cell, EKV's law"}};
}

}  // namespace

std::vector<GalleryEntry> sram_gallery() {
  std::vector<GalleryEntry> all = current_cells();
  for (GalleryEntry& entry : unit_capacitors()) all.push_back(std::move(entry));
  return all;
}

}  // namespace cimstat::experiments
