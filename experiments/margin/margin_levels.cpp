#include "experiments/margin/margin_levels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/sensed_reading.h"
#include "circuits/weights/row_classes.h"

namespace cimstat::experiments {

using circuits::ColumnClass;
using circuits::ColumnDesign;

std::vector<MarginLevel> margin_levels(const ColumnDesign& design, std::uint32_t active_rows,
                                       std::string_view key) {
  if (!design.row_states.empty() && active_rows > circuits::typical_row_limit) {
    throw core::UsageError(core::error_line(
        key, fmt::format("{} active rows of more than two states", active_rows),
        fmt::format("typical classes are found for up to {}", circuits::typical_row_limit),
        "choose a smaller number"));
  }
  const std::uint32_t list[] = {active_rows};
  const std::vector<ColumnClass> classes =
      circuits::classes_of(design, list, circuits::Compositions::typical);
  const std::vector<double> weights = circuits::composition_weights(design, classes);
  std::vector<MarginLevel> levels;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    levels.push_back({circuits::mac_value(design, classes[i]), classes[i], weights[i]});
  }
  return levels;
}

void require_margins(const ColumnDesign& design) {
  if (!design.row_states.is_digital()) return;
  throw core::UsageError(core::error_line(
      "mapping.subtraction", "two columns whose codes are subtracted have no margin together",
      "margins are distances of what one converter sees",
      "ask for those of one column with weights = \"single\", or use cimstat table"));
}

double sensed_sd(const ColumnDesign& design, ColumnClass column_class) {
  return circuits::first_order_sd(design, column_class);
}

StatePatterns::StatePatterns(const ColumnDesign& design, std::uint32_t most_rows, double sigmas)
    : design_(design),
      sigmas_(sigmas),
      grid_(design.row_states, most_rows),
      range_(design.row_states, most_rows) {}

void StatePatterns::include(std::uint32_t active_rows) {
  // What the unselected rows conduct.
  const ColumnClass idle{.lrs_count = 0, .active_rows = active_rows};
  const double idle_mean = mean_current(design_, idle);
  double idle_variance = 0.0;
  for (const std::uint32_t cell : design_.row_states.idle) {
    idle_variance += (design_.rows - active_rows) * design_.row_states.laws[cell].variance();
  }
  const auto curve = circuits::curve_of(design_.bit_line);
  const auto reading = [&](double sum) { return curve ? (*curve)(sum) : sum; };
  const auto slope = [&](double sum) { return curve ? curve->slope(sum) : 1.0; };
  const circuits::SenseAmplifier& sense = design_.sense;
  const double factor = design_.common_factor_sd * design_.common_factor_sd;
  for (std::size_t index = 0; index < grid_.values; ++index) {
    const std::int64_t value = grid_.value(index);
    const auto range = range_(active_rows, value);
    if (!range) continue;
    const double low = idle_mean + range->least_mean;
    const double high = idle_mean + range->most_mean;
    const double cells = (1.0 + factor) * (range->most_variance + idle_variance) +
                         factor * std::max(low * low, high * high);
    const double steepest = std::max(slope(low), slope(high));
    const double level = std::max(0.0, 1.0 + reading(high) / sense.noise_knee);
    const double sd = std::sqrt(steepest * steepest * cells + sense.offset_sd * sense.offset_sd +
                                sense.noise_sd * sense.noise_sd * level);
    const Edges edges{reading(low) - sigmas_ * sd, reading(high) + sigmas_ * sd};
    const auto [place, is_new] = edges_.try_emplace(value, edges);
    if (is_new) continue;
    place->second.least = std::min(place->second.least, edges.least);
    place->second.most = std::max(place->second.most, edges.most);
  }
}

double StatePatterns::margin(std::int64_t value, std::int64_t next) const {
  const auto below = edges_.find(value);
  const auto above = edges_.find(next);
  if (below == edges_.end() || above == edges_.end()) {
    return std::numeric_limits<double>::infinity();
  }
  return above->second.least - below->second.most;
}

}  // namespace cimstat::experiments
