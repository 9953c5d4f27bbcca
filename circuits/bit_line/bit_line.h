#pragma once

#include <limits>
#include <string_view>
#include <variant>

#include "core/config/config.h"

/// What a bit line makes of what its cells add to it. The laws of a ColumnDesign stay what one cell
/// adds, S their sum; offset, noise and references are in what the line delivers.
namespace cimstat::circuits {

/// Delivers S [A].
struct IdealSum {};

enum class DischargePath {
  saturated,  ///< cells that saturate: I (1 + lambda V)
  resistive,  ///< ohmic cells: I V / read_voltage
};

/// A precharged capacitor, C dV/dt = -S(V) for a time. Delivers the swing, precharge - V [V], which
/// rises with S and ends at `precharge`. S is what the cells draw at saturation (as if lambda = 0),
/// or resistive ones at `read_voltage`.
///   saturated  V = precharge - S time / C; with channel-length modulation
///              V = (precharge + 1 / lambda) exp(-lambda S time / C) - 1 / lambda
///   resistive  V = precharge exp(-S time / (C read_voltage))
struct Discharge {
  DischargePath path = DischargePath::saturated;
  double precharge = 0.0;     ///< [V]
  double capacitance = 0.0;   ///< C [F]
  double time = 0.0;          ///< [s]
  double modulation = 0.0;    ///< lambda [1/V]; saturated cells only
  double read_voltage = 0.0;  ///< [V]; resistive cells only
};

/// Delivers S / (1 + S / knee) [A]; S where it is negative. ASiM's non_linear_alpha is 1 / knee per
/// count, the lumped formula of a wire has knee = read_voltage / (its resistance).
struct Compression {
  double knee = std::numeric_limits<double>::infinity();  ///< [A], above 0
};

/// Ideal word lines at `read_voltage`, linear cells, a bit line of one segment for each row, then
/// the sense resistance to a virtual ground. Delivers the current there [A]. Which rows are the
/// active ones, and which of these are in LRS, is drawn anew for each trial: all orders are equally
/// likely.
struct WireResistance {
  double segment = 0.0;       ///< of the wire from one row to the next, or to the sense end [ohm]
  double sense = 0.0;         ///< [ohm]
  double read_voltage = 0.0;  ///< [V]
};

/// Unit capacitors that share their charge. The laws of the design are capacitances [F]: lrs those
/// driven to `supply`, hrs those of other active rows, leakage those of unselected rows; both are
/// grounded. Delivers [V]
///   (1 + injected_fraction) V + injected_charge / C_tot + N(0, k T / C_tot),
///   V = supply sum_on C / (sum C + parasitic), C_tot = the mean of sum C + parasitic.
struct ChargeSharing {
  double supply = 0.0;             ///< [V]
  double parasitic = 0.0;          ///< of the line and its sense amplifier [F]
  double temperature = 0.0;        ///< T [K]; 0 without thermal noise
  double injected_charge = 0.0;    ///< of the switches [C]
  double injected_fraction = 0.0;  ///< of the signal
};

/// The noise of ASiM's charge domain (its random and "non-linear" terms), for comparison with it.
/// With k the MAC value, delivers full_scale (k / rows + N(0, random^2 + mismatch^2 / (k + 1)))
/// [V], all of it fresh at each read; the laws of the cells don't matter.
struct AsimNoise {
  double full_scale = 1.0;  ///< [V]
  double random = 0.0;      ///< fraction of full scale
  double mismatch = 0.0;    ///< fraction of full scale
};

using BitLine =
    std::variant<IdealSum, Discharge, Compression, WireResistance, ChargeSharing, AsimNoise>;

/// As `kind` of [bit_line] says it.
std::string_view name_of(const BitLine& line);

inline bool is_ideal(const BitLine& line) { return std::holds_alternative<IdealSum>(line); }

/// Current or voltage.
core::Quantity delivered_quantity(const BitLine& line);

}  // namespace cimstat::circuits
