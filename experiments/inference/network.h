#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// A quantised network: integer weights, scales, layer graph; and its HDF5 file.
///
/// Activations are unsigned integers of `bits` bits; weights are signed integers. A weighted layer
/// computes acc = sum w x (32-bit integers) and then, for each output channel c, digitally
///     value = double(acc) * scale[c] + bias[c]
/// in IEEE double, two roundings. A layer with output_bits > 0 ends in
///     y = clamp(floor(value + 0.5), 0, 2^output_bits - 1)
/// (so ReLU and BatchNorm are folded into scale and bias); one with output_bits = 0 delivers
/// `value` itself (logits; only the last layer may).
namespace cimstat::experiments {

enum class LayerKind {
  convolution,      ///< weight [output, input, kernel, kernel], zero padding
  fully_connected,  ///< weight [output, input]; input flattened in channel, row, column order
  relu,             ///< max(0, x); the identity on unsigned activations
  max_pool,
  average_pool,  ///< y = clamp(floor(sum * scale[0] + bias[0] + 0.5)), requantised like a weighted
                 ///< layer
  add,           ///< y = clamp(floor(a * scale[0] + b * scale[1] + bias[0] + 0.5), 0, 2^bits - 1)
  flatten,
};

struct Layer {
  std::string name;
  LayerKind kind = LayerKind::flatten;
  std::vector<std::string> inputs;  ///< names of earlier layers, or "input"
  // convolution and pools
  std::uint32_t kernel = 1;
  std::uint32_t stride = 1;
  std::uint32_t padding = 0;
  // convolution and fully connected
  std::uint32_t weight_bits = 0;  ///< two's complement; 2 .. 8
  std::array<std::uint32_t, 4>
      weight_shape{};  ///< output, input, kernel, kernel (1, 1 when fully connected)
  std::vector<std::int8_t> weight;
  // digital scale
  std::vector<double> scale;
  std::vector<double> bias;
  std::uint32_t output_bits = 0;
};

struct Network {
  std::string name;
  std::string description;  ///< how it was trained, accuracy, licence of the data
  std::array<std::uint32_t, 3> input_shape{};  ///< channels, rows, columns
  std::uint32_t input_bits =
      4;  ///< an 8-bit pixel p becomes (p * (2^bits - 1) + 127) / 255, integer division
  std::uint32_t classes = 10;
  std::vector<Layer> layers;  ///< in an order in which inputs come first; the last one gives logits
};

/// Reads and checks a network file: shapes, ranges, graph, sizes. Throws DataError.
Network read_network(const std::filesystem::path& file);
/// Writes it (experiments/README.md documents the format).
void write_network(const Network& network, const std::filesystem::path& file);

}  // namespace cimstat::experiments
