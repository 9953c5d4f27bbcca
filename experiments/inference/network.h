#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// A quantised network: integer weights, scales, layer graph; and its HDF5 file.
///
/// Activations are unsigned integers of `bits` bits; weights are signed integers. A weighted layer
/// computes acc = sum w x (32-bit integers) and then, for each output channel c, digitally
///     value = double(acc) * scale[c] + bias[c]
/// in IEEE double, two roundings. A layer with output_bits > 0 ends in
///     y = clamp(floor(value + 0.5), 0, 2^output_bits - 1)
/// (so ReLU and BatchNorm are folded into scale and bias) and delivers these levels; one with
/// output_bits = 0 delivers `value` itself, a real (logits, residual branches with a sign). A
/// weighted layer takes levels; the others take levels or reals. relu, max_pool and flatten deliver
/// what they take and have output_bits = 0. With InputValues::signs a weighted layer's inputs, of 1
/// bit, stand for -1 and +1: x = 2 level - 1, and what windows see beyond the edge adds nothing.
/// Levels that a quantise with LevelRange::map makes have a step of their own in each image, which
/// relu, max_pool and flatten hand on: the sums of weighted layers are multiplied by it first.
///
/// In a transformer a pixel is a token, its channels the token's numbers: projections are 1 x 1
/// convolutions. layer_norm, gelu and softmax take and deliver reals. The attend layers are
/// convolutions of 1 x 1 with `groups` heads whose weights come from the image: their second input,
/// of b bits, is written into the arrays as weights w = max(level, 1) - 2^(b - 1), and
///     value = (sum w x - zero_level * sum w) * scale[0] + bias[0]
namespace cimstat::experiments {

enum class LayerKind {
  convolution,      ///< weight [output, input / groups, kernel rows, kernel columns]
  fully_connected,  ///< weight [output, input]; input flattened in channel, row, column order
  relu,             ///< max(0, x); the identity on levels
  max_pool,         ///< reals without padding only: windows over the edge see zeros
  average_pool,     ///< value = sum * scale[0] + bias[0], the sum in row, column order
  add,              ///< value = a * scale[0] + b * scale[1] + bias[0]
  flatten,
  quantise,  ///< value = x * scale[0] + bias[0], output_bits > 0; bias is the level of a real 0.
             ///< With LevelRange::map, of the map's largest value s and top = 2^bits - 1:
             ///< value = clamp(x / (s + epsilon), 0, 1) * top, step = (s + epsilon) / top;
             ///< levels and step are 0 where no value is above 0
  add_constant,    ///< value = x * scale[0] + bias, of which each value has its own
  prepend_tokens,  ///< bias as pixels before the map's own, which are x * scale[0]; one column
  layer_norm,      ///< each pixel: (x - mean) / sqrt(variance + epsilon) * scale + bias, of its
                   ///< channels
  gelu,            ///< x / 2 * (1 + erf(x / sqrt(2)))
  softmax,         ///< each pixel: exp(x) over the sum of its group of channels
  attend_keys,     ///< of each head: x queries, w keys; an output channel for each key
  attend_values,   ///< of each head: x shares, w values; an input channel for each pixel of these
  scale,           ///< value = x * scale[channel] + bias[channel]
  concatenate,     ///< channels of all inputs in turn, each value = x * scale[input] + bias[input]
};

/// What levels of a weighted layer's input stand for.
enum class InputValues {
  levels,  ///< themselves
  signs,   ///< of 1 bit: 0 for -1, 1 for +1
};

/// Which values the levels of a quantise span.
enum class LevelRange {
  stored,  ///< those that its scale and bias say
  map,     ///< from 0 to the largest value of the map at hand, 2^126 at most (ASiM)
};

/// Rows and columns of a window, of its steps, or from one of its points to the next. One number
/// stands for both.
struct Extents {
  std::uint32_t rows = 1;
  std::uint32_t columns = 1;

  constexpr Extents() = default;
  constexpr Extents(std::uint32_t both) : rows(both), columns(both) {}
  constexpr Extents(std::uint32_t down, std::uint32_t across) : rows(down), columns(across) {}
  bool is_square() const { return rows == columns; }
  bool operator==(const Extents&) const = default;
};

/// Rows and columns added on each side of a map. One number stands for all four.
struct Padding {
  std::uint32_t top = 0;
  std::uint32_t left = 0;
  std::uint32_t bottom = 0;
  std::uint32_t right = 0;

  constexpr Padding() = default;
  constexpr Padding(std::uint32_t all) : top(all), left(all), bottom(all), right(all) {}
  constexpr Padding(std::uint32_t above, std::uint32_t before, std::uint32_t below,
                    std::uint32_t behind)
      : top(above), left(before), bottom(below), right(behind) {}
  bool is_even() const { return *this == Padding(top); }
  bool operator==(const Padding&) const = default;
};

struct Layer {
  std::string name;
  LayerKind kind = LayerKind::flatten;
  std::vector<std::string> inputs;  ///< names of earlier layers, or "input"
  // convolution and pools (else 1, 1, 1, 0); windows over the edge see zeros
  Extents kernel;
  Extents stride;
  Extents dilation;
  Padding padding;
  // convolution (else 1 and empty); groups are heads of softmax and the attend layers, too
  std::uint32_t groups = 1;  ///< group k of outputs sees input channels k input / groups and on
  std::vector<std::uint8_t> padding_level;  ///< [input channels]: what windows over the edge see
                                            ///< instead of zeros; empty: zeros
  // convolution and fully connected (else 0 and empty)
  std::uint32_t weight_bits = 0;  ///< two's complement; 2 .. 8; 1: weights -1 and +1
  InputValues input_values = InputValues::levels;
  std::array<std::uint32_t, 4> weight_shape{};  ///< output, input / groups, kernel rows, kernel
                                                ///< columns (1, 1 when fully connected)
  std::vector<std::int8_t> weight;
  // digital scale: [output] each when weighted, [1] and [1] of average_pool, quantise (none with
  // LevelRange::map) and the attend layers, [2] and [1] of add, [channel] each of layer_norm and
  // scale, [input] each of concatenate, [1] and [value] of add_constant, [1] and [channel][token]
  // of prepend_tokens
  std::vector<double> scale;
  std::vector<double> bias;
  std::uint32_t output_bits = 0;  ///< 0: real values
  std::uint32_t zero_level = 0;   ///< attend layers: of the first input, what stands for a real 0
  double epsilon = 0.0;  ///< layer_norm: above 0; quantise with LevelRange::map: 0 or above; else 0
  LevelRange range = LevelRange::stored;  ///< quantise
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

/// The kind's name in files and messages: that of the enumerator.
std::string_view name_of(LayerKind kind);

/// Whether the kind has weights: convolution and fully_connected.
bool is_weighted(LayerKind kind);

/// Whether the kind multiplies two maps, one of them written into the arrays: the attend layers.
bool is_product(LayerKind kind);

/// Whether the kind slides a window over its input: convolution and pools.
bool has_window(LayerKind kind);

/// Whether the kind scales what it delivers, to output_bits of its own. relu, max_pool, flatten,
/// gelu and softmax don't: they keep the bits of their input.
bool requantises(LayerKind kind);

/// Whether the layer gives its levels a step of their own in each image.
bool has_map_range(const Layer& layer);

/// From the first point of a layer's window to its last, both counted.
Extents window_reach(const Layer& layer);

/// How many places a window has on a map with so many rows and columns, into which it fits.
Extents window_places(const Layer& layer, Extents map);

/// Throws DataError "place: /layers/000_name: problem (why); remedy" unless the whole network can
/// be run: known and earlier inputs, shapes that fit through the graph, numbers in range, logits
/// [classes] at the end, sums that cannot overflow 32 bits, and sizes within the limits that
/// experiments/formats/network.md states.
void check(const Network& network, std::string_view place = "network");

/// The shape [channels, rows, columns] that each layer delivers. Throws DataError as `check` does.
std::vector<std::array<std::uint32_t, 3>> output_shapes(const Network& network);

/// SHA-256 over everything that decides what the network computes, in an order and byte order of
/// its own (experiments/formats/network.md): graph, integers, and the doubles' bits. Not over name
/// and description.
std::string content_hash(const Network& network);

/// Reads and checks a network file. Throws UsageError when it can't be opened, DataError when it is
/// not a whole network, or not the one that its `content_sha256`, where it has one, was made of.
Network read_network(const std::filesystem::path& file);

/// Checks the network and writes it; experiments/formats/network.md documents the format. Throws
/// DataError for a network that fails the check, Error (failure) when the file cannot be written.
void write_network(const Network& network, const std::filesystem::path& file);

}  // namespace cimstat::experiments
