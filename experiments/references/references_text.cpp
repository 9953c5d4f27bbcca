#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/file/json.h"

#include "experiments/counted.h"
#include "experiments/references/placed_references.h"

namespace cimstat::experiments {

namespace {

using core::Json;

std::string amperes(double current) {
  return core::format_quantity(current, core::Quantity::current, 5);
}

std::string misread_text(const circuits::ReadingCost& cost) {
  return cost.misread > cost.misread_bound
             ? fmt::format("{:.4g}", cost.misread)
             : fmt::format("< {}", core::bound_text(cost.misread_bound));
}

/// "-12.3 %", or nothing where there is nothing to compare.
std::string change(double before, double after) {
  if (!(before > 0.0)) return "-";
  const double percent = std::round(1000.0 * (after / before - 1.0)) / 10.0 + 0.0;  // no -0.0
  return percent < 999.5 ? fmt::format("{:+.1f} %", percent)
                         : fmt::format("x {:.4g}", after / before);
}

std::string misread_change(const circuits::ReadingCost& before,
                           const circuits::ReadingCost& after) {
  const bool seen = before.misread > before.misread_bound && after.misread > after.misread_bound;
  return seen ? change(before.misread, after.misread) : "-";
}

/// The number of active rows whose references stand for all: that of the most weight.
std::uint32_t shown_rows(const ReferenceResult& result) {
  std::vector<double> weights;
  for (const circuits::WeightedClass& item : result.classes) {
    const std::uint32_t n = item.column_class.active_rows;
    if (n >= weights.size()) weights.resize(n + 1);
    weights[n] += item.weight;
  }
  return static_cast<std::uint32_t>(std::max_element(weights.begin(), weights.end()) -
                                    weights.begin());
}

std::string line_of(const PlacedReferences& item, const std::string& misread_changed,
                    const std::string& squared_changed) {
  return fmt::format("  {:<18} {:>5} {:>11} {:>11}  {:>11} {:>11}\n", item.name, item.ladder.codes,
                     misread_text(item.cost), misread_changed,
                     fmt::format("{:.4g}", item.cost.squared), squared_changed);
}

std::string ladder_text(const ReferenceResult& result) {
  const PlacedReferences& chosen = result.found[result.chosen];
  const circuits::Ladder& before = result.before.ladder;
  const std::uint32_t n = shown_rows(result);
  const auto after = chosen.ladder.at(n);
  const bool same_codes = before.codes == chosen.ladder.codes;
  std::string text = fmt::format("\n{}", chosen.name);
  if (chosen.ladder.follows_active_rows) {
    text += fmt::format(", at {} (it has references for each number)", counted(n, "active row"));
  }
  text += fmt::format(":\n  {:>11}  {:>17}  {:>11}", "codes", "stand for", "reference");
  text += same_codes ? fmt::format(" {:>11}  {:>8}\n", "was", "moved by") : "\n";
  std::uint32_t most = 0;  // MAC value
  for (const circuits::WeightedClass& item : result.classes) {
    if (!chosen.ladder.follows_active_rows || item.column_class.active_rows == n) {
      most = std::max(most, item.column_class.lrs_count);
    }
  }
  // Beyond the code of the highest MAC value nothing was placed.
  const std::uint32_t shown = std::min(chosen.ladder.ideal_code(most) + 1, chosen.ladder.codes - 1);
  for (std::uint32_t c = 0; c < shown; ++c) {
    text += fmt::format("  {:>11}  {:>17}  {:>11}", fmt::format("{} | {}", c, c + 1),
                        fmt::format("{:.5g} | {:.5g}", chosen.value(c), chosen.value(c + 1)),
                        amperes(after[c]));
    if (same_codes) {
      const double was = before.at(n)[c];
      text +=
          fmt::format(" {:>11}  {:>8}", amperes(was),
                      was != 0.0 ? fmt::format("{:+.2f} %", 100.0 * (after[c] / was - 1.0)) : "-");
    }
    text += '\n';
  }
  if (shown + 1 < chosen.ladder.codes) {
    text += fmt::format("  {} more above\n", chosen.ladder.codes - 1 - shown);
  }
  return text;
}

Json references_json(const PlacedReferences& item) {
  Json runs = Json::array();
  const circuits::Ladder& ladder = item.ladder;
  const std::size_t run = ladder.codes - 1;
  for (std::size_t first = 0; first < ladder.references.size(); first += run) {
    runs.push_back(
        std::vector<double>(ladder.references.begin() + static_cast<std::ptrdiff_t>(first),
                            ladder.references.begin() + static_cast<std::ptrdiff_t>(first + run)));
  }
  std::vector<double> values;
  for (std::uint32_t code = 0; code < ladder.codes; ++code) values.push_back(item.value(code));
  return {{"name", item.name},
          {"codes", ladder.codes},
          {"mac_values", values},
          {"follow_active_rows", ladder.follows_active_rows},
          {"references_A", ladder.follows_active_rows ? runs : runs.front()},
          {"misread", item.cost.misread},
          {"misread_error_bound", item.cost.misread_bound},
          {"mean_square_error", item.cost.squared},
          {"fits_a_table", item.fits_a_table()}};
}

}  // namespace

std::string references_as_text(const Experiment& experiment, const ReferenceResult& result) {
  std::string text = fmt::format(
      "{}: references for {} ({})\n\n"
      "  {:<18} {:>5} {:>11} {:>11}  {:>11} {:>11}\n",
      experiment.name, result.classes_text, counted(result.classes.size(), "class", "classes"),
      "criterion", "codes", "misread", "change", "mean sq.", "change");
  const circuits::ReadingCost& before = result.before.cost;
  text += line_of(result.before, {}, {});
  for (const PlacedReferences& item : result.found) {
    text +=
        line_of(item, misread_change(before, item.cost), change(before.squared, item.cost.squared));
  }
  text +=
      "Misread: probability that the code is not the one that stands for the MAC value best. Mean "
      "sq.: mean square\nof the MAC value that the code stands for minus the MAC value. Changes "
      "are to the first line.\n";
  for (const PlacedReferences& item : result.found) {
    if (item.fits_a_table()) continue;
    text +=
        "Codes of lloyd_max and lloyd_max_current stand for unevenly spaced values: a table "
        "can't hold them.\n";
    break;
  }
  return text + ladder_text(result);
}

std::string references_as_json(const Experiment& experiment, const ReferenceResult& result) {
  Json found = Json::array();
  for (const PlacedReferences& item : result.found) found.push_back(references_json(item));
  return core::json_text(
      {{"name", experiment.name},
       {"classes", {{"text", result.classes_text}, {"count", result.classes.size()}}},
       {"before", references_json(result.before)},
       {"criteria", found},
       {"chosen", result.found[result.chosen].name}});
}

}  // namespace cimstat::experiments
