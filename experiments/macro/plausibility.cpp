#include "experiments/macro/plausibility.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {

namespace {

using core::Quantity;
using core::SectionReader;

// A filament of one atom conducts 2 e^2 / h = 77.5 uS; 10 mS are over a hundred of them, and
// published RRAM and PCM cells stay below 1 mS.
constexpr double largest_conductance = 10e-3;  // [S]
// Published on/off ratios of RRAM reach 1e3, those of PCM 1e4.
constexpr double largest_ratio = 1e5;
// Published macros sense below 10 mA.
constexpr double largest_current = 1.0;  // [A]
// Published arrays have up to some per cent.
constexpr double most_stuck = 0.05;

/// The key that gives the magnitude of a conductance law.
std::string place_of_magnitude(const SectionReader& law) {
  constexpr std::array keys = {"mean",           "median", "value", "values", "median_resistance",
                               "mean_resistance"};
  for (const char* key : keys) {
    if (law.has(key)) return law.place(key);
  }
  return law.place("");
}

void doubt_conductances(const SectionReader& cell, const devices::RramCell& rram,
                        std::vector<std::string>& lines) {
  const core::Law on({{.base = rram.lrs}});
  const double lrs = on.mean();
  const double hrs = core::Law({{.base = rram.hrs}}).mean();
  for (const auto& [name, mean] : {std::pair("lrs", lrs), std::pair("hrs", hrs)}) {
    if (mean <= largest_conductance) continue;
    lines.push_back(
        core::error_line(place_of_magnitude(cell.section(name)),
                         fmt::format("makes a mean conductance of {} ({})",
                                     core::format_quantity(mean, Quantity::conductance),
                                     core::format_quantity(1.0 / mean, Quantity::resistance)),
                         {}, "check its unit: plain numbers are S and ohm"));
    return;  // the ratio would only say the same again
  }
  if (hrs > 0.0 && lrs > largest_ratio * hrs) {
    lines.push_back(
        core::error_line(place_of_magnitude(cell.section("hrs")),
                         fmt::format("makes an on/off ratio of {:.3g}", lrs / hrs), {},
                         "check the units of lrs and hrs: plain numbers are S and ohm"));
  }
  if (on.sd() > lrs) {
    lines.push_back(
        core::error_line(cell.place("lrs"),
                         fmt::format("spreads wider ({}) than its mean ({})",
                                     core::format_quantity(on.sd(), Quantity::conductance),
                                     core::format_quantity(lrs, Quantity::conductance)),
                         {}, "check the units of its spread"));
  }
}

void doubt_stuck_cells(const SectionReader& cell, const devices::RramCell& rram,
                       std::vector<std::string>& lines) {
  const double stuck = rram.stuck_at_lrs + rram.stuck_at_hrs;
  if (stuck <= most_stuck) return;
  const char* key = rram.stuck_at_lrs > rram.stuck_at_hrs ? "stuck_at_lrs" : "stuck_at_hrs";
  lines.push_back(core::error_line(cell.place(key),
                                   fmt::format("{:.3g} % of the cells are stuck", 100.0 * stuck),
                                   {}, "write 0.01 for one in a hundred, if that was meant"));
}

}  // namespace

std::vector<std::string> implausible_magnitudes(const SectionReader& root, const Macro& macro) {
  std::vector<std::string> lines;
  const SectionReader cell = root.section("cell");
  // Presets of the other models are published, and their levels checked against them.
  if (const auto* rram = std::get_if<devices::RramCell>(&macro.cell)) {
    doubt_conductances(cell, *rram, lines);
    doubt_stuck_cells(cell, *rram, lines);
  }
  const double current = macro.design.rows * macro.design.lrs.mean();
  if (lines.empty() && current > largest_current) {
    lines.push_back(
        core::error_line(root.section("column").place("read_voltage"),
                         fmt::format("makes a column current of {} with all rows in LRS",
                                     core::format_quantity(current, Quantity::current)),
                         {}, "check the units of voltage and conductance"));
  }
  return lines;
}

}  // namespace cimstat::experiments
