#include "experiments/inference/level_reader.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>

namespace cimstat::experiments {
namespace {

/// Of a pixel: all parts of all tiles, whether they hold rows or not.
std::size_t reads_of(const ColumnLayer& layer) {
  return std::size_t{layer.layout().tiles()} * layer.layout().parts() * layer.input_bits();
}

SeenRange nothing_seen(const ColumnLayer& layer, const LevelLayer& cells) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const std::size_t reads = reads_of(layer);
  SeenRange seen;
  seen.low.assign(reads * cells.columns(), infinity);
  seen.high.assign(reads * cells.columns(), -infinity);
  if (!cells.dummy.empty()) {
    seen.dummy_low.assign(reads, infinity);
    seen.dummy_high.assign(reads, -infinity);
  }
  return seen;
}

template <class Values>
void lower(Values& values, const Values& others) {
  std::transform(values.begin(), values.end(), others.begin(), values.begin(),
                 [](double a, double b) { return std::min(a, b); });
}

template <class Values>
void raise(Values& values, const Values& others) {
  std::transform(values.begin(), values.end(), others.begin(), values.begin(),
                 [](double a, double b) { return std::max(a, b); });
}

EvenCodes codes_between(double low, double high, const LevelDesign& design) {
  const double step = (high - low) / design.codes;
  const double first = design.options.value == CodeValue::middle ? low + 0.5 * step : low;
  return {low, step, design.codes - 1.0, first};
}

double plane_weight(const InputCycles& cycles, std::uint32_t plane) {
  const auto weight = static_cast<double>(1U << plane);
  return cycles.is_sign(plane) ? -weight : weight;
}

}  // namespace

void SeenRange::add(const SeenRange& other) {
  lower(low, other.low);
  raise(high, other.high);
  lower(dummy_low, other.dummy_low);
  raise(dummy_high, other.dummy_high);
}

ObservedCodes observed_codes(const LevelDesign& design, const ColumnLayer& layer,
                             const LevelLayer& cells, const SeenRange& seen) {
  const auto outputs = static_cast<std::ptrdiff_t>(layer.weights().outputs);
  ObservedCodes result;
  for (std::size_t column = 0; column < seen.low.size(); column += cells.width) {
    const auto low = seen.low.begin() + static_cast<std::ptrdiff_t>(column);
    const auto high = seen.high.begin() + static_cast<std::ptrdiff_t>(column);
    result.columns.push_back(codes_between(*std::min_element(low, low + outputs),
                                           *std::max_element(high, high + outputs), design));
  }
  for (std::size_t read = 0; read < seen.dummy_low.size(); ++read) {
    result.dummy.push_back(codes_between(seen.dummy_low[read], seen.dummy_high[read], design));
  }
  return result;
}

/// One part of one tile for one bit of the inputs.
struct LevelReader::Read {
  std::size_t number = 0;
  double weight = 0.0;  ///< 2^z
  double dummy = 0.0;   ///< current of the dummy column
};

LevelReader::LevelReader(const LevelDesign& design) : design_(design) {}

void LevelReader::look() {
  looking_ = true;
  seen_.clear();
}

void LevelReader::convert(const Converters* converters) {
  looking_ = false;
  converters_ = converters;
}

double LevelReader::value_by_references(double sum) const {
  const auto above = std::upper_bound(design_.references.begin(), design_.references.end(), sum);
  return design_.code_origin +
         design_.code_step * static_cast<double>(above - design_.references.begin());
}

void LevelReader::keep(const Read& read, const LevelLayer& cells, SeenRange& seen) {
  const std::size_t first = read.number * cells.columns();
  widen(sums_, std::span(seen.low).subspan(first, cells.columns()),
        std::span(seen.high).subspan(first, cells.columns()));
  if (cells.dummy.empty()) return;
  double& low = seen.dummy_low[read.number];
  double& high = seen.dummy_high[read.number];
  low = std::min(low, read.dummy);
  high = std::max(high, read.dummy);
}

void LevelReader::convert_read(const Read& read, const LevelLayer& cells,
                               const ObservedCodes* codes) {
  double subtracted = 0.0;
  if (!cells.dummy.empty()) {
    subtracted = codes ? codes->dummy[read.number](read.dummy) : value_by_references(read.dummy);
  } else if (!codes) {
    subtracted = zero_value_;
  }
  double weight = read.weight / (codes ? design_.slope : 1.0);
  for (std::uint32_t slice = 0; slice < cells.slices; ++slice) {
    const std::span<const double> sums =
        std::span(sums_).subspan(std::size_t{slice} * cells.width, cells.width);
    if (codes) {
      add_converted(sums, codes->columns[read.number * cells.slices + slice], subtracted, weight,
                    outputs_);
    } else {
      for (std::size_t output = 0; output < sums.size(); ++output) {
        outputs_[output] += weight * (value_by_references(sums[output]) - subtracted);
      }
    }
    weight *= static_cast<double>(1U << design_.options.cell_bits);
  }
}

void LevelReader::read_pixel(const ColumnLayer& layer, const LevelLayer& cells, SeenRange* seen) {
  const TileLayout& layout = layer.layout();
  const bool observed = design_.options.range == ConverterRange::observed;
  const ObservedCodes* codes = !seen && observed ? &converters_->at(layer.index()) : nullptr;
  const bool skips_idle = !seen && (!observed || design_.options.value == CodeValue::middle);
  for (std::uint32_t tile = 0; tile < layout.tiles(); ++tile) {
    const std::size_t first = cells.first_row[tile] * cells.columns();
    for (std::uint32_t part = 0; part < layout.parts(tile); ++part) {
      for (std::uint32_t plane = 0; plane < layer.input_bits(); ++plane) {
        if (skips_idle && planes_[0].active_rows(tile, part, plane) == 0) continue;
        Read read{
            .number = (std::size_t{tile} * layout.parts() + part) * layer.input_bits() + plane,
            .weight = plane_weight(layer.cycles(), plane)};
        rows_.clear();
        for (std::uint32_t word = 0; word < layout.words(tile); ++word) {
          for (std::uint32_t bits = planes_[0].words(tile, part, plane)[word]; bits != 0;
               bits &= bits - 1) {
            rows_.push_back(32 * word + static_cast<std::uint32_t>(std::countr_zero(bits)));
          }
        }
        add_rows(cells.cells_of(plane).data() + first, rows_, sums_);
        if (!cells.dummy.empty()) {
          for (const std::uint32_t row : rows_) {
            read.dummy += cells.dummy[cells.first_row[tile] + row];
          }
        }
        if (seen) {
          keep(read, cells, *seen);
        } else {
          convert_read(read, cells, codes);
        }
      }
    }
  }
}

void LevelReader::estimate(const ColumnLayer& layer, std::span<const std::uint8_t> map,
                           const DrawOrigin&, std::span<double> estimates) {
  const LevelLayer& cells = chip_->at(layer.index());
  const std::uint32_t pixels = layer.geometry().pixels();
  SeenRange* seen = nullptr;
  if (looking_) {
    auto& range = seen_[layer.index()];
    if (range.low.empty()) range = nothing_seen(layer, cells);
    seen = &range;
    std::fill(estimates.begin(), estimates.end(), 0.0);
  }
  sums_.resize(cells.columns());
  outputs_.resize(cells.width);
  planes_.assign(1, ActivationPlanes(layer.layout(), layer.input_bits()));
  zero_value_ = layer.zero_value() * design_.top();
  const std::uint32_t held_bits = cells.slices * design_.options.cell_bits;
  const auto weight = static_cast<double>(layer.code_weight());
  const double offset = 0.5 * weight * static_cast<double>((std::uint64_t{1} << held_bits) - 1) -
                        static_cast<double>(layer.excess());
  layer.geometry().pad(map, padded_);
  for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
    planes_[0].pack(layer.geometry(), padded_, pixel);
    std::fill(outputs_.begin(), outputs_.end(), 0.0);
    read_pixel(layer, cells, seen);
    if (seen) continue;
    double sum_of_inputs = 0.0;
    for (std::uint32_t tile = 0; tile < layer.layout().tiles(); ++tile) {
      for (std::uint32_t part = 0; part < layer.layout().parts(tile); ++part) {
        for (std::uint32_t plane = 0; plane < layer.input_bits(); ++plane) {
          sum_of_inputs += static_cast<double>(planes_[0].active_rows(tile, part, plane)) *
                           plane_weight(layer.cycles(), plane);
        }
      }
    }
    for (std::uint32_t output = 0; output < layer.weights().outputs; ++output) {
      estimates[std::size_t{output} * pixels + pixel] =
          weight * outputs_[output] + offset * sum_of_inputs;
    }
  }
  if (!seen) layer.finish(estimates);
}

}  // namespace cimstat::experiments
