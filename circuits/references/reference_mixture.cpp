#include "circuits/references/reference_mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double reach = 12.0;        // sd beyond the outermost means
constexpr double nodes_in_sd = 10.0;  // of the narrowest class
constexpr double most_nodes = 8192.0;

[[noreturn]] void refuse(std::string_view problem, std::string_view remedy) {
  throw core::UsageError(core::error_line("references", problem, {}, remedy));
}

/// Cubic through two values and slopes of a cell of width h, at share s of it.
double cubic(double left, double left_slope, double right, double right_slope, double h, double s) {
  const double t = 1.0 - s;
  return t * t * (1.0 + 2.0 * s) * left + s * s * (3.0 - 2.0 * s) * right +
         h * s * t * (t * left_slope - s * right_slope);
}

/// Its integral from the left end.
double cubic_area(double left, double left_slope, double right, double right_slope, double h,
                  double s) {
  const double s2 = s * s;
  const double s3 = s2 * s;
  const double s4 = s3 * s;
  return h * (left * (s - s3 + 0.5 * s4) + right * (s3 - 0.5 * s4) +
              h * (left_slope * (0.5 * s2 - 2.0 / 3.0 * s3 + 0.25 * s4) +
                   right_slope * (0.25 * s4 - s3 / 3.0)));
}

}  // namespace

ReferenceMixture::ReferenceMixture(const ReferenceSearch& search) {
  const std::vector<WeightedClass>& classes = search.classes();
  const std::vector<SensedCurrent>& currents = search.currents();
  double high = -infinity;
  double narrowest = infinity;
  low_ = infinity;
  for (const SensedCurrent& current : currents) {
    low_ = std::min(low_, current.mean() - reach * current.sd());
    high = std::max(high, current.mean() + reach * current.sd());
    if (current.sd() > 0.0) narrowest = std::min(narrowest, current.sd());
  }
  for (const WeightedClass& item : classes) {
    const double k = item.column_class.lrs_count;
    mean_square_mac_ += item.weight * k * k;
  }
  if (!(high > low_)) refuse("the currents do not differ", "give the cells or the noise a spread");
  const double cells =
      std::clamp(std::ceil((high - low_) * nodes_in_sd / narrowest), 64.0, most_nodes);
  step_ = (high - low_) / cells;
  nodes_.resize(static_cast<std::size_t>(cells) + 1);
  constexpr std::size_t block_size = 64;
  core::for_each_block((nodes_.size() + block_size - 1) / block_size, search.threads(),
                       [&](std::size_t block, std::size_t) {
                         const std::size_t end = std::min(nodes_.size(), (block + 1) * block_size);
                         for (std::size_t node = block * block_size; node < end; ++node) {
                           const double x = low_ + step_ * static_cast<double>(node);
                           Node& at = nodes_[node];
                           for (std::size_t i = 0; i < classes.size(); ++i) {
                             const double k = classes[i].column_class.lrs_count;
                             const double below = classes[i].weight * currents[i].tail_probability(
                                                                          core::Tail::lower, x);
                             const double density = classes[i].weight * currents[i].density(x);
                             at.weight += below;
                             at.mac += k * below;
                             at.density += density;
                             at.mac_density += k * density;
                           }
                         }
                       });
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    const Node& before = nodes_[i - 1];
    nodes_[i].area = before.area + cubic_area(before.weight, before.density, nodes_[i].weight,
                                              nodes_[i].density, step_, 1.0);
  }
}

ReferenceMixture::Place ReferenceMixture::place(double x) const {
  const double position = std::clamp((x - low_) / step_, 0.0, double(nodes_.size() - 1));
  const std::size_t left = std::min(static_cast<std::size_t>(position), nodes_.size() - 2);
  return {&nodes_[left], &nodes_[left + 1], position - static_cast<double>(left)};
}

double ReferenceMixture::weight(double x) const {
  const auto [a, b, share] = place(x);
  return cubic(a->weight, a->density, b->weight, b->density, step_, share);
}

double ReferenceMixture::mac(double x) const {
  const auto [a, b, share] = place(x);
  return cubic(a->mac, a->mac_density, b->mac, b->mac_density, step_, share);
}

double ReferenceMixture::current(double x) const {
  const auto [a, b, share] = place(x);
  const double area =
      a->area + cubic_area(a->weight, a->density, b->weight, b->density, step_, share);
  return std::clamp(x, low_, high()) * weight(x) - area;
}

double ReferenceMixture::density(double x) const {
  const auto [a, b, share] = place(x);
  return (1.0 - share) * a->density + share * b->density;
}

double ReferenceMixture::mac_density(double x) const {
  const auto [a, b, share] = place(x);
  return (1.0 - share) * a->mac_density + share * b->mac_density;
}

namespace {

/// The mean current against the MAC value is a line.
struct MeanLine {
  double base = 0.0;
  double slope = 0.0;
  MeanLine(const ColumnDesign& design, double active_rows) {
    const double idle = mean_current(design, {0, 0});
    const double all = mean_current(design, {0, design.rows});
    base = idle + active_rows / design.rows * (all - idle);
    slope = design.lrs.mean() - design.hrs.mean();
  }
  double at(double mac_value) const { return base + slope * mac_value; }
};

/// Of the classes of a search.
struct Extent {
  double mean_rows = 0.0;
  std::uint32_t most = 1;  ///< MAC value
  explicit Extent(const ReferenceSearch& search) {
    for (const WeightedClass& item : search.classes()) {
      mean_rows += item.weight * item.column_class.active_rows;
      most = std::max(most, item.column_class.lrs_count);
    }
  }
};

}  // namespace

Ladder clipped_ladder(const ColumnDesign& design, double active_rows, std::uint32_t codes,
                      std::uint32_t lowest, std::uint32_t highest) {
  if (lowest >= highest || highest > design.rows || codes < 2) {
    refuse(
        fmt::format("{} codes from MAC value {} to {} of {}", codes, lowest, highest, design.rows),
        "give 2 codes and an ascending range of MAC values that the column has");
  }
  const MeanLine mean(design, active_rows);
  const double step = double(highest - lowest) / (codes - 1);
  Ladder ladder{.codes = codes,
                .references = {},
                .code_step = step,
                .code_origin = static_cast<double>(lowest)};
  for (std::uint32_t c = 0; c + 1 < codes; ++c) {
    ladder.references.push_back(mean.at(lowest + (c + 0.5) * step));
  }
  return ladder;
}

Ladder whole_ladder(const ReferenceSearch& search, const ColumnDesign& design,
                    std::uint32_t codes) {
  const Extent extent(search);
  return clipped_ladder(design, extent.mean_rows, codes, 0, extent.most);
}

Ladder best_clipped_ladder(const ReferenceSearch& search, const ReferenceMixture& mixture,
                           const ColumnDesign& design, const Ladder& unclipped) {
  const Extent extent(search);
  const MeanLine mean(design, extent.mean_rows);
  const std::uint32_t codes = unclipped.codes;
  const double end_weight = mixture.weight(mixture.high());
  const double end_mac = mixture.mac(mixture.high());
  // What depends on the ladder of the mean of (value - MAC)^2.
  const auto cost = [&](std::uint32_t lowest, std::uint32_t highest) {
    const double step = double(highest - lowest) / (codes - 1);
    double sum = double(highest) * highest * end_weight - 2.0 * highest * end_mac;
    for (std::uint32_t c = 0; c + 1 < codes; ++c) {
      const double half_way = lowest + (c + 0.5) * step;
      const double x = mean.at(half_way);
      sum += 2.0 * step * (mixture.mac(x) - half_way * mixture.weight(x));
    }
    return sum;
  };
  struct Range {
    std::uint32_t lowest, highest;
    double cost;
  };
  Range best{0, extent.most, cost(0, extent.most)};
  const auto look = [&](const Range& around, std::uint32_t within, std::uint32_t step) {
    const auto from = [&](std::uint32_t value) { return value > within ? value - within : 0; };
    for (std::uint32_t a = from(around.lowest); a <= around.lowest + within; a += step) {
      const std::uint32_t last = std::min(extent.most, around.highest + within);
      for (std::uint32_t b = std::max(a + 1, from(around.highest)); b <= last; b += step) {
        const double here = cost(a, b);
        if (here < best.cost) best = {a, b, here};
      }
    }
  };
  // All pairs of a lattice of at most so many values, then finer ones around the best.
  constexpr std::uint32_t most_values = 128;
  std::uint32_t step = (extent.most + most_values - 1) / most_values;
  look(best, extent.most, step);
  while (step > 1) {
    const std::uint32_t within = step;
    step = (step + 1) / 2;
    look(Range(best), within, step);
  }
  Ladder found = clipped_ladder(design, extent.mean_rows, codes, best.lowest, best.highest);
  return search.cost(found).squared < search.cost(unclipped).squared ? found : unclipped;
}

}  // namespace cimstat::circuits
