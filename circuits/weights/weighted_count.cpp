#include "circuits/weights/weighted_count.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/line_reading.h"
#include "circuits/bit_line/noiseless_reading.h"

namespace cimstat::circuits {
namespace {

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding
constexpr double negligible = 0x1p-64;

/// What a column without its noise delivers, and how far rounding may have moved it.
struct Reading {
  double value = 0.0;
  double rounding = 0.0;
};

Reading reading_of(const ColumnDesign& design, std::uint32_t span, WeightedCount count) {
  const auto m = static_cast<double>(count.value);
  const auto full = static_cast<double>(span);
  const auto plain = [](double value) { return Reading{value, 64.0 * unit * std::abs(value)}; };
  if (const auto* asim = std::get_if<AsimNoise>(&design.bit_line)) {
    return plain(asim->full_scale * m / (design.rows * full));
  }
  if (const auto* sharing = std::get_if<ChargeSharing>(&design.bit_line)) {
    const double total = total_capacitance(design);
    return plain((1.0 + sharing->injected_fraction) * sharing->supply *
                     (m * design.lrs.mean() / full) / total +
                 sharing->injected_charge / total);
  }
  const double off = count.levels - m;
  const double lrs = m * design.lrs.mean() / full;
  const double hrs = off * design.hrs.mean() / full;
  const double dummy = design.dummy ? count.levels * design.dummy->mean() / full : 0.0;
  const double sum = lrs + hrs - dummy;
  if (const auto curve = curve_of(design.bit_line)) return plain((*curve)(sum));
  return {sum, 64.0 * unit * (std::abs(lrs) + std::abs(hrs) + std::abs(dummy))};
}

AddedNoise noise_of(const ColumnDesign& design, std::uint32_t span, std::int64_t value,
                    double reading) {
  double own = 0.0;
  if (const auto* asim = std::get_if<AsimNoise>(&design.bit_line)) {
    own = asim->full_scale * asim->random;
    if (asim->mismatch > 0.0) {
      const double rows = static_cast<double>(value) / span;
      own = asim->full_scale * std::hypot(asim->random, asim->mismatch / std::sqrt(rows + 1.0));
    }
  } else {
    own = line_noise_sd(design, {});
  }
  const SenseAmplifier& sense = design.sense;
  const double sd = sense.noise_sd * std::sqrt(std::max(0.0, 1.0 + reading / sense.noise_knee));
  AddedNoise noise{std::hypot(sense.offset_sd, own), 0.0};
  if (sense.noise_shape == NoiseShape::logistic) {
    noise.logistic_scale = sd * std::numbers::sqrt3 * std::numbers::inv_pi;
  } else {
    noise.gaussian_sd = std::hypot(noise.gaussian_sd, sd);
  }
  return noise;
}

std::size_t at_or_below(std::span<const double> references, double x) {
  return static_cast<std::size_t>(std::upper_bound(references.begin(), references.end(), x) -
                                  references.begin());
}

bool varies(const std::optional<core::Law>& law) { return law && law->sd() > 0.0; }

bool holds_charge(const ColumnDesign& design) {
  return std::holds_alternative<AsimNoise>(design.bit_line) ||
         std::holds_alternative<ChargeSharing>(design.bit_line);
}

/// Of what the cells add; what could be done but for `otherwise`.
std::optional<CountObstacle> cell_obstacle(const ColumnDesign& design) {
  if (std::holds_alternative<AsimNoise>(design.bit_line)) return std::nullopt;
  if (varies(design.lrs) || varies(design.hrs) || varies(design.dummy)) {
    return CountObstacle{
        "cells vary: how a count is made up of rows at each level decides its spread",
        "use cells without spread, as charge-domain columns have them, or"};
  }
  if (std::holds_alternative<WireResistance>(design.bit_line)) {
    return CountObstacle{"the current of a resistive bit line depends on where its cells are",
                         "use another bit_line.kind, or"};
  }
  if (design.leakage && !holds_charge(design)) {
    return CountObstacle{"unselected rows leak, whose number a count doesn't tell",
                         "leave column.leakage out, or use"};
  }
  return std::nullopt;
}

/// Of sums with a sign.
std::optional<CountObstacle> sign_obstacle(const ColumnDesign& design) {
  if (!holds_charge(design)) {
    return CountObstacle{
        "a cell's current has one sign",
        "use a column whose cells charge it up or down (bit_line.kind = \"asim\" or "
        "\"charge_sharing\"), or"};
  }
  const auto* asim = std::get_if<AsimNoise>(&design.bit_line);
  if (asim != nullptr && asim->mismatch > 0.0) {
    return CountObstacle{"noise that falls with rows in LRS knows no sums with a sign",
                         "leave bit_line.mismatch_noise out, or use"};
  }
  return std::nullopt;
}

/// Of what reads them.
std::optional<CountObstacle> reading_obstacle(const ColumnDesign& design) {
  if (design.ladder.follows_active_rows) {
    return CountObstacle{"references follow the number of active rows, not their levels",
                         "choose other converter.references, or"};
  }
  if (design.comparator.noise_sd > 0.0) {
    return CountObstacle{"comparators have noise of their own at each decision",
                         "leave converter.comparator_noise out, or use"};
  }
  if (has_mismatch(design.comparator)) {
    return CountObstacle{"converters have mismatch",
                         "leave out what [converter] says of it, or use"};
  }
  if (design.common_factor_sd > 0.0 || design.sense.gain_sd > 0.0) {
    return CountObstacle{"currents have a common factor",
                         "leave out column.common_factor_sd and the gain, or use"};
  }
  const SenseAmplifier& sense = design.sense;
  if (sense.noise_shape == NoiseShape::logistic && sense.noise_sd > 0.0 &&
      noise_of(design, 1, 0, 0.0).gaussian_sd > 0.0) {
    return CountObstacle{"logistic noise and a normal offset or noise add up",
                         "make the noise Gaussian, or use"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<CountObstacle> weighted_count_obstacle(const ColumnDesign& design, CellValues cells,
                                                     std::string_view otherwise) {
  if (!design.row_states.empty()) {
    return CountObstacle{"rows of this column have states of their own", "leave [mapping] out"};
  }
  std::optional<CountObstacle> obstacle = cell_obstacle(design);
  if (!obstacle && cells == CellValues::signed_levels) obstacle = sign_obstacle(design);
  if (!obstacle) obstacle = reading_obstacle(design);
  if (!obstacle) return std::nullopt;
  obstacle->remedy += fmt::format(" {}", otherwise);
  return obstacle;
}

bool needs_levels(const ColumnDesign& design) {
  return !holds_charge(design) && (design.hrs.mean() != 0.0 || design.dummy.has_value());
}

CodeWindow weighted_count_law(const ColumnDesign& design, std::uint32_t span, WeightedCount count,
                              const TieRule& rule) {
  const Reading reading = reading_of(design, span, count);
  const AddedNoise noise = noise_of(design, span, count.value, reading.value);
  const std::span<const double> references = design.ladder.at(0);
  if (noise.sd() == 0.0) {
    std::size_t code = at_or_below(references, reading.value + reading.rounding);
    const bool is_odd = (code - rule.zero_code) % 2 != 0;
    if (rule.ties == Ties::even && is_odd &&
        at_or_below(references, reading.value - reading.rounding) < code) {
      --code;
    }
    return {static_cast<std::uint32_t>(code), {1.0}};
  }
  const double reach = noise.reach();
  const auto first = static_cast<std::size_t>(
      std::lower_bound(references.begin(), references.end(), reading.value - reach) -
      references.begin());
  const std::size_t end = at_or_below(references, reading.value + reach);
  const std::size_t centre = at_or_below(references, reading.value);
  const auto tail = [&](core::Tail side, std::size_t reference) {
    return noise.tail(side, references[reference] - reading.value);
  };
  CodeWindow window{static_cast<std::uint32_t>(first), {}};
  // From tails of the nearer side, so that rare codes keep their digits.
  for (std::size_t code = first; code <= end; ++code) {
    const bool lowest = code == first;
    const bool highest = code == end;
    double probability = 1.0;
    if (code < centre) {
      probability =
          tail(core::Tail::lower, code) - (lowest ? 0.0 : tail(core::Tail::lower, code - 1));
    } else if (code > centre) {
      probability =
          tail(core::Tail::upper, code - 1) - (highest ? 0.0 : tail(core::Tail::upper, code));
    } else {
      probability = 1.0 - (lowest ? 0.0 : tail(core::Tail::lower, code - 1)) -
                    (highest ? 0.0 : tail(core::Tail::upper, code));
    }
    window.probability.push_back(std::max(probability, 0.0));
  }
  std::vector<double>& law = window.probability;
  while (law.size() > 1 && law.back() < negligible) law.pop_back();
  const auto kept =
      std::find_if(law.begin(), law.end() - 1, [](double p) { return p >= negligible; });
  window.first += static_cast<std::uint32_t>(kept - law.begin());
  law.erase(law.begin(), kept);
  return window;
}

std::uint32_t ideal_weighted_code(const Ladder& ladder, std::uint32_t span, std::uint32_t value,
                                  Ties ties) {
  constexpr double slack = 1e-9;  // whole positions are met to roundings only
  const double rows = value / static_cast<double>(span);
  const double position = (rows - ladder.code_origin) / ladder.code_step;
  double code = ladder.rounding == Rounding::down ? std::floor(position + slack)
                                                  : std::ceil(position - 0.5 - slack);
  const bool ties_up =
      ladder.rounding == Rounding::nearest && ties == Ties::even && std::fmod(code, 2.0) != 0.0;
  if (ties_up) code = std::floor(position + 0.5 + slack);
  return static_cast<std::uint32_t>(std::clamp(code, 0.0, static_cast<double>(ladder.codes - 1)));
}

}  // namespace cimstat::circuits
