#include "circuits/exact/closed_part.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <utility>

#include "core/law/component.h"

namespace cimstat::circuits {

double slack(double rounding, double x) {
  return rounding + 4.0 * std::numeric_limits<double>::epsilon() * std::abs(x);
}

ClosedPart::ClosedPart(std::vector<core::Atom> sums, std::vector<OneCell> cells,
                       const SumNoise& noise, double rounding)
    : sums_(std::move(sums)), cells_(std::move(cells)), noise_(noise), rounding_(rounding) {
  cumulated_.push_back(0.0);
  for (const core::Atom& sum : sums_) cumulated_.push_back(cumulated_.back() + sum.weight);
  mass_ = cumulated_.back();
  for (const OneCell& cell : cells_) mass_ += cell.weight;
}

double ClosedPart::below(double x) const {
  double sum = 0.0;
  if (noise_.logistic_scale > 0.0) {
    for (const core::Atom& atom : sums_) {
      sum += atom.weight / (1.0 + std::exp((atom.value - x) / noise_.logistic_scale));
    }
  } else if (noise_.gaussian_variance > 0.0) {
    const double scale = std::sqrt(2.0 * noise_.gaussian_variance);
    for (const core::Atom& atom : sums_) {
      sum += atom.weight * 0.5 * std::erfc((atom.value - x) / scale);
    }
  } else {
    // A current equal to a reference counts as above it.
    const auto first_above =
        std::lower_bound(sums_.begin(), sums_.end(), x - slack(rounding_, x),
                         [](const core::Atom& atom, double limit) { return atom.value < limit; });
    sum += cumulated_[static_cast<std::size_t>(first_above - sums_.begin())];
  }
  for (const OneCell& cell : cells_) {
    sum += cell.weight * cell.law->tail_probability(core::Tail::lower, x - cell.shift);
  }
  return sum;
}

double ClosedPart::density(double x) const {
  double sum = 0.0;
  if (noise_.logistic_scale > 0.0) {
    for (const core::Atom& atom : sums_) {
      const double half = 0.5 * (x - atom.value) / noise_.logistic_scale;
      sum += atom.weight / (4.0 * noise_.logistic_scale * std::pow(std::cosh(half), 2));
    }
  } else if (noise_.gaussian_variance > 0.0) {
    for (const core::Atom& atom : sums_) {
      const double z = x - atom.value;
      sum += atom.weight * std::exp(-0.5 * z * z / noise_.gaussian_variance) /
             std::sqrt(2.0 * std::numbers::pi * noise_.gaussian_variance);
    }
  }
  for (const OneCell& cell : cells_) {
    for (const core::Component& component : cell.law->components()) {
      sum += cell.weight * component.weight * component_density(component, x - cell.shift);
    }
  }
  return sum;
}

}  // namespace cimstat::circuits
