#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/random/random.h"

#include "circuits/column.h"
#include "circuits/converters/capacitor_array.h"
#include "circuits/converters/reference_levels.h"
#include "circuits/converters/residue_stages.h"

/// Converters with frozen mismatch, one at a time.
///
/// All positions are in steps of the converter (LSB): reference j = 1 .. N lies at j where the
/// references are evenly spaced, so that code c reaches from c to c + 1. The step is the mean
/// distance of neighbouring references.
namespace cimstat::circuits {

inline constexpr double most_element_sd = 0.15;  ///< draws reach 6.4 standard deviations
inline constexpr double least_radix = 1.2;

/// Whether neighbouring references are equally far apart, to a millionth of a step.
bool evenly_spaced(std::span<const double> references);

/// What is wrong with a converter of this kind and these references, and what would be right;
/// nothing where all is well.
struct CircuitProblem {
  std::string what;
  std::string why;
};
std::optional<CircuitProblem> circuit_problem(const Comparator& comparator,
                                              std::span<const double> references);

class ConverterCircuit {
 public:
  /// `references`: ascending, 2 or more; those of a pipeline evenly spaced. The comparators' noise
  /// is its part that is drawn for each decision. Throws UsageError for fewer.
  ConverterCircuit(const Comparator& comparator, std::span<const double> references);

  std::size_t references() const { return positions_.size(); }
  double step() const { return step_; }  ///< [A]
  double position(double current) const { return 1.0 + (current - origin_) / step_; }
  /// Of each reference, as it should be.
  const std::vector<double>& positions() const { return positions_; }

  /// Standard normal draws that make a converter: its elements first, then its comparators.
  std::size_t frozen_draws() const;
  /// Standard normal draws of a conversion, one for each decision; 0 without noise.
  std::size_t fresh_draws() const;

  /// The values of a converter made of these draws, into `values`.
  void freeze(NormalDraws draws, std::vector<double>& values) const;
  std::vector<double> freeze(std::span<const float> draws) const;

  /// `noise`: fresh_draws() of them.
  std::uint32_t code(std::span<const double> values, double position, NormalDraws noise) const;

  /// The code without noise, from the lowest position up; neighbours differ.
  std::vector<CodePiece> pieces(std::span<const double> values) const;

 private:
  double origin_ = 0.0;  ///< of position 1 [A]
  double step_ = 1.0;
  std::vector<double> positions_;
  std::variant<ReferenceLevels, CapacitorArray, ResidueStages> circuit_;
};

/// The draws of converter `number`: the first `count` words of (key, Domain::converter_mismatch,
/// instance = number), through the same table of the normal law as all samples.
std::vector<float> converter_draws(core::StreamKey key, std::uint64_t number, std::size_t count);

/// The values of converter `number`: a function of (circuit, key, number) alone.
std::vector<double> converter(const ConverterCircuit& circuit, core::StreamKey key,
                              std::uint64_t number);

}  // namespace cimstat::circuits
