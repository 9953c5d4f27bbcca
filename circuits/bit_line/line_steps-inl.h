// What bit lines do to a tile, in vector lanes. Included once for each instruction set, after
// hwy/highway.h.
#if defined(CIMSTAT_CIRCUITS_LINE_STEPS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CIMSTAT_CIRCUITS_LINE_STEPS_INL_H
#undef CIMSTAT_CIRCUITS_LINE_STEPS_INL_H
#else
#define CIMSTAT_CIRCUITS_LINE_STEPS_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"
#include "core/random/random.h"

#include "circuits/bit_line/line_steps.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::circuits::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace kernel = core::HWY_NAMESPACE;

/// exp(x) - 1 for |x| up to 80 (clamped there): the same bits with any instruction set. Relative
/// error about 2e-7.
HWY_INLINE kernel::QuantileVector exponential_less_one(kernel::QuantileVector x) {
  const kernel::QuantileLanes df;
  const hn::RebindToSigned<kernel::QuantileLanes> di;
  const auto one = hn::Set(df, 1.0f);
  x = hn::Min(hn::Max(x, hn::Set(df, -80.0f)), hn::Set(df, 80.0f));
  const auto octaves = hn::Round(hn::Mul(x, hn::Set(df, 1.44269504f)));
  // ln 2 in two parts, the first with few bits.
  auto rest = hn::Sub(x, hn::Mul(octaves, hn::Set(df, 0.693359375f)));
  rest = hn::Add(rest, hn::Mul(octaves, hn::Set(df, 2.12194440e-4f)));
  auto series = hn::Set(df, 1.0f / 5040.0f);
  for (const float term : {1.0f / 720.0f, 1.0f / 120.0f, 1.0f / 24.0f, 1.0f / 6.0f, 0.5f}) {
    series = hn::Add(hn::Mul(series, rest), hn::Set(df, term));
  }
  const auto growth = hn::Add(rest, hn::Mul(hn::Mul(rest, rest), series));
  const auto exponent = hn::Add(hn::ConvertTo(di, octaves), hn::Set(di, 127));
  const auto power = hn::BitCast(df, hn::ShiftLeft<23>(exponent));
  return hn::Add(hn::Mul(power, growth), hn::Sub(power, one));
}

HWY_INLINE void apply_curve(const CurveStep& step, float* HWY_RESTRICT sums) {
  const kernel::QuantileLanes df;
  const auto gain = hn::Set(df, step.gain);
  const auto inverse_knee = hn::Set(df, step.inverse_knee);
  const auto mean = hn::Set(df, step.mean);
  const auto zero = hn::Zero(df);
  const auto one = hn::Set(df, 1.0f);
  const auto mean_above = hn::Max(mean, zero);
  const auto mean_below = hn::Min(mean, zero);
  const auto mean_bend = hn::Add(one, hn::Mul(mean_above, inverse_knee));
  for (std::size_t lane = 0; lane < core::tile_trials; lane += hn::Lanes(df)) {
    const auto x = hn::Load(df, sums + lane);
    auto reading = hn::Mul(gain, x);
    if (step.shape == CurveShape::exponential) {
      // gain knee (1 - exp(-x / knee)), which is gain x where the knee is far.
      const auto fall = exponential_less_one(hn::Neg(hn::Mul(x, inverse_knee)));
      reading = hn::Neg(hn::Mul(hn::Div(gain, inverse_knee), fall));
    } else if (step.shape == CurveShape::rational) {
      const auto sum = hn::Add(mean, x);
      const auto above = hn::Max(sum, zero);
      const auto cross =
          hn::Sub(hn::Mul(hn::Min(sum, zero), mean_above), hn::Mul(mean_below, above));
      const auto bend = hn::Add(one, hn::Mul(above, inverse_knee));
      reading = hn::Div(hn::Mul(gain, hn::Add(x, hn::Mul(cross, inverse_knee))),
                        hn::Mul(bend, mean_bend));
    }
    reading = hn::Add(reading, hn::Set(df, step.shift));
    hn::Store(hn::Min(reading, hn::Set(df, step.most)), df, sums + lane);
  }
}

/// `driven` and `others`: deviations of the sums of capacitances; readings go to `driven`.
HWY_INLINE void share_charge(const SharingStep& step, float* HWY_RESTRICT driven,
                             const float* HWY_RESTRICT others) {
  const kernel::QuantileLanes df;
  const auto on = hn::Set(df, step.on);
  const auto other = hn::Set(df, step.other);
  const auto scale = hn::Set(df, step.scale);
  const auto all = hn::Add(on, other);
  const auto least = hn::Mul(all, hn::Set(df, 1e-3f));  // sums of normals have no lower end
  for (std::size_t lane = 0; lane < core::tile_trials; lane += hn::Lanes(df)) {
    const auto a = hn::Load(df, driven + lane);
    const auto b = hn::Load(df, others + lane);
    const auto moved = hn::Sub(hn::Mul(other, a), hn::Mul(on, b));
    const auto total = hn::Max(hn::Add(all, hn::Add(a, b)), least);
    hn::Store(hn::Div(hn::Mul(moved, scale), total), df, driven + lane);
  }
}

/// The trials of a tile while their wires are walked along.
struct alignas(64) WireTile {
  float current[core::tile_trials];
  float plain[core::tile_trials];    ///< sum of the cells without the wire
  float leaning[core::tile_trials];  ///< the same, each times its weight
  float lrs_left[core::tile_trials];
  float hrs_left[core::tile_trials];
};

HWY_INLINE void begin_wire(const WireStep& step, WireTile& tile) {
  std::fill_n(tile.current, core::tile_trials, 0.0f);
  std::fill_n(tile.plain, core::tile_trials, 0.0f);
  std::fill_n(tile.leaning, core::tile_trials, 0.0f);
  std::fill_n(tile.lrs_left, core::tile_trials, static_cast<float>(step.counts[0]));
  std::fill_n(tile.hrs_left, core::tile_trials, static_cast<float>(step.counts[1]));
}

/// Deviations of a cell's current from its kind's mean, for a vector of words, or 0.
HWY_INLINE kernel::QuantileVector cell_values(const core::QuantileTable* table,
                                              const std::uint32_t* words,
                                              const std::uint32_t* index) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  if (table == nullptr) return hn::Zero(df);
  const auto t = kernel::signed_tails(hn::Load(du, words));
  return kernel::repaired(*table, kernel::line_values(table->segments().data(), index, t), words);
}

/// One more row, `left` rows being left with it. `weight`: what `leaning` adds it with.
HWY_INLINE void walk_row(const WireStep& step, std::uint32_t left, float weight,
                         const std::uint32_t* HWY_RESTRICT words,
                         const std::uint32_t* HWY_RESTRICT index, WireTile& tile) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  const hn::RebindToSigned<kernel::QuantileLanes> di;
  const auto one = hn::Set(df, 1.0f);
  const bool is_mixed = step.is_mixed();
  const std::size_t cell_row = is_mixed ? core::tile_trials : 0;
  const auto segment = hn::Set(df, step.segment);
  const auto place_scale = hn::Set(df, static_cast<float>(left) * 0x1p-24f);
  for (std::size_t lane = 0; lane < core::tile_trials; lane += hn::Lanes(df)) {
    const std::uint32_t* word = words + cell_row + lane;
    const std::uint32_t* segments = index + cell_row + lane;
    const auto value = [&](std::size_t kind) HWY_ATTR {
      return hn::Add(hn::Set(df, step.means[kind]), cell_values(step.tables[kind], word, segments));
    };
    auto cell = hn::Zero(df);
    if (is_mixed) {
      // In turn, each of the rows left is as likely as any other to be one of the LRS cells left.
      const auto bits = hn::ShiftRight<8>(hn::Load(du, words + lane));
      const auto place = hn::Mul(hn::ConvertTo(df, hn::BitCast(di, bits)), place_scale);
      const auto lrs_left = hn::Load(df, tile.lrs_left + lane);
      const auto hrs_left = hn::Load(df, tile.hrs_left + lane);
      const auto is_lrs = hn::Lt(place, lrs_left);
      const auto is_hrs = hn::AndNot(is_lrs, hn::Lt(place, hn::Add(lrs_left, hrs_left)));
      hn::Store(hn::Sub(lrs_left, hn::IfThenElseZero(is_lrs, one)), df, tile.lrs_left + lane);
      hn::Store(hn::Sub(hrs_left, hn::IfThenElseZero(is_hrs, one)), df, tile.hrs_left + lane);
      if (step.counts[2] > 0) cell = value(2);
      if (step.counts[1] > 0) cell = hn::IfThenElse(is_hrs, value(1), cell);
      if (step.counts[0] > 0) cell = hn::IfThenElse(is_lrs, value(0), cell);
    } else {
      cell = value(step.counts[0] > 0 ? 0 : step.counts[1] > 0 ? 1 : 2);
    }
    const auto current = hn::Load(df, tile.current + lane);
    // A wire's drop of less than minus half the voltage is none of its own: negative draws.
    const auto bend = hn::Max(hn::Add(one, hn::Mul(segment, current)), hn::Set(df, 0.5f));
    hn::Store(hn::Add(hn::Div(current, bend), cell), df, tile.current + lane);
    hn::Store(hn::Add(hn::Load(df, tile.plain + lane), cell), df, tile.plain + lane);
    hn::Store(hn::Add(hn::Load(df, tile.leaning + lane), hn::Mul(cell, hn::Set(df, weight))), df,
              tile.leaning + lane);
  }
}

/// The currents behind the sense resistance, less the nominal one.
HWY_INLINE void end_wire(const WireStep& step, const WireTile& tile, float* HWY_RESTRICT sums) {
  const kernel::QuantileLanes df;
  const auto end = hn::Set(df, step.end);
  for (std::size_t lane = 0; lane < core::tile_trials; lane += hn::Lanes(df)) {
    const auto current = hn::Load(df, tile.current + lane);
    const auto bend = hn::Max(hn::Add(hn::Set(df, 1.0f), hn::Mul(end, current)), hn::Set(df, 0.5f));
    hn::Store(hn::Sub(hn::Div(current, bend), hn::Set(df, step.nominal)), df, sums + lane);
  }
}

}  // namespace cimstat::circuits::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
