#pragma once

#include "circuits/column.h"

/// Sense amplifiers from area and bias, in SI units. Matching constants are those of a pair: the
/// difference of two equal transistors has sd A / sqrt(W L); one transistor against nominal has
/// that over sqrt(2). (Pelgrom, Duinmaijer, Welbers, JSSC 24(5), 1989.)
namespace cimstat::circuits {

struct PairGeometry {
  double width = 0.0;   ///< W of each of the two transistors [m]
  double length = 0.0;  ///< L [m]
};

/// A / sqrt(W L), for a pair.
double pair_mismatch(double matching, const PairGeometry& pair);

/// Voltage latch: an input pair that a cross-coupled pair regenerates.
struct VoltageLatch {
  PairGeometry input;
  PairGeometry latch;
  double threshold_matching = 0.0;    ///< A_VT [V m]; 1 mV um = 1e-9 V m
  double current_matching = 0.0;      ///< A_beta [m]; 1 % um = 1e-8 m
  double transconductance_ratio = 0;  ///< gm of the latch pair over gm of the input pair
  double overdrive = 0.0;             ///< V_ov of the input pair [V]
  double capacitor_mismatch = 0.0;    ///< sd of dC/C of its two internal nodes
  double residue = 1.0;               ///< share of the offset that cancellation leaves
  double node_capacitance = 0.0;      ///< C_int that the input integrates on [F]; 0: no noise
  double noise_factor = 2.0 / 3.0;    ///< gamma of the input pair
};

/// Input-referred offset [V]:
///   residue sqrt(A_VT^2 / (W L)_in + (gm_latch / gm_in)^2 A_VT^2 / (W L)_latch
///                + (V_ov / 2)^2 (A_beta^2 / (W L)_in + (dC / C)^2)).
/// Threshold first, then current factor, then capacitance (Do et al., 2010; not checked against the
/// paper's text).
double offset_sd(const VoltageLatch& latch);

/// Input-referred noise [V] of one decision: sqrt(4 k T gamma / C_int).
double noise_sd(const VoltageLatch& latch, double temperature);

/// Current-mode amplifier. Its input transistors carry the bit line's current I and `bias`.
struct CurrentAmplifier {
  PairGeometry pair;
  double threshold_matching = 0.0;  ///< A_VT [V m]
  double current_matching = 0.0;    ///< A_beta [m]
  double transconductance = 0.0;    ///< gm [S]
  double residue = 1.0;             ///< share of offset and gain error that cancellation leaves
  double bandwidth = 0.0;           ///< B of its noise [Hz]
  double conductance = 0.0;         ///< G of thermal noise [S]
  double bias_current = 0.0;        ///< [A], beside that of the bit line
};

/// s_0 = residue sqrt((gm A_VT)^2 + (A_beta bias)^2) / sqrt(W L) [A], and s_1 = residue A_beta /
/// sqrt(W L), of the current. Offset and gain error are drawn independently: that one current
/// factor acts on both I and bias would add 2 s_1^2 I bias to the variance, which is left out.
double offset_sd(const CurrentAmplifier& amplifier);
double gain_sd(const CurrentAmplifier& amplifier);

/// sqrt(s_0^2 + (s_1 I)^2) [A]: offset and gain error at a current I.
double offset_sd_at(const CurrentAmplifier& amplifier, double current);

/// sqrt((2 q I + 4 k T G) B) [A]: shot noise of a current and thermal noise of a conductance.
double current_noise_sd(double current, double conductance, double bandwidth, double temperature);

/// The same amplifier as the engines see it: noise_sd sqrt(1 + I / noise_knee) is exactly
/// sqrt((2 q (I + bias) + 4 k T G) B), with noise_knee = bias + 2 k T G / q.
SenseAmplifier sense_amplifier(const CurrentAmplifier& amplifier, double temperature);

/// A latch that sees `transresistance` [ohm] times the current of the bit line.
SenseAmplifier sense_amplifier(const VoltageLatch& latch, double transresistance,
                               double temperature);

}  // namespace cimstat::circuits
