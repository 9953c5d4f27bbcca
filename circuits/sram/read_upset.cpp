#include "circuits/sram/read_upset.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/law/shape.h"

namespace cimstat::circuits {

namespace {

// Trapezoids in standard normals: their error falls as exp(-2 pi^2 / step^2) for integrands as
// smooth as these.
constexpr double reach = 10.0;
constexpr double step = 0.125;
constexpr std::size_t points = 161;

double place(std::size_t i) { return -reach + step * double(i); }

}  // namespace

struct ReadUpset::Both {
  double one = 0.0;     ///< P(a stored 0 is upset)
  double either = 0.0;  ///< P(a 0 or a 1 is)
};

double ReadUpset::bump(double access, double pull_down) const {
  const double a = access_strength;
  const double d = pull_down_strength;
  const double drive = std::max(supply - access, 0.0);
  const double hold = std::max(supply - pull_down, 0.0);
  const double ratio = std::sqrt(d / a);
  if (drive >= (1.0 + ratio) * hold) return drive - ratio * hold;
  const double sum = a * drive + d * hold;
  return (sum - std::sqrt(sum * sum - (a + d) * a * drive * drive)) / (a + d);
}

double ReadUpset::trip(double pull_up, double pull_down) const {
  const double r = std::sqrt(pull_down_strength / pull_up_strength);
  return (supply - pull_up + r * pull_down) / (1.0 + r);
}

LimitState ReadUpset::limit() const {
  return {6, [cell = *this](std::span<const double> z) {
            const auto margin = [&](std::size_t read, std::size_t other) {
              const double access = cell.access_threshold + cell.access_sd * z[read];
              const double pull_down = cell.pull_down_threshold + cell.pull_down_sd * z[read + 1];
              const double opposite = cell.pull_down_threshold + cell.pull_down_sd * z[other + 1];
              const double pull_up = cell.pull_up_threshold + cell.pull_up_sd * z[other + 2];
              return cell.trip(pull_up, opposite) - cell.bump(access, pull_down);
            };
            return std::min(margin(0, 3), margin(3, 0));
          }};
}

ReadUpset::Both ReadUpset::integrate() const {
  std::vector<double> share(points);
  for (std::size_t i = 0; i < points; ++i) share[i] = step * core::normal_density(place(i));
  const double r = std::sqrt(pull_down_strength / pull_up_strength);
  // upset[x, y] = P(a side with pull-down x is upset | the other has y).
  std::vector<double> upset(points * points, 0.0);
  for (std::size_t x = 0; x < points; ++x) {
    for (std::size_t i = 0; i < points; ++i) {
      const double lifted = bump(access_threshold + access_sd * place(i),
                                 pull_down_threshold + pull_down_sd * place(x));
      for (std::size_t y = 0; y < points; ++y) {
        // Upset where |Vtp| lies above this.
        const double highest =
            supply + r * (pull_down_threshold + pull_down_sd * place(y)) - (1.0 + r) * lifted;
        upset[x * points + y] +=
            share[i] *
            core::normal_tail(core::Tail::upper, (highest - pull_up_threshold) / pull_up_sd);
      }
    }
  }
  Both both;
  for (std::size_t x = 0; x < points; ++x) {
    for (std::size_t y = 0; y < points; ++y) {
      const double here = upset[x * points + y];
      const double there = upset[y * points + x];
      both.one += share[x] * share[y] * here;
      both.either += share[x] * share[y] * (here + there - here * there);
    }
  }
  return both;
}

double ReadUpset::failure_probability() const { return integrate().either; }

double ReadUpset::upset_probability_of_one_value() const { return integrate().one; }

}  // namespace cimstat::circuits
