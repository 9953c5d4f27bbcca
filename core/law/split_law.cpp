#include "core/law/split_law.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/law/component.h"

namespace cimstat::core {
namespace {

/// What a component consists of: ties of a measured base become points of their own.
std::vector<Component> without_ties(const Component& c) {
  const auto* measured = std::get_if<Empirical>(&c.base);
  if (measured == nullptr) return {c};
  std::vector<Component> parts;
  Empirical rest{{0.0}, {measured->value.front()}};
  double mass = 0.0;
  for (std::size_t i = 1; i < measured->value.size(); ++i) {
    const double share = measured->probability[i] - measured->probability[i - 1];
    if (measured->value[i] == measured->value[i - 1]) {
      Component& point = parts.emplace_back(c);
      point.base = Point{measured->value[i]};
      point.weight = c.weight * share;
    } else {
      mass += share;
      rest.probability.push_back(mass);
      rest.value.push_back(measured->value[i]);
    }
  }
  if (parts.empty()) return {c};
  for (double& probability : rest.probability) probability /= mass;
  rest.probability.back() = 1.0;
  Component& between = parts.emplace_back(c);
  between.base = std::move(rest);
  between.weight = c.weight * mass;
  return parts;
}

}  // namespace

SplitLaw split(const Law& law) {
  SplitLaw result;
  std::vector<Component> smooth;
  for (const Component& whole : law.components()) {
    for (Component& part : without_ties(whole)) {
      if (const auto value = atom(part)) {
        result.atoms.push_back({*value, part.weight});
      } else {
        result.smooth_weight += part.weight;
        smooth.push_back(std::move(part));
      }
    }
  }
  std::sort(result.atoms.begin(), result.atoms.end(),
            [](const Atom& a, const Atom& b) { return a.value < b.value; });
  std::vector<Atom> different;
  for (const Atom& atom : result.atoms) {
    if (!different.empty() && different.back().value == atom.value) {
      different.back().weight += atom.weight;
    } else {
      different.push_back(atom);
    }
  }
  result.atoms = std::move(different);
  if (!smooth.empty()) {
    for (Component& part : smooth) part.weight /= result.smooth_weight;
    result.smooth.emplace(std::move(smooth));
  }
  return result;
}

}  // namespace cimstat::core
