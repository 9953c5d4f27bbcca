#include "circuits/columns/frozen_offset.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/law/shape.h"

#include "circuits/columns/fresh_noise.h"

namespace cimstat::circuits {

namespace {

constexpr double grid_reach = 8.0;  ///< sd of the offset; beyond lie 1e-15 of all columns
constexpr std::size_t grid_steps = 1024;

double z_of(std::size_t step) {
  return grid_reach * (2.0 * static_cast<double>(step) / grid_steps - 1.0);
}

double normal_below(double z) { return core::normal_tail(core::Tail::lower, z); }

}  // namespace

OffsetRates::OffsetRates(const ColumnDesign& design, std::span<const ColumnClass> classes,
                         const ExactOptions& options, core::Threads threads)
    : classes_(classes.begin(), classes.end()), offset_sd_(design.sense.offset_sd) {
  check(design, classes);
  require_plain_sum(design, "a frozen offset alone");
  ColumnDesign centered = design;
  centered.sense.offset_sd = 0.0;
  currents_ = sensed_currents(centered, classes, options, threads);
  for (const ColumnClass& column_class : classes_) {
    const std::span<const double> references = design.ladder.at(column_class.active_rows);
    const std::uint32_t ideal = design.ladder.ideal_code(column_class.lrs_count);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    edges_.push_back({ideal > 0 ? references[ideal - 1] : -infinity,
                      ideal < references.size() ? references[ideal] : infinity});
  }
  grid_.resize(grid_steps + 1);
  core::for_each_block(grid_.size(), threads, [this](std::size_t step, std::size_t) {
    grid_[step] = misread(offset_of(z_of(step)));
  });
}

OffsetRates::Sides OffsetRates::sides(std::size_t class_index, double offset) const {
  const auto [low, high] = edges_[class_index];
  const SensedCurrent& current = currents_[class_index];
  Sides sides;
  if (std::isfinite(low)) sides.below = current.tail_probability(core::Tail::lower, low - offset);
  if (std::isfinite(high)) sides.above = current.tail_probability(core::Tail::upper, high - offset);
  return {std::clamp(sides.below, 0.0, 1.0), std::clamp(sides.above, 0.0, 1.0)};
}

double OffsetRates::misread(std::size_t class_index, double offset) const {
  const Sides both = sides(class_index, offset);
  return std::min(1.0, both.below + both.above);
}

double OffsetRates::misread(double offset) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < classes_.size(); ++i) sum += misread(i, offset);
  return sum / static_cast<double>(classes_.size());
}

double OffsetRates::columns_within(double rate) const {
  // Where the rate crosses between two points of the grid, by halving.
  const auto crossing = [&](std::size_t step) {
    double inside = z_of(step);
    double outside = z_of(step + 1);
    if (grid_[step] > rate) std::swap(inside, outside);
    for (int i = 0; i < 40; ++i) {
      const double middle = 0.5 * (inside + outside);
      (misread(offset_of(middle)) <= rate ? inside : outside) = middle;
    }
    return 0.5 * (inside + outside);
  };
  double share = 0.0;
  double start = -std::numeric_limits<double>::infinity();
  bool is_within = grid_.front() <= rate;
  for (std::size_t step = 0; step < grid_steps; ++step) {
    const bool next = grid_[step + 1] <= rate;
    if (next == is_within) continue;
    const double z = crossing(step);
    if (is_within) share += normal_below(z) - normal_below(start);
    start = z;
    is_within = next;
  }
  if (is_within) share += normal_below(-start);
  return std::min(1.0, share);
}

double OffsetRates::quantile(double level) const {
  double low = *std::min_element(grid_.begin(), grid_.end());
  double high = *std::max_element(grid_.begin(), grid_.end());
  if (columns_within(low) >= level) return low;
  // Rates range over many decades.
  constexpr double least = 1e-300;
  low = std::max(low, least);
  while (high > low * (1.0 + 1e-7)) {
    const double middle = std::sqrt(low * high);
    (columns_within(middle) >= level ? high : low) = middle;
  }
  return high;
}

double OffsetRates::mean() const {
  double sum = 0.0;
  double weight = 0.0;
  for (std::size_t step = 0; step <= grid_steps; ++step) {
    const double density = std::exp(-0.5 * z_of(step) * z_of(step));
    sum += density * grid_[step];
    weight += density;
  }
  return sum / weight;
}

ColumnRates offset_rates(const OffsetRates& rates, const PoolOptions& options, unsigned votes,
                         core::Threads threads, const core::Progress& progress) {
  const std::size_t columns = options.columns;
  const std::size_t classes = rates.classes().size();
  ColumnRates result;
  result.columns = columns;
  result.classes = rates.classes();
  for (auto* values : {&result.misread, &result.both_wrong, &result.vote_wrong}) {
    values->assign(classes * columns, 0.0);
  }
  constexpr std::size_t columns_of_a_block = 64;
  const std::size_t blocks = (columns + columns_of_a_block - 1) / columns_of_a_block;
  const auto body = [&](std::size_t block, std::size_t) {
    const std::size_t end = std::min(columns, (block + 1) * columns_of_a_block);
    for (std::size_t column = block * columns_of_a_block; column < end; ++column) {
      const double offset = rates.offset_sd() * column_offset(options.key, column);
      for (std::size_t i = 0; i < classes; ++i) {
        const OffsetRates::Sides side = rates.sides(i, offset);
        const double wrong = std::min(1.0, side.below + side.above);
        const std::size_t at = i * columns + column;
        result.misread[at] = wrong;
        result.both_wrong[at] = wrong * wrong;
        result.vote_wrong[at] =
            std::min(1.0, majority(votes, side.below) + majority(votes, side.above));
      }
    }
  };
  core::for_each_block(blocks, threads, body, progress);
  return result;
}

}  // namespace cimstat::circuits
