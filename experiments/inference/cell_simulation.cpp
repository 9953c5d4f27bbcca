#include "experiments/inference/cell_simulation.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/cell_simulation.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/quantile_table-inl.h"

#ifndef CIMSTAT_CELL_SIMULATION_ONCE
#define CIMSTAT_CELL_SIMULATION_ONCE
namespace cimstat::experiments {

struct CellSimulation::Tables {
  std::uint32_t rows = 0;
  core::QuantileTable lrs;
  core::QuantileTable hrs;
  std::optional<core::QuantileTable> leakage;
  std::optional<core::QuantileTable> dummy;  ///< negated
  core::QuantileTable normal;
  core::QuantileTable noise;
  std::vector<core::QuantileTable::Segment> cells;  ///< of LRS, followed by those of HRS
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
namespace lanes = core::HWY_NAMESPACE;

using Currents = lanes::QuantileLanes;
using Current = lanes::QuantileVector;

/// One column's cells, row by row: what add_cells does in vectors, for tables with leaps.
float sum_of_cells(const CellSimulation::Tables& tables, const std::uint32_t* words,
                   std::uint32_t first_row, std::uint32_t rows, std::uint32_t lrs_count,
                   float sum) {
  for (std::uint32_t row = 0; row < rows; ++row) {
    const core::QuantileTable& table = first_row + row < lrs_count ? tables.lrs : tables.hrs;
    sum += table(words[row * batch_words]);
  }
  return sum;
}

/// Adds the currents of rows first_row .. first_row + rows - 1 to the sums of 64 columns: LRS where
/// the row's number is below the column's LRS count, HRS else. `index` is scratch, like `words`.
void add_cells(const CellSimulation::Tables& tables, const std::uint32_t* HWY_RESTRICT words,
               std::uint32_t first_row, std::uint32_t rows,
               const std::uint32_t* HWY_RESTRICT lrs_counts, std::uint32_t* HWY_RESTRICT index,
               float* HWY_RESTRICT sums) {
  const Currents df;
  const lanes::QuantileWords du;
  const hn::RebindToSigned<lanes::QuantileWords> di;
  const auto hrs_begin = hn::Set(du, static_cast<std::uint32_t>(tables.lrs.segments().size()));
  for (std::size_t lane = 0; lane < batch_words; lane += hn::Lanes(df)) {
    const auto count = hn::BitCast(di, hn::Load(du, lrs_counts + lane));
    for (std::uint32_t row = 0; row < rows; ++row) {
      const std::size_t i = row * batch_words + lane;
      const auto is_lrs = hn::Lt(hn::Set(di, static_cast<std::int32_t>(first_row + row)), count);
      const auto begin = hn::IfThenZeroElse(hn::RebindMask(du, is_lrs), hrs_begin);
      const auto segment = lanes::segment_indices(lanes::signed_tails(hn::Load(du, words + i)));
      hn::Store(hn::Add(segment, begin), du, index + i);
    }
  }
  for (std::size_t lane = 0; lane < batch_words; lane += hn::Lanes(df)) {
    const Current start = hn::Load(df, sums + lane);
    Current sum = start;
    for (std::uint32_t row = 0; row < rows; ++row) {
      const std::size_t i = row * batch_words + lane;
      const Current t = lanes::signed_tails(hn::Load(du, words + i));
      sum = hn::Add(sum, lanes::line_values(tables.cells.data(), index + i, t));
    }
    hn::Store(sum, df, sums + lane);
    if (HWY_LIKELY(hn::AllFalse(df, hn::IsNaN(sum)))) continue;
    alignas(64) float before[hn::MaxLanes(Currents())];
    hn::Store(start, df, before);
    for (std::size_t i = 0; i < hn::Lanes(df); ++i) {
      sums[lane + i] =
          sum_of_cells(tables, words + lane + i, first_row, rows, lrs_counts[lane + i], before[i]);
    }
  }
}

/// Adds the currents of `rows` rows of one table to the sums of 64 columns.
void add_rows(const core::QuantileTable& table, const std::uint32_t* HWY_RESTRICT words,
              std::uint32_t rows, std::uint32_t* HWY_RESTRICT index, float* HWY_RESTRICT sums) {
  lanes::store_segment_indices(words, rows * batch_words, index);
  lanes::add_quantiles(table, words, index, rows, sums);
}

/// Bit-line currents of 64 columns become codes. `offset` and `noise` are standard deviates.
void convert(const CellSimulation::Tables& tables, std::uint32_t active_rows,
             const float* HWY_RESTRICT offset, const float* HWY_RESTRICT noise,
             const float* HWY_RESTRICT sums, std::uint32_t* HWY_RESTRICT codes) {
  const Currents df;
  const lanes::QuantileWords du;
  const hn::RebindToSigned<lanes::QuantileWords> di;
  const float* references = tables.references_at(active_rows);
  for (std::size_t i = 0; i < batch_words; i += hn::Lanes(df)) {
    const Current current = hn::Load(df, sums + i);
    const Current square =
        hn::Add(hn::Set(df, 1.0f), hn::Mul(current, hn::Set(df, tables.per_knee)));
    const Current noise_sd =
        hn::Mul(hn::Set(df, tables.noise_sd), hn::Sqrt(hn::Max(square, hn::Zero(df))));
    const Current shifted =
        hn::Add(current, hn::Mul(hn::Load(df, offset + i), hn::Set(df, tables.offset_sd)));
    const Current sensed = hn::Add(shifted, hn::Mul(hn::Load(df, noise + i), noise_sd));
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

/// Rows whose random words are made at a time: 8 KB.
constexpr std::uint32_t rows_at_once = 32;

class SimulatedCells : public CodeSource {
 public:
  explicit SimulatedCells(const CellSimulation::Tables& tables)
      : tables_(tables),
        words_(std::size_t{rows_at_once} * batch_words),
        index_(words_.size()),
        lrs_counts_(batch_words),
        codes_(batch_words),
        sums_(batch_words),
        offset_(batch_words),
        noise_(batch_words) {}

  void read(const ColumnRead& read, const ColumnGroups& groups, const DrawOrigin& origin,
            std::span<std::uint32_t> counts) override {
    for (std::uint32_t batch = 0; batch < groups.batches(); ++batch) {
      const std::span<std::uint32_t> some = counts.subspan(
          batch * batch_words, std::min(batch_words, counts.size() - batch * batch_words));
      std::fill(lrs_counts_.begin(), lrs_counts_.end(), 0);
      std::copy(some.begin(), some.end(), lrs_counts_.begin());
      read_batch(read.first_batch + batch, read.active_rows, origin);
      std::copy_n(codes_.begin(), some.size(), some.begin());
    }
  }

 private:
  /// Makes the words of `rows` rows from row `first` on, some at a time: add(row, rows).
  template <class Add>
  void over_rows(const DrawOrigin& origin, std::uint64_t first, std::uint32_t rows, Add&& add) {
    for (std::uint32_t row = 0; row < rows; row += rows_at_once) {
      const std::uint32_t some = std::min(rows_at_once, rows - row);
      const std::uint64_t first_batch = first + row;
      fill_batches(origin, core::Domain::programming, {&first_batch, 1}, some, words_);
      add(row, some);
    }
  }

  void draw_standard(const core::QuantileTable& table, const DrawOrigin& origin,
                     core::Domain domain, std::uint64_t batch, AlignedVector<float>& values) {
    fill_batches(origin, domain, {&batch, 1}, 1, words_);
    std::fill(values.begin(), values.end(), 0.0f);
    HWY_DYNAMIC_DISPATCH(add_rows)(table, words_.data(), 1, index_.data(), values.data());
  }

  void read_batch(std::uint64_t batch, std::uint32_t active_rows, const DrawOrigin& origin) {
    const std::uint64_t first = batch * rows_per_batch;
    std::fill(sums_.begin(), sums_.end(), 0.0f);
    over_rows(origin, first, active_rows, [&](std::uint32_t row, std::uint32_t rows) {
      HWY_DYNAMIC_DISPATCH(add_cells)
      (tables_, words_.data(), row, rows, lrs_counts_.data(), index_.data(), sums_.data());
    });
    const auto add_other = [&](const core::QuantileTable& table) {
      return [this, &table](std::uint32_t, std::uint32_t rows) {
        HWY_DYNAMIC_DISPATCH(add_rows)
        (table, words_.data(), rows, index_.data(), sums_.data());
      };
    };
    if (tables_.leakage) {
      over_rows(origin, first + active_rows, tables_.rows - active_rows,
                add_other(*tables_.leakage));
    }
    if (tables_.dummy) {
      over_rows(origin, first + circuits::row_limit, active_rows, add_other(*tables_.dummy));
    }
    if (tables_.offset_sd > 0.0f) {
      draw_standard(tables_.normal, origin, core::Domain::sense_offset, batch, offset_);
    }
    if (tables_.noise_sd > 0.0f) {
      draw_standard(tables_.noise, origin, core::Domain::sense_noise, batch, noise_);
    }
    HWY_DYNAMIC_DISPATCH(convert)
    (tables_, active_rows, offset_.data(), noise_.data(), sums_.data(), codes_.data());
  }

  const CellSimulation::Tables& tables_;
  AlignedVector<std::uint32_t> words_;
  AlignedVector<std::uint32_t> index_;
  AlignedVector<std::uint32_t> lrs_counts_;
  AlignedVector<std::uint32_t> codes_;
  AlignedVector<float> sums_;
  AlignedVector<float> offset_;
  AlignedVector<float> noise_;
};

}  // namespace

CellSimulation::CellSimulation(const circuits::ColumnDesign& design)
    : tables_(std::make_unique<Tables>()) {
  const double unit = design.lrs.mean() > 0.0 ? design.lrs.mean() : 1.0;
  tables_->rows = design.rows;
  tables_->lrs = core::QuantileTable(design.lrs, unit);
  tables_->hrs = core::QuantileTable(design.hrs, unit);
  if (design.leakage) tables_->leakage.emplace(*design.leakage, unit);
  if (design.dummy) tables_->dummy.emplace(design.dummy->scaled(-1.0), unit);
  tables_->cells = tables_->lrs.segments();
  tables_->cells.insert(tables_->cells.end(), tables_->hrs.segments().begin(),
                        tables_->hrs.segments().end());

  const circuits::SenseAmplifier& sense = design.sense;
  tables_->normal = core::QuantileTable(core::Law::normal(0.0, 1.0), 1.0);
  tables_->noise = sense.noise_shape == circuits::NoiseShape::logistic
                       ? core::QuantileTable(logistic_quantile, 1.0)
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
