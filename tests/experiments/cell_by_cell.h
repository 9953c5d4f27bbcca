#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "experiments/inference/accuracy_run.h"

/// A network of two fully connected layers on columns of `rows` rows, every cell drawn and read on
/// its own: formulas and numbers from the standard library, no code shared with what they test.
/// Weights in two's complement, a column a bit; inputs bit by bit; midpoint references.
namespace cimstat::experiments::cell_by_cell {

struct Macro {
  std::size_t rows = 16;
  double lrs_median = 8e-6;  ///< [A]
  double lrs_sigma = 0.0;
  double hrs_median = 0.4e-6;
  double hrs_sigma = 0.0;
  double read_noise = 0.0;  ///< relative, of each active cell at each read
  double offset_sd = 0.0;   ///< [A]
  double noise_sd = 0.0;    ///< [A]

  double lrs_mean() const { return lrs_median * std::exp(0.5 * lrs_sigma * lrs_sigma); }
  double hrs_mean() const { return hrs_median * std::exp(0.5 * hrs_sigma * hrs_sigma); }
};

/// Standard normal draws.
class Engine {
 public:
  explicit Engine(std::uint64_t seed) : bits_(seed) {}
  double normal() { return normal_(bits_); }

 private:
  std::mt19937_64 bits_;
  std::normal_distribution<double> normal_;
};

struct Column {
  std::vector<bool> lrs;
  std::vector<double> cell;  ///< [A]
  double offset = 0.0;
};

inline void draw(Column& column, const Macro& macro, Engine& engine) {
  column.cell.clear();
  for (const bool lrs : column.lrs) {
    const double median = lrs ? macro.lrs_median : macro.hrs_median;
    const double sigma = lrs ? macro.lrs_sigma : macro.hrs_sigma;
    column.cell.push_back(median * std::exp(sigma * engine.normal()));
  }
  column.offset = macro.offset_sd * engine.normal();
}

/// References half way between the mean currents of j and j + 1 LRS cells in a full column.
inline int read(const Column& column, const Macro& macro, const std::vector<bool>& active,
                Engine& engine) {
  double current = column.offset + macro.noise_sd * engine.normal();
  for (std::size_t row = 0; row < active.size(); ++row) {
    if (!active[row]) continue;
    current += column.cell[row] * (1.0 + macro.read_noise * engine.normal());
  }
  int code = 0;
  for (std::size_t j = 0; j < macro.rows; ++j) {
    const double lrs = static_cast<double>(j) + 0.5;
    const double reference =
        lrs * macro.lrs_mean() + (static_cast<double>(macro.rows) - lrs) * macro.hrs_mean();
    if (reference <= current) ++code;
  }
  return code;
}

enum class Cells {
  of_the_chip,      ///< drawn once, as its offsets
  of_a_single_read  ///< drawn afresh at each read, as the table has it
};

class Chip {
 public:
  Chip(const Network& network, const Macro& macro, Engine& engine)
      : network_(network), macro_(macro) {
    for (const Layer& layer : network.layers) {
      const std::size_t inputs = layer.weight.size() / layer.scale.size();
      for (std::size_t output = 0; output < layer.scale.size(); ++output) {
        for (unsigned bit = 0; bit < layer.weight_bits; ++bit) {
          Column column;
          for (std::size_t i = 0; i < inputs; ++i) {
            const unsigned weight = static_cast<std::uint8_t>(layer.weight[output * inputs + i]);
            column.lrs.push_back((weight >> bit & 1U) != 0);
          }
          draw(column, macro, engine);
          columns_.push_back(std::move(column));
        }
      }
    }
  }

  std::size_t classify(std::span<const std::uint8_t> pixels, Cells cells, Engine& engine) {
    std::vector<int> levels;
    const int highest = (1 << network_.input_bits) - 1;
    for (const int pixel : pixels) levels.push_back((pixel * highest + 127) / 255);
    unsigned bits = network_.input_bits;
    std::size_t first = 0;
    std::vector<double> values;
    for (const Layer& layer : network_.layers) {
      values = outputs(layer, first, levels, bits, cells, engine);
      first += layer.scale.size() * layer.weight_bits;
      bits = layer.output_bits;
      levels.clear();
      for (const double value : values) {
        const double level = std::floor(value + 0.5);
        levels.push_back(static_cast<int>(std::clamp(level, 0.0, std::exp2(bits) - 1.0)));
      }
    }
    return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) -
                                    values.begin());
  }

 private:
  std::vector<double> outputs(const Layer& layer, std::size_t first, const std::vector<int>& levels,
                              unsigned bits, Cells cells, Engine& engine) {
    std::vector<double> values;
    for (std::size_t output = 0; output < layer.scale.size(); ++output) {
      int sum = 0;
      for (unsigned input_bit = 0; input_bit < bits; ++input_bit) {
        std::vector<bool> active;
        for (const int level : levels) active.push_back((level >> input_bit & 1) != 0);
        if (std::count(active.begin(), active.end(), true) == 0) continue;
        for (unsigned bit = 0; bit < layer.weight_bits; ++bit) {
          Column& column = columns_[first + output * layer.weight_bits + bit];
          if (cells == Cells::of_a_single_read) draw(column, macro_, engine);
          const int counted = read(column, macro_, active, engine) << (input_bit + bit);
          sum += bit + 1 == layer.weight_bits ? -counted : counted;
        }
      }
      values.push_back(sum * layer.scale[output] + layer.bias[output]);
    }
    return values;
  }

  const Network& network_;
  Macro macro_;
  std::vector<Column> columns_;
};

/// `chips` = 0: `reads` reads with fresh cells each.
inline AccuracyResult accuracy(const Network& network, const ImageSet& images, const Macro& macro,
                               std::uint32_t chips, std::uint32_t reads, std::uint64_t seed) {
  Engine engine(seed);
  AccuracyResult result;
  result.chips = chips;
  result.reads = reads;
  result.exact_correct.assign(images.labels.size(), 1);
  for (std::uint32_t i = 0; i < std::max(chips, 1U); ++i) {
    Chip chip(network, macro, engine);
    for (std::uint32_t j = 0; j < reads; ++j) {
      for (std::size_t image = 0; image < images.labels.size(); ++image) {
        const std::size_t found = chip.classify(
            images.image(image), chips > 0 ? Cells::of_the_chip : Cells::of_a_single_read, engine);
        result.sampled_correct.push_back(found == images.labels[image] ? 1 : 0);
      }
    }
  }
  return result;
}

}  // namespace cimstat::experiments::cell_by_cell
