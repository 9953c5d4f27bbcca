#include "circuits/exact/cell_sum.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/math/tools/toms748_solve.hpp>

#include "core/error.h"
#include "core/law/quantile_interpolant.h"

#include "circuits/exact/inversion.h"

namespace cimstat::circuits {
namespace {

constexpr double tolerance = 1e-13;

Inversion inversion_of(const core::Law& law, std::uint32_t count) {
  return Inversion({law}, SumNoise{}, {{count}}, tolerance);
}

/// Quantiles down to 2^-33 need a smooth distribution function of full accuracy.
std::optional<std::string> obstacle(const Inversion& inversion) {
  if (inversion.obstacle()) return inversion.obstacle();
  if (inversion.is_split(0)) return "too few cells to smooth each other";
  return std::nullopt;
}

/// What roundings leave in a distribution function: far less than their bound.
double probability_error(const SumSeries& series) { return std::max(3e-14, 0.2 * series.error); }

/// Quantiles of a series. Its distribution function is tabulated once, so that each search starts
/// between neighbours.
class SeriesQuantile {
 public:
  SeriesQuantile(SumSeries series, double sd)
      : series_(std::move(series)), resolution_(1e-13 * sd) {
    constexpr int points = 256;
    const double first = std::asinh(series_.low / sd);
    const double last = std::asinh(series_.high / sd);
    for (int i = 0; i <= points; ++i) {
      x_.push_back(series_.mean + sd * std::sinh(first + (last - first) * i / points));
    }
    below_ = series_.below(x_);
    below_.front() = 0.0;
    below_.back() = 1.0;
    for (std::size_t i = 1; i < below_.size(); ++i) {
      below_[i] = std::max(below_[i], below_[i - 1]);  // errors of 1e-15 must not lead astray
    }
  }

  double operator()(core::Tail side, double probability) const {
    const double goal = side == core::Tail::lower ? probability : 1.0 - probability;
    const auto above = std::upper_bound(below_.begin() + 1, below_.end() - 1, goal);
    const auto i = static_cast<std::size_t>(above - below_.begin());
    const auto excess = [&](double x) { return series_.below(x) - goal; };
    std::uintmax_t iterations = 100;
    // Closer than the roundings of the distribution function let one tell there is nothing to find.
    const double rise = std::max(below_[i] - below_[i - 1], 1e-300);
    const double resolution =
        std::max(resolution_, 0.1 * probability_error(series_) * (x_[i] - x_[i - 1]) / rise);
    const auto narrow = [&](double low, double high) { return high - low <= resolution; };
    const auto bracket = boost::math::tools::toms748_solve(
        excess, x_[i - 1], x_[i], below_[i - 1] - goal, below_[i] - goal, narrow, iterations);
    return 0.5 * (bracket.first + bracket.second);
  }

 private:
  SumSeries series_;
  double resolution_;
  std::vector<double> x_;
  std::vector<double> below_;
};

}  // namespace

struct CellSum::State {
  core::Law law;
  std::uint32_t count = 0;
  std::optional<core::QuantileInterpolant> quantile;
};

bool CellSum::possible(const core::Law& law, std::uint32_t count) {
  return count <= 1 || law.as_normal() || !obstacle(inversion_of(law, count));
}

CellSum::CellSum(const core::Law& law, std::uint32_t count, core::Threads threads)
    : state_(std::make_unique<State>(State{law, count, std::nullopt})) {
  if (count <= 1 || law.as_normal()) return;
  Inversion inversion = inversion_of(law, count);
  if (const auto why = obstacle(inversion)) {
    throw core::UsageError(core::error_line("sum of cells", *why));
  }
  inversion.prepare();
  const SumSeries series = inversion.series(0);
  state_->quantile.emplace(SeriesQuantile(series, std::sqrt(count * law.variance())),
                           probability_error(series), threads);
}

CellSum::~CellSum() = default;
CellSum::CellSum(CellSum&&) noexcept = default;

double CellSum::quantile(core::Tail side, double probability) const {
  const State& state = *state_;
  if (state.count == 0) return 0.0;
  if (state.count == 1) return state.law.quantile(side, probability);
  if (const auto normal = state.law.as_normal()) {
    const double sd = std::sqrt(static_cast<double>(state.count)) * normal->sd;
    const double mean = state.count * normal->mean;
    return sd == 0.0 ? mean : core::Law::normal(mean, sd).quantile(side, probability);
  }
  return (*state.quantile)(side, probability);
}

}  // namespace cimstat::circuits
