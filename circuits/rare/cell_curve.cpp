#include "circuits/rare/cell_curve.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/law/shape.h"

namespace cimstat::circuits {

namespace {

constexpr double reach = 12.0;
constexpr double pieces_per_sd = 16.0;
constexpr double furthest = 37.0;  // tails beyond are no doubles
constexpr double tolerance = 1e-6;

}  // namespace

CellCurve::CellCurve(core::Law law) : law_(std::move(law)) {
  const auto pieces = static_cast<std::size_t>(2.0 * reach * pieces_per_sd);
  constexpr std::size_t margin = 2;  // grid points beyond each end, for slopes
  std::vector<double> x;
  const auto z_of = [&](double i) { return (i - margin) / pieces_per_sd - reach; };
  for (std::size_t i = 0; i < pieces + 1 + 2 * margin; ++i) {
    x.push_back(direct(z_of(static_cast<double>(i))));
  }
  const auto rise = [&](std::size_t i) {  // per piece, by the five-point rule
    return (x[i - 2] - x[i + 2] + 8.0 * (x[i + 1] - x[i - 1])) / 12.0;
  };
  for (std::size_t i = margin; i < margin + pieces; ++i) {
    const double low = rise(i);
    const double high = rise(i + 1);
    const double step = x[i + 1] - x[i];
    Piece piece{x[i], low, 3.0 * step - 2.0 * low - high, low + high - 2.0 * step};
    const double t = 0.45;  // not the middle, where errors of odd functions vanish
    const double here = piece.c0 + t * (piece.c1 + t * (piece.c2 + t * piece.c3));
    const double there = direct(z_of(static_cast<double>(i) + t));
    if (!(std::abs(here - there) <= tolerance * (std::abs(there - law_.mean()) + law_.sd()))) {
      piece.c0 = std::numeric_limits<double>::quiet_NaN();
    }
    pieces_.push_back(piece);
  }
}

double CellCurve::direct(double z) const {
  const double within = std::clamp(z, -furthest, furthest);
  const core::Tail side = z < 0.0 ? core::Tail::lower : core::Tail::upper;
  return law_.quantile(side, core::normal_tail(side, within));
}

double CellCurve::value(double z) const {
  const double position = (z + reach) * pieces_per_sd;
  if (!(position >= 0.0 && position < static_cast<double>(pieces_.size()))) return direct(z);
  const auto index = static_cast<std::size_t>(position);
  const Piece& piece = pieces_[index];
  const double t = position - static_cast<double>(index);
  const double cubic = piece.c0 + t * (piece.c1 + t * (piece.c2 + t * piece.c3));
  return cubic == cubic ? cubic : direct(z);
}

double CellCurve::slope(double z) const {
  constexpr double step = 1e-3;
  return (value(z + step) - value(z - step)) / (2.0 * step);
}

double CellCurve::relative_curvature(double z) const {
  constexpr double step = 0.05;
  return (slope(z + step) - slope(z - step)) / (2.0 * step * slope(z));
}

}  // namespace cimstat::circuits
