#include "circuits/rare/orbit_mixture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace cimstat::circuits {

namespace {

/// ln N(z; centre, sd^2) / N(z; 0, 1) = square z^2 + linear z + constant.
struct LogRatio {
  double square;
  double linear;
  double constant;

  LogRatio(double centre, double sd)
      : square(0.5 - 0.5 / (sd * sd)),
        linear(centre / (sd * sd)),
        constant(-0.5 * centre * centre / (sd * sd) - std::log(sd)) {}
};

/// ln of the elementary symmetric sum of degree `degree` of exp(x_i), over C(n, degree).
double log_symmetric_mean(std::span<const double> x, std::uint32_t degree,
                          std::vector<double>& sums) {
  const double largest = *std::max_element(x.begin(), x.end());
  sums.assign(degree + 1, 0.0);
  sums[0] = 1.0;
  std::uint32_t filled = 0;
  for (const double value : x) {
    const double factor = std::exp(value - largest);
    filled = std::min(filled + 1, degree);
    for (std::uint32_t d = filled; d > 0; --d) sums[d] += factor * sums[d - 1];
  }
  const double n = static_cast<double>(x.size());
  const double log_choices =
      std::lgamma(n + 1.0) - std::lgamma(degree + 1.0) - std::lgamma(n - degree + 1.0);
  return std::log(sums[degree]) + degree * largest - log_choices;
}

}  // namespace

OrbitMixture::OrbitMixture(const SumFailure& failure, std::vector<Component> components,
                           std::vector<double> shares)
    : parts_(failure.parts.size()),
      has_sum_(failure.sum_sd > 0.0),
      components_(std::move(components)),
      shares_(std::move(shares)) {
  const auto add = [&](std::uint32_t count) {
    blocks_.push_back({dimensions_, count});
    dimensions_ += count;
  };
  for (const ColumnPart& part : failure.parts) add(part.count);
  if (has_sum_) add(1);
  if (failure.offset_sd > 0.0) add(1);
}

OrbitMixture OrbitMixture::with_unit_sd() const {
  OrbitMixture copy = *this;
  for (Component& component : copy.components_) {
    for (PartPosition& position : component.mode.parts) position.low_sd = position.high_sd = 1.0;
    component.mode.normal_sd = 1.0;
  }
  return copy;
}

PartPosition OrbitMixture::position(const Component& component, std::size_t block) const {
  if (block < parts_) return component.mode.parts[block];
  const double z = has_sum_ && block == parts_ ? component.mode.sum_z : component.mode.offset_z;
  return {0, z, z, component.mode.normal_sd, component.mode.normal_sd};
}

std::size_t OrbitMixture::uniforms() const {
  std::size_t most = 0;
  for (const Component& component : components_) {
    std::size_t raised = 0;
    for (const PartPosition& position : component.mode.parts) raised += position.raised;
    most = std::max(most, raised);
  }
  return 1 + most;
}

void OrbitMixture::draw(const SampleTile& tile, std::size_t sample, std::span<double> z) const {
  tile.copy_normals(sample, z);
  const std::size_t component = picked(shares_, tile.uniform(sample, 0));
  if (component == 0) return;
  const Component& chosen = components_[component - 1];
  thread_local std::vector<char> up;
  std::size_t next = 1;
  for (std::size_t block = 0; block < blocks_.size(); ++block) {
    const auto [first, count] = blocks_[block];
    const PartPosition here = position(chosen, block);
    up.assign(count, 0);
    // Floyd's algorithm (Bentley and Floyd 1987): each set of raised cells is as likely as another.
    for (std::uint32_t last = count - here.raised; last < count; ++last) {
      const auto cell = static_cast<std::uint32_t>(tile.uniform(sample, next++) * (last + 1.0));
      const std::uint32_t fallback = chosen.spread ? last : last - (count - here.raised);
      up[!chosen.spread || up[cell] != 0 ? fallback : cell] = 1;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      double& value = z[first + i];
      value = up[i] != 0 ? here.high + here.high_sd * value : here.low + here.low_sd * value;
    }
  }
}

void OrbitMixture::log_ratios(std::span<const double> z, std::span<double> log_ratio) const {
  thread_local std::vector<double> exponents;
  thread_local std::vector<double> sums;
  std::fill(log_ratio.begin(), log_ratio.end(), 0.0);
  for (std::size_t block = 0; block < blocks_.size(); ++block) {
    const auto [first, count] = blocks_[block];
    const auto values = z.subspan(first, count);
    double total = 0.0;
    double squares = 0.0;
    for (const double value : values) {
      total += value;
      squares += value * value;
    }
    for (std::size_t k = 0; k < components_.size(); ++k) {
      const Component& component = components_[k];
      const PartPosition here = position(component, block);
      const LogRatio low(here.low, here.low_sd);
      log_ratio[k] += low.square * squares + low.linear * total + count * low.constant;
      if (here.raised == 0) continue;
      const LogRatio high(here.high, here.high_sd);
      exponents.resize(count);
      for (std::uint32_t i = 0; i < count; ++i) {
        exponents[i] =
            high.constant - low.constant +
            values[i] * (high.linear - low.linear + values[i] * (high.square - low.square));
      }
      if (component.spread) {
        log_ratio[k] += log_symmetric_mean(exponents, here.raised, sums);
      } else {
        for (std::uint32_t i = 0; i < here.raised; ++i) log_ratio[k] += exponents[i];
      }
    }
  }
}

double OrbitMixture::log_ratio(std::span<const double> component_log_ratios) const {
  return log_mixture(shares_, component_log_ratios);
}

}  // namespace cimstat::circuits
