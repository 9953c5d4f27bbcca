#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/law/characteristic.h"
#include "core/law/law.h"
#include "core/law/split_law.h"

#include "circuits/exact/closed_part.h"
#include "circuits/exact/sum_noise.h"

namespace cimstat::circuits {

/// Sums whose characteristic function falls too slowly to be inverted as it is. Without the cases
/// in which all cells sit at atoms it falls as fast as that of one cell; without those in which all
/// but one do, as fast as that of two, which without noise is the square of what a truncated law
/// has. What is taken away has a closed form.
class SplitSums {
 public:
  enum class Removed { atoms, atoms_and_single_cells };

  SplitSums(const std::vector<core::Law>& laws, const SumNoise& noise);

  /// The closed part of a class and the probability that it leaves out; nothing where it would be
  /// too long.
  struct Closed {
    std::shared_ptr<const ClosedPart> part;
    double dropped = 0.0;
  };
  std::optional<Closed> closed(std::span<const std::uint32_t> counts, Removed removed,
                               double negligible) const;

  struct Cutoff {
    double frequency = 0.0;
    double error = 0.0;  ///< of what is left out, in units of probability
  };
  /// The lowest frequency on the grid 2^(i/8) from `start` on beyond which the series of step
  /// `step` for the rest of a class holds less than `error`; nothing where there is none up to
  /// `highest`.
  std::optional<Cutoff> cutoff(std::span<const std::uint32_t> counts, Removed removed, double step,
                               double start, double highest, double error) const;

  /// The parts of the laws' transforms at (k + 1/2) step, each law centred at its mean.
  struct Table {
    struct Entry {
      std::vector<std::complex<double>> atoms;
      std::vector<std::complex<double>> smooth;  ///< weight included
      std::vector<double> smooth_error;
      double spread_of_atoms = 0.0;  ///< largest distance of one from the mean
    };
    double step = 0.0;
    std::vector<Entry> laws;
  };
  Table table(double step, std::size_t terms) const;

  /// The transform of the rest at term k of the table, and a bound on its absolute error.
  struct Value {
    std::complex<double> value;
    double error = 0.0;
  };
  Value rest(const Table& table, std::size_t k, std::span<const std::uint32_t> counts,
             Removed removed) const;
  /// Frequencies beyond it can't be computed.
  double highest() const;

 private:
  std::vector<core::SplitLaw> laws_;
  std::vector<double> means_;
  std::vector<double> atom_masses_;
  std::vector<std::optional<core::Characteristic>> smooth_;
  std::vector<std::shared_ptr<const core::Law>> cells_;
  SumNoise noise_;
};

}  // namespace cimstat::circuits
