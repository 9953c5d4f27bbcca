#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Real weights as whole levels with a step each, by the rules that networks are trained with.
namespace cimstat::experiments {

enum class WeightRule {
  mean_square,  ///< the range of least squared error among 64
  largest,      ///< the largest weight is the top level (ASiM: for the whole layer)
  /// round(top tanh(w) / max|tanh(w)|), of step 1 / top: DoReFa's weights (arXiv 1606.06160) on a
  /// grid that holds 0, as PIM-QAT uses them. Of the whole layer.
  dorefa,
  /// round(w / s) of step s = 2^(1 - bits), within +-(1 - s): WAGE's (arXiv 1802.04680), as
  /// DNN+NeuroSim uses them.
  wage,
  /// The sign of each weight, +1 of 0, times the mean magnitude: XNOR-Net's (arXiv 1603.05279) with
  /// a step for each channel, DoReFa's at 1 bit for the whole layer.
  binary,
  /// -1, 0 or 1: 0 within 0.7 times the mean magnitude; times the mean magnitude of the others:
  /// ternary weight networks (arXiv 1605.04711).
  ternary
};

/// Whether the rule has so many bits of its own: binary 1, ternary 2.
constexpr std::optional<std::uint32_t> bits_of(WeightRule rule) {
  if (rule == WeightRule::binary) return 1;
  if (rule == WeightRule::ternary) return 2;
  return std::nullopt;
}

enum class WeightScale { per_channel, per_layer };

struct WeightQuantiser {
  WeightRule rule = WeightRule::mean_square;
  WeightScale scale = WeightScale::per_channel;  ///< not of dorefa and wage
  std::uint32_t bits = 4;  ///< sign included; what bits_of() says where it says something
};

/// Weight [output][i] is step[output] * level[output][i], |level| < 2^(bits - 1); of 1 bit -1 or 1.
struct WeightLevels {
  std::vector<double> level;
  std::vector<double> step;  ///< above 0; of 1 bit 0 where all of an output's weights are 0
};

/// `weights`: [output][i], finite; `factor`: [output], what multiplies an output afterwards, as
/// BatchNormalization does: it changes the step, and with its sign the levels.
WeightLevels weight_levels(std::vector<double> weights, std::span<const double> factor,
                           const WeightQuantiser& quantiser);

}  // namespace cimstat::experiments
