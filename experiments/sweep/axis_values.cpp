#include "experiments/sweep/axis_values.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/random/random.h"
#include "core/random/scrambled_sobol.h"

namespace cimstat::experiments {

namespace {

/// Sobol points of sweeps; the instances of rare events are those of classes and columns.
constexpr std::uint64_t sobol_instance = core::instance_limit - 1;

/// To 12 digits: pow() and fused operations differ between machines in the last ones.
double tidy(double value) {
  const std::string text = fmt::format("{:.12g}", value);
  double result = value;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

std::vector<std::vector<double>> sobol_shares(core::StreamKey key, std::size_t axes,
                                              std::uint64_t samples) {
  const auto log2_size = static_cast<unsigned>(std::bit_width(samples - 1));
  const core::ScrambledSobol sobol(key, sobol_instance, axes, log2_size);
  std::vector<std::vector<double>> shares(axes, std::vector<double>(samples));
  std::vector<double> point(axes);
  for (std::uint64_t i = 0; i < samples; ++i) {
    sobol.point(i, point);
    for (std::size_t axis = 0; axis < axes; ++axis) shares[axis][i] = point[axis];
  }
  return shares;
}

std::vector<double> latin_shares(core::StreamKey key, std::size_t axis, std::uint64_t samples) {
  core::TrialRandom random(key, core::Domain::sweep_points, axis);
  std::vector<std::uint32_t> part(samples);
  std::iota(part.begin(), part.end(), 0U);
  for (std::size_t i = part.size() - 1; i > 0; --i) {
    const auto other = static_cast<std::size_t>(random.uniform() * static_cast<double>(i + 1));
    std::swap(part[i], part[std::min(other, i)]);
  }
  std::vector<double> shares;
  shares.reserve(samples);
  for (const std::uint32_t which : part) {
    shares.push_back((which + random.uniform()) / static_cast<double>(samples));
  }
  return shares;
}

}  // namespace

double value_between(double from, double to, Spacing spacing, double u) {
  const double value =
      spacing == Spacing::log ? from * std::pow(to / from, u) : from + (to - from) * u;
  return std::clamp(tidy(value), from, to);
}

double whole_between(double from, double to, Spacing spacing, double u) {
  return std::clamp(std::floor(value_between(from, to + 1.0, spacing, u)), from, to);
}

std::vector<double> grid_values(double from, double to, std::uint64_t count, Spacing spacing) {
  std::vector<double> values;
  values.reserve(count);
  const double steps = static_cast<double>(count - 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    values.push_back(i == 0 ? from
                     : i == count - 1
                         ? to
                         : value_between(from, to, spacing, static_cast<double>(i) / steps));
  }
  return values;
}

std::vector<std::vector<double>> sample_shares(std::uint64_t seed, Sampling sampling,
                                               std::size_t axes, std::uint64_t samples) {
  const core::StreamKey key{seed, 0};
  if (sampling == Sampling::sobol) return sobol_shares(key, axes, samples);
  std::vector<std::vector<double>> shares;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    shares.push_back(latin_shares(key, axis, samples));
  }
  return shares;
}

}  // namespace cimstat::experiments
