#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/file/json.h"
#include "core/utf8.h"

#include "experiments/counted.h"
#include "experiments/wires/wires_run.h"

namespace cimstat::experiments {

namespace {

using circuits::Pairing;
using circuits::Supply;
using core::Json;
using core::Quantity;

constexpr std::size_t listed_columns = 9;
constexpr std::string_view shades = " .:-=+*#%@";

std::string ohms(double value) { return core::format_quantity(value, Quantity::resistance); }
std::string amperes(double value) { return core::format_quantity(value, Quantity::current); }
std::string percent(double share) { return fmt::format("{:.3g} %", 100.0 * share); }
bool has_pairs(const WiresResult& result) {
  return result.settings.pairing == Pairing::interleaved;
}

std::string_view feeding_line(Supply supply) {
  switch (supply) {
    case Supply::input_line:
      return "input lines";
    case Supply::row_line:
      return "supply lines along the rows";
    case Supply::column_line:
      break;
  }
  return "source lines along the columns";
}

std::string_view origin_text(WireSource source) {
  return source == WireSource::bit_line ? " (of bit_line)" : "";
}

std::string heading(const WiresResult& result) {
  const WiresSettings& settings = result.settings;
  const auto& wires = settings.wires;
  return fmt::format(
      "{}: {} of {} x {}, {}\n"
      "  cells     fed by {} at {}; {} {} in the highest level\n"
      "  wires     {} a cell along {}, {} a {} along bit lines{}, driver {}, sense {}{}\n"
      "{}  step      {} a MAC value\n",
      core::one_line(result.name), counted(settings.arrays, "array"), counted(result.inputs, "row"),
      counted(settings.columns, "column"), counted(settings.active_rows, "active row"),
      feeding_line(settings.supply), core::format_quantity(result.read_voltage, Quantity::voltage),
      percent(settings.highest_share),
      has_pairs(result) ? "of interleaved pairs positive, the negative ones have the other cell"
                        : "of cells",
      ohms(wires.supply_segment), feeding_line(settings.supply), ohms(wires.column_segment),
      has_pairs(result) ? "pair" : "cell", origin_text(settings.column_segment_from),
      ohms(wires.driver), ohms(wires.sense), origin_text(settings.sense_from),
      settings.unused_line.empty()
          ? ""
          : fmt::format("  bit_line  {} plays no part in whole arrays\n", settings.unused_line),
      amperes(result.step));
}

/// The last column first to last where there are more than are listed.
std::set<std::size_t> listed(std::size_t columns, Listing listing) {
  std::set<std::size_t> list;
  const std::size_t count = listing == Listing::all ? columns : std::min(columns, listed_columns);
  for (std::size_t i = 0; i < count; ++i) {
    list.insert(count == 1 ? 0 : i * (columns - 1) / (count - 1));
  }
  return list;
}

std::string drop_text(const WiresResult& result, const ColumnDrop& drop) {
  if (has_pairs(result)) return "-";
  return fmt::format("{:.4g} [{:.4g}, {:.4g}]", 100.0 * drop.drop(),
                     100.0 * (1.0 - drop.mean_interval.upper / drop.ideal_mean),
                     100.0 * (1.0 - drop.mean_interval.lower / drop.ideal_mean));
}

std::string columns_table(const WiresResult& result, Listing listing) {
  const std::set<std::size_t> rows = listed(result.columns.size(), listing);
  std::size_t width = 26;
  for (const std::size_t column : rows) {
    width = std::max(width, drop_text(result, result.columns[column]).size());
  }
  std::string text =
      fmt::format("\n{:>6}  {:>11}  {:>11}  {:<{}} {:>9} {:>8} {:>9}\n", "column", "ideal mean",
                  "with wires", fmt::format("drop % [{:g} % interval]", 100.0 * result.confidence),
                  width, "steps off", "sd", "left over");
  for (const std::size_t column : rows) {
    const ColumnDrop& drop = result.columns[column];
    text += fmt::format("{:>6}  {:>11}  {:>11}  {:<{}} {:>9.3g} {:>8.3g} {:>9.3g}\n", column,
                        amperes(drop.ideal_mean), amperes(drop.mean), drop_text(result, drop),
                        width, drop.error_mean, drop.error_sd, drop.left_over);
  }
  return text;
}

std::string map_text(const WiresResult& result) {
  const DropMap& map = result.map;
  double most = 0.0;
  for (const double lost : map.lost) {
    if (std::isfinite(lost)) most = std::max(most, lost);
  }
  std::string text = fmt::format(
      "\nVoltage that a cell of an active row loses on average, '{}' {:.3g} % to '{}' {}; row {} "
      "below\n",
      shades.front(), 0.0, shades.back(), percent(most), result.inputs - 1);
  for (std::size_t row = 0; row < map.rows; ++row) {
    std::string line;
    for (std::size_t column = 0; column < map.columns; ++column) {
      const double lost = map.lost[row * map.columns + column];
      if (!std::isfinite(lost)) {
        line += '?';
        continue;
      }
      const double position =
          most > 0.0 ? lost / most * static_cast<double>(shades.size() - 1) : 0.0;
      line += shades[static_cast<std::size_t>(std::lround(std::max(position, 0.0)))];
    }
    text +=
        fmt::format("  {}|{}|\n", result.settings.supply == Supply::column_line ? ' ' : '>', line);
  }
  text += fmt::format("   {}\n", std::string(map.columns + 2, 'v'));
  return text;
}

/// How the means come from the arrays.
std::string method_text(const WiresResult& result) {
  if (mean_method(result.settings.arrays) == MeanMethod::paired_difference) {
    return fmt::format(
        "paired difference  {} are too few to fit a control variate ({} do); means are the ideal "
        "one and what\n                   the same cells lose; intervals no narrower than the "
        "common spread of near columns makes them\n",
        counted(result.settings.arrays, "array"), least_fitted_arrays);
  }
  double reduction = 0.0;
  for (const ColumnDrop& drop : result.columns) reduction += drop.variance_reduction;
  reduction /= static_cast<double>(result.columns.size());
  if (reduction <= 1.0) return {};
  return fmt::format(
      "control variate    the exact sum of a column's cells makes an array worth {:.3g}\n",
      reduction);
}

std::string summary(const WiresResult& result) {
  std::string text;
  if (!has_pairs(result)) {
    const auto by_drop = [](const ColumnDrop& a, const ColumnDrop& b) {
      return a.drop() < b.drop();
    };
    const auto [least, most] =
        std::minmax_element(result.columns.begin(), result.columns.end(), by_drop);
    double mean = 0.0;
    for (const ColumnDrop& drop : result.columns) mean += drop.drop();
    text += fmt::format("drop               {} on average; columns from {} to {}\n",
                        percent(mean / static_cast<double>(result.columns.size())),
                        percent(least->drop()), percent(most->drop()));
  }
  text += fmt::format("worst read         {:.3g} steps of a MAC value off\n", result.worst_error);
  text +=
      fmt::format("one gain for all   x {:.5g} leaves {:.3g} steps (rms over columns and arrays)\n",
                  result.gain, result.left_over);
  text += fmt::format("solver             {:.1f} iterations an array, every current to {:g}\n",
                      result.iterations, result.settings.tolerance);
  if (result.negative_cells > 0) {
    text += fmt::format("cells below 0      {} taken as open, in the ideal mean too\n",
                        result.negative_cells);
  }
  return text + method_text(result);
}

std::string_view section_name(WireSource source) {
  return source == WireSource::bit_line ? "bit_line" : "wires";
}

std::string_view estimator_name(MeanMethod method) {
  return method == MeanMethod::fitted_control ? "fitted_control" : "paired_difference";
}

Json json_of(const WiresResult& result, std::size_t column) {
  const ColumnDrop& drop = result.columns[column];
  Json json = {{"column", column},
               {"ideal_mean_A", drop.ideal_mean},
               {"mean_A", {drop.mean, drop.mean_interval.lower, drop.mean_interval.upper}},
               {"variance_reduction", drop.variance_reduction},
               {"greatest_drop_A", drop.greatest_drop},
               {"error_mean_steps", drop.error_mean},
               {"error_sd_steps", drop.error_sd},
               {"left_over_steps", drop.left_over}};
  if (!has_pairs(result)) json["drop"] = drop.drop();
  return json;
}

}  // namespace

std::string wires_as_text(const WiresResult& result, Listing listing) {
  return heading(result) + columns_table(result, listing) +
         "\nideal mean: exact. with wires: over arrays. steps off: real less ideal current of the "
         "same cells, in steps of a MAC\nvalue; sd: over arrays. left over: rms, once all columns "
         "have one common gain.\n" +
         map_text(result) + "\n" + summary(result);
}

std::string wires_as_json(const WiresResult& result) {
  const WiresSettings& settings = result.settings;
  Json columns = Json::array();
  for (std::size_t i = 0; i < result.columns.size(); ++i) columns.push_back(json_of(result, i));
  Json map = Json::array();
  for (std::size_t row = 0; row < result.map.rows; ++row) {
    Json line = Json::array();
    for (std::size_t column = 0; column < result.map.columns; ++column) {
      const double lost = result.map.lost[row * result.map.columns + column];
      line.push_back(std::isfinite(lost) ? Json(lost) : Json(nullptr));
    }
    map.push_back(line);
  }
  return core::json_text({{"name", result.name},
                          {"confidence", result.confidence},
                          {"arrays", settings.arrays},
                          {"rows", result.inputs},
                          {"active_rows", settings.active_rows},
                          {"supply", word_of(settings.supply)},
                          {"interleaved_pairs", has_pairs(result)},
                          {"supply_segment_ohm", settings.wires.supply_segment},
                          {"column_segment_ohm", settings.wires.column_segment},
                          {"column_segment_from", section_name(settings.column_segment_from)},
                          {"driver_ohm", settings.wires.driver},
                          {"sense_ohm", settings.wires.sense},
                          {"sense_from", section_name(settings.sense_from)},
                          {"estimator", estimator_name(mean_method(settings.arrays))},
                          {"step_A", result.step},
                          {"columns", columns},
                          {"gain", result.gain},
                          {"left_over_steps", result.left_over},
                          {"worst_error_steps", result.worst_error},
                          {"voltage_lost", map},
                          {"iterations", result.iterations},
                          {"negative_cells", result.negative_cells}});
}

std::string wires_as_csv(const WiresResult& result) {
  std::string text =
      "column,ideal_mean_A,mean_A,mean_lower_A,mean_upper_A,greatest_drop_A,error_mean_steps,"
      "error_sd_steps,left_over_steps\n";
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    const ColumnDrop& drop = result.columns[i];
    text += fmt::format("{},{},{},{},{},{},{},{},{}\n", i, drop.ideal_mean, drop.mean,
                        drop.mean_interval.lower, drop.mean_interval.upper, drop.greatest_drop,
                        drop.error_mean, drop.error_sd, drop.left_over);
  }
  return text;
}

}  // namespace cimstat::experiments
