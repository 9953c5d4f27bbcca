#pragma once

/// What a cell conducts at a voltage: I(V) / V [S]. Monotone in the conductance.
namespace cimstat::devices {

/// The polynomial I = G V + a V^2 + b V^3 that CrossSim fits to Milo et al. (IRPS 2021): with L =
/// log10(G / S), a = 0.0001388 L^3 + 0.001541 L^2 + 0.005711 L + 0.007063 A/V^2, b = 8.871e-5 L^2 +
/// 6.7919e-4 L + 1.2968e-3 A/V^3. For 50 .. 225 uS and |V| <= 0.5 V; at the far ends of a law, G is
/// taken at 1 uS at the least in a and b.
double milo_conductance(double conductance, double voltage);

/// I = G V0 sinh(V / V0): HRS by tunnelling. V0 0.2 to 0.5 V, unverified.
double sinh_conductance(double conductance, double voltage, double scale);

}  // namespace cimstat::devices
