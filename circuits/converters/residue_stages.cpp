#include "circuits/converters/residue_stages.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <utility>

namespace cimstat::circuits {
namespace {

constexpr double quarter = 0.25;
constexpr std::size_t values_of_a_stage = 4;

}  // namespace

ResidueStages::ResidueStages(std::uint32_t references, const StageMismatch& mismatch)
    : references_(references),
      bits_(static_cast<std::uint32_t>(std::bit_width(references))),
      half_range_(std::ldexp(1.0, static_cast<int>(bits_) - 1)),
      mismatch_(mismatch) {
  assert(references >= 2);
}

std::size_t ResidueStages::frozen_draws() const {
  return (mismatch_.capacitor_sd > 0.0 ? 2 * built_stages() : 0) +
         (mismatch_.offset_sd > 0.0 ? 2 * built_stages() + 1 : 0);
}

void ResidueStages::freeze(NormalDraws draws, std::vector<double>& values) const {
  values.clear();
  const double capacitor_sd = mismatch_.capacitor_sd;
  const double offset_sd = mismatch_.offset_sd / half_range_;
  const std::size_t built = built_stages();
  const NormalDraws offsets = draws.from(capacitor_sd > 0.0 ? 2 * built : 0);
  for (std::size_t i = 0; i < built; ++i) {
    const double first = capacitor_sd > 0.0 ? 1.0 + capacitor_sd * draws[2 * i] : 1.0;
    const double second = capacitor_sd > 0.0 ? 1.0 + capacitor_sd * draws[2 * i + 1] : 1.0;
    const double ratio = second / first;
    const double feedback = first / (first + second);
    const double loss = 1.0 / (1.0 + 1.0 / (mismatch_.amplifier_gain * feedback));
    values.push_back((1.0 + ratio) * loss);
    values.push_back(ratio * loss);
    const double low = offset_sd > 0.0 ? offset_sd * offsets[2 * i] : 0.0;
    const double high = offset_sd > 0.0 ? offset_sd * offsets[2 * i + 1] : 0.0;
    values.push_back(-quarter + low);
    values.push_back(quarter + high);
  }
  values.push_back(offset_sd > 0.0 ? offset_sd * offsets[2 * built] : 0.0);
}

std::span<const double> ResidueStages::stage(std::span<const double> values, std::size_t i) const {
  return values.subspan(mismatch_.same_stage ? 0 : values_of_a_stage * i, values_of_a_stage);
}

std::uint32_t ResidueStages::clamped(std::int64_t code) const {
  return static_cast<std::uint32_t>(std::clamp(code, std::int64_t{0}, std::int64_t{references_}));
}

std::uint32_t ResidueStages::code(std::span<const double> values, double position,
                                  NormalDraws noise) const {
  const double sd = mismatch_.noise_sd / half_range_;
  const auto seen = [&](double value, std::size_t decision) {
    return sd > 0.0 ? value + sd * noise[decision] : value;
  };
  double value = position / half_range_ - 1.0;
  std::int64_t code = std::int64_t{1} << stages();
  for (std::size_t i = 0; i < stages(); ++i) {
    const std::span<const double> here = stage(values, i);
    const int digit =
        (seen(value, 2 * i) >= here[2] ? 1 : 0) + (seen(value, 2 * i + 1) >= here[3] ? 1 : 0) - 1;
    code += digit * (std::int64_t{1} << (stages() - 1 - i));
    value = here[0] * value - here[1] * digit;
  }
  if (seen(value, 2 * stages()) < values.back()) --code;
  return clamped(code);
}

/// Follows the intervals of the input through the stages: v = slope x + base on each.
struct ResidueStages::Walk {
  const ResidueStages& converter;
  std::span<const double> values;
  std::vector<CodePiece> pieces{};

  void end(std::int64_t code, double from, double to) {
    if (!(from < to)) return;
    const std::uint32_t clamped = converter.clamped(code);
    if (pieces.empty() || pieces.back().code != clamped) pieces.push_back({from, clamped});
  }
  void go(std::size_t i, std::int64_t code, double slope, double base, double from, double to) {
    if (!(from < to)) return;
    if (i == converter.stages()) {
      const double threshold = (values.back() - base) / slope;
      end(code - 1, from, std::min(to, threshold));
      end(code, std::max(from, threshold), to);
      return;
    }
    const std::span<const double> here = converter.stage(values, i);
    const double thresholds[] = {(std::min(here[2], here[3]) - base) / slope,
                                 (std::max(here[2], here[3]) - base) / slope};
    const double ends[] = {from, std::clamp(thresholds[0], from, to),
                           std::clamp(thresholds[1], from, to), to};
    for (int digit = -1; digit <= 1; ++digit) {
      const std::int64_t step = std::int64_t{1} << (converter.stages() - 1 - i);
      go(i + 1, code + digit * step, here[0] * slope, here[0] * base - here[1] * digit,
         ends[digit + 1], ends[digit + 2]);
    }
  }
};

std::vector<CodePiece> ResidueStages::pieces(std::span<const double> values) const {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Walk walk{*this, values};
  walk.go(0, std::int64_t{1} << stages(), 1.0 / half_range_, -1.0, -infinity, infinity);
  return std::move(walk.pieces);
}

}  // namespace cimstat::circuits
