#include "circuits/cell_sum.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include <boost/math/tools/toms748_solve.hpp>

#include "core/error.h"

#include "circuits/inversion.h"

namespace cimstat::circuits {
namespace {

constexpr double tolerance = 1e-13;

Inversion inversion_of(const core::Law& law, std::uint32_t count) {
  return Inversion({law}, SumNoise{}, {{count}}, tolerance);
}

}  // namespace

struct CellSum::State {
  core::Law law;
  std::uint32_t count = 0;
  SumSeries series;
};

bool CellSum::possible(const core::Law& law, std::uint32_t count) {
  return count <= 1 || law.as_normal() || !inversion_of(law, count).obstacle();
}

CellSum::CellSum(const core::Law& law, std::uint32_t count)
    : state_(std::make_unique<State>(State{law, count, {}})) {
  if (count <= 1 || law.as_normal()) return;
  Inversion inversion = inversion_of(law, count);
  if (inversion.obstacle()) {
    throw core::UsageError("sum of cells: " + *inversion.obstacle());
  }
  inversion.prepare();
  state_->series = inversion.series(0);
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
  const double goal = side == core::Tail::lower ? probability : 1.0 - probability;
  const auto excess = [&](double x) { return state.series.below(x) - goal; };
  std::uintmax_t iterations = 100;
  const auto bracket = boost::math::tools::toms748_solve(
      excess, state.series.mean + state.series.low, state.series.mean + state.series.high, -goal,
      1.0 - goal, boost::math::tools::eps_tolerance<double>(50), iterations);
  return 0.5 * (bracket.first + bracket.second);
}

}  // namespace cimstat::circuits
