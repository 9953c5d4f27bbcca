#include "circuits/bit_line/line_reading.h"

#include <cmath>
#include <string>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/wire_current.h"

namespace cimstat::circuits {

namespace {

constexpr double boltzmann = 1.380649e-23;  // [J/K], exact

double nominal_sum(const ColumnDesign& design, std::uint32_t level, std::uint32_t active_rows) {
  return mean_current(design, {0, active_rows}) + level * (design.lrs.mean() - design.hrs.mean());
}

}  // namespace

double total_capacitance(const ColumnDesign& design) {
  const auto& sharing = std::get<ChargeSharing>(design.bit_line);
  return mean_current(design, {design.rows, design.rows}) + sharing.parasitic;
}

double nominal_reading(const ColumnDesign& design, std::uint32_t level, std::uint32_t active_rows) {
  if (const auto* asim = std::get_if<AsimNoise>(&design.bit_line)) {
    return asim->full_scale * level / design.rows;
  }
  if (const auto* sharing = std::get_if<ChargeSharing>(&design.bit_line)) {
    const double total = nominal_sum(design, level, active_rows) + sharing->parasitic;
    const double shared = sharing->supply * (level * design.lrs.mean()) / total;
    return (1.0 + sharing->injected_fraction) * shared +
           sharing->injected_charge / total_capacitance(design);
  }
  const double sum = nominal_sum(design, level, active_rows);
  if (const auto* wire = std::get_if<WireResistance>(&design.bit_line)) {
    return even_wire_current(*wire, sum, design.rows);
  }
  const auto curve = curve_of(design.bit_line);
  return curve ? (*curve)(sum) : sum;
}

double mean_reading(const ColumnDesign& design, ColumnClass column_class) {
  if (is_ideal(design.bit_line)) return mean_current(design, column_class);
  if (const auto curve = curve_of(design.bit_line); curve && !design.row_states.empty()) {
    return (*curve)(mean_current(design, column_class));
  }
  return nominal_reading(design, column_class.lrs_count, column_class.active_rows);
}

double line_noise_sd(const ColumnDesign& design, ColumnClass column_class) {
  if (const auto* asim = std::get_if<AsimNoise>(&design.bit_line)) {
    const double k = column_class.lrs_count;
    return asim->full_scale * std::hypot(asim->random, asim->mismatch / std::sqrt(k + 1.0));
  }
  if (const auto* sharing = std::get_if<ChargeSharing>(&design.bit_line)) {
    return std::sqrt(boltzmann * sharing->temperature / total_capacitance(design));
  }
  return 0.0;
}

std::string_view reading_unit(const ColumnDesign& design) {
  return delivered_quantity(design.bit_line) == core::Quantity::current ? "A" : "V";
}

namespace {

[[noreturn]] void refuse(const ColumnDesign& design, std::string_view problem, std::string_view why,
                         std::string_view remedy = {}) {
  throw core::UsageError(core::error_line(
      "bit_line", fmt::format("{}: {}", name_of(design.bit_line), problem), why, remedy));
}

struct ParameterCheck {
  const ColumnDesign& design;

  void positive(double value, std::string_view name) const {
    if (value > 0.0 && std::isfinite(value)) return;
    refuse(design, fmt::format("a {} of {:g}", name, value), "above 0");
  }
  void not_negative(double value, std::string_view name) const {
    if (value >= 0.0 && std::isfinite(value)) return;
    refuse(design, fmt::format("a {} of {:g}", name, value), "0 or more");
  }
  void finite(double value, std::string_view name) const {
    if (!std::isfinite(value)) refuse(design, fmt::format("a {} of {:g}", name, value), "finite");
  }

  void operator()(const IdealSum&) const {}
  void operator()(const Discharge& line) const {
    positive(line.precharge, "precharge");
    positive(line.capacitance, "capacitance");
    positive(line.time, "time");
    not_negative(line.modulation, "channel-length modulation");
    if (line.path == DischargePath::resistive) positive(line.read_voltage, "read voltage");
  }
  void operator()(const Compression& line) const { positive(line.knee, "knee"); }
  void operator()(const WireResistance& line) const {
    positive(line.read_voltage, "read voltage");
    not_negative(line.segment, "segment resistance");
    not_negative(line.sense, "sense resistance");
  }
  void operator()(const ChargeSharing& line) const {
    positive(line.supply, "supply");
    not_negative(line.parasitic, "parasitic capacitance");
    not_negative(line.temperature, "temperature");
    finite(line.injected_charge, "injected charge");
    finite(line.injected_fraction, "injected fraction");
    positive(design.lrs.mean(), "mean unit capacitance");
    positive(1.0 + line.injected_fraction, "gain of the injected charge");
  }
  void operator()(const AsimNoise& line) const {
    positive(line.full_scale, "full scale");
    not_negative(line.random, "random noise");
    not_negative(line.mismatch, "mismatch noise");
  }
};

}  // namespace

void check_line(const ColumnDesign& design) {
  if (is_ideal(design.bit_line)) return;
  std::visit(ParameterCheck{design}, design.bit_line);
  if (!design.row_states.empty() && !curve_of(design.bit_line)) {
    refuse(design, "can't be had with rows of more than two states",
           "only sums and curves of a sum know of them",
           "use cells of two levels and binary inputs");
  }
  if (design.dummy) {
    refuse(design, "can't be had with a dummy column", "its current flows in a line of its own",
           "leave out column.dummy_column");
  }
  if (design.common_factor_sd > 0.0 && !curve_of(design.bit_line)) {
    refuse(design, "can't be had with a common factor", "only curves of the sum know of one",
           "leave out column.common_factor_sd");
  }
  if (design.sense.gain_sd > 0.0) {
    refuse(design, "can't be had with a sense amplifier of uncertain gain",
           "its gain comes after the line", "leave the gain out");
  }
}

}  // namespace cimstat::circuits
