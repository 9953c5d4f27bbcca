#include "experiments/inference/chip_cells.h"

#include <cassert>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

constexpr std::uint64_t most_columns = core::block_limit / blocks_of_a_chip_column;
constexpr unsigned converter_bits = 19;
constexpr unsigned chip_shift = 33;

std::uint32_t padded(std::uint32_t height) { return (height + 3) / 4 * 4; }

std::uint32_t columns_of_a_tile(const ColumnLayer& layer) {
  return layer.weights().vectors() * group_channels;
}

std::uint32_t converters_of_a_tile(const ChipDesign& design, const ColumnLayer& layer) {
  return (columns_of_a_tile(layer) + design.columns_per_converter - 1) /
         design.columns_per_converter;
}

std::uint32_t first_word(core::StreamKey key, core::Domain domain, std::uint64_t instance,
                         std::uint64_t block) {
  return core::philox4x32(core::counter_of(key, domain, instance, block), core::key_of(key))[0];
}

/// The words of one kind of current of one column, in row order.
class CellWords {
 public:
  CellWords(core::StreamKey key, std::uint64_t instance, std::uint64_t column, std::uint64_t kind)
      : words_(key, core::Domain::column_cells, instance,
               blocks_of_a_chip_column * column + 256 * kind) {}
  std::uint32_t next() { return words_(); }

 private:
  core::TrialRandom words_;
};

float square(float value) { return value * value; }

/// Draws the columns of one vector of one tile.
class VectorDraw {
 public:
  VectorDraw(const ChipDesign& design, const ColumnLayer& layer, core::StreamKey key,
             std::uint32_t chip)
      : design_(design),
        layer_(layer),
        key_(key),
        instance_(chip_instance(chip, layer.index())),
        chip_factor_(factor(chip_instance(chip, 0), 0)) {}

  void operator()(std::uint32_t tile, std::uint32_t vector, ChipLayer& chip_layer) const {
    const WeightPlanes& weights = layer_.weights();
    const std::uint32_t height = layer_.layout().height(tile);
    const std::uint32_t words = layer_.layout().words(tile);
    const std::uint32_t group = vector / weights.planes % weights.groups;
    const std::size_t first_row = chip_layer.first_row[tile] + std::size_t{vector} * padded(height);
    for (std::uint32_t lane = 0; lane < group_channels; ++lane) {
      if (group * group_channels + lane >= weights.outputs) continue;
      const std::uint64_t u =
          (std::uint64_t{tile} * weights.vectors() + vector) * group_channels + lane;
      const std::uint32_t* states = weights.words.data() + weights.tile_begin[tile] +
                                    std::size_t{vector} * words * group_channels + lane;
      draw_column(u, height, states, first_row * group_channels + lane, chip_layer);
    }
  }

 private:
  float factor(std::uint64_t instance, std::uint64_t block) const {
    if (design_.factor_sd == 0.0f) return 1.0f;
    const std::uint32_t word = first_word(key_, core::Domain::die_factor, instance, block);
    return 1.0f + design_.factor_sd * design_.normal(word);
  }

  void draw_column(std::uint64_t u, std::uint32_t height, const std::uint32_t* states,
                   std::size_t first, ChipLayer& chip_layer) const {
    const float scale = design_.own_gain ? factor(instance_, u) : chip_factor_;
    CellWords cell_words(key_, instance_, u, 0);
    CellWords leakage_words(key_, instance_, u, 1);
    CellWords dummy_words(key_, instance_, u, 2);
    float idle = 0.0f;
    float idle_variance = 0.0f;
    for (std::uint32_t row = 0; row < design_.rows; ++row) {
      float leakage = 0.0f;
      float leakage_variance = 0.0f;
      if (design_.leakage) {
        leakage = (*design_.leakage)(leakage_words.next());
        leakage_variance = square(scale * (design_.leakage->relative_noise * leakage));
        idle += leakage;
        idle_variance += leakage_variance;
      } else if (row >= height) {
        break;
      }
      if (row >= height) continue;
      const bool in_lrs = (states[row / 32 * group_channels] >> (row % 32) & 1U) != 0;
      const ChipDesign::Current& law = in_lrs ? design_.lrs : design_.hrs;
      const float cell = law(cell_words.next());
      const float dummy = design_.dummy ? (*design_.dummy)(dummy_words.next()) : 0.0f;
      const std::size_t at = first + std::size_t{row} * group_channels;
      chip_layer.cells[at] = scale * ((cell - leakage) - dummy);
      if (!design_.has_read_noise) continue;
      float variance = square(scale * (law.relative_noise * cell));
      if (design_.dummy) variance += square(scale * (design_.dummy->relative_noise * dummy));
      chip_layer.variances[at] = variance - leakage_variance;
    }
    chip_layer.idle[u] = scale * idle;
    if (design_.has_read_noise) chip_layer.idle_variance[u] = idle_variance;
    if (design_.offset_sd > 0.0f) {
      const std::uint32_t word = first_word(key_, core::Domain::column_offset, instance_, u);
      chip_layer.offset[u] = design_.offset_sd * design_.normal(word);
    }
  }

  const ChipDesign& design_;
  const ColumnLayer& layer_;
  core::StreamKey key_;
  std::uint64_t instance_;
  float chip_factor_;
};

ConverterCurve curve_of(const ChipDesign& design, core::StreamKey key, std::uint64_t number) {
  const circuits::ConverterCircuit& circuit = *design.converter;
  ConverterCurve curve;
  for (const circuits::CodePiece& piece :
       circuit.pieces(circuits::converter(circuit, key, number))) {
    curve.from.push_back(design.first_reference +
                         static_cast<float>(piece.from - 1.0) * design.reference_step);
    curve.code.push_back(piece.code);
  }
  return curve;
}

}  // namespace

void check_chip_layer(const ChipDesign& design, const ColumnLayer& layer) {
  const auto refuse = [](std::uint64_t count, std::string_view what, std::uint64_t limit) {
    throw core::UsageError(core::error_line(
        "accuracy.network", fmt::format("a layer takes {} {} on a chip", count, what),
        fmt::format("the random-number contract numbers {}", limit),
        "use more rows, or noise = \"table\""));
  };
  const std::uint64_t tiles = layer.layout().tiles();
  const std::uint64_t columns = tiles * columns_of_a_tile(layer);
  if (columns > most_columns) refuse(columns, "columns", most_columns);
  if (!design.converter) return;
  const std::uint64_t converters = tiles * converters_of_a_tile(design, layer);
  constexpr std::uint64_t most = std::uint64_t{1} << converter_bits;
  if (converters > most) refuse(converters, "converters", most);
}

ChipLayer draw_chip_layer(const ChipDesign& design, const ColumnLayer& layer, core::StreamKey key,
                          std::uint32_t chip, core::Threads threads) {
  assert(chip < chip_limit);
  const TileLayout& layout = layer.layout();
  const std::uint32_t vectors = layer.weights().vectors();
  const std::size_t columns = std::size_t{layout.tiles()} * columns_of_a_tile(layer);
  ChipLayer result;
  std::size_t rows = 0;
  for (std::uint32_t tile = 0; tile < layout.tiles(); ++tile) {
    result.first_row.push_back(rows);
    rows += std::size_t{vectors} * padded(layout.height(tile));
  }
  result.cells.resize(rows * group_channels);
  result.idle.resize(columns);
  result.offset.resize(columns);
  if (design.has_read_noise) {
    result.variances.resize(result.cells.size());
    result.idle_variance.resize(columns);
  }
  const VectorDraw draw(design, layer, key, chip);
  core::for_each_block(std::size_t{layout.tiles()} * vectors, threads,
                       [&](std::size_t block, std::size_t) {
                         draw(static_cast<std::uint32_t>(block / vectors),
                              static_cast<std::uint32_t>(block % vectors), result);
                       });
  if (!design.converter) return result;
  const std::uint32_t of_a_tile = converters_of_a_tile(design, layer);
  result.converters.resize(std::size_t{layout.tiles()} * of_a_tile);
  const std::uint64_t first = chip_instances + (std::uint64_t{chip} << chip_shift) +
                              (std::uint64_t{layer.index()} << converter_bits);
  core::for_each_block(result.converters.size(), threads, [&](std::size_t number, std::size_t) {
    result.converters[number] = curve_of(design, key, first + number);
  });
  for (std::size_t u = 0; u < columns; ++u) {
    const std::size_t tile = u / columns_of_a_tile(layer);
    result.converter_of.push_back(static_cast<std::uint32_t>(
        tile * of_a_tile + u % columns_of_a_tile(layer) / design.columns_per_converter));
  }
  return result;
}

}  // namespace cimstat::experiments
