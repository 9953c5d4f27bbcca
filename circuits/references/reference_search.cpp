#include "circuits/references/reference_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <boost/math/tools/toms748_solve.hpp>
#include <fmt/format.h>

#include "core/error.h"

#include "circuits/converters/ensemble.h"

namespace cimstat::circuits {

namespace {

/// Where a criterion is looked for, between the means of two codes: mixtures may meet it more than
/// once.
constexpr int scanned_cells = 32;
constexpr double infinity = std::numeric_limits<double>::infinity();

[[noreturn]] void refuse(std::string_view problem, std::string_view remedy) {
  throw core::UsageError(core::error_line("classes of references", problem, {}, remedy));
}

std::vector<ColumnClass> classes_of(const std::vector<WeightedClass>& classes) {
  std::vector<ColumnClass> list;
  list.reserve(classes.size());
  for (const WeightedClass& item : classes) list.push_back(item.column_class);
  return list;
}

/// Where `excess` rises through 0 between low and high: all such places that the scan tells apart.
template <class Excess>
std::vector<double> rising_roots(const Excess& excess, double low, double high) {
  std::vector<double> roots;
  double x = low;
  double before = excess(x);
  for (int cell = 1; cell <= scanned_cells; ++cell) {
    const double next = low + (high - low) * cell / scanned_cells;
    const double after = excess(next);
    if (before == 0.0 && after > 0.0) {
      roots.push_back(x);
    } else if (before < 0.0 && after > 0.0) {
      std::uintmax_t iterations = 100;
      const auto bracket = boost::math::tools::toms748_solve(
          excess, x, next, before, after, boost::math::tools::eps_tolerance<double>(46),
          iterations);
      roots.push_back(0.5 * (bracket.first + bracket.second));
    }
    x = next;
    before = after;
  }
  return roots;
}

/// What one comparison sees: the current with the noise of a comparator.
ColumnDesign as_compared(const ColumnDesign& one_converter) {
  ColumnDesign design = over_converters(one_converter);
  if (const auto reason = circuit_reason(design.comparator)) {
    throw ExactObstacle(*reason, "leave the mismatch out while references are placed");
  }
  design.sense.offset_sd = std::hypot(design.sense.offset_sd, design.comparator.noise_sd);
  design.comparator = {};
  return design;
}

bool is_cost(Criterion criterion) {
  return criterion == Criterion::posterior || criterion == Criterion::squared_cost;
}

}  // namespace

ReferenceSearch::ReferenceSearch(const ColumnDesign& design,
                                 const std::vector<WeightedClass>& classes, core::Threads threads)
    : design_(design), threads_(threads) {
  double total = 0.0;
  for (const WeightedClass& item : classes) {
    if (!(item.weight >= 0.0) || !std::isfinite(item.weight)) {
      refuse(fmt::format("a weight of {:g}", item.weight), "weights are finite and not negative");
    }
    total += item.weight;
    if (item.weight > 0.0) classes_.push_back(item);
  }
  if (!(total > 0.0) || !std::isfinite(total)) refuse("no weight is positive", "give some");
  for (WeightedClass& item : classes_) item.weight /= total;
  ColumnDesign bare = design;  // its own ladder does not matter here
  bare.ladder = {.codes = 2, .references = {0.0}};
  bare.comparator = {};
  check(bare, classes_of(classes));
  currents_ = sensed_currents(as_compared(design), classes_of(classes_), {}, threads);
}

double ReferenceSearch::density(const Group& group, double x) const {
  double sum = 0.0;
  for (const std::size_t i : group.members) sum += classes_[i].weight * currents_[i].density(x);
  return sum;
}

double ReferenceSearch::below(const Group& group, double x) const {
  double sum = 0.0;
  for (const std::size_t i : group.members) {
    sum += classes_[i].weight * currents_[i].tail_probability(core::Tail::lower, x);
  }
  return sum;
}

std::vector<ReferenceSearch::Group> ReferenceSearch::groups_by_code(
    const Ladder& ladder, const std::vector<std::size_t>& members) const {
  std::vector<Group> groups(ladder.codes);
  for (const std::size_t i : members) {
    Group& group = groups[ladder.ideal_code(classes_[i].column_class.lrs_count)];
    group.weight += classes_[i].weight;
    group.mean += classes_[i].weight * currents_[i].mean();
    group.members.push_back(i);
  }
  for (Group& group : groups) {
    if (group.weight > 0.0) group.mean /= group.weight;
  }
  return groups;
}

double ReferenceSearch::placed(const std::vector<Group>& groups, const Gap& gap,
                               const Ladder& ladder, Criterion criterion, double given) const {
  const Group& a = groups[gap.lower];
  const Group& b = groups[gap.upper];
  // Of the MAC value, from that half way between the codes' values.
  const auto off = [&](std::size_t i) {
    const double half_way = ladder.code_origin + ladder.code_step * (double(gap.reference) + 0.5);
    return classes_[i].weight * (classes_[i].column_class.lrs_count - half_way);
  };
  const auto over_all = [&](auto&& of_class) {
    double sum = 0.0;
    for (const Group& group : groups) {
      for (const std::size_t i : group.members) sum += off(i) * of_class(currents_[i]);
    }
    return sum;
  };
  const auto excess = [&](double x) {
    switch (criterion) {
      case Criterion::equal_error:
        return below(b, x) / b.weight + below(a, x) / a.weight - 1.0;
      case Criterion::likelihood:
        return density(b, x) / b.weight - density(a, x) / a.weight;
      case Criterion::posterior:
        return density(b, x) - density(a, x);
      case Criterion::squared_cost:
        break;
    }
    return over_all([x](const SensedCurrent& current) { return current.density(x); });
  };
  // What depends on this reference of the cost of all: its derivative is a multiple of excess().
  const auto cost_at = [&](double x) {
    if (criterion == Criterion::posterior) return below(b, x) - below(a, x);
    return over_all([x](const SensedCurrent& current) {
      return current.tail_probability(core::Tail::lower, x);
    });
  };
  const double middle = 0.5 * (a.mean + b.mean);
  std::vector<double> candidates = rising_roots(excess, a.mean, b.mean);
  // Of several the one that costs least, or is nearest to the middle.
  if (!is_cost(criterion)) {
    if (candidates.empty()) return middle;
    return *std::min_element(candidates.begin(), candidates.end(), [&](double x, double y) {
      return std::abs(x - middle) < std::abs(y - middle);
    });
  }
  candidates.push_back(middle);
  candidates.push_back(given);
  double best = given;
  double least = infinity;
  for (const double x : candidates) {
    const double cost = cost_at(x);
    if (cost < least) std::tie(best, least) = std::pair(x, cost);
  }
  return best;
}

bool ReferenceSearch::improve(std::span<double> references, const std::vector<std::size_t>& members,
                              const Ladder& given, Criterion criterion) const {
  const std::vector<Group> groups = groups_by_code(given, members);
  std::vector<std::size_t> present;
  for (std::size_t code = 0; code < groups.size(); ++code) {
    if (groups[code].weight > 0.0) present.push_back(code);
  }
  if (present.size() < 2) return false;
  std::vector<Gap> gaps;
  for (std::size_t i = 0; i + 1 < present.size(); ++i) {
    for (std::size_t c = present[i]; c < present[i + 1]; ++c) {
      gaps.push_back({c, present[i], present[i + 1]});
    }
  }
  const std::size_t first = present.front();
  const std::size_t end = present.back();
  const std::vector<double> before(references.begin(), references.end());
  core::for_each_block(gaps.size(), threads_, [&](std::size_t i, std::size_t) {
    const Gap& gap = gaps[i];
    references[gap.reference] = placed(groups, gap, given, criterion, before[gap.reference]);
  });
  if (criterion != Criterion::squared_cost) {  // the first of a gap decides
    for (const Gap& gap : gaps) references[gap.reference] = references[gap.lower];
  }
  for (std::size_t c = first + 1; c < references.size(); ++c) {
    references[c] = std::max(references[c], std::nextafter(references[c - 1], infinity));
  }
  for (std::size_t c = first; c-- > 0;) {
    references[c] = std::min(references[c], std::nextafter(references[c + 1], -infinity));
  }
  return end > first;
}

Ladder ReferenceSearch::improved(const Ladder& given, Criterion criterion) const {
  Ladder ladder = given;
  const std::size_t run = given.codes - 1;
  bool any = false;
  const std::uint32_t runs = given.follows_active_rows ? design_.rows + 1 : 1;
  for (std::uint32_t n = 0; n < runs; ++n) {
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      const bool here = !given.follows_active_rows || classes_[i].column_class.active_rows == n;
      if (here) members.push_back(i);
    }
    any |= improve(std::span(ladder.references).subspan(n * run, run), members, given, criterion);
  }
  if (!any) refuse("fewer than two codes have a MAC value", "add classes or codes");
  if (is_cost(criterion)) {
    const auto value = [&](const Ladder& of) {
      const ReadingCost all = cost(of);
      return criterion == Criterion::posterior ? all.misread : all.squared;
    };
    if (value(given) < value(ladder)) return given;
  }
  return ladder;
}

template <class Value>
ReadingCost ReferenceSearch::cost_of(
    const Ladder& ladder, Value&& value,
    const std::function<std::uint32_t(std::uint32_t)>& ideal_code) const {
  ColumnDesign design = design_;
  design.ladder = ladder;
  const ExactProbabilities exact = exact_probabilities(design, classes_of(classes_), {}, threads_);
  ReadingCost cost;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    const std::uint32_t k = classes_[i].column_class.lrs_count;
    const std::uint32_t ideal = ideal_code(k);
    cost.misread_bound += classes_[i].weight * exact.error_bound[i];
    for (std::uint32_t code = 0; code < ladder.codes; ++code) {
      const double share = classes_[i].weight * exact.probability[i * ladder.codes + code];
      const double off = value(code) - k;
      if (code != ideal) cost.misread += share;
      cost.squared += share * off * off;
    }
  }
  return cost;
}

ReadingCost ReferenceSearch::cost(const Ladder& ladder) const {
  return cost_of(
      ladder,
      [&](std::uint32_t code) { return ladder.code_origin + ladder.code_step * double(code); },
      [&](std::uint32_t mac_value) { return ladder.ideal_code(mac_value); });
}

ReadingCost ReferenceSearch::cost(const Ladder& ladder, std::span<const double> values) const {
  const auto nearest = [&](std::uint32_t mac_value) {
    const double k = mac_value;
    const auto above = std::lower_bound(values.begin(), values.end(), k);
    if (above == values.begin()) return 0U;
    const auto code = static_cast<std::uint32_t>(above - values.begin());
    if (above == values.end()) return code - 1;
    return k - values[code - 1] <= values[code] - k ? code - 1 : code;
  };
  return cost_of(
      ladder, [&](std::uint32_t code) { return values[code]; }, nearest);
}

}  // namespace cimstat::circuits
