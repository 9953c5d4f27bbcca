#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "circuits/references/references.h"

#include "experiments/inference/column_layer.h"
#include "experiments/inference/parallel_codes.h"
#include "tests/experiments/array_reads.h"

/// Layers with several bits of a weight in a column: by columns, and by PIM-QAT's native and
/// differential decompositions in plain loops over integers.
namespace cimstat::experiments::slices {

/// What carries a sum. HRS cells conduct an eighth of LRS cells where they leak.
enum class Carrier { asim, shared_charge, current, leaky_current };

struct Case : MappedLayer {
  Carrier carrier = Carrier::asim;
  std::uint32_t codes = 2;
  std::uint32_t range = 0;  ///< rows at full drive with full cells at the converter's upper end

  bool native() const { return options.weights == WeightMapping::native; }
  int largest_weight() const { return (1 << (layer.weight_bits - 1)) - 1; }
  std::string text() const {
    return MappedLayer::text() + ", " + std::to_string(input_bits) + " bits by " +
           std::to_string(options.input_bits_per_cycle) + ", weights of " +
           std::to_string(layer.weight_bits) + " by " + std::to_string(options.cell_bits) + ", " +
           std::to_string(codes) + " codes over " + std::to_string(range);
  }
};

inline circuits::ColumnDesign design_of(const Case& c) {
  circuits::ColumnDesign design;
  design.rows = c.options.rows;
  if (c.carrier == Carrier::asim) {
    design.bit_line = circuits::AsimNoise{.full_scale = 0.9};
  } else if (c.carrier == Carrier::shared_charge) {
    design.lrs = design.hrs = core::Law::point(1e-15);
    design.leakage = design.lrs;
    design.bit_line = circuits::ChargeSharing{.supply = 0.8,
                                              .parasitic = 4e-15,
                                              .temperature = 0.0,
                                              .injected_charge = 1e-16,
                                              .injected_fraction = 0.01};
  } else {
    design.lrs = core::Law::point(1e-6);
    design.hrs = core::Law::point(c.carrier == Carrier::leaky_current ? 0.125e-6 : 0.0);
  }
  design.ladder = circuits::uniform_ladder(design, c.range, c.codes);
  return design;
}

/// Native weights reach from -(2^(b - 1) - 1).
inline void forbid_lowest(Layer& layer) {
  const int lowest = -(1 << (layer.weight_bits - 1));
  for (std::int8_t& weight : layer.weight) {
    if (weight == lowest) ++weight;
  }
}

inline Case any_case(Choice& choice) {
  Case c{any_mapped_layer(choice, 6), Carrier::asim, 2, 0};
  c.options.diagonals.count = 0;
  c.options.weights = choice(0, 1) == 0 ? WeightMapping::native : WeightMapping::differential;
  c.options.input_bits_per_cycle = choice(1, c.input_bits);
  c.options.cell_bits = c.native() ? 1 : choice(2, 5);
  c.range = choice(0, 2) == 0 ? choice(1, c.options.rows) : c.options.rows;
  c.options.zero_value = 0.5 * c.range;
  if (c.native()) forbid_lowest(c.layer);
  const auto most = [&c] {
    return c.options.rows * ((1U << c.options.input_bits_per_cycle) - 1) *
           static_cast<std::uint32_t>(c.largest_weight());
  };
  while (c.options.input_bits_per_cycle > 1 && most() > 2000) --c.options.input_bits_per_cycle;
  c.carrier = choice(0, 1) == 0 ? Carrier::asim : Carrier::shared_charge;
  if (!c.native() && choice(0, 1) == 0) {
    c.carrier = most() < 100 ? Carrier::leaky_current : Carrier::current;
  }
  c.codes = c.native() ? 2 * choice(1, 200) + 1 : choice(2, 600);
  return c;
}

inline std::int64_t floor_of(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t quotient = numerator / denominator;
  return quotient * denominator > numerator ? quotient - 1 : quotient;
}

/// round(n S / F) with halves up, or down, within low .. n.
inline std::int64_t code_of(std::int64_t n, std::int64_t sum, std::int64_t full, std::int64_t low,
                            bool halves_up) {
  const std::int64_t up = floor_of(2 * sum * n + full, 2 * full);
  const std::int64_t down = -floor_of(-2 * sum * n + full, 2 * full);
  return std::clamp(halves_up ? up : down, low, n);
}

/// The same where a cell in HRS conducts an eighth: sum + (all - sum) / 8 against references from
/// an eighth of the range on.
inline std::int64_t leaky_code_of(std::int64_t n, std::int64_t sum, std::int64_t all,
                                  std::int64_t span, std::int64_t range) {
  std::int64_t code = 0;
  while (code < n && 2 * n * (7 * sum + all) >= span * range * (2 * n + 7 * (2 * code + 1))) {
    ++code;
  }
  return code;
}

/// Which bits of a magnitude lie in one cell: first bit and number.
inline std::vector<std::array<std::uint32_t, 2>> slices_by_definition(const Case& c) {
  const int lowest = *std::min_element(c.layer.weight.begin(), c.layer.weight.end());
  const bool has_lowest = lowest == -c.largest_weight() - 1;
  const std::uint32_t planes = c.layer.weight_bits - (has_lowest ? 0 : 1);
  std::vector<std::array<std::uint32_t, 2>> slices;
  for (std::uint32_t first = 0; first < planes; first += c.options.cell_bits) {
    slices.push_back({first, std::min(c.options.cell_bits, planes - first)});
  }
  return slices;
}

/// y = sum over cycles of 2^low F A(S / F), A native; or that of both arrays and their slices.
inline double output_by_definition(const Case& c, const std::vector<std::vector<Input>>& reads,
                                   std::size_t channel, bool halves_up) {
  const std::size_t inputs = c.layer.weight.size() / c.layer.weight_shape[0];
  const auto slices =
      c.native() ? std::vector<std::array<std::uint32_t, 2>>{{0, 0}} : slices_by_definition(c);
  const std::int64_t n = c.native() ? (c.codes - 1) / 2 : c.codes - 1;
  std::int64_t total = 0;  // in F / n of a row that spans 1
  for (const std::vector<Input>& read : reads) {
    for (std::uint32_t low = 0; low < c.input_bits; low += c.options.input_bits_per_cycle) {
      const std::uint32_t bits = std::min(c.options.input_bits_per_cycle, c.input_bits - low);
      const std::int64_t drive = (std::int64_t{1} << bits) - 1;
      std::int64_t all = 0;
      for (const Input& one : read) all += (one.level >> low) & drive;
      if (all == 0) continue;
      for (const auto& [first, cell_bits] : slices) {
        const std::int64_t cell =
            c.native() ? c.largest_weight() : (std::int64_t{1} << cell_bits) - 1;
        const std::int64_t full = c.range * drive * cell;
        for (const int sign : c.native() ? std::vector{1} : std::vector{1, -1}) {
          std::int64_t sum = 0;
          for (const Input& one : read) {
            const int weight = c.layer.weight[channel * inputs + one.weight];
            const std::int64_t held =
                c.native() ? weight : (std::max(0, sign * weight) >> first) & cell;
            sum += held * ((one.level >> low) & drive);
          }
          const std::int64_t code = c.carrier == Carrier::leaky_current
                                        ? leaky_code_of(n, sum, all * cell, drive * cell, c.range)
                                        : code_of(n, sum, full, c.native() ? -n : 0, halves_up);
          total += sign * (code * drive * cell << (low + first));
        }
      }
    }
  }
  return static_cast<double>(total) * c.range / static_cast<double>(n);
}

inline std::vector<double> by_definition(const Case& c, const std::vector<std::uint8_t>& map,
                                         MapShape output, bool halves_up = true) {
  std::vector<double> result(output.size());
  const std::size_t pixels = std::size_t{output.rows} * output.columns;
  for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
    const auto reads = reads_of_pixel(c, map, pixel / output.columns, pixel % output.columns);
    for (std::size_t channel = 0; channel < output.channels; ++channel) {
      result[channel * pixels + pixel] = output_by_definition(c, reads, channel, halves_up);
    }
  }
  return result;
}

/// sum w x.
inline std::vector<double> in_integers(const Case& c, const std::vector<std::uint8_t>& map,
                                       MapShape output) {
  std::vector<double> result(output.size());
  const std::size_t inputs = c.layer.weight.size() / c.layer.weight_shape[0];
  const std::size_t pixels = std::size_t{output.rows} * output.columns;
  for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
    const auto reads = reads_of_pixel(c, map, pixel / output.columns, pixel % output.columns);
    for (std::size_t channel = 0; channel < output.channels; ++channel) {
      std::int64_t sum = 0;
      for (const std::vector<Input>& read : reads) {
        for (const Input& one : read) {
          sum += c.layer.weight[channel * inputs + one.weight] * std::int64_t{one.level};
        }
      }
      result[channel * pixels + pixel] = static_cast<double>(sum);
    }
  }
  return result;
}

/// What rows span in the reads of a layer.
inline std::vector<std::uint32_t> spans_of(const ColumnLayer& layer) {
  std::vector<std::uint32_t> spans;
  for (std::uint32_t cycle = 0; cycle < layer.cycles().count(); ++cycle) {
    for (std::uint32_t slice = 0; slice < layer.slices().count(); ++slice) {
      const std::uint32_t span =
          highest_level(layer.cycles().bits(cycle)) * layer.slices().span(slice);
      if (std::find(spans.begin(), spans.end(), span) == spans.end()) spans.push_back(span);
    }
  }
  return spans;
}

inline ColumnLayer layer_of(const Case& c) {
  return {c.layer, c.input, c.input_bits, c.options, 3, 1000};
}

inline MapShape output_of(const Case& c, const ColumnLayer& layer) {
  return {c.layer.weight_shape[0], layer.geometry().output_rows(),
          layer.geometry().output_columns()};
}

inline std::vector<double> by_columns(const Case& c, const std::vector<std::uint8_t>& map,
                                      core::Stream stream) {
  const ColumnLayer layer = layer_of(c);
  const ParallelCodes codes(design_of(c), spans_of(layer), layer.most_active_rows(), c.options);
  ColumnLayer::Workspace workspace = layer.workspace();
  std::vector<double> estimates(output_of(c, layer).size());
  layer.estimate(map, DrawnParallelCodes{&codes, stream}, {}, workspace, estimates);
  return estimates;
}

}  // namespace cimstat::experiments::slices
