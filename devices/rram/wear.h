#pragma once

#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

#include "devices/conditions.h"
#include "devices/rram/power_retention.h"

/// What temperature, time, reads and write cycles do to resistive cells: simple forms for which the
/// user has the numbers. None of the ranges named here is verified.
namespace cimstat::devices {

/// Low-frequency read noise that has gathered since programming, relative to the conductance:
/// amount sqrt(ln((t + t_read) / (2 t_read))), from S_G / G^2 = amount^2 / f; 0 until t_read.
/// amount: LRS 0.003 to 0.01, HRS 0.02 to 0.1, unverified.
double low_frequency_noise(double amount, double time, double read_time);

/// exp(energy / k (1 / T - 1 / T_room)), energy in eV: how much slower an activated process is than
/// at room temperature (298.15 K). tau(T) = tau_0 exp(E / kT) is tau(room) times this.
double arrhenius(double energy, double temperature);

/// All 0: nothing happens.
struct Wear {
  double temperature_coefficient = 0.0;  ///< of all levels but the lowest, metallic [1/K]
  double activation_energy = 0.0;        ///< of reading the lowest level [eV]
  double retention_loss = 0.0;           ///< share lost for each factor e of time
  double retention_time = 1.0;           ///< from when on, at room temperature [s]
  double retention_energy = 0.0;         ///< [eV]
  PowerRetention retention{};            ///< the other form, of all levels
  double reads = 0.0;                    ///< since programming
  double disturb_reads = 1.0;            ///< from how many on the lowest level moves
  double disturb_exponent = 0.0;
  double cycles = 0.0;           ///< written so often
  double lifetime_cycles = 1.0;  ///< scale of a Weibull law
  double lifetime_shape = 1.0;

  /// What the conductance of a level is multiplied by. Lowest level: exp(-E/k (1/T - 1/T_room))
  /// (1 + reads / disturb_reads)^disturb_exponent. Others: (1 + coefficient (T - T_room)) max(0, 1
  /// - loss ln(1 + t / tau(T))).
  double lowest_factor(const Conditions& conditions) const;
  double factor(const Conditions& conditions) const;
  /// Share of cells that no longer switch, stuck at the highest level: 1 - exp(-(cycles /
  /// lifetime)^shape), 0 where no cycles are given.
  double worn_out() const;
};

/// The keys of Wear, all optional and without defaults.
std::vector<core::Parameter> wear_parameters();

/// Throws UsageError for keys that lack their partners and where nothing would be left.
Wear read_wear(const core::SectionReader& cell, const Conditions& conditions);

}  // namespace cimstat::devices
