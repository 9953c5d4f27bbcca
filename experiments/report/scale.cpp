#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "experiments/report/markup.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

/// 1, 2 or 5 times a power of ten, the least that is not below `step`.
double round_step(double step) {
  const double power = std::pow(10.0, std::floor(std::log10(step)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= step * (1.0 - 1e-9)) return factor * power;
  }
  return 10.0 * power;
}

double distance_to_chord(const Point& point, const Point& from, const Point& to) {
  const double run = to.x - from.x;
  const double rise = to.y - from.y;
  const double length = std::hypot(run, rise);
  if (length == 0.0) return std::hypot(point.x - from.x, point.y - from.y);
  return std::abs(rise * (point.x - from.x) - run * (point.y - from.y)) / length;
}

}  // namespace

std::vector<Tick> linear_ticks(double low, double high, int wanted, double least_step) {
  std::vector<Tick> ticks;
  if (!(high > low)) return {{low, number_text(low)}};
  const double step = std::max(round_step((high - low) / std::max(wanted, 1)), least_step);
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  const double slack = 1e-9 * step;
  const auto first = static_cast<long long>(std::ceil((low - slack) / step));
  const auto last = static_cast<long long>(std::floor((high + slack) / step));
  for (long long index = first; index <= last; ++index) {
    const double value = static_cast<double>(index) * step;
    std::string label = fmt::format("{:.{}f}", std::abs(value), decimals);
    if (index < 0) label.insert(0, "\u2212");
    ticks.push_back({value, std::move(label)});
  }
  return ticks;
}

std::vector<Tick> power_ticks(double low, double high, int wanted) {
  constexpr double kSlack = 1e-9;
  const int first = static_cast<int>(std::ceil(std::log10(low) - kSlack));
  const int last = static_cast<int>(std::floor(std::log10(high) + kSlack));
  const int decades = std::max(last - first, 1);
  const int every = std::max(1, (decades + wanted - 1) / std::max(wanted, 1));
  const bool fine = decades <= 2;  // too few powers of ten to read by: label 2 and 5 as well
  std::vector<Tick> ticks;
  for (int exponent = first - 1; exponent <= last; ++exponent) {
    const double power = std::pow(10.0, exponent);
    for (int factor = 1; factor < 10; ++factor) {
      const double value = factor * power;
      if (value < low * (1.0 - kSlack) || value > high * (1.0 + kSlack)) continue;
      std::string label;
      if (factor == 1 && (last - exponent) % every == 0) {
        label = fine ? number_text(value, 1) : power_of_ten(exponent);
      }
      if (fine && (factor == 2 || factor == 5)) label = number_text(value, 1);
      if (factor > 1 && every > 1) continue;
      ticks.push_back({value, std::move(label)});
    }
  }
  return ticks;
}

std::vector<Point> simplified(std::span<const Point> points, double tolerance) {
  if (points.size() < 3) return {points.begin(), points.end()};
  std::vector<bool> kept(points.size(), false);
  kept.front() = kept.back() = true;
  std::vector<std::pair<std::size_t, std::size_t>> open{{0, points.size() - 1}};
  while (!open.empty()) {
    const auto [from, to] = open.back();
    open.pop_back();
    std::size_t farthest = from;
    double most = tolerance;
    for (std::size_t index = from + 1; index < to; ++index) {
      const double apart = distance_to_chord(points[index], points[from], points[to]);
      if (apart > most) {
        most = apart;
        farthest = index;
      }
    }
    if (farthest == from) continue;
    kept[farthest] = true;
    open.emplace_back(from, farthest);
    open.emplace_back(farthest, to);
  }
  std::vector<Point> result;
  for (std::size_t index = 0; index < points.size(); ++index) {
    if (kept[index]) result.push_back(points[index]);
  }
  return result;
}

}  // namespace cimstat::experiments::report
