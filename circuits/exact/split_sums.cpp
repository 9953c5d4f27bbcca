#include "circuits/exact/split_sums.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "circuits/exact/atom_sums.h"
#include "circuits/exact/sum_bounds.h"

namespace cimstat::circuits {
namespace {

using Complex = std::complex<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding
constexpr std::size_t most_sums = 1 << 18;

Complex wave(double phase) { return {std::cos(phase), std::sin(phase)}; }

Complex power(Complex base, std::uint32_t exponent) {
  if (exponent == 0) return 1.0;
  const double modulus = std::pow(std::abs(base), exponent);
  return modulus * wave(exponent * std::arg(base));
}

}  // namespace

SplitSums::SplitSums(const std::vector<core::Law>& laws, const SumNoise& noise) : noise_(noise) {
  for (const core::Law& law : laws) {
    const core::SplitLaw& split = laws_.emplace_back(core::split(law));
    means_.push_back(law.mean());
    atom_masses_.push_back(atom_mass(split));
    smooth_.emplace_back();
    cells_.emplace_back();
    if (split.smooth) {
      smooth_.back().emplace(*split.smooth);
      cells_.back() = std::make_shared<const core::Law>(*split.smooth);
    }
  }
}

std::optional<SplitSums::Closed> SplitSums::closed(std::span<const std::uint32_t> counts,
                                                   Removed removed, double negligible) const {
  auto all = atom_sums(laws_, counts, negligible, most_sums);
  if (!all) return std::nullopt;
  double dropped = all->dropped;
  std::vector<ClosedPart::OneCell> cells;
  if (removed == Removed::atoms_and_single_cells) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0 || !cells_[i]) continue;
      std::vector<std::uint32_t> others(counts.begin(), counts.end());
      --others[i];
      const auto shifts = atom_sums(laws_, others, negligible, most_sums - cells.size());
      if (!shifts) return std::nullopt;
      const double weight = counts[i] * laws_[i].smooth_weight;
      dropped += weight * shifts->dropped;
      for (const core::Atom& shift : shifts->sums) {
        cells.push_back({shift.value, weight * shift.weight, cells_[i]});
      }
    }
  }
  return Closed{std::make_shared<const ClosedPart>(std::move(all->sums), std::move(cells), noise_,
                                                   rounding_of_sums(laws_, counts)),
                dropped};
}

std::optional<SplitSums::Cutoff> SplitSums::cutoff(std::span<const std::uint32_t> counts,
                                                   Removed removed, double step, double start,
                                                   double highest, double error) const {
  const double least_cells = removed == Removed::atoms ? 1.0 : 2.0;
  for (int i = static_cast<int>(std::floor(8.0 * std::log2(start)));; ++i) {
    const double u = std::exp2(0.125 * i);
    if (u > highest) return std::nullopt;
    // Bounds on what 0, 1 and more cells that sit at no atom contribute.
    std::array<double, 3> sum{1.0, 0.0, 0.0};
    double integral = 0.0;
    for (std::size_t l = 0; l < counts.size(); ++l) {
      if (counts[l] == 0) continue;
      const double c = counts[l];
      const double a = atom_masses_[l];
      double b = 0.0;
      if (smooth_[l]) {
        const core::Envelope::Bound bound = smooth_[l]->envelope(u);
        b = laws_[l].smooth_weight * std::exp(bound.log_value);
        // All but `least_cells` of the factors of a product don't rise.
        integral =
            std::max(integral, std::min(bound.tail_integral, 1.0 / (least_cells * bound.slope)));
      }
      const double whole = std::min(a + b, 1.0);
      // Taylor's remainder of (a + b)^c.
      const std::array<double, 3> own{
          std::pow(a, c), c * b * std::pow(a, c - 1.0),
          counts[l] < 2 ? 0.0 : 0.5 * c * (c - 1.0) * b * b * std::pow(whole, c - 2.0)};
      sum = {sum[0] * own[0], sum[0] * own[1] + sum[1] * own[0],
             sum[0] * own[2] + sum[1] * (own[1] + own[2]) + sum[2] * (own[0] + own[1] + own[2])};
    }
    double rest = sum[2] + (removed == Removed::atoms ? sum[1] : 0.0);
    rest *= std::exp(log_logistic(std::numbers::pi * noise_.logistic_scale * u) -
                     0.5 * noise_.gaussian_variance * u * u);
    if (rest > 0.0 && !(integral < infinity)) continue;
    const double left = rest > 0.0 ? rest / std::numbers::pi * (step / u + integral) : 0.0;
    if (left <= error) return Cutoff{u, left};
  }
}

SplitSums::Table SplitSums::table(double step, std::size_t terms) const {
  Table table{step, {}};
  for (std::size_t l = 0; l < laws_.size(); ++l) {
    Table::Entry& entry = table.laws.emplace_back();
    entry.atoms.resize(terms);
    entry.smooth.resize(terms);
    entry.smooth_error.resize(terms);
    for (const core::Atom& atom : laws_[l].atoms) {
      const double distance = atom.value - means_[l];
      entry.spread_of_atoms = std::max(entry.spread_of_atoms, std::abs(distance));
      for (std::size_t k = 0; k < terms; ++k) {
        const double u = (static_cast<double>(k) + 0.5) * step;
        entry.atoms[k] += atom.weight * wave(u * distance);
      }
    }
    if (!smooth_[l]) continue;
    const auto values = smooth_[l]->at_midpoints(step, terms);
    const double shift = laws_[l].smooth->mean() - means_[l];
    const double weight = laws_[l].smooth_weight;
    for (std::size_t k = 0; k < terms; ++k) {
      const double u = (static_cast<double>(k) + 0.5) * step;
      entry.smooth[k] = weight * values.value[k] * wave(u * shift);
      entry.smooth_error[k] =
          weight * (values.error[k] + unit * std::abs(values.value[k]) *
                                          (8.0 + u * (std::abs(shift) + std::abs(means_[l]))));
    }
  }
  return table;
}

SplitSums::Value SplitSums::rest(const Table& table, std::size_t k,
                                 std::span<const std::uint32_t> counts, Removed removed) const {
  const bool without_cells = removed == Removed::atoms_and_single_cells;
  const double u = (static_cast<double>(k) + 0.5) * table.step;
  Complex whole = 1.0;
  Complex atoms = 1.0;
  Complex cells = 0.0;  // exactly one at no atom
  double smooth = 0.0;
  double error_of_smooth = 0.0;
  double error_of_atoms = 0.0;
  double operations = 16.0;
  for (std::size_t l = 0; l < counts.size(); ++l) {
    if (counts[l] == 0) continue;
    const double c = counts[l];
    const Table::Entry& entry = table.laws[l];
    const Complex a = entry.atoms[k];
    const Complex b = entry.smooth[k];
    const Complex own = power(a, counts[l]);
    if (without_cells) cells = cells * own + atoms * (c * b * power(a, counts[l] - 1));
    atoms *= own;
    whole *= power(a + b, counts[l]);
    smooth += c * std::abs(b);
    error_of_smooth += c * entry.smooth_error[k];
    error_of_atoms += c * unit * atom_masses_[l] * (8.0 + u * entry.spread_of_atoms);
    operations += 16.0 + 8.0 * c;
  }
  // An error of an atom's wave is the same in all terms: what is left of it is its effect on the
  // difference, which the other cells' factors make small; so is that of a single cell's.
  smooth = std::min(1.0, smooth);
  const double error = error_of_atoms * smooth + error_of_smooth * (without_cells ? smooth : 1.0) +
                       unit * operations * (std::abs(whole) + std::abs(atoms) + std::abs(cells));
  const double variance = noise_.gaussian_variance;
  const double noise =
      std::exp(log_logistic(std::numbers::pi * noise_.logistic_scale * u) - 0.5 * variance * u * u);
  return {noise * (whole - atoms - cells), noise * error};
}

double SplitSums::highest() const {
  double highest = infinity;
  for (const auto& transform : smooth_) {
    if (transform) highest = std::min(highest, transform->highest());
  }
  return highest;
}

}  // namespace cimstat::circuits
