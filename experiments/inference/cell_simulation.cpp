#include "experiments/inference/cell_simulation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/sampled/code_search.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/cell_simulation.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"

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
  float per_knee = 0.0f;                       ///< 1 / noise_knee; 0 for constant noise
  std::vector<circuits::CodeSearch> searches;  ///< one for all n, or [n]

  const circuits::CodeSearch& search(std::uint32_t active_rows) const {
    return searches[searches.size() == 1 ? 0 : active_rows];
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

/// Bit-line currents of 64 columns become sensed currents, and their buckets are found. `offset`
/// and `noise` are standard deviates.
void sense(const CellSimulation::Tables& tables, const circuits::CodeSearch& search,
           const float* HWY_RESTRICT offset, const float* HWY_RESTRICT noise,
           float* HWY_RESTRICT currents, std::uint32_t* HWY_RESTRICT buckets) {
  const Currents df;
  const lanes::QuantileWords du;
  const hn::RebindToSigned<lanes::QuantileWords> di;
  for (std::size_t i = 0; i < batch_words; i += hn::Lanes(df)) {
    const Current current = hn::Load(df, currents + i);
    const Current square =
        hn::Add(hn::Set(df, 1.0f), hn::Mul(current, hn::Set(df, tables.per_knee)));
    const Current noise_sd =
        hn::Mul(hn::Set(df, tables.noise_sd), hn::Sqrt(hn::Max(square, hn::Zero(df))));
    const Current shifted =
        hn::Add(current, hn::Mul(hn::Load(df, offset + i), hn::Set(df, tables.offset_sd)));
    const Current sensed = hn::Add(shifted, hn::Mul(hn::Load(df, noise + i), noise_sd));
    hn::Store(sensed, df, currents + i);
    const Current place =
        hn::Add(hn::Mul(hn::Sub(sensed, hn::Set(df, search.low())), hn::Set(df, search.scale())),
                hn::Set(df, 1.0f));
    const Current bucket = hn::Min(hn::Max(place, hn::Zero(df)), hn::Set(df, search.last()));
    hn::Store(hn::BitCast(du, hn::ConvertTo(di, bucket)), du, buckets + i);
  }
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(add_cells);
HWY_EXPORT(add_rows);
HWY_EXPORT(sense);

namespace {

constexpr std::uint64_t rows_per_batch = 2 * circuits::row_limit;
/// Apart from those of sampled codes.
constexpr std::uint64_t fast_addresses = std::uint64_t{1} << 33;

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
  SimulatedCells(const CellSimulation::Tables& tables, core::Stream stream)
      : tables_(tables),
        fast_(stream == core::Stream::fast),
        words_(std::size_t{rows_at_once} * batch_words),
        index_(words_.size()),
        lrs_counts_(batch_words),
        sums_(batch_words),
        offset_(batch_words),
        noise_(batch_words) {}

  void read(const ColumnRead& read, const ColumnGroups& groups, const DrawOrigin& origin,
            std::span<std::uint32_t> counts) override {
    if (fast_) stream_.emplace(origin, fast_addresses + read.first_batch);
    for (std::uint32_t batch = 0; batch < groups.batches(); ++batch) {
      const std::span<std::uint32_t> some = counts.subspan(
          batch * batch_words, std::min(batch_words, counts.size() - batch * batch_words));
      std::copy(some.begin(), some.end(), lrs_counts_.begin());
      sense_batch(read.first_batch + batch, read.active_rows, origin);
      const circuits::CodeSearch& search = tables_.search(read.active_rows);
      for (std::size_t i = 0; i < some.size(); ++i) some[i] = search.code(sums_[i], index_[i]);
    }
  }

 private:
  /// The words of `rows` batches from `first_batch` on, or the next ones of the fast stream.
  void make_words(const DrawOrigin& origin, core::Domain domain, std::uint64_t first_batch,
                  std::uint32_t rows) {
    if (stream_) {
      stream_->fill(std::span(words_).first(rows * batch_words));
    } else {
      fill_batches(origin, domain, {&first_batch, 1}, rows, words_);
    }
  }

  /// Makes the words of `rows` rows from row `first` on, some at a time: add(row, rows).
  template <class Add>
  void over_rows(const DrawOrigin& origin, std::uint64_t first, std::uint32_t rows, Add&& add) {
    for (std::uint32_t row = 0; row < rows; row += rows_at_once) {
      const std::uint32_t some = std::min(rows_at_once, rows - row);
      make_words(origin, core::Domain::programming, first + row, some);
      add(row, some);
    }
  }

  void draw_standard(const core::QuantileTable& table, const DrawOrigin& origin,
                     core::Domain domain, std::uint64_t batch, AlignedVector<float>& values) {
    make_words(origin, domain, batch, 1);
    std::fill(values.begin(), values.end(), 0.0f);
    HWY_DYNAMIC_DISPATCH(add_rows)(table, words_.data(), 1, index_.data(), values.data());
  }

  /// The sensed currents of 64 columns in sums_, their buckets in index_.
  void sense_batch(std::uint64_t batch, std::uint32_t active_rows, const DrawOrigin& origin) {
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
    HWY_DYNAMIC_DISPATCH(sense)
    (tables_, tables_.search(active_rows), offset_.data(), noise_.data(), sums_.data(),
     index_.data());
  }

  const CellSimulation::Tables& tables_;
  bool fast_;
  std::optional<FastStream> stream_;
  AlignedVector<std::uint32_t> words_;
  AlignedVector<std::uint32_t> index_;
  AlignedVector<std::uint32_t> lrs_counts_;
  AlignedVector<float> sums_;
  AlignedVector<float> offset_;
  AlignedVector<float> noise_;
};

}  // namespace

CellSimulation::CellSimulation(const circuits::ColumnDesign& design)
    : tables_(std::make_unique<Tables>()) {
  require_plain_sum(design, "cell by cell simulation");
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
  const std::uint32_t last = ladder.follows_active_rows ? design.rows : 0;
  for (std::uint32_t n = 0; n <= last; ++n) {
    std::vector<float> references;
    for (const double reference : ladder.at(n)) {
      references.push_back(static_cast<float>(reference / unit));
    }
    tables_->searches.emplace_back(references);
  }
}

CellSimulation::~CellSimulation() = default;

void CellSimulation::check_batches(std::uint64_t batches) const {
  constexpr std::uint64_t limit = core::block_limit / (16 * rows_per_batch);
  if (batches > limit) {
    throw core::UsageError(core::error_line(
        "accuracy.network", fmt::format("takes {} batches of 64 columns an image", batches),
        fmt::format("the random-number contract numbers {}", limit), "use the error table"));
  }
}

std::unique_ptr<CodeSource> CellSimulation::source(core::Stream stream) const {
  return std::make_unique<SimulatedCells>(*tables_, stream);
}

}  // namespace cimstat::experiments
#endif
