#include "circuits/references/lloyd_max.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <boost/math/quadrature/gauss_kronrod.hpp>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

/// Less is what interpolation and rounding leave of an empty cell.
constexpr double least_weight = 1e-14;

void require_range(double low, double high, std::uint32_t codes) {
  if (codes >= 2 && low < high) return;
  throw core::UsageError(
      core::error_line("references", "no range to divide", {}, "give 2 codes and low < high"));
}

std::vector<double> even_thresholds(double low, double high, std::uint32_t codes) {
  std::vector<double> thresholds;
  for (std::uint32_t c = 1; c < codes; ++c) thresholds.push_back(low + (high - low) * c / codes);
  return thresholds;
}

/// Mean MAC values and currents of the cells between thresholds; a cell without weight has those of
/// the one below it.
struct CellMeans {
  std::vector<double> mac;
  std::vector<double> current;
};

CellMeans cell_means(const ReferenceMixture& mixture, const std::vector<double>& thresholds) {
  CellMeans means;
  double weight = 0.0;
  double mac = 0.0;
  double current = 0.0;
  for (std::size_t c = 0; c <= thresholds.size(); ++c) {
    const double x = c == thresholds.size() ? mixture.high() : thresholds[c];
    const double next_weight = mixture.weight(x);
    const double next_mac = mixture.mac(x);
    const double next_current = mixture.current(x);
    const double share = next_weight - weight;
    if (share > least_weight) {
      means.mac.push_back((next_mac - mac) / share);
      means.current.push_back((next_current - current) / share);
    } else {
      means.mac.push_back(c == 0 ? 0.0 : means.mac.back());
      means.current.push_back(c == 0 ? mixture.low() : means.current.back());
    }
    weight = next_weight;
    mac = next_mac;
    current = next_current;
  }
  for (std::size_t c = 1; c < means.mac.size(); ++c) {  // cells with hardly any weight
    means.mac[c] = std::max(means.mac[c], means.mac[c - 1]);
    means.current[c] = std::max(means.current[c], means.current[c - 1]);
  }
  return means;
}

/// Where the mean MAC value at a current rises through `half_way`, between two currents; of several
/// such places the one of least cost. `otherwise` where there is none.
double crossing(const ReferenceMixture& mixture, double half_way, double from, double to,
                double otherwise) {
  const auto excess = [&](double x) {
    return mixture.mac_density(x) - half_way * mixture.density(x);
  };
  const auto cost = [&](double x) { return mixture.mac(x) - half_way * mixture.weight(x); };
  double best = otherwise;
  double least = cost(otherwise);
  double x = from;
  double before = excess(x);
  while (x < to) {
    const double next = std::min(x + mixture.step(), to);
    const double after = excess(next);
    if (before < 0.0 && after >= 0.0) {
      const double root = x + (next - x) * before / (before - after);
      const double here = cost(root);
      if (here < least) {
        best = root;
        least = here;
      }
    }
    x = next;
    before = after;
  }
  return best;
}

/// The thresholds among the nodes of the mixture whose cells have the least spread around their
/// means: turns of Lloyd's alone end where they began, with peaks that share a cell. By dynamic
/// programming; the best start of a last cell moves up with its end, so that each layer takes
/// n log n steps.
std::vector<double> best_cells(const ReferenceMixture& mixture, Quantised quantised,
                               std::uint32_t codes) {
  const std::size_t nodes = mixture.size();
  if (nodes < 2 * std::size_t{codes}) {
    return even_thresholds(mixture.low(), mixture.high(), codes);
  }
  std::vector<double> weight(nodes);
  std::vector<double> sum(nodes);
  for (std::size_t i = 1; i < nodes; ++i) {  // node 0 stands for all below it
    const double x = mixture.low() + mixture.step() * static_cast<double>(i);
    weight[i] = mixture.weight(x);
    sum[i] = quantised == Quantised::current ? mixture.current(x) : mixture.mac(x);
  }
  const auto gain = [&](std::size_t from, std::size_t to) {  // what a cell takes off the spread
    const double mass = weight[to] - weight[from];
    return mass > least_weight ? (sum[to] - sum[from]) * (sum[to] - sum[from]) / mass : 0.0;
  };
  std::vector<double> best(nodes);
  std::vector<double> next(nodes);
  for (std::size_t i = 0; i < nodes; ++i) best[i] = gain(0, i);
  std::vector<std::vector<std::uint16_t>> starts(codes, std::vector<std::uint16_t>(nodes));
  for (std::uint32_t code = 1; code < codes; ++code) {
    struct Work {
      std::size_t first, end;       // nodes to do
      std::size_t lowest, highest;  // starts to look at
    };
    std::vector<Work> stack{{code + 1, nodes, code, nodes - 1}};
    while (!stack.empty()) {
      const Work work = stack.back();
      stack.pop_back();
      if (work.first >= work.end) continue;
      const std::size_t node = (work.first + work.end) / 2;
      const std::size_t last = std::min(work.highest, node - 1);
      std::size_t start = work.lowest;
      double most = best[start] + gain(start, node);
      for (std::size_t i = work.lowest + 1; i <= last; ++i) {
        const double here = best[i] + gain(i, node);
        if (here > most) {
          most = here;
          start = i;
        }
      }
      next[node] = most;
      starts[code][node] = static_cast<std::uint16_t>(start);
      stack.push_back({work.first, node, work.lowest, start});
      stack.push_back({node + 1, work.end, start, work.highest});
    }
    best.swap(next);
  }
  std::vector<double> thresholds(codes - 1);
  std::size_t node = nodes - 1;
  for (std::uint32_t code = codes; code-- > 1;) {
    node = starts[code][node];
    thresholds[code - 1] = mixture.low() + mixture.step() * static_cast<double>(node);
  }
  return thresholds;
}

}  // namespace

LloydMax lloyd_max(const std::function<double(double)>& density, double low, double high,
                   std::uint32_t codes) {
  require_range(low, high, codes);
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
  quantiser.thresholds = even_thresholds(low, high, codes);
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
    if (moved <= 1e-12 * (high - low)) break;
  }
  return quantiser;
}

LloydMax lloyd_max(const ReferenceMixture& mixture, Quantised quantised, std::uint32_t codes) {
  require_range(mixture.low(), mixture.high(), codes);
  LloydMax quantiser;
  std::vector<double>& thresholds = quantiser.thresholds;
  thresholds = best_cells(mixture, quantised, codes);
  constexpr int most_turns = 4000;
  for (int turn = 0; turn < most_turns; ++turn) {
    const CellMeans means = cell_means(mixture, thresholds);
    std::vector<double> next = thresholds;
    double moved = 0.0;
    for (std::size_t c = 0; c < thresholds.size(); ++c) {
      const double from = c == 0 ? mixture.low() : thresholds[c - 1];
      const double to = c + 1 == thresholds.size() ? mixture.high() : thresholds[c + 1];
      next[c] =
          quantised == Quantised::current
              ? 0.5 * (means.current[c] + means.current[c + 1])
              : crossing(mixture, 0.5 * (means.mac[c] + means.mac[c + 1]), from, to, thresholds[c]);
    }
    for (std::size_t c = 0; c < next.size(); ++c) {
      if (c > 0) next[c] = std::max(next[c], std::nextafter(next[c - 1], mixture.high()));
      moved = std::max(moved, std::abs(next[c] - thresholds[c]));
    }
    thresholds = std::move(next);
    if (moved <= 1e-9 * (mixture.high() - mixture.low())) break;
  }
  const CellMeans means = cell_means(mixture, thresholds);
  quantiser.values = means.mac;
  double weight = 0.0;
  double mac = 0.0;
  double explained = 0.0;
  for (std::size_t c = 0; c < codes; ++c) {
    const double x = c + 1 == codes ? mixture.high() : thresholds[c];
    explained +=
        means.mac[c] * (2.0 * (mixture.mac(x) - mac) - means.mac[c] * (mixture.weight(x) - weight));
    weight = mixture.weight(x);
    mac = mixture.mac(x);
  }
  quantiser.mean_square_error = mixture.mean_square_mac() - explained;
  return quantiser;
}

}  // namespace cimstat::circuits
