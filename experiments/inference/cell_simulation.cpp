#include "experiments/inference/cell_simulation.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "core/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/cell_simulation.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#ifndef CIMSTAT_CELL_SIMULATION_ONCE
#define CIMSTAT_CELL_SIMULATION_ONCE
namespace cimstat::experiments {

using Segments = std::vector<core::QuantileTable::Segment>;

/// Rows whose random words are made at a time: 8 KB.
inline constexpr std::uint32_t rows_at_once = 32;

struct CellSimulation::Tables {
  std::uint32_t rows = 0;
  Segments cells;  ///< LRS, followed by HRS
  std::uint32_t hrs_begin = 0;
  Segments leakage;  ///< empty where there is none; likewise the dummy column's cells
  Segments dummy;
  Segments normal;
  Segments noise;
  float offset_sd = 0.0f;  ///< in units of the mean LRS current, like all currents here
  float noise_sd = 0.0f;
  float per_knee = 0.0f;  ///< 1 / noise_knee; 0 for constant noise
  /// Ascending, filled up with infinity to 2^search_steps - 1 for each number of active rows.
  std::vector<float> references;
  unsigned search_steps = 0;
  bool follows_active_rows = false;

  const float* references_at(std::uint32_t active_rows) const {
    return references.data() +
           (follows_active_rows ? std::size_t{active_rows} * ((1U << search_steps) - 1) : 0);
  }
};

}  // namespace cimstat::experiments
#endif

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Currents = hn::CappedTag<float, group_channels>;
using CurrentWords = hn::Rebind<std::uint32_t, Currents>;
using CurrentIndices = hn::Rebind<std::int32_t, Currents>;

/// QuantileTable::operator(), with a table of its own for each lane: it begins at `begin`.
HWY_INLINE hn::Vec<Currents> lane_quantiles(const core::QuantileTable::Segment* segments,
                                            hn::Vec<CurrentWords> words,
                                            hn::Vec<CurrentIndices> begin) {
  const Currents df;
  const CurrentIndices di;
  const CurrentWords du;
  const auto t = hn::Add(hn::ConvertTo(df, hn::BitCast(di, words)), hn::Set(df, 0.5f));
  const auto segment =
      hn::ShiftRight<static_cast<int>(core::QuantileTable::index_shift)>(hn::BitCast(du, t));
  const auto index = hn::Add(hn::BitCast(di, segment), begin);
  const auto scaled = hn::Add(index, index);
  const auto c0 = hn::GatherIndex(df, &segments->c0, scaled);
  const auto c1 = hn::GatherIndex(df, &segments->c1, scaled);
  return hn::Add(c0, hn::Mul(c1, t));
}

/// Adds the currents of rows first_row .. first_row + rows - 1 to sums[vector][lane]: LRS where the
/// row's number is below lrs_counts[vector][lane], HRS else.
void add_cells(const CellSimulation::Tables& tables, const std::uint32_t* HWY_RESTRICT words,
               std::uint32_t first_row, std::uint32_t rows, std::uint32_t vectors,
               const std::uint32_t* HWY_RESTRICT lrs_counts, float* HWY_RESTRICT sums) {
  const Currents df;
  const CurrentIndices di;
  const CurrentWords du;
  const auto hrs_begin = hn::Set(di, static_cast<std::int32_t>(tables.hrs_begin));
  for (std::size_t i = 0; i < std::size_t{vectors} * group_channels; i += hn::Lanes(df)) {
    auto sum = hn::Load(df, sums + i);
    const auto count = hn::BitCast(di, hn::Load(du, lrs_counts + i));
    for (std::uint32_t row = 0; row < rows; ++row) {
      const auto number = hn::Set(di, static_cast<std::int32_t>(first_row + row));
      const auto begin = hn::IfThenZeroElse(hn::Lt(number, count), hrs_begin);
      sum = hn::Add(sum, lane_quantiles(tables.cells.data(),
                                        hn::Load(du, words + row * batch_words + i), begin));
    }
    hn::Store(sum, df, sums + i);
  }
}

/// Adds factor * (current of one table) for each row.
void add_rows(const Segments& segments, float factor, const std::uint32_t* HWY_RESTRICT words,
              std::uint32_t rows, std::uint32_t vectors, float* HWY_RESTRICT sums) {
  const Currents df;
  const CurrentIndices di;
  const CurrentWords du;
  for (std::size_t i = 0; i < std::size_t{vectors} * group_channels; i += hn::Lanes(df)) {
    auto sum = hn::Load(df, sums + i);
    for (std::uint32_t row = 0; row < rows; ++row) {
      const auto current = lane_quantiles(
          segments.data(), hn::Load(du, words + row * batch_words + i), hn::Zero(di));
      sum = hn::Add(sum, hn::Mul(current, hn::Set(df, factor)));
    }
    hn::Store(sum, df, sums + i);
  }
}

/// Bit-line currents become codes.
void convert(const CellSimulation::Tables& tables, std::uint32_t active_rows,
             const std::uint32_t* HWY_RESTRICT offset_words,
             const std::uint32_t* HWY_RESTRICT noise_words, std::uint32_t vectors,
             const float* HWY_RESTRICT sums, std::uint32_t* HWY_RESTRICT codes) {
  const Currents df;
  const CurrentIndices di;
  const CurrentWords du;
  const float* references = tables.references_at(active_rows);
  for (std::size_t i = 0; i < std::size_t{vectors} * group_channels; i += hn::Lanes(df)) {
    const auto current = hn::Load(df, sums + i);
    auto sensed = current;
    if (tables.offset_sd > 0.0f) {
      const auto offset =
          lane_quantiles(tables.normal.data(), hn::Load(du, offset_words + i), hn::Zero(di));
      sensed = hn::Add(sensed, hn::Mul(offset, hn::Set(df, tables.offset_sd)));
    }
    if (tables.noise_sd > 0.0f) {
      const auto noise =
          lane_quantiles(tables.noise.data(), hn::Load(du, noise_words + i), hn::Zero(di));
      const auto square =
          hn::Add(hn::Set(df, 1.0f), hn::Mul(current, hn::Set(df, tables.per_knee)));
      const auto sd =
          hn::Mul(hn::Set(df, tables.noise_sd), hn::Sqrt(hn::Max(square, hn::Zero(df))));
      sensed = hn::Add(sensed, hn::Mul(noise, sd));
    }
    // How many references lie below: the binary digits of the answer, from the top down.
    auto code = hn::Zero(di);
    for (unsigned step = tables.search_steps; step-- > 0;) {
      const auto next = hn::Add(code, hn::Set(di, std::int32_t{1} << step));
      const auto reference = hn::GatherIndex(df, references, hn::Sub(next, hn::Set(di, 1)));
      code = hn::IfThenElse(hn::RebindMask(di, hn::Lt(reference, sensed)), next, code);
    }
    hn::Store(hn::BitCast(du, code), du, codes + i);
  }
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(add_cells);
HWY_EXPORT(add_rows);
HWY_EXPORT(convert);

namespace {

constexpr std::uint64_t rows_per_batch = 2 * circuits::row_limit;

double logistic_quantile(core::Tail side, double probability) {
  // Scaled to a standard deviation of 1: the logistic law's is pi / sqrt(3).
  const double value =
      std::sqrt(3.0) / std::numbers::pi * (std::log(probability) - std::log1p(-probability));
  return side == core::Tail::lower ? value : -value;
}

class SimulatedCells : public CodeSource {
 public:
  explicit SimulatedCells(const CellSimulation::Tables& tables)
      : tables_(tables),
        words_(std::size_t{rows_at_once} * batch_words),
        noise_words_(batch_words),
        sums_(batch_words) {}

  void read(const ColumnRead& read, const ColumnGroups& groups, const DrawOrigin& origin,
            std::span<std::uint32_t> counts) override {
    for (std::uint32_t batch = 0; batch < groups.batches(); ++batch) {
      const std::uint32_t vectors = std::min(4U, groups.vectors() - 4 * batch);
      read_batch(read.first_batch + batch, read.active_rows, vectors, origin,
                 counts.data() + batch * batch_words);
    }
  }

 private:
  void read_batch(std::uint64_t batch, std::uint32_t active_rows, std::uint32_t vectors,
                  const DrawOrigin& origin, std::uint32_t* counts) {
    std::fill(sums_.begin(), sums_.end(), 0.0f);
    const auto over_rows = [&](std::uint64_t first, std::uint32_t rows, auto&& add) {
      for (std::uint32_t row = 0; row < rows; row += rows_at_once) {
        const std::uint32_t some = std::min(rows_at_once, rows - row);
        const std::uint64_t first_batch = batch * rows_per_batch + first + row;
        fill_batches(origin, core::Domain::programming, {&first_batch, 1}, some, words_);
        add(row, some);
      }
    };
    over_rows(0, active_rows, [&](std::uint32_t row, std::uint32_t rows) {
      HWY_DYNAMIC_DISPATCH(add_cells)
      (tables_, words_.data(), row, rows, vectors, counts, sums_.data());
    });
    if (!tables_.leakage.empty()) {
      over_rows(active_rows, tables_.rows - active_rows, [&](std::uint32_t, std::uint32_t rows) {
        HWY_DYNAMIC_DISPATCH(add_rows)
        (tables_.leakage, 1.0f, words_.data(), rows, vectors, sums_.data());
      });
    }
    if (!tables_.dummy.empty()) {
      over_rows(circuits::row_limit, active_rows, [&](std::uint32_t, std::uint32_t rows) {
        HWY_DYNAMIC_DISPATCH(add_rows)
        (tables_.dummy, -1.0f, words_.data(), rows, vectors, sums_.data());
      });
    }
    const std::span<std::uint32_t> offset_words(words_.data(), batch_words);
    if (tables_.offset_sd > 0.0f) {
      fill_batches(origin, core::Domain::sense_offset, {&batch, 1}, 1, offset_words);
    }
    if (tables_.noise_sd > 0.0f) {
      fill_batches(origin, core::Domain::sense_noise, {&batch, 1}, 1, noise_words_);
    }
    HWY_DYNAMIC_DISPATCH(convert)
    (tables_, active_rows, offset_words.data(), noise_words_.data(), vectors, sums_.data(), counts);
  }

  const CellSimulation::Tables& tables_;
  AlignedVector<std::uint32_t> words_;
  AlignedVector<std::uint32_t> noise_words_;
  AlignedVector<float> sums_;
};

}  // namespace

CellSimulation::CellSimulation(const circuits::ColumnDesign& design)
    : tables_(std::make_unique<Tables>()) {
  const double unit = design.lrs.mean() > 0.0 ? design.lrs.mean() : 1.0;
  tables_->rows = design.rows;
  tables_->cells = core::QuantileTable(design.lrs, unit).segments();
  tables_->hrs_begin = static_cast<std::uint32_t>(tables_->cells.size());
  const core::QuantileTable hrs(design.hrs, unit);
  tables_->cells.insert(tables_->cells.end(), hrs.segments().begin(), hrs.segments().end());
  if (design.leakage) tables_->leakage = core::QuantileTable(*design.leakage, unit).segments();
  if (design.dummy) tables_->dummy = core::QuantileTable(*design.dummy, unit).segments();

  const circuits::SenseAmplifier& sense = design.sense;
  tables_->normal = core::QuantileTable(core::Law::normal(0.0, 1.0), 1.0).segments();
  tables_->noise = sense.noise_shape == circuits::NoiseShape::logistic
                       ? core::QuantileTable(logistic_quantile, 1.0).segments()
                       : tables_->normal;
  tables_->offset_sd = static_cast<float>(sense.offset_sd / unit);
  tables_->noise_sd = static_cast<float>(sense.noise_sd / unit);
  tables_->per_knee = static_cast<float>(unit / sense.noise_knee);

  const circuits::Ladder& ladder = design.ladder;
  tables_->follows_active_rows = ladder.follows_active_rows;
  tables_->search_steps = static_cast<unsigned>(std::bit_width(ladder.codes - 1));
  const std::size_t padded = (std::size_t{1} << tables_->search_steps) - 1;
  const std::uint32_t last = ladder.follows_active_rows ? design.rows : 0;
  for (std::uint32_t n = 0; n <= last; ++n) {
    for (const double reference : ladder.at(n)) {
      tables_->references.push_back(static_cast<float>(reference / unit));
    }
    tables_->references.resize((n + 1) * padded, std::numeric_limits<float>::infinity());
  }
}

CellSimulation::~CellSimulation() = default;

void CellSimulation::check_batches(std::uint64_t batches) const {
  constexpr std::uint64_t limit = core::block_limit / (16 * rows_per_batch);
  if (batches > limit) {
    throw core::UsageError(fmt::format(
        "simulation: {} batches of 64 columns per image (the random-number contract numbers {}) "
        "use the error table",
        batches, limit));
  }
}

std::unique_ptr<CodeSource> CellSimulation::source() const {
  return std::make_unique<SimulatedCells>(*tables_);
}

}  // namespace cimstat::experiments
#endif
