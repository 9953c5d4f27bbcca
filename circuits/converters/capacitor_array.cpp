#include "circuits/converters/capacitor_array.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace cimstat::circuits {

std::vector<std::uint32_t> search_weights(std::uint32_t references, double radix) {
  assert(radix > 1.0 && radix <= 2.0 && references > 0);
  const std::uint32_t reach = (1U << std::bit_width(references)) - 1;
  std::vector<std::uint32_t> weights;
  std::uint32_t sum = 0;
  while (sum < reach) {
    const double next = weights.empty() ? 1.0 : std::floor(radix * weights.back());
    weights.push_back(std::clamp(static_cast<std::uint32_t>(next), 1U, sum + 1));
    // A radix near 1 would go on for ever with weights of 1: each then grows by one at the least.
    if (weights.size() > 1 && weights.back() == weights[weights.size() - 2]) {
      weights.back() = std::min(weights.back() + 1, sum + 1);
    }
    sum += weights.back();
  }
  std::reverse(weights.begin(), weights.end());
  return weights;
}

CapacitorArray::CapacitorArray(std::vector<double> positions, const ArrayMismatch& mismatch)
    : positions_(std::move(positions)),
      mismatch_(mismatch),
      weights_(search_weights(static_cast<std::uint32_t>(positions_.size()), mismatch.radix)) {
  assert(mismatch.split_bits < weights_.size());
  assert(mismatch.split_bits == 0 || mismatch.radix == 2.0);
  shifts_.resize(weights_.size());
  std::uint32_t rest = 0;
  for (std::size_t k = weights_.size(); k-- > 0;) {
    shifts_[k] = 0.5 * (double(rest) + 1.0 - double(weights_[k]));
    rest += weights_[k];
  }
}

std::size_t CapacitorArray::frozen_draws() const {
  const std::size_t bridge = mismatch_.split_bits > 0 ? 1 : 0;
  return (mismatch_.capacitor_sd > 0.0 ? weights_.size() + 1 + bridge : 0) +
         (mismatch_.offset_sd > 0.0 ? 1 : 0);
}

void CapacitorArray::split(std::vector<double>& capacitors, double closing, double bridge) const {
  const std::size_t low = capacitors.size() - mismatch_.split_bits;
  const auto middle = capacitors.begin() + static_cast<std::ptrdiff_t>(low);
  const double upper = std::accumulate(capacitors.begin(), middle, 0.0);
  const double lower = std::accumulate(middle, capacitors.end(), closing);
  const double coupled = bridge / (bridge + lower);
  const double full = std::ldexp(1.0, static_cast<int>(capacitors.size()));
  const double scale = full / (upper + coupled * lower);
  for (std::size_t k = 0; k < capacitors.size(); ++k) {
    capacitors[k] *= k < low ? scale : scale * coupled;
  }
}

void CapacitorArray::freeze(NormalDraws draws, std::vector<double>& values) const {
  const double sd = mismatch_.capacitor_sd;
  values.assign(weights_.begin(), weights_.end());
  std::size_t used = 0;
  if (sd > 0.0) {
    // Capacitors in units of their own array.
    const auto lowest_upper = static_cast<int>(mismatch_.split_bits);
    double all = 1.0;
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      const bool is_upper = k + mismatch_.split_bits < weights_.size();
      const double units = is_upper ? std::ldexp(values[k], -lowest_upper) : values[k];
      all += units;
      values[k] = units + sd * std::sqrt(units) * draws[used++];
    }
    const double closing = 1.0 + sd * draws[used++];
    if (mismatch_.split_bits > 0) {
      const double low = std::ldexp(1.0, lowest_upper);
      const double units = low / (low - 1.0);
      split(values, closing, units + sd * std::sqrt(units) * draws[used++]);
    } else {
      const double scale = all / std::accumulate(values.begin(), values.end(), closing);
      for (double& value : values) value *= scale;
    }
  }
  values.push_back(mismatch_.offset_sd > 0.0 ? mismatch_.offset_sd * draws[used] : 0.0);
}

double CapacitorArray::threshold(std::span<const double> values, std::size_t k, std::uint32_t kept,
                                 double level) const {
  const std::uint32_t tried = kept + weights_[k];
  if (tried > positions_.size()) return std::numeric_limits<double>::infinity();
  // The nominal position of code `tried` and how far its level is from it.
  const double error = level + values[k] - double(tried);
  return positions_[tried - 1] + shifts_[k] + error;
}

std::uint32_t CapacitorArray::code(std::span<const double> values, double position,
                                   NormalDraws noise) const {
  const double sd = mismatch_.noise_sd;
  std::uint32_t kept = 0;
  double level = values.back();
  for (std::size_t k = 0; k < weights_.size(); ++k) {
    const double seen = sd > 0.0 ? position + sd * noise[k] : position;
    if (seen >= threshold(values, k, kept, level)) {
      kept += weights_[k];
      level += values[k];
    }
  }
  return kept;
}

/// Halves the line at each decision; the ends of the search are its pieces, in order.
struct CapacitorArray::Search {
  const CapacitorArray& array;
  std::span<const double> values;
  std::vector<CodePiece> pieces{};

  void go(std::size_t k, std::uint32_t kept, double level, double from, double to) {
    if (!(from < to)) return;
    if (k == array.weights_.size()) {
      if (pieces.empty() || pieces.back().code != kept) pieces.push_back({from, kept});
      return;
    }
    const double threshold = array.threshold(values, k, kept, level);
    go(k + 1, kept, level, from, std::min(to, threshold));
    if (std::isinf(threshold)) return;
    go(k + 1, kept + array.weights_[k], level + values[k], std::max(from, threshold), to);
  }
};

std::vector<CodePiece> CapacitorArray::pieces(std::span<const double> values) const {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Search search{*this, values};
  search.go(0, 0, values.back(), -infinity, infinity);
  return std::move(search.pieces);
}

}  // namespace cimstat::circuits
