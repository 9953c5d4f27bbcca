#include <array>
#include <utility>

#include "experiments/gallery/entries.h"

namespace cimstat::experiments {

namespace {

using core::Quantity;
using devices::AnalogRram;

constexpr std::string_view lognormal_pair = R"([cell]
model = "rram"

[cell.lrs]
distribution = "lognormal"
median = "400 uS"  # 2.5 kohm
sigma = 0.18

[cell.hrs]
distribution = "lognormal"
median = "62.5 uS"  # 16 kohm
sigma = 0.45
)";

constexpr std::string_view small_read_margin = R"([cell]
model = "rram"
access_resistance = "2 kohm"
read_noise = 0.01
stuck_at_lrs = 0.001
stuck_at_hrs = 0.001

[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.06

[cell.hrs]
distribution = "lognormal"
median = "1 uS"
sigma = 0.5
)";

std::vector<GalleryEntry> binary_cells() {
  const std::string dl_rsim =
      "public code of an error table in the style of DL-RSIM (Lin et al., ICCAD 2018)";
  return {{.name = "rram",
           .cell = std::string(lognormal_pair),
           .times = {0.0},
           .published = {{"LRS median", "400 uS", Quantity::conductance, median_of(1), dl_rsim},
                         {"HRS median", "62.5 uS", Quantity::conductance, median_of(0), dl_rsim},
                         {"LRS sigma", "0.18", Quantity::ratio, sigma_of(1), dl_rsim},
                         {"HRS sigma", "0.45", Quantity::ratio, sigma_of(0), dl_rsim}},
           .title = "Binary cell, lognormal resistances"},
          {.name = "rram-transistor-faults",
           .cell = std::string(small_read_margin),
           .times = {0.0},
           .published = {},
           .title = "Binary cell behind an access transistor, with read noise and stuck cells; an "
                    "example, not a measurement"}};
}

constexpr double hour = 3600.0;
constexpr double day = 24.0 * hour;

/// What the preset says of a level before clamping, transistor and faults: the sd [S] of normal
/// conductances, sigma of lognormal ones, a share of resistances.
CellFigure spread_of(std::uint32_t level, double time = 0.0) {
  return figure_of<AnalogRram>([level](const auto& cell) { return cell.spread(level); }, time);
}

/// How far a level's mean has moved from its target [S].
CellFigure shift_of(std::uint32_t level, double time) {
  return figure_of<AnalogRram>(
      [level](const auto& cell) { return cell.mean(level) - cell.target(level); }, time);
}

CellFigure stuck_at_hrs() {
  return figure_of<AnalogRram>([](const auto& cell) { return cell.stuck_at_hrs; });
}

std::string analog(std::string_view preset, std::string_view more = {}) {
  return preset_cell("analog_rram", preset, more);
}

constexpr std::string_view forty = "targets = [\"0 uS\", \"10 uS\", \"20 uS\", \"40 uS\"]\n";
constexpr const char* aihwkit_wan = "Wan et al., Nature 608, 504 (2022), fit of aihwkit";
constexpr const char* crosssim_wan = "Wan et al., Nature 608, 504 (2022), fit of CrossSim";
constexpr const char* text_of_wan = "Wan et al., Nature 608, 504 (2022), text";

/// Sds about targets of 0, 20 and 40 uS.
std::vector<PublishedNumber> three_sds(const std::string& at, double time,
                                       const std::array<const char*, 3>& printed) {
  const auto siemens = Quantity::conductance;
  return {{"sd at 0 uS, " + at, printed[0], siemens, spread_of(0, time), aihwkit_wan},
          {"sd at 20 uS, " + at, printed[1], siemens, spread_of(2, time), aihwkit_wan},
          {"sd at 40 uS, " + at, printed[2], siemens, spread_of(3, time), aihwkit_wan}};
}

/// The same within what the fit over time states.
std::vector<PublishedNumber> over_time() {
  std::vector<PublishedNumber> all;
  const auto add = [&](const std::string& at, double time, const char* printed,
                       const char* tolerance) {
    all.push_back({"sd at 20 uS, " + at, printed, Quantity::conductance, sd_of(2, time),
                   aihwkit_wan, Evidence::read, tolerance, "our fit over time: within 5 %"});
  };
  add("1 s", 1.0, "2.02 uS", "0.1 uS");
  add("1 day", day, "3.91 uS", "0.2 uS");
  add("2 days", 2.0 * day, "3.93 uS", "0.2 uS");
  return all;
}

std::vector<GalleryEntry> neurram_cells() {
  const auto siemens = Quantity::conductance;
  const std::string text_targets = "targets = [\"1 uS\", \"10 uS\", \"20 uS\", \"40 uS\"]\n";
  return {{.name = "neurram",
           .cell = analog("neurram", forty),
           .times = gallery_times(),
           .published = over_time(),
           .title = "NeuRRAM: write-verified analog conductances, relaxing; our fit over time"},
          {.name = "neurram-1s",
           .cell = analog("neurram_1s", forty),
           .times = {1.0},
           .published = three_sds("1 s", 1.0, {"0.35 uS", "2.02 uS", "1.10 uS"}),
           .title = "NeuRRAM 1 s after programming"},
          {.name = "neurram-1d",
           .cell = analog("neurram_1d", forty),
           .times = {day},
           .published = three_sds("1 day", day, {"0.70 uS", "3.91 uS", "2.65 uS"}),
           .title = "NeuRRAM 1 day after programming"},
          {.name = "neurram-2d",
           .cell = analog("neurram_2d", forty),
           .times = {2.0 * day},
           .published = three_sds("2 days", 2.0 * day, {"0.78 uS", "3.93 uS", "2.68 uS"}),
           .title = "NeuRRAM 2 days after programming"},
          {.name = "neurram-crosssim",
           .cell = analog("neurram_crosssim",
                          "targets = [\"0 uS\", \"10 uS\", \"20 uS\", \"39 uS\"]\n"),
           .times = {1.0},
           .published = {{"sd at 0 uS, 1 s", "1.05 uS", siemens, spread_of(0, 1.0), crosssim_wan},
                         {"sd at 20 uS, 1 s", "2.36 uS", siemens, spread_of(2, 1.0), crosssim_wan},
                         {"sd at 39 uS, 1 s", "1.67 uS", siemens, spread_of(3, 1.0), crosssim_wan}},
           .title = "NeuRRAM 1 s after programming, another fit of the same figure"},
          {.name = "neurram-text",
           .cell = analog("neurram_text", text_targets),
           .times = {0.5 * hour},
           .published = {{"sd, mean over targets, 30 min", "2.8 uS", siemens,
                          spread_of(2, 0.5 * hour), text_of_wan}},
           .title = "NeuRRAM, the sd that the paper's text states"},
          {.name = "neurram-text-3-times",
           .cell = analog("neurram_text_3_times", text_targets),
           .times = {0.5 * hour},
           .published = {{"sd after programming 3 times, 30 min", "2.0 uS", siemens,
                          spread_of(2, 0.5 * hour), text_of_wan}},
           .title = "NeuRRAM programmed three times over, the sd that the paper's text states"}};
}

std::vector<GalleryEntry> cmo_cells() {
  const auto siemens = Quantity::conductance;
  const char* const source = "Falcone et al. (IBM Zurich), fit of aihwkit";
  std::vector<PublishedNumber> relaxation = {
      {"mean shift at 1 h", "-0.73 uS", siemens, shift_of(0, hour), source},
      {"mean shift at 1 h, in the figure", "-0.68 uS", siemens, shift_of(0, hour),
       "Falcone et al. (IBM Zurich), figure", Evidence::from_abstract, "0.06 uS",
       "the fit lies beside the figure"},
      {"read noise at 88.2 uS, 1 h", "0.249 uS", siemens,
       figure_of<AnalogRram>(
           [](const auto& cell) { return devices::cmo_read_sd(cell.target(3), hour); }),
       source}};
  std::vector<PublishedNumber> fine = relaxation;
  fine.insert(fine.begin(),
              {{"programming sd at 88.2 uS", "0.0951 uS", siemens, spread_of(3), source},
               {"relaxation sd at 1 h", "0.756 uS", siemens, spread_of(0, hour), source}});
  std::vector<PublishedNumber> coarse = std::move(relaxation);
  coarse.insert(coarse.begin(),
                {"programming sd at 88.2 uS", "1.007 uS", siemens, spread_of(3), source});
  return {{.name = "cmo-hfox-0-2",
           .cell = analog("cmo_hfox_0_2", "levels = 4\n"),
           .times = gallery_times(),
           .published = std::move(fine)},
          {.name = "cmo-hfox-2",
           .cell = analog("cmo_hfox_2", "levels = 4\n"),
           .times = gallery_times(),
           .published = std::move(coarse),
           .title = "CMO/HfOx, verified to 2 %, relaxing, 1/f read noise"}};
}

std::vector<GalleryEntry> presets_without_time() {
  const auto siemens = Quantity::conductance;
  const auto ratio = Quantity::ratio;
  const std::string ou = "public code of an error table in the style of DL-RSIM (ICCAD 2018)";
  const std::string neurosim = "NeuroSim 2D inference V1.4, default parameters";
  const std::string mnsim = "MNSIM 2.0, default parameters";
  const std::string milo = "Milo et al., IRPS (2021), fit of CrossSim";
  const std::string suny = "Krishnan et al., IEEE TCAD (2022)";
  const CellFigure on_off = [](const CellAt& cell_at) {
    return median_of(1)(cell_at) / median_of(0)(cell_at);
  };
  return {{.name = "dl-rsim",
           .cell = analog("dl_rsim"),
           .times = {0.0},
           .published = {{"LRS median", "400 uS", siemens, median_of(1), ou},
                         {"HRS median", "62.5 uS", siemens, median_of(0), ou},
                         {"LRS sigma", "0.18", ratio, sigma_of(1), ou},
                         {"HRS sigma", "0.45", ratio, sigma_of(0), ou}}},
          {.name = "neurosim",
           .cell = analog("neurosim", "variation = 0.1\n"),
           .times = {0.0},
           .published = {{"on conductance", "10 uS", siemens, median_of(1), neurosim},
                         {"on/off ratio", "17", ratio, on_off, neurosim}}},
          {.name = "mnsim",
           .cell = analog("mnsim"),
           .times = {0.0},
           .published = {{"LRS", "100 uS", siemens, median_of(1), mnsim},
                         {"HRS", "1 uS", siemens, median_of(0), mnsim},
                         {"sd of the resistance", "1 %", ratio, spread_of(1), mnsim},
                         {"stuck at HRS", "0.1 %", ratio, stuck_at_hrs(), mnsim}}},
          {.name = "mnsim-uniform",
           .cell = analog("mnsim_uniform"),
           .times = {0.0},
           .published = {{"half width of the resistance", "1 %", ratio, spread_of(1), mnsim},
                         {"stuck at HRS", "0.1 %", ratio, stuck_at_hrs(), mnsim}}},
          {.name = "milo",
           .cell = analog("milo", "levels = 4\n"),
           .times = {0.0},
           .published = {{"sd at 50 uS", "4.33 uS", siemens, sd_of(0), milo},
                         {"sd at 225 uS", "2.73 uS", siemens, sd_of(3), milo}}},
          {.name = "suny-1bit",
           .cell = analog("suny_1bit"),
           .times = {0.0},
           .published = {{"sigma", "0.1035", ratio, sigma_of(1), suny}}},
          {.name = "suny-2bit",
           .cell = analog("suny_2bit", "levels = 4\n"),
           .times = {0.0},
           .published = {{"sigma", "0.2760", ratio, sigma_of(3), suny}}},
          {.name = "suny-3bit",
           .cell = analog("suny_3bit", "levels = 8\n"),
           .times = {0.0},
           .published = {{"sigma of LRS levels", "0.2259", ratio, sigma_of(7), suny},
                         {"sigma of HRS levels", "0.3549", ratio, sigma_of(0), suny}}}};
}

}  // namespace

std::vector<GalleryEntry> rram_gallery() {
  std::vector<GalleryEntry> all = binary_cells();
  for (const auto part : {presets_without_time, neurram_cells, cmo_cells}) {
    for (GalleryEntry& entry : part()) all.push_back(std::move(entry));
  }
  return all;
}

}  // namespace cimstat::experiments
