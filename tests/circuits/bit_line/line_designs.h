#pragma once

#include <cstdint>

#include "circuits/bit_line/bit_line.h"
#include "circuits/column.h"
#include "circuits/references/references.h"

/// Columns on each kind of bit line, in SI units.
namespace cimstat::circuits::testing {

inline ColumnDesign with_midpoints(ColumnDesign design) {
  design.ladder = midpoint_ladder(design, design.rows);
  return design;
}

/// Cells of 2 uA; 1 mV of offset and 1 mV of noise.
inline ColumnDesign discharge_design(std::uint32_t rows, Discharge line, double spread = 0.05) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::lognormal(2e-6, spread);
  design.hrs = core::Law::lognormal(2e-8, 0.4);
  design.sense = {.offset_sd = 1e-3, .noise_sd = 1e-3};
  design.bit_line = line;
  return with_midpoints(design);
}

/// Ends 0.5 V below 0.8 V where 16 cells draw 2 uA.
inline Discharge saturated_line() {
  return {.precharge = 0.8, .capacitance = 64e-15, .time = 1e-9};
}

inline Discharge modulated_line() {
  Discharge line = saturated_line();
  line.modulation = 0.2;
  return line;
}

inline Discharge resistive_line() {
  Discharge line = saturated_line();
  line.path = DischargePath::resistive;
  line.read_voltage = 0.8;
  return line;
}

inline ColumnDesign wire_design(std::uint32_t rows, double segment, double spread = 0.05) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::lognormal(50e-6 * 0.2, spread);
  design.hrs = core::Law::lognormal(2e-6 * 0.2, 0.3);
  design.sense = {.offset_sd = 0.5e-6, .noise_sd = 0.5e-6};
  design.bit_line = WireResistance{.segment = segment, .sense = 100.0, .read_voltage = 0.2};
  return with_midpoints(design);
}

/// Unit capacitors of 1 fF.
inline ColumnDesign charge_design(std::uint32_t rows, double mismatch, double noise,
                                  ChargeSharing line = {.supply = 1.0}) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = design.hrs = core::Law::normal(1e-15, mismatch * 1e-15);
  design.leakage = design.lrs;
  design.sense.noise_sd = noise;
  design.bit_line = line;
  return with_midpoints(design);
}

}  // namespace cimstat::circuits::testing
