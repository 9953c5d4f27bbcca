#include "core/law/quantile_interpolant.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

#include "core/law/shape.h"

namespace cimstat::core {
namespace {

constexpr double reach = 6.5;
constexpr double widest_piece = 1.625;
constexpr double narrowest_piece = widest_piece / 64.0;
constexpr std::size_t nodes = 16;

/// sum' c_k T_k(t) by Clenshaw's recurrence.
double chebyshev_sum(const std::vector<double>& coefficient, double t) {
  double next = 0.0;
  double after = 0.0;
  for (std::size_t k = coefficient.size(); k-- > 1;) {
    const double here = 2.0 * t * next - after + coefficient[k];
    after = next;
    next = here;
  }
  return t * next - after + coefficient.front();
}

}  // namespace

QuantileInterpolant::QuantileInterpolant(QuantileFunction quantile, double probability_error,
                                         Threads threads)
    : quantile_(std::move(quantile)), probability_error_(probability_error) {
  std::vector<Piece> pending;
  for (double low = -reach; low < reach; low += widest_piece) {
    pending.push_back({low, low + widest_piece, {}});
  }
  while (!pending.empty()) {
    std::vector<char> agrees(pending.size());
    for_each_block(pending.size(), threads,
                   [&](std::size_t i, std::size_t) { agrees[i] = fit(pending[i]) ? 1 : 0; });
    std::vector<Piece> halves;
    for (std::size_t i = 0; i < pending.size(); ++i) {
      Piece& piece = pending[i];
      if (agrees[i] == 0 && piece.high - piece.low > narrowest_piece) {
        const double centre = 0.5 * (piece.low + piece.high);
        halves.push_back({piece.low, centre, {}});
        halves.push_back({centre, piece.high, {}});
        continue;
      }
      if (agrees[i] == 0) piece.coefficient.clear();
      pieces_.push_back(std::move(piece));
    }
    pending = std::move(halves);
  }
  std::sort(pieces_.begin(), pieces_.end(),
            [](const Piece& x, const Piece& y) { return x.low < y.low; });
}

double QuantileInterpolant::direct(double z) const {
  const Tail side = z < 0.0 ? Tail::lower : Tail::upper;
  return quantile_(side, normal_tail(side, z));
}

bool QuantileInterpolant::fit(Piece& piece) const {
  const auto [low, high] = std::pair(piece.low, piece.high);
  const double centre = 0.5 * (low + high);
  const double half = 0.5 * (high - low);
  std::array<double, nodes> value{};
  for (std::size_t i = 0; i < nodes; ++i) {
    const double angle = std::numbers::pi * (static_cast<double>(i) + 0.5) / nodes;
    value[i] = direct(centre + half * std::cos(angle));
  }
  piece.coefficient.resize(nodes);
  for (std::size_t k = 0; k < nodes; ++k) {
    double sum = 0.0;
    for (std::size_t i = 0; i < nodes; ++i) {
      sum += value[i] * std::cos(std::numbers::pi * static_cast<double>(k) *
                                 (static_cast<double>(i) + 0.5) / nodes);
    }
    piece.coefficient[k] = sum * (k == 0 ? 1.0 : 2.0) / nodes;
  }
  const double slope = std::abs(value.front() - value.back()) / (high - low);
  for (const double t : {-0.98, -0.45, 0.1, 0.62, 0.99}) {
    const double z = centre + half * t;
    const double allowed = slope * (1e-12 + probability_error_ / normal_density(z));
    if (!(std::abs(chebyshev_sum(piece.coefficient, t) - direct(z)) <=
          allowed + 1e-14 * std::abs(value.front()))) {
      return false;
    }
  }
  return true;
}

double QuantileInterpolant::operator()(Tail side, double probability) const {
  const double z = normal_quantile(side, probability);
  if (!(std::abs(z) < reach)) return quantile_(side, probability);
  const auto piece = std::find_if(pieces_.begin(), pieces_.end(),
                                  [z](const Piece& candidate) { return z <= candidate.high; });
  if (piece->coefficient.empty()) return quantile_(side, probability);
  return chebyshev_sum(piece->coefficient,
                       (2.0 * z - piece->low - piece->high) / (piece->high - piece->low));
}

}  // namespace cimstat::core
