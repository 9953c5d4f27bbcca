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

  /// Tiles of array_rows, whatever options.rows says, cut as "im2col" does.
  Reference(const circuits::ColumnDesign& design, const Case& c, const ArrayOptions& options,
            ReferenceTables& tables, const ChipPlace& place = {})
      : design_(design), case_(c), options_(options), columns_of_chip_(design, place, tables) {
    const int lowest = *std::min_element(c.layer.weight.begin(), c.layer.weight.end());
    const std::uint32_t bits = c.layer.weight_bits;
    const bool most_negative = lowest == -(1 << (bits - 1));
    signed_ = options.weights == WeightMapping::twos_complement;
    differential_ = options.weights == WeightMapping::differential;
    if (options.weights == WeightMapping::offset) shift_ = 1 << (bits - 1);
    planes_ = !differential_ || most_negative ? bits : bits - 1;
    outputs_ = c.layer.weight_shape[0];
    groups_ = (outputs_ + 15) / 16;
    vectors_ = (differential_ ? 2 : 1) * groups_ * planes_;
    inputs_ = static_cast<std::uint32_t>(c.layer.weight.size()) / outputs_;
    tiles_ = (inputs_ + array_rows - 1) / array_rows;
    if (options.rows_per_read > 0) rows_per_read_ = options.rows_per_read;
    parts_ = (std::min(inputs_, array_rows) + rows_per_read_ - 1) / rows_per_read_;
    if (options.diagonals.count > 0 && options.diagonals.kind == Protection::vote) {
      votes_ = options.diagonals.votes;
    }
    geometry();
  }

  /// Random batches that the layer owns.
  std::uint64_t batches() const { return tiles_ * vectors_ * batches_of_a_vector(); }

  std::vector<double> estimates(const std::vector<std::uint8_t>& map) {
    std::vector<double> result(std::size_t{outputs_} * pixels_);
    for (std::uint32_t pixel = 0; pixel < pixels_; ++pixel) {
      const std::vector<std::uint32_t> patch = gather(map, pixel);
      for (std::uint32_t output = 0; output < outputs_; ++output) {
        double sum = 0.0;
        for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
          for (std::uint32_t part = 0; part < parts_; ++part) {
            for (std::uint32_t i = 0; i < case_.input_bits; ++i) {
              std::vector<std::uint32_t> active;
              for (std::uint32_t row = 0; row < height(tile); ++row) {
                const bool on = (patch[tile * array_rows + row] >> i & 1U) != 0;
                if (on && row / rows_per_read_ == part) active.push_back(row);
              }
              if (active.empty()) continue;
              const std::uint64_t position =
                  ((std::uint64_t{pixel} * parts_ + part) * case_.input_bits + i) * votes_;
              if (shift_ > 0) {
                sum -= 0.5 * static_cast<double>(active.size()) * static_cast<double>(1U << i);
              }
              for (std::uint32_t set = 0; set < (differential_ ? 2U : 1U); ++set) {
                for (std::uint32_t j = 0; j < planes_; ++j) {
                  const double value = value_of({tile, set, output, j}, i, active, position);
                  const bool negative = signed_ ? j + 1 == planes_ : set == 1;
                  sum += (negative ? -value : value) * static_cast<double>(1U << (i + j));
                }
              }
            }
          }
        }
        result[std::size_t{output} * pixels_ + pixel] = sum;
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
    return (std::uint64_t{pixels_} * parts_ * case_.input_bits * votes_ + 3) / 4;
  }

  struct Column {
    std::uint32_t tile = 0;
    std::uint32_t set = 0;
    std::uint32_t output = 0;
    std::uint32_t plane = 0;
  };

  /// What a read stands for; activation plane i.
  double value_of(const Column& column, std::uint32_t i, const std::vector<std::uint32_t>& active,
                  std::uint64_t position) {
    std::vector<bool> states;
    for (std::uint32_t row = 0; row < height(column.tile); ++row) {
      const int weight =
          case_.layer.weight[std::size_t{column.output} * inputs_ + column.tile * array_rows + row];
      const int held =
          differential_ ? std::max(0, column.set == 0 ? weight : -weight) : weight + shift_;
      states.push_back((held >> column.plane & 1) != 0);
    }
    const std::uint32_t distance = planes_ - 1 - column.plane + case_.input_bits - 1 - i;
    const bool spared = distance < options_.diagonals.count;
    if (spared && options_.diagonals.kind == Protection::digital) {
      double count = 0.0;
      for (const std::uint32_t row : active) count += states[row] ? 1.0 : 0.0;
      return shift_ > 0 ? count - 0.5 * static_cast<double>(active.size()) : count;
    }
    const std::uint32_t vector =
        (column.set * groups_ + column.output / 16) * planes_ + column.plane;
    std::vector<std::int64_t> codes;
    for (std::uint32_t vote = 0; vote < (spared ? votes_ : 1); ++vote) {
      codes.push_back(columns_of_chip_.read({column.tile, vectors_, vector, column.output % 16},
                                            states, active, position + vote,
                                            batches_of_a_vector()));
    }
    return design_.ladder.code_origin + design_.ladder.code_step * decided(codes) -
           (shift_ > 0 ? options_.zero_value : 0.0);
  }

  double decided(std::vector<std::int64_t> codes) const {
    std::sort(codes.begin(), codes.end());
    double sum = 0.0;
    for (const std::int64_t code : codes) sum += static_cast<double>(code);
    if (options_.diagonals.rule == VoteRule::mean) return sum / static_cast<double>(codes.size());
    if (options_.diagonals.rule == VoteRule::median) {
      return static_cast<double>(codes[(codes.size() + 1) / 2 - 1]);
    }
    const auto often = [&](std::int64_t code) {
      return std::count(codes.begin(), codes.end(), code);
    };
    return static_cast<double>(*std::max_element(
        codes.begin(), codes.end(), [&](auto a, auto b) { return often(a) < often(b); }));
  }

  const circuits::ColumnDesign& design_;
  const Case& case_;
  ArrayOptions options_;
  ReferenceColumns columns_of_chip_;
  bool signed_ = true;
  bool differential_ = false;
  int shift_ = 0;  ///< of offset weights
  std::uint32_t planes_ = 0;
  std::uint32_t outputs_ = 0;
  std::uint32_t groups_ = 0;
  std::uint32_t vectors_ = 0;
  std::uint32_t inputs_ = 0;
  std::uint32_t tiles_ = 0;
  std::uint32_t rows_per_read_ = array_rows;
  std::uint32_t parts_ = 1;
  std::uint32_t votes_ = 1;
  std::uint32_t columns_ = 1;
  std::uint32_t pixels_ = 1;
};

}  // namespace cimstat::experiments::fixtures
