#include "tests/circuits/converters/converter_oracle.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <numbers>
#include <stdexcept>
#include <utility>

#include "tests/support/sum_oracle.h"

namespace cimstat::tests {
namespace {

using Real = long double;
using circuits::ConverterKind;

constexpr Real pi = std::numbers::pi_v<Real>;

/// A value and its weight.
using Nodes = std::vector<std::pair<Real, Real>>;

/// The trapezoidal rule over a standard normal variable.
Nodes normal_nodes(Real step) {
  Nodes nodes;
  const int reach = static_cast<int>(std::ceil(9.6L / step));
  for (int i = -reach; i <= reach; ++i) {
    const Real z = i * step;
    nodes.emplace_back(z, step * std::exp(-z * z / 2) / std::sqrt(2 * pi));
  }
  return nodes;
}

Nodes logistic_nodes(Real scale, Real step) {
  Nodes nodes;
  const int reach = static_cast<int>(std::ceil(46 * scale / step));
  for (int i = -reach; i <= reach; ++i) {
    const Real x = i * step / scale;
    const Real half = std::cosh(x / 2);
    nodes.emplace_back(i * step, step / scale / (4 * half * half));
  }
  return nodes;
}

SumOracle::Function density_of(const core::Law& law) {
  if (const auto normal = law.as_normal()) return normal_density(normal->mean, normal->sd);
  const core::Component& only = law.components().front();
  const auto& lognormal = std::get<core::LogNormal>(only.base);
  return lognormal_density(lognormal.median * only.scale, lognormal.sigma);
}

/// The sum of the cells.
Nodes sum_nodes(const circuits::ColumnDesign& design, circuits::ColumnClass column_class,
                const OracleGrid& grid) {
  const auto parts = parts_of(design, column_class);
  Real mean = 0;
  Real variance = 0;
  bool normal = true;
  std::vector<SumOracle::Function> densities;
  std::vector<std::uint32_t> counts;
  for (const circuits::ColumnPart& part : parts) {
    densities.push_back(density_of(part.law));
    counts.push_back(part.count);
    if (const auto one = part.law.as_normal()) {
      mean += Real(part.count) * one->mean;
      variance += Real(part.count) * one->sd * one->sd;
    } else {
      normal = false;
    }
  }
  Nodes nodes;
  if (normal) {
    if (variance == 0) return {{mean, Real(1)}};
    // Finer than the normal alone needs: what is integrated bends more strongly.
    for (const auto& [z, weight] : normal_nodes(0.02L)) {
      nodes.emplace_back(mean + z * std::sqrt(variance), weight);
    }
    return nodes;
  }
  const std::vector<Real> density =
      SumOracle(densities, grid.step, grid.log2_points).density(counts);
  for (std::size_t j = 0; j < density.size(); ++j) {
    if (density[j] * grid.step > 1e-22L) {
      nodes.emplace_back(Real(grid.step) * j, density[j] * grid.step);
    }
  }
  return nodes;
}

/// Every outcome of all comparators, one by one.
void over_outcomes(const std::vector<Real>& above,
                   const std::function<void(const std::vector<bool>&, Real)>& visit) {
  const std::size_t count = above.size();
  if (count > 16) throw std::logic_error("too many comparators for the oracle");
  std::vector<bool> outcome(count);
  for (std::size_t bits = 0; bits < (std::size_t{1} << count); ++bits) {
    Real product = 1;
    for (std::size_t j = 0; j < count; ++j) {
      outcome[j] = (bits >> j & 1) != 0;
      product *= outcome[j] ? above[j] : 1 - above[j];
    }
    visit(outcome, product);
  }
}

/// The bits of a code, decided from the highest down.
void search(const std::vector<Real>& above, std::size_t code, std::size_t bit, Real probability,
            std::vector<Real>& result) {
  if (bit == 0) {
    result[code] += probability;
    return;
  }
  const std::size_t trial = code + bit;
  if (trial > above.size()) return search(above, code, bit / 2, probability, result);
  search(above, code, bit / 2, probability * (1 - above[trial - 1]), result);
  search(above, trial, bit / 2, probability * above[trial - 1], result);
}

std::vector<Real> response(ConverterKind kind, const std::vector<Real>& above) {
  std::vector<Real> result(above.size() + 1, 0);
  switch (kind) {
    case ConverterKind::flash:
      if (above.size() > 8) {  // what enumeration says, by recursion
        std::fill(result.begin(), result.end(), Real(0));
        result[0] = 1;
        for (std::size_t j = 0; j < above.size(); ++j) {
          for (std::size_t c = j + 2; c-- > 0;) {
            const Real one_less = c > 0 ? result[c - 1] : Real(0);
            result[c] = result[c] * (1 - above[j]) + one_less * above[j];
          }
        }
        break;
      }
      over_outcomes(above, [&](const std::vector<bool>& outcome, Real probability) {
        result[static_cast<std::size_t>(std::count(outcome.begin(), outcome.end(), true))] +=
            probability;
      });
      break;
    case ConverterKind::flash_lowest_zero:
    case ConverterKind::ramp: {
      Real all = 1;
      for (std::size_t c = 0; c <= above.size(); ++c) {
        result[c] = c < above.size() ? all * (1 - above[c]) : all;
        if (c < above.size()) all *= above[c];
      }
      break;
    }
    case ConverterKind::sar: {
      std::size_t bit = 1;
      while (2 * bit <= above.size()) bit *= 2;
      search(above, 0, bit, 1, result);
      break;
    }
    case ConverterKind::pipeline:
    case ConverterKind::cyclic:
      throw std::logic_error("the oracle has no stages");
  }
  return result;
}

std::vector<Real> response(ConverterKind kind, Real sd, std::span<const double> references,
                           Real current) {
  std::vector<Real> above;
  for (const double reference : references) {
    if (sd > 0) {
      above.push_back(std::erfc((reference - current) / (sd * std::sqrt(Real(2)))) / 2);
    } else {
      above.push_back(current >= reference ? 1 : 0);
    }
  }
  return response(kind, above);
}

}  // namespace

std::vector<long double> response_oracle(const circuits::Comparator& comparator,
                                         const std::vector<double>& references,
                                         long double current) {
  return response(comparator.kind, comparator.decision_sd(), references, current);
}

std::vector<long double> code_probabilities(const circuits::ColumnDesign& design,
                                            circuits::ColumnClass column_class,
                                            const OracleGrid& grid) {
  const circuits::SenseAmplifier& sense = design.sense;
  const circuits::Comparator& comparator = design.comparator;
  const std::span<const double> references = design.ladder.at(column_class.active_rows);
  const bool logistic = sense.noise_shape == circuits::NoiseShape::logistic && sense.noise_sd > 0.0;
  const Real scale = logistic ? sense.noise_sd * std::sqrt(Real(3)) / pi : Real(0);
  const Real rho = comparator.correlation;
  const Real decision = comparator.noise_sd * std::sqrt(1 - rho);
  const Real shared = rho * comparator.noise_sd * comparator.noise_sd;
  const Real draws = static_cast<Real>(references.size());
  std::vector<Real> result(references.size() + 1, 0);
  const auto add = [&](const std::vector<Real>& codes, Real weight) {
    for (std::size_t c = 0; c < codes.size(); ++c) result[c] += weight * codes[c];
  };
  Nodes noise{{0, 1}};
  if (logistic) {
    Real step = 0.35L * scale;
    if (decision > 0) step = 1 / (1 / step + std::sqrt(draws) * 1.5L / decision);
    noise = logistic_nodes(scale, step);
  }
  for (const auto& [x, weight] : sum_nodes(design, column_class, grid)) {
    const Real level = 1 + x / Real(sense.noise_knee);
    const Real read = logistic ? Real(0) : Real(sense.noise_sd) * sense.noise_sd * level;
    const Real common = design.common_factor_sd * x;
    const Real sd =
        std::sqrt(Real(sense.offset_sd) * sense.offset_sd + read + shared + common * common);
    if (decision == 0 && !logistic) {  // one normal draw: closed form
      Real below = 0;
      for (std::size_t c = 0; c < result.size(); ++c) {
        const Real up_to = c < references.size()
                               ? std::erfc((x - references[c]) / (sd * std::sqrt(Real(2)))) / 2
                               : Real(1);
        result[c] += weight * (up_to - below);
        below = up_to;
      }
      continue;
    }
    const Real ratio = decision > 0 ? sd * std::sqrt(draws) / decision : Real(0);
    const Real other = logistic && decision == 0 ? 4 * sd / scale : Real(0);
    const Nodes normal =
        sd > 0 ? normal_nodes(0.6L / std::sqrt(1 + ratio * ratio + other * other)) : Nodes{{0, 1}};
    for (const auto& [z, normal_weight] : normal) {
      if (weight * normal_weight < 1e-22L) continue;
      const Real current = x + sd * z;
      if (logistic && decision == 0) {
        Real below = 0;
        for (std::size_t c = 0; c < result.size(); ++c) {
          const Real up_to = c < references.size()
                                 ? 1 / (1 + std::exp((current - references[c]) / scale))
                                 : Real(1);
          result[c] += weight * normal_weight * (up_to - below);
          below = up_to;
        }
        continue;
      }
      for (const auto& [e, noise_weight] : noise) {
        if (weight * normal_weight * noise_weight < 1e-22L) continue;
        add(response(comparator.kind, decision, references, current + e),
            weight * normal_weight * noise_weight);
      }
    }
  }
  return result;
}

}  // namespace cimstat::tests
