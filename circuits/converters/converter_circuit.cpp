#include "circuits/converters/converter_circuit.h"

#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "core/law/quantile_table.h"
#include "core/law/shape.h"

namespace cimstat::circuits {
namespace {

const core::QuantileTable& normal_table() {
  static const core::QuantileTable table(
      [](core::Tail side, double p) { return core::normal_quantile(side, p); }, 1.0);
  return table;
}

using Circuit = std::variant<ReferenceLevels, CapacitorArray, ResidueStages>;

Circuit circuit_of(const Comparator& comparator, const std::vector<double>& positions,
                   double step) {
  const ConverterMismatch& mismatch = comparator.mismatch;
  const double offset_sd = mismatch.offset_sd / step;
  const double noise_sd = comparator.decision_sd() / step;
  switch (comparator.kind) {
    case ConverterKind::flash:
    case ConverterKind::flash_lowest_zero:
    case ConverterKind::ramp:
      break;
    case ConverterKind::sar:
      return CapacitorArray(positions, {.capacitor_sd = mismatch.element_sd,
                                        .offset_sd = offset_sd,
                                        .noise_sd = noise_sd,
                                        .split_bits = mismatch.split_bits,
                                        .radix = mismatch.radix});
    case ConverterKind::pipeline:
    case ConverterKind::cyclic:
      return ResidueStages(static_cast<std::uint32_t>(positions.size()),
                           {.capacitor_sd = mismatch.element_sd,
                            .offset_sd = offset_sd,
                            .noise_sd = noise_sd,
                            .amplifier_gain = mismatch.amplifier_gain,
                            .same_stage = comparator.kind == ConverterKind::cyclic});
  }
  return ReferenceLevels(comparator.kind, positions, mismatch.element_sd, offset_sd, noise_sd);
}

double step_of(std::span<const double> references) {
  if (references.size() < 2) {
    throw core::UsageError(core::error_line(
        "converter", fmt::format("a converter of {} codes has no step", references.size() + 1),
        "its mismatch is relative to the distance of its references", "give it 3 codes or more"));
  }
  return (references.back() - references.front()) / static_cast<double>(references.size() - 1);
}

constexpr double even_spacing = 1e-6;  // [steps]

std::vector<double> positions_of(std::span<const double> references, double step) {
  std::vector<double> positions;
  for (std::size_t j = 0; j < references.size(); ++j) {
    // Even references lie at whole positions, without roundings of their own.
    const double even = static_cast<double>(j + 1);
    const double position = 1.0 + (references[j] - references.front()) / step;
    positions.push_back(std::abs(position - even) < even_spacing ? even : position);
  }
  return positions;
}

}  // namespace

bool evenly_spaced(std::span<const double> references) {
  if (references.size() < 2) return true;
  const std::vector<double> positions = positions_of(references, step_of(references));
  for (std::size_t j = 0; j < positions.size(); ++j) {
    if (positions[j] != static_cast<double>(j + 1)) return false;
  }
  return true;
}

std::optional<CircuitProblem> circuit_problem(const Comparator& comparator,
                                              std::span<const double> references) {
  const ConverterMismatch& mismatch = comparator.mismatch;
  const bool stages =
      comparator.kind == ConverterKind::pipeline || comparator.kind == ConverterKind::cyclic;
  const bool sar = comparator.kind == ConverterKind::sar;
  for (const double sd : {mismatch.offset_sd, mismatch.element_sd}) {
    if (!(sd >= 0.0) || !std::isfinite(sd)) {
      return CircuitProblem{fmt::format("a mismatch of {:g}", sd), "0 or more"};
    }
  }
  if (mismatch.element_sd > most_element_sd) {
    return CircuitProblem{fmt::format("elements that differ by {:g}", mismatch.element_sd),
                          fmt::format("{:g} at the most: they stay above 0", most_element_sd)};
  }
  if (!(mismatch.radix >= least_radix && mismatch.radix <= 2.0)) {
    return CircuitProblem{fmt::format("a radix of {:g}", mismatch.radix),
                          fmt::format("{:g} to 2", least_radix)};
  }
  if (!(mismatch.amplifier_gain >= 1.0)) {
    return CircuitProblem{fmt::format("an amplifier gain of {:g}", mismatch.amplifier_gain),
                          "1 or more"};
  }
  if (!sar && (mismatch.split_bits > 0 || mismatch.radix < 2.0)) {
    return CircuitProblem{"a capacitor array", "only a sar has one"};
  }
  if (!stages && std::isfinite(mismatch.amplifier_gain)) {
    return CircuitProblem{"amplifiers", "only pipeline and cyclic have them"};
  }
  if (mismatch.split_bits > 0 && mismatch.radix < 2.0) {
    return CircuitProblem{"a split array with overlapping weights", "radix 2 where it is split"};
  }
  const auto bits = static_cast<std::uint32_t>(std::bit_width(references.size()));
  if (mismatch.split_bits >= bits && mismatch.split_bits > 0) {
    return CircuitProblem{fmt::format("{} of {} bits behind a bridge", mismatch.split_bits, bits),
                          "one at least stays before it"};
  }
  const bool by_elements = mismatch.element_sd > 0.0 || stages || mismatch.radix < 2.0;
  if (by_elements && references.size() < 2) {
    return CircuitProblem{fmt::format("{} codes", references.size() + 1),
                          "3 or more: one reference has no step to relate mismatch to"};
  }
  if (by_elements && (sar || stages) && !evenly_spaced(references)) {
    return CircuitProblem{"unevenly spaced references",
                          "capacitor arrays and doubling stages make even ones"};
  }
  return std::nullopt;
}

ConverterCircuit::ConverterCircuit(const Comparator& comparator, std::span<const double> references)
    : origin_(references.empty() ? 0.0 : references.front()),
      step_(step_of(references)),
      positions_(positions_of(references, step_)),
      circuit_(circuit_of(comparator, positions_, step_)) {}

std::size_t ConverterCircuit::frozen_draws() const {
  return std::visit([](const auto& circuit) { return circuit.frozen_draws(); }, circuit_);
}

std::size_t ConverterCircuit::fresh_draws() const {
  return std::visit([](const auto& circuit) { return circuit.fresh_draws(); }, circuit_);
}

void ConverterCircuit::freeze(NormalDraws draws, std::vector<double>& values) const {
  std::visit([&](const auto& circuit) { circuit.freeze(draws, values); }, circuit_);
}

std::vector<double> ConverterCircuit::freeze(std::span<const float> draws) const {
  std::vector<double> values;
  freeze(NormalDraws{draws.data()}, values);
  return values;
}

std::uint32_t ConverterCircuit::code(std::span<const double> values, double position,
                                     NormalDraws noise) const {
  return std::visit([&](const auto& circuit) { return circuit.code(values, position, noise); },
                    circuit_);
}

std::vector<CodePiece> ConverterCircuit::pieces(std::span<const double> values) const {
  return std::visit([&](const auto& circuit) { return circuit.pieces(values); }, circuit_);
}

std::vector<float> converter_draws(core::StreamKey key, std::uint64_t number, std::size_t count) {
  core::TrialRandom words(key, core::Domain::converter_mismatch, number);
  std::vector<float> draws;
  for (std::size_t i = 0; i < count; ++i) draws.push_back(normal_table()(words()));
  return draws;
}

std::vector<double> converter(const ConverterCircuit& circuit, core::StreamKey key,
                              std::uint64_t number) {
  return circuit.freeze(converter_draws(key, number, circuit.frozen_draws()));
}

}  // namespace cimstat::circuits
