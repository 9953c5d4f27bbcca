#include "circuits/exact/atom_sums.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cimstat::circuits {
namespace {

using core::Atom;

/// P(j of n), each with probability p: from the mode outwards, so that all keep their digits.
std::vector<double> binomial(std::uint32_t n, double p) {
  std::vector<double> result(n + 1, 0.0);
  if (p >= 1.0) {
    result[n] = 1.0;
    return result;
  }
  const double odds = p / (1.0 - p);
  const auto mode = std::min(n, static_cast<std::uint32_t>((n + 1.0) * p));
  result[mode] = 1.0;
  double total = 1.0;
  for (std::uint32_t j = mode; j > 0; --j) {
    result[j - 1] = result[j] * j / ((n - j + 1.0) * odds);
    total += result[j - 1];
  }
  for (std::uint32_t j = mode; j < n; ++j) {
    result[j + 1] = result[j] * (n - j) / (j + 1.0) * odds;
    total += result[j + 1];
  }
  for (double& value : result) value /= total;
  return result;
}

/// All sums of `count` cells that each sit at one of the atoms.
class SumsOfOneLaw {
 public:
  SumsOfOneLaw(const std::vector<Atom>& atoms, double negligible, std::size_t most)
      : atoms_(atoms), negligible_(negligible), most_(most) {
    double rest = 0.0;
    for (const Atom& atom : atoms) rest += atom.weight;
    for (const Atom& atom : atoms) {
      share_of_rest_.push_back(&atom == &atoms.back() ? 1.0 : std::min(1.0, atom.weight / rest));
      rest -= atom.weight;
    }
  }

  /// Whether there are few enough.
  bool add(std::uint32_t count, double weight) { return add(0, count, weight, 0.0); }
  std::vector<Atom> take() { return std::move(sums_); }

 private:
  bool add(std::size_t index, std::uint32_t left, double weight, double value) {
    if (index == atoms_.size()) {
      sums_.push_back({value, weight});
      return sums_.size() <= most_;
    }
    const std::vector<double> shares = binomial(left, share_of_rest_[index]);
    for (std::uint32_t j = 0; j <= left; ++j) {
      const double here = weight * shares[j];
      if (here < negligible_) continue;
      if (!add(index + 1, left - j, here, value + j * atoms_[index].value)) return false;
    }
    return true;
  }

  const std::vector<Atom>& atoms_;
  std::vector<double> share_of_rest_;  ///< of a cell that sits at none of the atoms before
  double negligible_;
  std::size_t most_;
  std::vector<Atom> sums_;
};

void join_equal(std::vector<Atom>& sums, double rounding) {
  std::sort(sums.begin(), sums.end(),
            [](const Atom& a, const Atom& b) { return a.value < b.value; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (kept > 0 && sums[i].value - sums[kept - 1].value <= rounding) {
      sums[kept - 1].weight += sums[i].weight;
    } else {
      sums[kept++] = sums[i];
    }
  }
  sums.resize(kept);
}

}  // namespace

double atom_mass(const core::SplitLaw& law) {
  double mass = 0.0;
  for (const Atom& atom : law.atoms) mass += atom.weight;
  return mass;
}

double rounding_of_sums(std::span<const core::SplitLaw> laws,
                        std::span<const std::uint32_t> counts) {
  double magnitude = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (laws[i].atoms.empty()) continue;
    magnitude += counts[i] * std::max(std::abs(laws[i].atoms.front().value),
                                      std::abs(laws[i].atoms.back().value));
  }
  return 16.0 * std::numeric_limits<double>::epsilon() * magnitude;
}

std::optional<AtomSums> atom_sums(std::span<const core::SplitLaw> laws,
                                  std::span<const std::uint32_t> counts, double negligible,
                                  std::size_t most) {
  AtomSums result{{{0.0, 1.0}}, 0.0};
  double total = 1.0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) total *= std::pow(atom_mass(laws[i]), counts[i]);
  }
  if (total <= negligible) return AtomSums{{}, total};
  const double rounding = rounding_of_sums(laws, counts);
  double kept = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    SumsOfOneLaw sums_of_one(laws[i].atoms, negligible, most);
    if (!sums_of_one.add(counts[i], std::pow(atom_mass(laws[i]), counts[i]))) {
      return std::nullopt;
    }
    const std::vector<Atom> own = sums_of_one.take();
    std::vector<Atom> both;
    for (const Atom& a : result.sums) {
      for (const Atom& b : own) {
        if (a.weight * b.weight < negligible) continue;
        both.push_back({a.value + b.value, a.weight * b.weight});
      }
      if (both.size() > most) return std::nullopt;
    }
    join_equal(both, rounding);
    result.sums = std::move(both);
  }
  for (const Atom& sum : result.sums) kept += sum.weight;
  result.dropped = std::max(0.0, total - kept) + 1e-15 * total;
  return result;
}

}  // namespace cimstat::circuits
