#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/law/quantile_table.h"
#include "core/random/random.h"

#include "circuits/column.h"
#include "circuits/converters/converter_circuit.h"

/// One column of a frozen chip as chip_cells.h and chip_reader.h promise it, number by number, in
/// plain loops that share none of their code.
namespace cimstat::experiments::fixtures {

inline const core::QuantileTable& normal_table() {
  static const core::QuantileTable table(core::Law::normal(0.0, 1.0), 1.0);
  return table;
}

inline const core::QuantileTable& logistic_table() {
  static const core::QuantileTable table(
      [](core::Tail side, double p) {
        const double value = std::sqrt(3.0) / std::acos(-1.0) * (std::log(p) - std::log1p(-p));
        return side == core::Tail::lower ? value : -value;
      },
      1.0);
  return table;
}

/// Whose random numbers a layer's columns take.
struct ChipPlace {
  std::uint32_t chip = 7;
  std::uint64_t image_read = 29;
  std::uint32_t index = 3;         ///< of the layer
  std::uint64_t first_batch = 70;  ///< of the layer
};

struct ColumnPlace {
  std::uint32_t tile = 0;
  std::uint32_t vectors = 0;  ///< of a tile
  std::uint32_t vector = 0;
  std::uint32_t lane = 0;
  std::uint64_t number() const { return (std::uint64_t{tile} * vectors + vector) * 16 + lane; }
};

/// Tables of one design's laws, by their means.
using ReferenceTables = std::map<double, std::unique_ptr<core::QuantileTable>>;

class ReferenceColumns {
 public:
  static constexpr core::StreamKey key{11, 2};

  ReferenceColumns(const circuits::ColumnDesign& design, const ChipPlace& place,
                   ReferenceTables& tables)
      : design_(design), place_(place), tables_(tables), unit_(design.lrs.mean()) {}

  /// The code of a read of the column of these states (one for each row in use) with these rows
  /// active, at this position of `batches` batches of its vector.
  std::int64_t read(const ColumnPlace& at, const std::vector<bool>& states,
                    const std::vector<std::uint32_t>& active, std::uint64_t position,
                    std::uint64_t batches) {
    const std::uint64_t u = at.number();
    auto found = known_.find(u);
    if (found == known_.end()) found = known_.emplace(u, column_of(u, states)).first;
    const Column& column = found->second;
    const auto height = static_cast<std::uint32_t>(states.size());
    const float current = total(column.idle, active, height,
                                [&](std::uint32_t row) { return column.rows[row].current; });
    const float cells = total(column.idle_variance, active, height,
                              [&](std::uint32_t row) { return column.rows[row].variance; });
    const std::uint64_t batch = place_.first_batch + u / 16 * batches + position / 4;
    const std::uint64_t draw = 4 * (16 * batch + at.lane) + position % 4;
    return code(sensed(u, current, cells, draw), at, static_cast<std::uint32_t>(active.size()));
  }

 private:
  static std::uint32_t word(core::Domain domain, std::uint64_t instance, std::uint64_t draw) {
    return core::philox4x32(core::counter_of(key, domain, instance, draw / 4),
                            core::key_of(key))[draw % 4];
  }

  std::uint64_t instance() const {
    return (std::uint64_t{1} << 47) + (std::uint64_t{place_.chip} << 14) + place_.index;
  }

  /// The frozen current of a law, in units, for a word.
  float frozen(const core::Law& law, std::uint32_t random) {
    std::vector<core::Component> components = law.components();
    for (core::Component& one : components) one.relative_noise = 0.0;
    const core::Law without(std::move(components));
    if (without.variance() == 0.0) return static_cast<float>(without.mean() / unit_);
    auto& table = tables_[without.mean()];
    if (!table) table = std::make_unique<core::QuantileTable>(without, unit_);
    return (*table)(random);
  }

  static float noise_of(const core::Law& law) {
    return static_cast<float>(law.components().front().relative_noise);
  }

  float factor(std::uint64_t u) const {
    if (design_.common_factor_sd == 0.0) return 1.0f;
    const bool gain = design_.sense.gain_sd > 0.0;
    const std::uint64_t of = gain ? instance() : instance() - place_.index;
    return 1.0f + static_cast<float>(design_.common_factor_sd) *
                      normal_table()(word(core::Domain::die_factor, of, gain ? 4 * u : 0));
  }

  /// What selecting a row adds, and to the variance.
  struct Row {
    float current = 0.0f;
    float variance = 0.0f;
    float leakage = 0.0f;
    float leakage_variance = 0.0f;
  };
  Row row_of(std::uint64_t u, std::uint32_t row, bool lrs, float scale) {
    const auto draw = [&](std::uint64_t kind) {
      return word(core::Domain::column_cells, instance(), 4 * (1024 * u + 256 * kind) + row);
    };
    Row result;
    const core::Law& law = lrs ? design_.lrs : design_.hrs;
    const float cell = frozen(law, draw(0));
    if (design_.leakage) {
      result.leakage = frozen(*design_.leakage, draw(1));
      const float sd = scale * (noise_of(*design_.leakage) * result.leakage);
      result.leakage_variance = sd * sd;
    }
    const float dummy = design_.dummy ? frozen(*design_.dummy, draw(2)) : 0.0f;
    result.current = scale * ((cell - result.leakage) - dummy);
    const float sd = scale * (noise_of(law) * cell);
    result.variance = sd * sd;
    if (design_.dummy) {
      const float of_dummy = scale * (noise_of(*design_.dummy) * dummy);
      result.variance += of_dummy * of_dummy;
    }
    result.variance -= result.leakage_variance;
    return result;
  }

  /// Added up four rows at a time, these by words of 32 rows; `base` first.
  template <class Value>
  static float total(float base, const std::vector<std::uint32_t>& active, std::uint32_t rows,
                     const Value& value) {
    float sum = 0.0f;
    for (std::uint32_t begin = 0; begin < rows; begin += 32) {
      float of_word = 0.0f;
      for (std::uint32_t four = begin; four < std::min(begin + 32, rows); four += 4) {
        float of_four = 0.0f;
        for (const std::uint32_t row : active) {
          if (row >= four && row < four + 4) of_four += value(row);
        }
        of_word += of_four;
      }
      sum += of_word;
    }
    return base + sum;
  }

  struct Column {
    std::vector<Row> rows;
    float idle = 0.0f;
    float idle_variance = 0.0f;
  };
  Column column_of(std::uint64_t u, const std::vector<bool>& states) {
    const float scale = factor(u);
    Column column;
    for (std::uint32_t row = 0; row < design_.rows; ++row) {
      column.rows.push_back(row_of(u, row, row < states.size() && states[row], scale));
      column.idle += column.rows.back().leakage;
      column.idle_variance += column.rows.back().leakage_variance;
    }
    column.idle *= scale;
    return column;
  }

  float sensed(std::uint64_t u, float current, float cells, std::uint64_t draw) const {
    const std::uint64_t fresh =
        (std::uint64_t{1} << 47) + (std::uint64_t{place_.chip} << 28) + place_.image_read;
    const circuits::SenseAmplifier& sense = design_.sense;
    const auto noise_sd = static_cast<float>(sense.noise_sd / unit_);
    const float variance = noise_sd * noise_sd;
    const float slope = variance * static_cast<float>(unit_ / sense.noise_knee);
    const float of_sense = std::max(0.0f, variance + slope * current);
    const bool logistic = sense.noise_shape == circuits::NoiseShape::logistic;
    const auto offset_sd = static_cast<float>(sense.offset_sd / unit_);
    float result =
        current + offset_sd * normal_table()(word(core::Domain::column_offset, instance(), 4 * u));
    if (!logistic || cells > 0.0f) {
      const float z = normal_table()(word(core::Domain::column_noise, fresh, draw));
      result += z * std::sqrt(logistic ? cells : of_sense + cells);
    }
    if (logistic) {
      const float z = logistic_table()(word(core::Domain::sense_noise, fresh, draw));
      result += z * std::sqrt(of_sense);
    }
    return result;
  }

  std::int64_t code(float x, const ColumnPlace& at, std::uint32_t n) const {
    const std::span<const double> references = design_.ladder.at(n);
    if (circuits::has_mismatch(design_.comparator)) {
      const std::uint32_t share = design_.comparator.mismatch.columns_per_converter;
      const std::uint32_t of_a_tile = (16 * at.vectors + share - 1) / share;
      const std::uint64_t number = (std::uint64_t{1} << 47) + (std::uint64_t{place_.chip} << 33) +
                                   (std::uint64_t{place_.index} << 19) + at.tile * of_a_tile +
                                   (at.vector * 16 + at.lane) / share;
      const circuits::ConverterCircuit circuit(design_.comparator, references);
      return circuit.code(circuits::converter(circuit, key, number),
                          circuit.position(static_cast<double>(x) * unit_), {});
    }
    const auto last = static_cast<float>(references.size());
    const double step =
        (references.back() - references.front()) / static_cast<double>(references.size() - 1);
    bool even = true;
    std::int64_t below = 0;
    for (std::size_t i = 0; i < references.size(); ++i) {
      even &= std::abs(references[i] - references.front() - static_cast<double>(i) * step) <
              1e-6 * step;
      below += static_cast<float>(references[i] / unit_) <= x ? 1 : 0;
    }
    if (!even) return below;
    const float place =
        (x - static_cast<float>(references.front() / unit_)) * static_cast<float>(unit_ / step) +
        1.0f;
    return static_cast<std::int64_t>(std::min(std::max(place, 0.0f), last));
  }

  const circuits::ColumnDesign& design_;
  ChipPlace place_;
  ReferenceTables& tables_;
  double unit_;
  std::map<std::uint64_t, Column> known_;  ///< columns read before
};

}  // namespace cimstat::experiments::fixtures
