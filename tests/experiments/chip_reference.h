#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "experiments/inference/bit_planes.h"
#include "experiments/inference/network.h"
#include "tests/experiments/chip_reference_column.h"

namespace cimstat::experiments::fixtures {

/// A layer without groups, of square windows with steps of 1, and its input.
struct Case {
  Layer layer;
  MapShape input;
  std::uint32_t input_bits = 4;
};

/// What a chip makes of one layer in one read, column by column.
class Reference {
 public:
  static constexpr std::uint32_t array_rows = 16;
  static constexpr core::StreamKey key = ReferenceColumns::key;

  Reference(const circuits::ColumnDesign& design, const Case& c, WeightMapping mapping,
            ReferenceTables& tables, const ChipPlace& place = {})
      : design_(design), case_(c), columns_of_chip_(design, place, tables) {
    const int lowest = *std::min_element(c.layer.weight.begin(), c.layer.weight.end());
    const std::uint32_t bits = c.layer.weight_bits;
    const bool most_negative = lowest == -(1 << (bits - 1));
    signed_ = mapping == WeightMapping::twos_complement;
    planes_ = signed_ || most_negative ? bits : bits - 1;
    outputs_ = c.layer.weight_shape[0];
    groups_ = (outputs_ + 15) / 16;
    vectors_ = (signed_ ? 1 : 2) * groups_ * planes_;
    inputs_ = static_cast<std::uint32_t>(c.layer.weight.size()) / outputs_;
    tiles_ = (inputs_ + array_rows - 1) / array_rows;
    geometry();
  }

  /// Random batches that the layer owns.
  std::uint64_t batches() const { return tiles_ * vectors_ * batches_of_a_vector(); }

  std::vector<double> estimates(const std::vector<std::uint8_t>& map) {
    std::vector<double> result(std::size_t{outputs_} * pixels_);
    for (std::uint32_t pixel = 0; pixel < pixels_; ++pixel) {
      const std::vector<std::uint32_t> patch = gather(map, pixel);
      for (std::uint32_t output = 0; output < outputs_; ++output) {
        std::int64_t sum = 0;
        std::int64_t units = 0;
        for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
          for (std::uint32_t i = 0; i < case_.input_bits; ++i) {
            std::vector<std::uint32_t> active;
            for (std::uint32_t row = 0; row < height(tile); ++row) {
              if (patch[tile * array_rows + row] >> i & 1U) active.push_back(row);
            }
            if (active.empty()) continue;
            units += 1 << i;
            const std::uint64_t position = std::uint64_t{pixel} * case_.input_bits + i;
            for (std::uint32_t set = 0; set < (signed_ ? 1U : 2U); ++set) {
              for (std::uint32_t j = 0; j < planes_; ++j) {
                const std::int64_t code = read(tile, set, output, j, active, position);
                const bool negative = signed_ ? j + 1 == planes_ : set == 1;
                sum += (negative ? -code : code) << (i + j);
              }
            }
          }
        }
        const double offset =
            signed_ ? -design_.ladder.code_origin * static_cast<double>(units) : 0.0;
        result[std::size_t{output} * pixels_ + pixel] =
            design_.ladder.code_step * static_cast<double>(sum) + offset;
      }
    }
    return result;
  }

 private:
  std::uint32_t height(std::uint32_t tile) const {
    return std::min(array_rows, inputs_ - tile * array_rows);
  }

  void geometry() {
    const bool flat = case_.layer.kind == LayerKind::fully_connected;
    const std::uint32_t kernel = case_.layer.kernel.rows;
    const std::uint32_t padding = case_.layer.padding.top;
    columns_ = flat ? 1 : case_.input.columns + 2 * padding - kernel + 1;
    pixels_ = flat ? 1 : columns_ * (case_.input.rows + 2 * padding - kernel + 1);
  }

  std::vector<std::uint32_t> gather(const std::vector<std::uint8_t>& map,
                                    std::uint32_t pixel) const {
    if (case_.layer.kind == LayerKind::fully_connected) return {map.begin(), map.end()};
    std::vector<std::uint32_t> patch;
    const int padding = static_cast<int>(case_.layer.padding.top);
    for (std::uint32_t channel = 0; channel < case_.input.channels; ++channel) {
      for (std::uint32_t ky = 0; ky < case_.layer.kernel.rows; ++ky) {
        for (std::uint32_t kx = 0; kx < case_.layer.kernel.rows; ++kx) {
          const int row = static_cast<int>(pixel / columns_ + ky) - padding;
          const int column = static_cast<int>(pixel % columns_ + kx) - padding;
          const bool inside = row >= 0 && column >= 0 && row < static_cast<int>(case_.input.rows) &&
                              column < static_cast<int>(case_.input.columns);
          const std::size_t at = (static_cast<std::size_t>(channel) * case_.input.rows +
                                  static_cast<std::size_t>(std::max(row, 0))) *
                                     case_.input.columns +
                                 static_cast<std::size_t>(std::max(column, 0));
          patch.push_back(inside ? map[at] : 0);
        }
      }
    }
    return patch;
  }

  std::uint64_t batches_of_a_vector() const {
    return (std::uint64_t{pixels_} * case_.input_bits + 3) / 4;
  }

  std::int64_t read(std::uint32_t tile, std::uint32_t set, std::uint32_t output, std::uint32_t j,
                    const std::vector<std::uint32_t>& active, std::uint64_t position) {
    std::vector<bool> states;
    for (std::uint32_t row = 0; row < height(tile); ++row) {
      const int weight =
          case_.layer.weight[std::size_t{output} * inputs_ + tile * array_rows + row];
      const int held = signed_ ? weight : std::max(0, set == 0 ? weight : -weight);
      states.push_back((held >> j & 1) != 0);
    }
    const std::uint32_t vector = (set * groups_ + output / 16) * planes_ + j;
    return columns_of_chip_.read({tile, vectors_, vector, output % 16}, states, active, position,
                                 batches_of_a_vector());
  }

  const circuits::ColumnDesign& design_;
  const Case& case_;
  ReferenceColumns columns_of_chip_;
  bool signed_ = true;
  std::uint32_t planes_ = 0;
  std::uint32_t outputs_ = 0;
  std::uint32_t groups_ = 0;
  std::uint32_t vectors_ = 0;
  std::uint32_t inputs_ = 0;
  std::uint32_t tiles_ = 0;
  std::uint32_t columns_ = 1;
  std::uint32_t pixels_ = 1;
};

}  // namespace cimstat::experiments::fixtures
