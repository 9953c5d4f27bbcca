#include "experiments/inference/level_chip.h"

#include <cassert>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

std::string_view asking_key(const LevelOptions& options) {
  if (options.cell_bits > 1) return "accuracy.cell_bits";
  return options.range == ConverterRange::observed ? "accuracy.converter_range"
                                                   : "accuracy.subtraction";
}

/// Says which part of the column such chips don't have.
void require_levels(const circuits::ColumnDesign& design, const ChipDesign& chip,
                    const LevelOptions& options) {
  struct Part {
    bool is_there;
    std::string_view what;
    std::string_view remedy;
  };
  for (const Part& part :
       {Part{design.sense.noise_sd > 0.0, "noise of sense amplifiers",
             "leave out sense_amplifier.noise_sd"},
        Part{chip.has_read_noise, "read noise of cells", "leave out the cells' read noise"},
        Part{design.sense.offset_sd > 0.0, "offsets of sense amplifiers",
             "leave out sense_amplifier.offset_sd"},
        Part{chip.factor_sd > 0.0f, "gains and common factors",
             "leave out column.common_factor_sd and sense_amplifier.gain_sd"},
        Part{design.leakage.has_value(), "leakage of unselected rows", "leave out column.leakage"},
        Part{chip.converter.has_value(), "mismatch of converters",
             "leave out the mismatch of [converter]"}}) {
    if (!part.is_there) continue;
    throw core::UsageError(
        core::error_line(asking_key(options), fmt::format("knows no {}", part.what),
                         "such chips freeze the spread of cells alone", part.remedy));
  }
  if (design.ladder.follows_active_rows) {
    throw core::UsageError(core::error_line(
        asking_key(options), "knows no references that follow the active rows",
        "partial sums aren't LRS counts here", "write converter.references = \"uniform\""));
  }
  if (!(design.lrs.mean() > design.hrs.mean())) {
    throw core::UsageError(core::error_line(asking_key(options),
                                            "finds no levels between HRS and LRS",
                                            "LRS conducts no more than HRS", "correct [cell]"));
  }
}

std::uint32_t slices_of(const ColumnLayer& layer, std::uint32_t cell_bits) {
  return (layer.weights().planes + cell_bits - 1) / cell_bits;
}

constexpr std::uint64_t redrawn_instances = chip_instances + (std::uint64_t{1} << 46);

/// Of the cells that one bit of the inputs meets.
std::uint64_t cells_instance(const LevelOptions& options, const LevelDraw& draw, std::uint32_t bit,
                             std::uint32_t layer) {
  if (options.spread == CellSpread::frozen) return chip_instance(draw.chip, layer);
  return redrawn_instances + (std::uint64_t{draw.chip} << 32) + (std::uint64_t{draw.batch} << 17) +
         (std::uint64_t{bit} << 14) + layer;
}

/// Draws one slice of 16 outputs of one tile.
class SliceDraw {
 public:
  SliceDraw(const LevelDesign& design, const ColumnLayer& layer, core::StreamKey key,
            std::uint64_t instance)
      : design_(design), layer_(layer), key_(key), instance_(instance) {}

  void operator()(std::uint32_t tile, std::uint32_t group, std::uint32_t slice,
                  const LevelLayer& to, AlignedVector<double>& to_cells) const {
    const WeightPlanes& weights = layer_.weights();
    const std::uint32_t height = layer_.layout().height(tile);
    const std::uint64_t vector =
        std::uint64_t{tile} * weights.groups * to.slices + std::uint64_t{group} * to.slices + slice;
    for (std::uint32_t lane = 0; lane < group_channels; ++lane) {
      const std::uint32_t output = group * group_channels + lane;
      if (output >= weights.outputs) break;
      const std::uint64_t u = vector * group_channels + lane;
      core::TrialRandom cells = words(u, 0);
      core::TrialRandom dummies = words(u, 2);
      for (std::uint32_t row = 0; row < height; ++row) {
        const std::uint32_t digit = this->digit(tile, group, slice, lane, row);
        double cell = design_.target(digit);
        if (has_spread()) cell += deviation(digit / design_.top(), cells());
        if (is_analog()) cell -= own_dummy(dummies);
        to_cells[(to.first_row[tile] + row) * to.columns() + std::size_t{slice} * to.width +
                 output] = cell;
      }
    }
  }

  void draw_dummy(std::uint32_t tile, LevelLayer& to) const {
    const std::uint64_t first =
        std::uint64_t{tile} * layer_.weights().groups * to.slices * group_channels;
    core::TrialRandom dummies = words(first, 2);
    for (std::uint32_t row = 0; row < layer_.layout().height(tile); ++row) {
      double cell = design_.middle;
      if (has_spread() && design_.options.spread == CellSpread::frozen) {
        cell += deviation(0.5, dummies());
      }
      to.dummy[to.first_row[tile] + row] = cell;
    }
  }

 private:
  bool is_analog() const { return design_.options.subtraction == DummySubtraction::analog; }
  bool has_spread() const { return design_.chip.lrs.table || design_.chip.hrs.table; }

  core::TrialRandom words(std::uint64_t column, std::uint64_t kind) const {
    return {key_, core::Domain::column_cells, instance_,
            blocks_of_a_chip_column * column + 256 * kind};
  }

  std::uint32_t digit(std::uint32_t tile, std::uint32_t group, std::uint32_t slice,
                      std::uint32_t lane, std::uint32_t row) const {
    const WeightPlanes& weights = layer_.weights();
    const std::uint32_t words = layer_.layout().words(tile);
    const std::uint32_t cell_bits = design_.options.cell_bits;
    std::uint32_t result = 0;
    for (std::uint32_t bit = 0; bit < cell_bits; ++bit) {
      const std::uint32_t plane = slice * cell_bits + bit;
      if (plane >= weights.planes) break;
      const std::size_t at = (std::size_t{group} * weights.planes + plane) * words + row / 32;
      const std::uint32_t word =
          weights.words[weights.tile_begin[tile] + at * group_channels + lane];
      result |= (word >> (row % 32) & 1U) << bit;
    }
    return result;
  }

  /// Of a cell so far from HRS to LRS, in steps.
  double deviation(double share, std::uint32_t word) const {
    const ChipDesign& chip = design_.chip;
    double result = 0.0;
    if (chip.hrs.table) result += (1.0 - share) * (double{chip.hrs(word)} - design_.hrs_mean);
    if (chip.lrs.table) result += share * (double{chip.lrs(word)} - 1.0);
    return design_.top() * result;
  }

  double own_dummy(core::TrialRandom& words) const {
    const ChipDesign::Current& law = *design_.chip.dummy;
    if (!law.table) return design_.top() * design_.dummy_mean;
    return design_.top() * double{law(words())};
  }

  const LevelDesign& design_;
  const ColumnLayer& layer_;
  core::StreamKey key_;
  std::uint64_t instance_;
};

}  // namespace

LevelDesign::LevelDesign(const circuits::ColumnDesign& design, const LevelOptions& wanted)
    : options(wanted), chip(design), codes(design.ladder.codes) {
  require_levels(design, chip, options);
  const double lrs = design.lrs.mean();
  const double hrs = design.hrs.mean();
  slope = 1.0;
  middle = 0.5 * top();
  if (hrs > 0.0) {
    const double ratio = lrs / hrs;
    slope = 1.0 - 1.0 / ratio;
    base = top() / ratio;
    middle = top() * (1.0 + 1.0 / ratio) / 2.0;
  }
  hrs_mean = hrs / lrs;
  if (design.dummy) dummy_mean = design.dummy->mean() / lrs;
  if (options.range == ConverterRange::observed) return;
  for (const double reference : design.ladder.at(0)) references.push_back(reference / lrs * top());
  code_step = design.ladder.code_step * top();
  code_origin = design.ladder.code_origin * top();
}

LevelLayer draw_level_layer(const LevelDesign& design, const ColumnLayer& layer,
                            core::StreamKey key, const LevelDraw& draw, core::Threads threads) {
  const WeightPlanes& weights = layer.weights();
  assert(weights.sets == 1 && !weights.top_plane_negative && draw.batch < batch_limit);
  const LevelOptions& options = design.options;
  LevelLayer result;
  result.slices = slices_of(layer, options.cell_bits);
  result.width = weights.groups * group_channels;
  std::size_t rows = 0;
  for (std::uint32_t tile = 0; tile < layer.layout().tiles(); ++tile) {
    result.first_row.push_back(rows);
    rows += layer.layout().height(tile);
  }
  const std::size_t draws = options.spread == CellSpread::redrawn ? layer.input_bits() : 1;
  result.cells.assign(draws, AlignedVector<double>(rows * result.columns(), 0.0));
  if (options.subtraction == DummySubtraction::digital) result.dummy.resize(rows);
  core::for_each_block(
      draws * layer.layout().tiles(), threads, [&](std::size_t block, std::size_t) {
        const auto bit = static_cast<std::uint32_t>(block / layer.layout().tiles());
        const auto tile = static_cast<std::uint32_t>(block % layer.layout().tiles());
        const SliceDraw slice_draw(design, layer, key,
                                   cells_instance(options, draw, bit, layer.index()));
        for (std::uint32_t group = 0; group < weights.groups; ++group) {
          for (std::uint32_t slice = 0; slice < result.slices; ++slice) {
            slice_draw(tile, group, slice, result, result.cells[bit]);
          }
        }
        if (bit == 0 && !result.dummy.empty()) slice_draw.draw_dummy(tile, result);
      });
  return result;
}

void draw_level_node(const LevelDesign& design, const ForwardPass& pass, std::size_t node,
                     core::StreamKey key, const LevelDraw& draw, core::Threads threads,
                     LevelNetwork& network) {
  for (const ColumnLayer& layer : pass.analog(node)) {
    network[layer.index()] = draw_level_layer(design, layer, key, draw, threads);
  }
}

std::uint64_t level_partial_sums(const ForwardPass& pass, std::uint32_t cell_bits) {
  std::uint64_t sum = 0;
  for (std::size_t node = 0; node < pass.nodes(); ++node) {
    for (const ColumnLayer& layer : pass.analog(node)) {
      std::uint64_t parts = 0;
      for (std::uint32_t tile = 0; tile < layer.layout().tiles(); ++tile) {
        parts += layer.layout().parts(tile);
      }
      sum += std::uint64_t{layer.geometry().pixels()} * parts * layer.input_bits() *
             slices_of(layer, cell_bits) * layer.weights().outputs;
    }
  }
  return sum;
}

}  // namespace cimstat::experiments
