#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/inference/chip_cells.h"

namespace cimstat::experiments {
namespace {

[[noreturn]] void refuse(const std::string& why, const std::string& remedy) {
  throw core::UsageError(
      core::error_line("accuracy.noise", "\"frozen\" can't do this column", why, remedy));
}

/// Says why no chip can be made of the design, with what a table can do in its stead.
void require_chip(const circuits::ColumnDesign& design) {
  circuits::require_binary(design, "a network's accuracy");
  if (!circuits::is_ideal(design.bit_line)) {
    refuse(fmt::format("its bit line ({}) delivers more than a sum",
                       circuits::name_of(design.bit_line)),
           "write noise = \"table\", or leave out [bit_line]");
  }
  if (design.comparator.noise_sd > 0.0) {
    refuse("its comparators have noise of their own at each decision",
           "write noise = \"table\", or leave out converter.comparator_noise");
  }
  if (circuits::has_mismatch(design.comparator) && design.ladder.follows_active_rows) {
    refuse("its converters differ, and their references follow the number of active rows",
           "write noise = \"table\", or take references that all numbers of active rows "
           "share");
  }
}

/// Frozen apart from the relative noise of a read.
ChipDesign::Current current_of(const core::Law& law, double unit) {
  std::vector<core::Component> components = law.components();
  const double noise = components.front().relative_noise;
  for (core::Component& component : components) {
    if (component.relative_noise != noise) {
      refuse("the relative read noise of its cells depends on the conductance",
             "write noise = \"table\", or take a cell model with one relative read noise");
    }
    component.relative_noise = 0.0;
  }
  const core::Law frozen(std::move(components));
  ChipDesign::Current current;
  current.relative_noise = static_cast<float>(noise);
  current.constant = static_cast<float>(frozen.mean() / unit);
  if (frozen.variance() > 0.0) current.table.emplace(frozen, unit);
  return current;
}

double standard_logistic_quantile(core::Tail side, double probability) {
  const double value =
      std::numbers::sqrt3 / std::numbers::pi * (std::log(probability) - std::log1p(-probability));
  return side == core::Tail::lower ? value : -value;
}

ChipLadder ladder_of(std::span<const double> references, double unit) {
  std::vector<float> floats;
  for (const double reference : references) floats.push_back(static_cast<float>(reference / unit));
  ChipLadder ladder;
  ladder.search = circuits::CodeSearch(floats);
  ladder.last = static_cast<float>(floats.size());
  if (floats.size() < 2 || !circuits::evenly_spaced(references)) return ladder;
  const double step =
      (references.back() - references.front()) / static_cast<double>(references.size() - 1) / unit;
  ladder.low = floats.front();
  ladder.scale = static_cast<float>(1.0 / step);
  ladder.is_even = step > 0.0 && std::isfinite(ladder.scale);
  return ladder;
}

}  // namespace

ChipDesign::ChipDesign(const circuits::ColumnDesign& design)
    : rows(design.rows),
      codes(design.ladder.codes),
      code_step(design.ladder.code_step),
      code_origin(design.ladder.code_origin) {
  require_chip(design);
  if (design.lrs.mean() > 0.0) unit = design.lrs.mean();
  lrs = current_of(design.lrs, unit);
  hrs = current_of(design.hrs, unit);
  if (design.leakage) leakage = current_of(*design.leakage, unit);
  if (design.dummy) dummy = current_of(*design.dummy, unit);
  has_read_noise = lrs.relative_noise > 0.0f || hrs.relative_noise > 0.0f ||
                   (leakage && leakage->relative_noise > 0.0f) ||
                   (dummy && dummy->relative_noise > 0.0f);

  const circuits::SenseAmplifier& sense = design.sense;
  offset_sd = static_cast<float>(sense.offset_sd / unit);
  noise_sd = static_cast<float>(sense.noise_sd / unit);
  per_knee = static_cast<float>(unit / sense.noise_knee);
  factor_sd = static_cast<float>(design.common_factor_sd);
  own_gain = sense.gain_sd > 0.0;
  normal = core::QuantileTable(core::Law::normal(0.0, 1.0), 1.0);
  if (sense.noise_shape == circuits::NoiseShape::logistic && noise_sd > 0.0f) {
    logistic.emplace(standard_logistic_quantile, 1.0);
  }

  const circuits::Ladder& ladder = design.ladder;
  const std::uint32_t last = ladder.follows_active_rows ? design.rows : 0;
  for (std::uint32_t n = 0; n <= last; ++n) ladders.push_back(ladder_of(ladder.at(n), unit));
  if (circuits::has_mismatch(design.comparator)) {
    const std::span<const double> references = ladder.at(0);
    converter.emplace(design.comparator, references);
    first_reference = static_cast<float>(references.front() / unit);
    reference_step = static_cast<float>(converter->step() / unit);
    columns_per_converter = design.comparator.mismatch.columns_per_converter;
  }
}

std::uint32_t ConverterCurve::operator()(float current) const {
  const auto above = std::upper_bound(from.begin() + 1, from.end(), current);
  return code[static_cast<std::size_t>(above - from.begin()) - 1];
}

}  // namespace cimstat::experiments
