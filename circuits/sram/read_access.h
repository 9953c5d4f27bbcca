#pragma once

#include "circuits/rare/limit_state.h"

/// Read access failures of an SRAM cell: the bit line is not discharged fast enough.
namespace cimstat::circuits {

/// The read path of a cell, access transistor above pull-down, the internal node at Vn in between.
/// Access: saturated, I = Ka (Vwl - Vn - Vta)^a (Sakurai and Newton, IEEE JSSC 25, 584 (1990)).
/// Pull-down: linear, I = Kd ((Vdd - Vtd) Vn - Vn^2 / 2). Thresholds are independent normals, their
/// spreads those of one device against its nominal value (devices/sram/mismatch.h).
///
/// The cell fails where it cannot carry the least current Ic, which has a boundary in closed form:
/// at Vn = Vwl - Vta - (Ic / Ka)^(1/a) the access transistor carries just Ic, and the pull-down
/// less than that where Vn <= 0 or Vtd > Vdd - Vn / 2 - Ic / (Kd Vn). Curved, in two variables.
struct ReadAccess {
  double supply = 1.0;               ///< Vdd [V]
  double word_line = 1.0;            ///< Vwl [V]
  double access_threshold = 0.4106;  ///< mean of Vta [V]; OpenYield's vth0 (FreePDK45)
  double access_sd = 0.0253;         ///< [V]
  double pull_down_threshold = 0.4106;
  double pull_down_sd = 0.0205;
  double access_factor = 1.2e-4;     ///< Ka [A/V^a]
  double pull_down_factor = 3.6e-4;  ///< Kd [A/V^2]
  double exponent = 1.3;             ///< a
  double least_current = 25e-6;      ///< Ic [A]

  /// In two standard normals, those of Vta and Vtd. The margin is what the pull-down carries at Vn
  /// above Ic, relative to Ic.
  LimitState limit() const;

  /// The same probability by one integral over Vta, to a relative 1e-10: the reference for every
  /// estimate, from 1e-2 to below 1e-11.
  double failure_probability() const;

 private:
  double node(double access_normal) const;
};

}  // namespace cimstat::circuits
