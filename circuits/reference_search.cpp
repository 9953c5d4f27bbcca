#include "circuits/reference_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

/// Where a criterion is looked for, between the means of two MAC values: mixtures may meet it more
/// than once.
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

}  // namespace

ReferenceSearch::ReferenceSearch(const ColumnDesign& design, std::vector<WeightedClass> classes,
                                 core::Threads threads)
    : design_(design), classes_(std::move(classes)) {
  double total = 0.0;
  for (const WeightedClass& item : classes_) {
    if (!(item.weight >= 0.0) || !std::isfinite(item.weight)) {
      refuse(fmt::format("a weight of {:g}", item.weight), "weights are finite and not negative");
    }
    total += item.weight;
  }
  if (!(total > 0.0) || !std::isfinite(total)) refuse("no weight is positive", "give some");
  ColumnDesign bare = design;  // its own ladder does not matter here
  bare.ladder = {.codes = 2, .references = {0.0}};
  check(bare, classes_of(classes_));
  currents_ = sensed_currents(design, classes_of(classes_), {}, threads);
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    classes_[i].weight /= total;
    const std::uint32_t k = classes_[i].column_class.lrs_count;
    if (k >= levels_.size()) levels_.resize(k + 1);
    if (classes_[i].weight == 0.0) continue;
    levels_[k].weight += classes_[i].weight;
    levels_[k].mean += classes_[i].weight * currents_[i].mean();
    levels_[k].members.push_back(i);
  }
  for (Level& level : levels_) {
    if (level.weight > 0.0) level.mean /= level.weight;
  }
}

double ReferenceSearch::density(const Level& level, double x) const {
  double sum = 0.0;
  for (const std::size_t i : level.members) sum += classes_[i].weight * currents_[i].density(x);
  return sum;
}

double ReferenceSearch::below(const Level& level, double x) const {
  double sum = 0.0;
  for (const std::size_t i : level.members) {
    sum += classes_[i].weight * currents_[i].tail_probability(core::Tail::lower, x);
  }
  return sum;
}

/// Rises through 0 at the reference between two levels.
double ReferenceSearch::excess(Criterion criterion, std::size_t lower, std::size_t upper,
                               double x) const {
  const Level& a = levels_[lower];
  const Level& b = levels_[upper];
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
  const double middle = 0.5 * static_cast<double>(lower + upper);
  double sum = 0.0;
  for (std::size_t k = 0; k < levels_.size(); ++k) {
    if (levels_[k].weight > 0.0) {
      sum += (static_cast<double>(k) - middle) * density(levels_[k], x);
    }
  }
  return sum;
}

/// What depends on this reference of the cost of all: its derivative is a multiple of excess().
double ReferenceSearch::cost_at(Criterion criterion, std::size_t lower, std::size_t upper,
                                double x) const {
  if (criterion != Criterion::squared_cost)
    return below(levels_[upper], x) - below(levels_[lower], x);
  const double middle = 0.5 * static_cast<double>(lower + upper);
  double sum = 0.0;
  for (std::size_t k = 0; k < levels_.size(); ++k) {
    if (levels_[k].weight > 0.0) sum += (static_cast<double>(k) - middle) * below(levels_[k], x);
  }
  return sum;
}

double ReferenceSearch::between(Criterion criterion, std::size_t lower, std::size_t upper) const {
  const double low = levels_[lower].mean;
  const double high = levels_[upper].mean;
  const double middle = 0.5 * (low + high);
  const auto at = [&](double x) { return excess(criterion, lower, upper, x); };
  const bool is_cost = criterion == Criterion::posterior || criterion == Criterion::squared_cost;
  // Of several the one that costs least, or is nearest to the middle.
  const auto badness = [&](double x) {
    return is_cost ? cost_at(criterion, lower, upper, x) : std::abs(x - middle);
  };
  double best = middle;
  double least = is_cost ? badness(middle) : 2.0 * (high - low);
  double x = low;
  double before = at(x);
  for (int cell = 1; cell <= scanned_cells; ++cell) {
    const double next = low + (high - low) * cell / scanned_cells;
    const double after = at(next);
    if (before <= 0.0 && after > 0.0) {
      double root = x;
      if (before < 0.0) {
        std::uintmax_t iterations = 100;
        const auto bracket = boost::math::tools::toms748_solve(
            at, x, next, before, after, boost::math::tools::eps_tolerance<double>(46), iterations);
        root = 0.5 * (bracket.first + bracket.second);
      }
      if (badness(root) < least) {
        best = root;
        least = badness(root);
      }
    }
    x = next;
    before = after;
  }
  return best;
}

std::vector<double> ReferenceSearch::best(std::uint32_t codes, Criterion criterion) const {
  if (codes < 2) refuse(fmt::format("{} code", codes), "a converter needs at least 2");
  std::vector<std::size_t> present;
  for (std::size_t k = 0; k < std::min<std::size_t>(codes, levels_.size()); ++k) {
    if (levels_[k].weight > 0.0) present.push_back(k);
  }
  if (present.size() < 2) refuse("fewer than two MAC values have a code", "add classes or codes");
  std::vector<double> references(codes - 1, 0.0);
  std::vector<double> middles(codes - 1, 0.0);
  for (std::size_t i = 0; i + 1 < present.size(); ++i) {
    const std::size_t lower = present[i];
    const std::size_t upper = present[i + 1];
    const double reference = between(criterion, lower, upper);
    const double middle = 0.5 * (levels_[lower].mean + levels_[upper].mean);
    const std::size_t first = i == 0 ? 0 : lower;
    const std::size_t end = i + 2 == present.size() ? codes - 1 : upper;
    for (std::size_t c = first; c < end; ++c) {
      references[c] = reference;
      middles[c] = middle;
    }
  }
  for (std::size_t c = 1; c < references.size(); ++c) {
    references[c] = std::max(references[c], std::nextafter(references[c - 1], infinity));
    middles[c] = std::max(middles[c], std::nextafter(middles[c - 1], infinity));
  }
  if (criterion == Criterion::posterior || criterion == Criterion::squared_cost) {
    const auto cost_of = [&](const std::vector<double>& list) {
      const ReadingCost all = cost({.codes = codes, .references = list});
      return criterion == Criterion::posterior ? all.misread : all.squared;
    };
    if (cost_of(middles) < cost_of(references)) return middles;
  }
  return references;
}

ReadingCost ReferenceSearch::cost(const Ladder& ladder) const {
  ReadingCost cost;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    const auto [k, n] = classes_[i].column_class;
    const auto references = ladder.at(n);
    const std::uint32_t ideal = ladder.ideal_code(k);
    double below = 0.0;
    for (std::uint32_t code = 0; code < ladder.codes; ++code) {
      const double up_to = code + 1 == ladder.codes
                               ? 1.0
                               : currents_[i].tail_probability(core::Tail::lower, references[code]);
      const double share = classes_[i].weight * std::max(up_to - below, 0.0);
      const double off = ladder.code_origin + ladder.code_step * code - k;
      if (code != ideal) cost.misread += share;
      cost.squared += share * off * off;
      below = up_to;
    }
  }
  return cost;
}

LloydMax lloyd_max(const std::function<double(double)>& density, double low, double high,
                   std::uint32_t codes) {
  if (codes < 2 || !(low < high)) refuse("no range to divide", "give 2 codes and low < high");
  using Rule = boost::math::quadrature::gauss_kronrod<double, 31>;
  // Mass, mean and mean square of a cell.
  const auto moments = [&](double from, double to) {
    std::array<double, 3> sums{};
    const auto power = [&](int exponent) {
      return Rule::integrate([&](double x) { return density(x) * std::pow(x, exponent); }, from, to,
                             0, 0.0);
    };
    for (int exponent = 0; exponent < 3; ++exponent) {
      sums[static_cast<std::size_t>(exponent)] = power(exponent);
    }
    return sums;
  };
  LloydMax quantiser;
  const double range = high - low;
  for (std::uint32_t c = 1; c < codes; ++c) quantiser.thresholds.push_back(low + range * c / codes);
  quantiser.values.resize(codes);
  constexpr int most_turns = 20000;
  for (int turn = 0; turn < most_turns; ++turn) {
    double moved = 0.0;
    double error = 0.0;
    for (std::uint32_t c = 0; c < codes; ++c) {
      const double from = c == 0 ? low : quantiser.thresholds[c - 1];
      const double to = c + 1 == codes ? high : quantiser.thresholds[c];
      const auto [mass, first, second] = moments(from, to);
      quantiser.values[c] = mass > 0.0 ? first / mass : 0.5 * (from + to);
      error += second - 2.0 * quantiser.values[c] * first +
               quantiser.values[c] * quantiser.values[c] * mass;
    }
    quantiser.mean_square_error = error;
    for (std::uint32_t c = 0; c + 1 < codes; ++c) {
      const double next = 0.5 * (quantiser.values[c] + quantiser.values[c + 1]);
      moved = std::max(moved, std::abs(next - quantiser.thresholds[c]));
      quantiser.thresholds[c] = next;
    }
    if (moved <= 1e-12 * range) break;
  }
  return quantiser;
}

}  // namespace cimstat::circuits
