#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "core/law/quantile_table.h"
#include "core/random/random.h"

#include "experiments/inference/array_options.h"
#include "experiments/inference/bit_planes.h"
#include "experiments/inference/level_options.h"
#include "experiments/inference/network.h"

/// Cells of several levels read by plain loops, from the description of experiments/inference/
/// level_chip.h and level_reader.h; shares none of their code but the generator and the quantile
/// tables.
namespace cimstat::experiments::fixtures {

/// What a wrong implementation could do, each of which must show.
enum class LevelTwin {
  none,
  rounds,                 ///< to the nearest code instead of the lower one
  shares_dummy_range,     ///< dummy columns have the range of the others
  forgets_idle_reads,     ///< reads without an active row are left out of ranges
  takes_one_range,        ///< of all slices
  ignores_ratio,          ///< decodes as if HRS carried no current
  ranges_of_each_image,   ///< instead of the batch's
  drops_half_the_inputs,  ///< digital term of W - w
};

struct LevelCase {
  Layer layer;
  MapShape input;
  std::uint32_t input_bits = 1;
  ArrayOptions arrays;
  LevelOptions levels;
  double lrs = 1.0;  ///< mean currents
  double hrs = 0.0;
  std::uint32_t codes = 16;
  // Of converters of the column's range.
  std::vector<double> references;
  double code_step = 1.0;
  double code_origin = 0.0;
  // Spread: quantiles in units of mean LRS current; none where empty.
  std::optional<core::QuantileTable> lrs_table;
  std::optional<core::QuantileTable> hrs_table;
  core::StreamKey key = {};
  std::uint32_t chip = 0;
  std::uint32_t batch = 0;
  std::uint32_t index = 1;
};

class LevelReference {
 public:
  explicit LevelReference(LevelCase c, LevelTwin twin = LevelTwin::none)
      : c_(std::move(c)), twin_(twin) {
    base_ = 1U << c_.levels.cell_bits;
    slices_ = (c_.layer.weight_bits + c_.levels.cell_bits - 1) / c_.levels.cell_bits;
    const double ratio = c_.lrs / c_.hrs;  // infinite without HRS current
    slope_ = 1.0 - 1.0 / ratio;
    lowest_ = top() / ratio;
    middle_ = top() * (1.0 + 1.0 / ratio) / 2.0;
    lay_rows();
  }

  std::uint32_t pixels() const { return extent(true) * extent(false); }

  /// [image][output * pixels + pixel]
  std::vector<std::vector<double>> estimates(const std::vector<std::vector<std::uint8_t>>& maps) {
    if (twin_ == LevelTwin::ranges_of_each_image && maps.size() > 1) {
      std::vector<std::vector<double>> all;
      for (const auto& map : maps)
        all.push_back(estimates(std::vector<std::vector<std::uint8_t>>{map})[0]);
      return all;
    }
    const std::uint32_t outputs = c_.layer.weight_shape[0];
    std::vector<std::vector<double>> result(maps.size(),
                                            std::vector<double>(outputs * pixels(), 0.0));
    for (std::uint32_t tile = 0; tile < tiles_.size(); ++tile) {
      for (std::uint32_t first = 0; first < tiles_[tile].size(); first += rows_per_read()) {
        for (std::uint32_t bit = 0; bit < c_.input_bits; ++bit) {
          read(tile, first, bit, maps, result);
        }
      }
    }
    // What digital logic adds: w = W - 2^(bits - 1), and (L - 1) / 2 is in every dummy cell.
    double middle = 0.0;
    for (std::uint32_t k = 0; k < slices_; ++k) middle += 0.5 * top() * std::pow(base_, k);
    double offset = middle - std::pow(2.0, c_.layer.weight_bits - 1);
    if (twin_ == LevelTwin::drops_half_the_inputs) offset += 0.5;
    for (std::size_t image = 0; image < maps.size(); ++image) {
      for (std::uint32_t pixel = 0; pixel < pixels(); ++pixel) {
        double inputs = 0.0;
        for (const auto& tile : tiles_) {
          for (const Row& row : tile) inputs += input_of(maps[image], pixel, row);
        }
        for (std::uint32_t o = 0; o < outputs; ++o) {
          result[image][o * pixels() + pixel] += offset * inputs;
        }
      }
    }
    return result;
  }

  /// The cell of a row, as a bit of the inputs meets it, less its own dummy cell where that is
  /// analog.
  double cell(std::uint32_t tile, std::uint32_t row, std::uint32_t output, std::uint32_t slice,
              std::uint32_t bit) {
    const std::uint32_t drawn_for = is_redrawn() ? bit : 0;
    const auto key = std::tuple(tile, row, output, slice, drawn_for);
    const auto found = cells_.find(key);
    if (found != cells_.end()) return found->second;
    const Row& at = tiles_[tile][row];
    const auto& shape = c_.layer.weight_shape;
    const int weight =
        c_.layer
            .weight[((output * shape[1] + at.channel) * shape[2] + at.down) * shape[3] + at.across];
    const auto held = static_cast<std::uint32_t>(weight + (1 << (c_.layer.weight_bits - 1)));
    std::uint32_t rest = held;
    for (std::uint32_t k = 0; k < slice; ++k) rest /= base_;
    const double digit = rest % base_;
    double value = slope_ * digit + lowest_;
    if (has_spread())
      value += deviation(digit / top(), word(tile, output, slice, 0, row, drawn_for));
    if (c_.levels.subtraction == DummySubtraction::analog) {
      value -= dummy(tile, output, slice, row);
    }
    cells_[key] = value;
    return value;
  }

 private:
  struct Row {
    std::uint32_t channel, down, across;
  };
  double top() const { return base_ - 1.0; }
  bool has_spread() const { return c_.lrs_table || c_.hrs_table; }
  std::uint32_t rows_per_read() const {
    return c_.arrays.rows_per_read == 0 ? c_.arrays.rows : c_.arrays.rows_per_read;
  }

  void lay_rows() {
    const auto& shape = c_.layer.weight_shape;
    std::uint32_t most = c_.arrays.rows;
    if (c_.arrays.tiling == Tiling::whole_channels) most -= most % (shape[2] * shape[3]);
    std::vector<Row> open;
    const auto close = [&] {
      if (!open.empty()) tiles_.push_back(open);
      open.clear();
    };
    const auto lay = [&](const Row& row) {
      open.push_back(row);
      if (open.size() == most) close();
    };
    if (c_.arrays.tiling == Tiling::kernel_positions) {
      for (std::uint32_t down = 0; down < shape[2]; ++down) {
        for (std::uint32_t across = 0; across < shape[3]; ++across) {
          for (std::uint32_t channel = 0; channel < shape[1]; ++channel) {
            lay({channel, down, across});
          }
          close();
        }
      }
    } else {
      for (std::uint32_t channel = 0; channel < shape[1]; ++channel) {
        for (std::uint32_t down = 0; down < shape[2]; ++down) {
          for (std::uint32_t across = 0; across < shape[3]; ++across) lay({channel, down, across});
        }
      }
      close();
    }
  }

  std::uint32_t extent(bool of_rows) const {
    const std::uint32_t size = of_rows ? c_.input.rows : c_.input.columns;
    const std::uint32_t kernel = of_rows ? c_.layer.kernel.rows : c_.layer.kernel.columns;
    const std::uint32_t stride = of_rows ? c_.layer.stride.rows : c_.layer.stride.columns;
    return (size + 2 * c_.layer.padding.top - kernel) / stride + 1;
  }

  std::uint32_t input_of(const std::vector<std::uint8_t>& map, std::uint32_t pixel,
                         const Row& row) const {
    const int pad = static_cast<int>(c_.layer.padding.top);
    const int y = static_cast<int>(pixel / extent(false) * c_.layer.stride.rows + row.down) - pad;
    const int x =
        static_cast<int>(pixel % extent(false) * c_.layer.stride.columns + row.across) - pad;
    const auto height = static_cast<int>(c_.input.rows);
    const auto width = static_cast<int>(c_.input.columns);
    if (y < 0 || x < 0 || y >= height || x >= width) return 0;
    return map[(row.channel * c_.input.rows + static_cast<std::uint32_t>(y)) * c_.input.columns +
               static_cast<std::uint32_t>(x)];
  }

  bool is_redrawn() const { return c_.levels.spread == CellSpread::redrawn; }

  std::uint32_t word(std::uint32_t tile, std::uint32_t output, std::uint32_t slice,
                     std::uint32_t kind, std::uint32_t row, std::uint32_t bit) const {
    const std::uint64_t groups = (c_.layer.weight_shape[0] + 15) / 16;
    const std::uint64_t column =
        ((tile * groups + output / 16) * slices_ + slice) * 16 + output % 16;
    std::uint64_t instance = (std::uint64_t{1} << 47) + (std::uint64_t{c_.chip} << 14) + c_.index;
    if (is_redrawn()) {
      instance = (std::uint64_t{3} << 46) + (std::uint64_t{c_.chip} << 32) +
                 (std::uint64_t{c_.batch} << 17) + (std::uint64_t{bit} << 14) + c_.index;
    }
    const std::uint64_t block = 1024 * column + 256 * kind + row / 4;
    return core::philox4x32(core::counter_of(c_.key, core::Domain::column_cells, instance, block),
                            core::key_of(c_.key))[row % 4];
  }

  double deviation(double share, std::uint32_t of_cell) const {
    double sum = 0.0;
    if (c_.hrs_table) sum += (1.0 - share) * (double{(*c_.hrs_table)(of_cell)} - c_.hrs / c_.lrs);
    if (c_.lrs_table) sum += share * (double{(*c_.lrs_table)(of_cell)} - 1.0);
    return top() * sum;
  }

  double dummy(std::uint32_t tile, std::uint32_t output, std::uint32_t slice,
               std::uint32_t row) const {
    if (c_.levels.subtraction == DummySubtraction::analog)
      return top() * (0.5 * (c_.lrs + c_.hrs) / c_.lrs);
    if (!has_spread() || is_redrawn()) return middle_;
    return middle_ + deviation(0.5, word(tile, output, slice, 2, row, 0));
  }

  struct Range {
    double low = INFINITY;
    double high = -INFINITY;
    void add(double value) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  };

  double converted(const Range& range, double value) const {
    if (c_.levels.range == ConverterRange::column) {
      double code = 0.0;
      for (const double reference : c_.references) {
        if (value / top() * c_.lrs >= reference) code += 1.0;
      }
      return top() * (c_.code_origin + c_.code_step * code);
    }
    const double step = (range.high - range.low) / c_.codes;
    if (step == 0.0) return range.low;
    double code = (value - range.low) / step;
    code = twin_ == LevelTwin::rounds ? std::round(code) : std::floor(code);
    const double half = c_.levels.value == CodeValue::middle ? 0.5 : 0.0;
    return range.low + step * (half + std::clamp(code, 0.0, c_.codes - 1.0));
  }

  void read(std::uint32_t tile, std::uint32_t first, std::uint32_t bit,
            const std::vector<std::vector<std::uint8_t>>& maps,
            std::vector<std::vector<double>>& result) {
    const std::uint32_t outputs = c_.layer.weight_shape[0];
    const bool observed = c_.levels.range == ConverterRange::observed;
    const bool digital = c_.levels.subtraction == DummySubtraction::digital;
    const auto last = std::min<std::uint32_t>(first + rows_per_read(),
                                              static_cast<std::uint32_t>(tiles_[tile].size()));
    struct Sum {
      std::size_t image;
      std::uint32_t pixel, active;
      std::vector<double> columns;  // [slice][output]
      double dummy;
    };
    std::vector<Sum> sums;
    for (std::size_t image = 0; image < maps.size(); ++image) {
      for (std::uint32_t pixel = 0; pixel < pixels(); ++pixel) {
        Sum sum{image, pixel, 0, std::vector<double>(slices_ * outputs, 0.0), 0.0};
        for (std::uint32_t row = first; row < last; ++row) {
          if ((input_of(maps[image], pixel, tiles_[tile][row]) >> bit & 1U) == 0) continue;
          ++sum.active;
          for (std::uint32_t k = 0; k < slices_; ++k) {
            for (std::uint32_t o = 0; o < outputs; ++o) {
              sum.columns[k * outputs + o] += cell(tile, row, o, k, bit);
            }
          }
          if (digital) sum.dummy += dummy(tile, 0, 0, row);
        }
        sums.push_back(sum);
      }
    }
    std::vector<Range> ranges(slices_);
    Range of_dummy;
    for (const Sum& sum : sums) {
      if (twin_ == LevelTwin::forgets_idle_reads && sum.active == 0) continue;
      for (std::uint32_t k = 0; k < slices_; ++k) {
        for (std::uint32_t o = 0; o < outputs; ++o) {
          const bool one = twin_ == LevelTwin::takes_one_range;
          ranges[one ? 0 : k].add(sum.columns[k * outputs + o]);
        }
      }
      of_dummy.add(sum.dummy);
    }
    if (twin_ == LevelTwin::takes_one_range) ranges.assign(slices_, ranges[0]);
    const double slope = twin_ == LevelTwin::ignores_ratio ? 1.0 : slope_;
    for (const Sum& sum : sums) {
      const bool skips = !observed || c_.levels.value == CodeValue::middle;
      if (skips && sum.active == 0) continue;
      for (std::uint32_t k = 0; k < slices_; ++k) {
        const Range& range = twin_ == LevelTwin::shares_dummy_range ? ranges[k] : of_dummy;
        double taken = observed ? 0.0 : top() * c_.arrays.zero_value;
        if (digital) taken = converted(range, sum.dummy);
        for (std::uint32_t o = 0; o < outputs; ++o) {
          double value = converted(ranges[k], sum.columns[k * outputs + o]) - taken;
          if (observed) value /= slope;
          result[sum.image][o * pixels() + sum.pixel] +=
              value * std::pow(base_, k) * std::pow(2.0, bit);
        }
      }
    }
  }

  LevelCase c_;
  LevelTwin twin_;
  std::uint32_t base_;
  std::uint32_t slices_;
  double slope_, lowest_, middle_;
  std::vector<std::vector<Row>> tiles_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>,
           double>
      cells_;
};

}  // namespace cimstat::experiments::fixtures
