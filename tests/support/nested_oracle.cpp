#include "tests/support/nested_oracle.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include <boost/math/quadrature/gauss.hpp>

namespace cimstat::tests {
namespace {

using Function = std::function<Real(Real)>;

std::vector<Real> sorted(std::vector<Real> values) {
  std::sort(values.begin(), values.end());
  return values;
}

Real integral(const Function& f, const std::vector<Real>& ends) {
  Real sum = 0;
  for (std::size_t i = 1; i < ends.size(); ++i) {
    if (ends[i] > ends[i - 1]) {
      sum += boost::math::quadrature::gauss<Real, 20>::integrate(f, ends[i - 1], ends[i]);
    }
  }
  return sum;
}

/// The ends of panels for a density on `own` times a function of t - x with panels `other`.
std::vector<Real> joint(const std::vector<Real>& own, const std::vector<Real>& other, Real t) {
  std::vector<Real> ends = own;
  for (const Real x : other) {
    if (t - x > own.front() && t - x < own.back()) ends.push_back(t - x);
  }
  return sorted(ends);
}

/// The sum of two cells without their atoms.
struct Pair {
  const OracleCell* first;
  const OracleCell* second;

  Real below(Real t) const {
    return integral([&](Real x) { return first->density(x) * second->below(t - x); },
                    joint(first->panels, second->panels, t));
  }
  Real density(Real t) const {
    return integral([&](Real x) { return first->density(x) * second->density(t - x); },
                    joint(first->panels, second->panels, t));
  }
  std::vector<Real> corners() const {
    std::vector<Real> all;
    for (const Real a : first->corners) {
      for (const Real b : second->corners) all.push_back(a + b);
    }
    return all;
  }
  std::vector<Real> panels() const {
    const Real low = first->panels.front() + second->panels.front();
    const Real high = first->panels.back() + second->panels.back();
    std::vector<Real> all = corners();
    for (int i = 0; i <= 24; ++i) all.push_back(low + (high - low) * i / 24);
    return sorted(all);
  }
};

Real smooth_below(const std::vector<const OracleCell*>& cells, Real t) {
  if (cells.empty()) return t > 0 ? 1 : 0;
  if (cells.size() == 1) return cells[0]->below(t);
  const Pair pair{cells[0], cells[1]};
  if (cells.size() == 2) return pair.below(t);
  if (cells.size() == 3) {
    return integral([&](Real x) { return cells[2]->density(x) * pair.below(t - x); },
                    joint(cells[2]->panels, pair.panels(), t));
  }
  const Pair other{cells[2], cells[3]};
  return integral([&](Real x) { return other.density(x) * pair.below(t - x); },
                  joint(other.panels(), pair.panels(), t));
}

Real below_from(const std::vector<OracleCell>& cells, std::size_t index, Real weight,
                std::vector<const OracleCell*>& smooth, Real t) {
  if (index == cells.size()) return weight * smooth_below(smooth, t);
  const OracleCell& cell = cells[index];
  Real sum = 0;
  Real rest = 1;
  for (const auto& [value, probability] : cell.atoms) {
    sum += below_from(cells, index + 1, weight * probability, smooth, t - value);
    rest -= probability;
  }
  if (cell.panels.empty()) return sum;
  smooth.push_back(&cell);
  // Densities carry their own weight.
  sum += below_from(cells, index + 1, weight, smooth, t);
  smooth.pop_back();
  return sum;
}

Real phi(Real z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi_v<Real>); }
Real cumulated(Real z) { return std::erfc(-z / std::numbers::sqrt2_v<Real>) / 2; }

/// A parent of standard normal variable z(b), cut to [low, high]; `mass` is what remains.
OracleCell cut(const Function& z, const Function& slope, const Function& b, Real low, Real high,
               Real mass) {
  const Real start = cumulated(z(low));
  OracleCell cell;
  cell.density = [=](Real x) {
    return x < low || x > high ? Real(0) : phi(z(x)) * slope(x) / mass;
  };
  const Real whole = (cumulated(z(high)) - start) / mass;
  cell.below = [=](Real x) {
    return x <= low ? Real(0) : x >= high ? whole : (cumulated(z(x)) - start) / mass;
  };
  cell.panels = {low, high};
  for (int i = -16; i <= 16; ++i) {
    const Real x = b(Real(i));
    if (x > low && x < high) cell.panels.push_back(x);
  }
  cell.panels = sorted(cell.panels);
  cell.corners = {low, high};
  return cell;
}

OracleCell cut_normal(Real mean, Real sd, Real low, Real high, Real mass) {
  return cut([=](Real x) { return (x - mean) / sd; }, [=](Real) { return 1 / sd; },
             [=](Real z) { return mean + sd * z; }, low, high, mass);
}

OracleCell cut_lognormal(Real median, Real sigma, Real low, Real high, Real mass) {
  return cut([=](Real x) { return std::log(x / median) / sigma; },
             [=](Real x) { return 1 / (sigma * x); },
             [=](Real z) { return median * std::exp(sigma * z); }, low, high, mass);
}

}  // namespace

Real below_by_nesting(const std::vector<OracleCell>& cells, Real t) {
  std::vector<const OracleCell*> smooth;
  return below_from(cells, 0, 1, smooth, t);
}

OracleCell point_cell(double value) { return {{}, {}, {}, {}, {{Real(value), Real(1)}}}; }

OracleCell normal_cell(double mean, double sd) {
  return cut_normal(mean, sd, Real(mean) - 16 * Real(sd), Real(mean) + 16 * Real(sd), 1);
}

OracleCell lognormal_cell(double median, double sigma) {
  const Real factor = std::exp(16 * Real(sigma));
  return cut_lognormal(median, sigma, median / factor, median * factor, 1);
}

OracleCell logistic_cell(double sd) {
  const Real scale = Real(sd) * std::sqrt(Real(3)) / std::numbers::pi_v<Real>;
  OracleCell cell;
  cell.density = [=](Real x) { return 1 / (4 * scale * std::pow(std::cosh(x / (2 * scale)), 2)); };
  cell.below = [=](Real x) { return 1 / (1 + std::exp(-x / scale)); };
  for (int i = -20; i <= 20; ++i) cell.panels.push_back(2 * i * scale);
  cell.corners = {cell.panels.front(), cell.panels.back()};
  return cell;
}

OracleCell truncated_normal_cell(double mean, double sd, double low, double high) {
  const Real m = mean;
  return cut_normal(mean, sd, low, high, cumulated((high - m) / sd) - cumulated((low - m) / sd));
}

OracleCell truncated_lognormal_cell(double median, double sigma, double low, double high) {
  const Real m = median;
  return cut_lognormal(
      median, sigma, low, high,
      cumulated(std::log(high / m) / sigma) - cumulated(std::log(low / m) / sigma));
}

OracleCell clamped_normal_cell(double mean, double sd, double low, double high) {
  const Real m = mean;
  OracleCell cell = cut_normal(mean, sd, low, high, 1);
  cell.atoms = {{Real(low), cumulated((low - m) / sd)}, {Real(high), cumulated((m - high) / sd)}};
  return cell;
}

OracleCell clamped_lognormal_cell(double median, double sigma, double low, double high) {
  const Real m = median;
  OracleCell cell = cut_lognormal(median, sigma, low, high, 1);
  cell.atoms = {{Real(low), cumulated(std::log(low / m) / sigma)},
                {Real(high), cumulated(std::log(m / high) / sigma)}};
  return cell;
}

OracleCell measured_cell(const std::vector<double>& probability, const std::vector<double>& value) {
  OracleCell cell;
  for (std::size_t i = 1; i < value.size(); ++i) {
    if (value[i] == value[i - 1]) {
      cell.atoms.emplace_back(value[i], Real(probability[i]) - probability[i - 1]);
    }
  }
  const auto sum = [=](Real x, bool dense) {
    Real total = 0;
    for (std::size_t i = 1; i < value.size(); ++i) {
      const Real width = Real(value[i]) - value[i - 1];
      if (width == 0) continue;
      const Real height = (Real(probability[i]) - probability[i - 1]) / width;
      if (dense) {
        if (x >= value[i - 1] && x < value[i]) total += height;
      } else {
        total += height * (std::clamp(x, Real(value[i - 1]), Real(value[i])) - value[i - 1]);
      }
    }
    return total;
  };
  cell.density = [=](Real x) { return sum(x, true); };
  cell.below = [=](Real x) { return sum(x, false); };
  cell.panels.assign(value.begin(), value.end());
  cell.corners = cell.panels;
  return cell;
}

OracleCell stuck(OracleCell cell, double weight, double value) {
  const Real rest = 1 - Real(weight);
  if (cell.density) {
    cell.density = [rest, f = cell.density](Real x) { return rest * f(x); };
    cell.below = [rest, f = cell.below](Real x) { return rest * f(x); };
  }
  for (auto& atom : cell.atoms) atom.second *= rest;
  cell.atoms.emplace_back(value, weight);
  return cell;
}

OracleCell either(const OracleCell& first, double weight, const OracleCell& second) {
  OracleCell cell;
  const Real own = 1 - Real(weight);
  const Real other = weight;
  if (!first.panels.empty()) {
    cell.density = [=](Real x) { return own * first.density(x) + other * second.density(x); };
    cell.below = [=](Real x) { return own * first.below(x) + other * second.below(x); };
  }
  const auto append = [](std::vector<Real>& to, const std::vector<Real>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(cell.panels, first.panels);
  append(cell.panels, second.panels);
  cell.panels = sorted(cell.panels);
  append(cell.corners, first.corners);
  append(cell.corners, second.corners);
  for (const auto& [value, p] : first.atoms) cell.atoms.emplace_back(value, own * p);
  for (const auto& [value, p] : second.atoms) cell.atoms.emplace_back(value, other * p);
  return cell;
}

OracleCell scaled(const OracleCell& cell, double factor) {
  OracleCell result;
  const Real f = factor;
  if (cell.density) {
    const Real whole = cell.below(cell.panels.back());
    result.density = [=](Real x) { return cell.density(x / f) / std::abs(f); };
    result.below = [=](Real x) { return f > 0 ? cell.below(x / f) : whole - cell.below(x / f); };
  }
  for (const Real x : cell.panels) result.panels.push_back(x * f);
  for (const Real x : cell.corners) result.corners.push_back(x * f);
  result.panels = sorted(result.panels);
  for (const auto& [value, p] : cell.atoms) result.atoms.emplace_back(value * f, p);
  return result;
}

OracleCell negated(const OracleCell& cell) { return scaled(cell, -1.0); }

}  // namespace cimstat::tests
