#pragma once

#include "circuits/rare/limit_state.h"

/// Read upsets of a six-transistor SRAM cell: reading flips it.
namespace cimstat::circuits {

/// While a cell is read, its access transistor (saturated) lifts the low node against the pull-down
/// (linear) to V_R:
///     (b_a / 2) (Vdd - V_R - Vta)^2 = b_d ((Vdd - Vtd) V_R - V_R^2 / 2),
/// beyond V_R = Vdd - Vtd, where the pull-down saturates too,
///     Vdd - V_R - Vta = sqrt(b_d / b_a) (Vdd - Vtd),
/// and the cell flips where V_R exceeds the trip voltage of the other inverter,
///     V_T = (Vdd - |Vtp| + r Vtn) / (1 + r), r = sqrt(b_n / b_p)
/// (square-law devices after Mukhopadhyay, Mahmoodi and Roy, IEEE TCAD 24, 1859 (2005);
/// unverified). A cell is taken for failed where either stored value is upset: six independent
/// thresholds, two regions that mirror each other.
struct ReadUpset {
  double supply = 1.0;               ///< Vdd [V]
  double access_threshold = 0.4106;  ///< [V]
  double access_sd = 0.030;          ///< of one device against its nominal value [V]
  double pull_down_threshold = 0.4106;
  double pull_down_sd = 0.030;
  double pull_up_threshold = 0.3842;  ///< its magnitude
  double pull_up_sd = 0.030;
  double access_strength = 1.35;     ///< b_a; only ratios of b count
  double pull_down_strength = 2.05;  ///< b_d = b_n
  double pull_up_strength = 0.36;    ///< b_p

  /// V_R of thresholds Vta and Vtd [V].
  double bump(double access, double pull_down) const;
  /// V_T of thresholds |Vtp| and Vtn [V].
  double trip(double pull_up, double pull_down) const;

  /// In six standard normals: access, pull-down and pull-up of one side, then of the other. The
  /// margin is the lesser V_T - V_R of the two stored values [V].
  LimitState limit() const;

  /// The same probability by quadrature: given the two pull-downs, the two upsets are independent.
  /// To about 1e-8, 2e-4 where transistors are often off (0.6 V and 40 mV: kinks). 0.3 s.
  double failure_probability() const;
  /// Of one stored value alone.
  double upset_probability_of_one_value() const;

 private:
  struct Both;
  Both integrate() const;
};

}  // namespace cimstat::circuits
