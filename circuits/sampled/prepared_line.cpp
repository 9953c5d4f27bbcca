#include <algorithm>
#include <cmath>

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/line_reading.h"
#include "circuits/sampled/prepared_column.h"

/// What a line that is more than a sum makes of a program.
namespace cimstat::circuits {

namespace {

/// Of laws_of(); behind them unselected rows, where these conduct.
enum Part : std::size_t { lrs_part, hrs_part };

}  // namespace

double PreparedColumn::spread_of_readings() const {
  const SenseAmplifier& sense = design_.sense;
  double spread = std::max({sense.offset_sd, sense.noise_sd, line_noise_sd(design_, {})});
  double cell = 0.0;
  for (const PreparedLaw& law : laws_) cell = std::max(cell, law.sd());
  if (const auto curve = curve_of(design_.bit_line)) {
    spread = std::max(spread, cell * curve->gain);
  } else if (const auto* sharing = std::get_if<ChargeSharing>(&design_.bit_line)) {
    spread = std::max(spread, cell * sharing->supply / total_capacitance(design_));
  } else {
    spread = std::max(spread, cell);
  }
  return spread > 0.0 ? std::exp2(std::ilogb(spread)) : 1.0;
}

void PreparedColumn::add_cells(std::size_t law, std::uint32_t count,
                               std::vector<CellDraws>& cells) const {
  const DrawCounts draws = laws_[law].draws(count);
  for (std::size_t size = 0; size < sum_sizes.size(); ++size) {
    if (draws[size] > 0) cells.push_back({&laws_[law].table(size), draws[size]});
  }
}

void PreparedColumn::add_normal(double variance, double unit,
                                std::vector<ScaledDraw>& draws) const {
  if (variance == 0.0) return;
  draws.push_back(
      {&normal_, static_cast<float>(variance / (unit * unit)), 0.0f, Scaling::variance});
}

void PreparedColumn::add_curve(ColumnClass column_class, ColumnProgram& program) const {
  const std::vector<std::uint32_t> count = counts(column_class);
  double joined = 0.0;
  for (std::size_t i = 0; i < laws_.size(); ++i) {
    add_cells(i, count[i], program.cells);
    joined += laws_[i].joined_variance(count[i]);
  }
  add_normal(joined, unit_, program.scaled);
  const double mean = mean_current(design_, column_class);
  if (const double factor = design_.common_factor_sd; factor > 0.0) {
    program.scaled.push_back({&normal_, static_cast<float>(factor * mean / unit_),
                              static_cast<float>(factor), Scaling::factor});
  }
  const LineCurve curve = *curve_of(design_.bit_line);
  const double gain = curve.gain * unit_ / reading_unit_;
  LineCurve endless = curve;
  endless.most = std::numeric_limits<double>::infinity();
  const double fall = curve.shape == CurveShape::exponential ? std::exp(-mean / curve.knee) : 1.0;
  // Readings count from the nominal one, which `most` may have cut.
  program.line =
      CurveStep{.shape = curve.shape,
                .gain = static_cast<float>(gain * fall),
                .inverse_knee = static_cast<float>(unit_ / curve.knee),
                .mean = static_cast<float>(mean / unit_),
                .shift = static_cast<float>((endless(mean) - curve(mean)) / reading_unit_),
                .most = static_cast<float>((curve.most - curve(mean)) / reading_unit_)};
}

void PreparedColumn::add_wire(ColumnClass column_class, ColumnProgram& program) const {
  const auto& wire = std::get<WireResistance>(design_.bit_line);
  const std::vector<std::uint32_t> count = counts(column_class);
  const double volt = unit_ / wire.read_voltage;
  WireStep step;
  step.rows = design_.rows;
  step.counts = {count[lrs_part], count[hrs_part], design_.rows - column_class.active_rows};
  step.segment = static_cast<float>(wire.segment * volt);
  step.end = static_cast<float>((wire.segment + wire.sense) * volt);
  step.nominal = static_cast<float>(mean_reading(design_, column_class) / unit_);
  const std::array<const core::Law*, WireStep::kinds> laws = {
      &design_.lrs, &design_.hrs, design_.leakage ? &*design_.leakage : nullptr};
  for (std::size_t kind = 0; kind < WireStep::kinds; ++kind) {
    if (laws[kind] == nullptr || step.counts[kind] == 0) continue;
    step.means[kind] = static_cast<float>(laws[kind]->mean() / unit_);
    if (laws[kind]->sd() > 0.0) step.tables[kind] = &laws_[kind].table(0);
  }
  program.line = step;
}

void PreparedColumn::add_sharing(ColumnClass column_class, ColumnProgram& program) const {
  const auto& sharing = std::get<ChargeSharing>(design_.bit_line);
  const std::vector<std::uint32_t> count = counts(column_class);
  add_cells(lrs_part, count[lrs_part], program.cells);
  add_normal(laws_[lrs_part].joined_variance(count[lrs_part]), unit_, program.scaled);
  double joined = 0.0;
  for (std::size_t part = hrs_part; part < laws_.size(); ++part) {
    add_cells(part, count[part], program.grounded);
    joined += laws_[part].joined_variance(count[part]);
  }
  add_normal(joined, unit_, program.grounded_scaled);
  const double on = count[lrs_part] * design_.lrs.mean();
  const double all = mean_current(design_, column_class) + sharing.parasitic;
  const double reading = sharing.supply * (1.0 + sharing.injected_fraction) / reading_unit_;
  program.line = SharingStep{.on = static_cast<float>(on / unit_),
                             .other = static_cast<float>((all - on) / unit_),
                             .scale = static_cast<float>(reading / (all / unit_))};
}

void PreparedColumn::add_noise_behind_line(ColumnClass column_class, ColumnProgram& program) const {
  const SenseAmplifier& sense = design_.sense;
  const bool logistic = sense.noise_shape == NoiseShape::logistic && sense.noise_sd > 0.0;
  const bool follows_reading = std::isfinite(sense.noise_knee) && sense.noise_sd > 0.0;
  const double noise = sense.noise_sd * sense.noise_sd;
  const double own = std::pow(line_noise_sd(design_, column_class), 2);
  const double scale = reading_unit_ * reading_unit_;
  std::vector<ScaledDraw>& draws = program.behind_line;
  if (follows_reading) {
    // It sees the reading with the line's own noise, and without the offset.
    add_normal(own, reading_unit_, draws);
    const double level = 1.0 + mean_reading(design_, column_class) / sense.noise_knee;
    draws.push_back({logistic ? &logistic_ : &normal_, static_cast<float>(noise * level / scale),
                     static_cast<float>(noise / sense.noise_knee / reading_unit_),
                     Scaling::variance});
    add_normal(sense.offset_sd * sense.offset_sd, reading_unit_, draws);
    return;
  }
  add_normal(own + sense.offset_sd * sense.offset_sd + (logistic ? 0.0 : noise), reading_unit_,
             draws);
  if (logistic) {
    draws.push_back({&logistic_, static_cast<float>(noise / scale), 0.0f, Scaling::variance});
  }
}

void PreparedColumn::add_line(ColumnClass column_class, ColumnProgram& program) const {
  if (curve_of(design_.bit_line)) {
    add_curve(column_class, program);
  } else if (std::holds_alternative<WireResistance>(design_.bit_line)) {
    add_wire(column_class, program);
  } else if (std::holds_alternative<ChargeSharing>(design_.bit_line)) {
    add_sharing(column_class, program);
  } else {
    program.line = CurveStep{.gain = 0.0f};  // the class alone decides the reading
  }
  add_noise_behind_line(column_class, program);
}

}  // namespace cimstat::circuits
