#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/inference/network.h"

/// The checks of one layer of a network; check() of network.h does them all.
namespace cimstat::experiments {

/// Values of one map at most.
inline constexpr std::uint64_t most_elements = std::uint64_t{1} << 26;

/// What flows along an edge of the graph.
struct Signal {
  std::array<std::uint32_t, 3> shape{};  ///< channels, rows, columns
  std::uint32_t bits = 0;                ///< of levels; 0: real values
  double largest = 0.0;                  ///< magnitude that no value exceeds
  double step = 0.0;  ///< of levels with a step of their own in each image the largest; else 0

  bool is_real() const { return bits == 0; }
  std::uint64_t size() const { return std::uint64_t{shape[0]} * shape[1] * shape[2]; }
};

/// Levels 0 .. 2^bits - 1, bits of 1 .. 8.
Signal levels(const std::array<std::uint32_t, 3>& shape, std::uint32_t bits);

std::string shape_text(const Signal& signal);  ///< "3 x 5 x 5"
std::string extents_text(Extents extents);     ///< "3", "3 x 5"

inline constexpr std::string_view correct_network = "correct the network and write it again";

enum class LayerPosition { inside, last };

class LayerCheck {
 public:
  /// `place` is that of the layer: "file: /layers/000_name".
  LayerCheck(const Layer& layer, std::string place);

  /// What the layer makes of its inputs (in the order of layer.inputs). Throws DataError for
  /// anything that can't be run.
  Signal output(const std::vector<Signal>& inputs, LayerPosition position) const;

  [[noreturn]] void refuse(std::string_view problem, std::string_view why = {},
                           std::string_view remedy = {}) const;

 private:
  void check_window() const;
  void check_groups() const;
  void check_weights() const;
  void check_scale() const;
  void check_token_numbers() const;
  void check_bits(LayerPosition position) const;
  double largest_value(const std::vector<Signal>& inputs) const;
  double largest_step(const Signal& input) const;
  void check_own_steps(const std::vector<Signal>& inputs) const;
  std::array<std::uint32_t, 3> output_shape(const std::vector<Signal>& inputs) const;
  std::array<std::uint32_t, 3> slid(const Signal& input, std::uint32_t channels) const;
  std::array<std::uint32_t, 3> convolved(const Signal& input) const;
  std::array<std::uint32_t, 3> connected(const Signal& input) const;
  std::array<std::uint32_t, 3> with_constants(const Signal& input) const;
  std::array<std::uint32_t, 3> with_tokens(const Signal& input) const;
  std::array<std::uint32_t, 3> normalised(const Signal& input) const;
  std::array<std::uint32_t, 3> multiplied(const std::vector<Signal>& inputs) const;
  std::array<std::uint32_t, 3> joined(const std::vector<Signal>& inputs) const;
  void require_scale_of_channels(const Signal& input) const;
  void check_signs(const Signal& input) const;
  void check_padding_level(const Signal& input) const;
  void require_levels(const Signal& input, std::size_t index = 0) const;
  void require_reals(const Signal& input) const;
  void check_accumulator(std::uint64_t fan_in, std::uint32_t weight_bits,
                         std::uint32_t input_bits) const;

  const Layer& layer_;
  std::string place_;
};

}  // namespace cimstat::experiments
