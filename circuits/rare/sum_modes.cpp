#include "circuits/rare/sum_modes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace cimstat::circuits {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double furthest = 12.0;    // sd of one cell that a search starts from
constexpr double same = 0.2;         // sd between positions that count as one
constexpr double negligible = 12.0;  // nats below the weightiest mode
constexpr std::size_t most_modes = 12;

double log_choose(std::uint32_t n, std::uint32_t k) {
  return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
}

/// The search space of one start: low and high of each part, the sum's and the offset's variable.
class Landscape {
 public:
  Landscape(const SumFailure& failure, const std::vector<CellCurve>& curves,
            std::vector<std::uint32_t> raised)
      : failure_(failure), curves_(curves), raised_(std::move(raised)) {
    for (std::size_t p = 0; p < raised_.size(); ++p) {
      multiplicity_.push_back(failure.parts[p].count - raised_[p]);
      multiplicity_.push_back(raised_[p]);
    }
    multiplicity_.push_back(failure.sum_sd > 0.0 ? 1.0 : 0.0);
    multiplicity_.push_back(failure.offset_sd > 0.0 ? 1.0 : 0.0);
  }

  std::size_t size() const { return multiplicity_.size(); }
  double multiplicity(std::size_t i) const { return multiplicity_[i]; }

  double height(std::span<const double> u) const {
    double distance = 0.0;
    for (std::size_t i = 0; i < size(); ++i) distance += multiplicity_[i] * u[i] * u[i];
    return guide(sum(u), failure_.offset_sd * u[size() - 1]) - 0.5 * distance;
  }

  /// Climbs from u to a maximum: steps of Gauss and Newton (curvature of the guide, not of the
  /// cells), halved until they climb.
  double climb(std::vector<double>& u) const {
    double here = height(u);
    std::vector<double> next(size());
    for (int iteration = 0; iteration < 400; ++iteration) {
      const std::vector<double> step = direction(u);
      double length = 1.0;
      double there = -infinity;
      for (; length > 1e-4; length *= 0.5) {
        for (std::size_t i = 0; i < size(); ++i) {
          next[i] = std::clamp(u[i] + length * step[i], -30.0, 30.0);
        }
        there = height(next);
        if (there > here) break;
      }
      if (!(there > here)) return here;
      const double gain = there - here;
      u = next;
      here = there;
      if (gain < 1e-9) return here;
    }
    return here;
  }

  SumMode mode(std::span<const double> u, double log_height) const {
    SumMode mode;
    mode.log_height = log_height;
    mode.sum_z = multiplicity_[size() - 2] * u[size() - 2];
    mode.offset_z = multiplicity_[size() - 1] * u[size() - 1];
    for (std::size_t p = 0; p < raised_.size(); ++p) {
      const std::uint32_t count = failure_.parts[p].count;
      PartPosition position{raised_[p], u[2 * p], u[2 * p + 1]};
      const double share = double(position.raised) / double(count);
      if (position.raised == 0) {
        position.high = position.low;
      } else if (position.raised == count || std::abs(position.high - position.low) < same) {
        const double middle = (1.0 - share) * position.low + share * position.high;
        position = {0, middle, middle};
      } else if (std::abs(position.high) < std::abs(position.low)) {
        position = {count - position.raised, position.high, position.low};
      }
      mode.log_orbit += log_choose(count, position.raised);
      mode.parts.push_back(position);
    }
    return mode;
  }

 private:
  double sum(std::span<const double> u) const {
    double total = failure_.constant + failure_.sum_sd * u[size() - 2];
    for (std::size_t i = 0; i + 2 < size(); ++i) {
      if (multiplicity_[i] > 0.0) total += multiplicity_[i] * curves_[i / 2].value(u[i]);
    }
    return total;
  }

  double guide(double sum, double offset) const {
    return failure_.guide ? failure_.guide(sum, offset) : failure_.log_probability(sum, offset);
  }

  std::vector<double> direction(std::span<const double> u) const {
    const double s = sum(u);
    const double offset = failure_.offset_sd * u[size() - 1];
    const double e = 0.01 * failure_.resolution;
    const double below = guide(s - e, offset);
    const double at = guide(s, offset);
    const double above = guide(s + e, offset);
    const double first = (above - below) / (2.0 * e);
    const double second = std::min((above - 2.0 * at + below) / (e * e), 0.0);
    std::vector<double> gradient(size(), 0.0);
    std::vector<double> step(size(), 0.0);
    double along = 0.0;
    double squared = 0.0;
    for (std::size_t i = 0; i < size(); ++i) {
      if (multiplicity_[i] == 0.0) continue;
      gradient[i] = i + 2 == size()   ? failure_.sum_sd
                    : i + 1 == size() ? failure_.offset_sd
                                      : curves_[i / 2].slope(u[i]);
      step[i] = first * gradient[i] - u[i];
      along += multiplicity_[i] * gradient[i] * step[i];
      squared += multiplicity_[i] * gradient[i] * gradient[i];
    }
    const double correction = second * along / (1.0 - second * squared);
    for (std::size_t i = 0; i < size(); ++i) step[i] += correction * gradient[i];
    return step;
  }

  const SumFailure& failure_;
  const std::vector<CellCurve>& curves_;
  std::vector<std::uint32_t> raised_;
  std::vector<double> multiplicity_;  ///< as a factor
};

std::vector<std::uint32_t> raised_counts(std::uint32_t count) {
  std::vector<std::uint32_t> counts;
  for (std::uint32_t b = 1; b < count; b += b < 8 ? 1 : b / 2) counts.push_back(b);
  return counts;
}

/// Which cells are raised in the starts of the search.
std::vector<std::vector<std::uint32_t>> raised_starts(const SumFailure& failure) {
  const std::size_t parts = failure.parts.size();
  std::vector<std::vector<std::uint32_t>> starts{std::vector<std::uint32_t>(parts, 0)};
  for (std::size_t p = 0; p < parts; ++p) {
    for (const std::uint32_t b : raised_counts(failure.parts[p].count)) {
      starts.push_back(starts.front());
      starts.back()[p] = b;
    }
    for (std::size_t q = p + 1; q < parts; ++q) {
      if (failure.parts[p].count < 2 || failure.parts[q].count < 2) continue;
      starts.push_back(starts.front());
      starts.back()[p] = 1;
      starts.back()[q] = 1;
    }
  }
  return starts;
}

/// Sets `coordinates` to the height-maximising multiple of 1/2 towards failure, together.
void scan(const Landscape& landscape, std::span<const std::size_t> coordinates, double sign,
          std::vector<double>& u) {
  std::vector<double> best = u;
  double highest = -infinity;
  for (double z = 0.0; z <= furthest; z += 0.5) {
    for (const std::size_t i : coordinates) u[i] = sign * z;
    const double here = landscape.height(u);
    if (here > highest) {
      highest = here;
      best = u;
    }
  }
  u = best;
}

bool equal(const SumMode& a, const SumMode& b) {
  for (std::size_t p = 0; p < a.parts.size(); ++p) {
    const PartPosition& x = a.parts[p];
    const PartPosition& y = b.parts[p];
    if (x.raised != y.raised || std::abs(x.low - y.low) > same ||
        std::abs(x.high - y.high) > same) {
      return false;
    }
  }
  return std::abs(a.sum_z - b.sum_z) < same && std::abs(a.offset_z - b.offset_z) < same;
}

}  // namespace

double SumMode::distance(const SumFailure& failure) const {
  double squared = sum_z * sum_z + offset_z * offset_z;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const PartPosition& position = parts[p];
    squared += (failure.parts[p].count - position.raised) * position.low * position.low +
               position.raised * position.high * position.high;
  }
  return std::sqrt(squared);
}

std::vector<SumMode> find_modes(const SumFailure& failure, const std::vector<CellCurve>& curves) {
  const double sign = failure.side == core::Tail::upper ? 1.0 : -1.0;
  std::vector<SumMode> modes;
  const auto search = [&](const Landscape& landscape, std::span<const std::size_t> scanned) {
    std::vector<double> u(landscape.size(), 0.0);
    scan(landscape, scanned, sign, u);
    const double height = landscape.climb(u);
    if (height > -infinity) modes.push_back(landscape.mode(u, height));
  };
  for (const std::vector<std::uint32_t>& raised : raised_starts(failure)) {
    const Landscape landscape(failure, curves, raised);
    std::vector<std::size_t> high;
    for (std::size_t p = 0; p < raised.size(); ++p) {
      if (raised[p] > 0) high.push_back(2 * p + 1);
    }
    search(landscape, high);
    if (!high.empty()) continue;
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < landscape.size(); ++i) {
      if (landscape.multiplicity(i) == 0.0) continue;
      search(landscape, std::array{i});  // one part as a whole: a single cell may have two maxima
      all.push_back(i);
    }
    search(landscape, all);
  }
  const auto weight = [](const SumMode& mode) { return mode.log_height + mode.log_orbit; };
  std::stable_sort(modes.begin(), modes.end(),
                   [&](const SumMode& a, const SumMode& b) { return weight(a) > weight(b); });
  std::vector<SumMode> distinct;
  for (const SumMode& mode : modes) {
    if (distinct.size() == most_modes || weight(mode) < weight(modes.front()) - negligible) break;
    if (std::none_of(distinct.begin(), distinct.end(),
                     [&](const SumMode& other) { return equal(mode, other); })) {
      distinct.push_back(mode);
    }
  }
  if (distinct.empty()) {
    const Landscape flat(failure, curves, std::vector<std::uint32_t>(failure.parts.size(), 0));
    distinct.push_back(flat.mode(std::vector<double>(flat.size(), 0.0), 0.0));
  }
  return distinct;
}

}  // namespace cimstat::circuits
